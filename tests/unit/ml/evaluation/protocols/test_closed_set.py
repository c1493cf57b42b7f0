import json
from pathlib import Path

import numpy as np
import pytest

from ml.evaluation.protocols.closed_set import (
    COSINE_SCALE,
    HEADS,
    INVERSE_STRENGTH,
    Windows,
    closed_set_figures,
    ecg_id_windows,
    logistic_logits,
    random_split,
    recording_split,
    template_logits,
)
from ml.metrics.confidence import log_probabilities


def windows(people: int = 8, each: int = 20, *, noise: float = 0.4, seed: int = 2) -> Windows:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(people), each)
    noisy = rng.normal(size=(people, 12))[labels] + noise * rng.normal(size=(labels.size, 12))
    return Windows(noisy / np.linalg.norm(noisy, axis=1, keepdims=True), labels)


class TestRandomSplit:
    def test_every_window_is_in_one_part_and_every_person_in_all(self) -> None:
        labels = windows().labels

        split = random_split(labels)

        assert sorted([*split.fit, *split.temperature, *split.test]) == list(range(labels.size))
        for part in (split.fit, split.temperature, split.test):
            assert set(labels[part]) == set(range(8))

    def test_seven_of_ten_train(self) -> None:
        split = random_split(windows(each=20).labels)

        assert (split.fit.size, split.temperature.size, split.test.size) == (8 * 11, 8 * 3, 8 * 6)

    def test_another_seed_deals_otherwise(self) -> None:
        labels = windows().labels

        assert not np.array_equal(random_split(labels).test, random_split(labels, seed=1).test)


class TestRecordingSplit:
    def test_test_windows_come_from_another_recording_and_single_ones_take_no_part(self) -> None:
        labels = np.repeat([0, 0, 1, 1, 2], 3)
        recordings = [f"p/rec_{k}" for k in (1, 2, 1, 2, 1) for _ in range(3)]

        split = recording_split(labels, recordings)

        named = np.array(recordings)
        assert set(named[split.test]) == {"p/rec_2"}
        assert set(named[split.fit]) == set(named[split.temperature]) == {"p/rec_1"}
        assert set(labels[split.fit]) == set(labels[split.test]) == {0, 1}
        assert (split.fit.size, split.temperature.size, split.test.size) == (4, 2, 6)


class TestHeads:
    def test_template_is_the_cosine_with_the_class_mean(self) -> None:
        known = windows()

        logits = template_logits(known, known.vectors[:5], 8)

        mean = known.vectors[known.labels == 3].mean(axis=0)
        expected = known.vectors[:5] @ (mean / np.linalg.norm(mean))
        assert logits[:, 3] == pytest.approx(COSINE_SCALE * expected)

    def test_logistic_head_is_at_a_minimum_of_its_loss(self) -> None:
        known = windows(people=4, each=10)
        identity = np.eye(12)
        bias = logistic_logits(known, np.zeros((1, 12)), 4)
        weights = logistic_logits(known, identity, 4) - bias

        chances = np.exp(log_probabilities(known.vectors @ weights + bias))
        truth = np.eye(4)[known.labels]
        gradient = INVERSE_STRENGTH * known.vectors.T @ (chances - truth) + weights

        assert np.abs(gradient).max() < 0.05
        assert np.abs(np.sum(chances - truth, axis=0)).max() < 0.05


class TestClosedSetFigures:
    @pytest.mark.parametrize("head", HEADS)
    def test_distinct_people_are_separated(self, head: str) -> None:
        known = windows(noise=0.2)

        found = closed_set_figures(known, random_split(known.labels), head)

        assert found.errors.count == 0
        assert found.errors.n == 48
        assert found.people == 8

    @pytest.mark.parametrize("head", HEADS)
    def test_a_temperature_fitted_to_windows_alike_lowers_the_log_loss(self, head: str) -> None:
        known = windows(each=60, noise=1.0)

        found = closed_set_figures(known, random_split(known.labels), head)

        assert found.after["nll"] < found.before["nll"]
        assert found.after["ece_equal_mass"] < 0.12

    def test_a_window_without_a_vector_is_an_error_with_no_idea(self) -> None:
        known = windows(noise=0.2)
        split = random_split(known.labels)
        broken = known.vectors.copy()
        broken[split.test[:5]] = np.nan
        broken[split.fit[0]] = np.nan

        found = closed_set_figures(Windows(broken, known.labels), split, "template cosine")

        assert (found.failures, found.errors.count) == (5, 5)
        assert found.windows[0] == split.fit.size - 1
        assert found.before["nll"] == pytest.approx(5 / 48 * np.log(8), abs=0.03)

    def test_people_who_were_not_fitted_are_no_candidates(self) -> None:
        known = windows(people=3, each=6)
        recordings = [f"p/rec_{k}" for k in (1, 2, 1, 1, 1, 2) for _ in range(3)]
        split = recording_split(known.labels, recordings)
        failed = Windows(
            np.where(np.isin(np.arange(18), split.test)[:, None], np.nan, known.vectors), known.labels
        )

        found = closed_set_figures(failed, split, "template cosine")

        assert found.before["nll"] == pytest.approx(np.log(2))

    def test_json_is_plain(self) -> None:
        known = windows()

        stored = json.loads(
            json.dumps(closed_set_figures(known, random_split(known.labels), "logistic").to_dict())
        )

        assert stored["accuracy"] == pytest.approx(1.0 - stored["errors"]["value"])


@pytest.mark.real_data
class TestEcgIdWindows:
    def test_six_windows_of_each_of_310_recordings_of_90_people(self, data_dir: Path) -> None:
        found = ecg_id_windows(data_dir)

        assert len(found) == 6 * 310
        assert len({one.subject_id for one in found}) == 90
        assert {one.cuts[0].signal.size for one in found} == {1500}
