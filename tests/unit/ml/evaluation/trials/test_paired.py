from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from ml.data.records import EcgRecord
from ml.evaluation.trials.paired import compare_systems
from ml.evaluation.trials.trial_scores import (
    TrialScores,
    TrialScoresError,
    cosine_trial_scores,
    read_trial_scores,
    write_trial_scores,
)
from ml.evaluation.trials.trials import Cut, Presentation, Probe, Trials
from ml.metrics.error_rates import eer
from ml.metrics.intervals import redrawn_people

PEOPLE = tuple(f"p{k:02d}" for k in range(40))


def scores(
    system: str,
    separation: float,
    *,
    seed: int,
    probes_each: int = 1,
    key: str = "a",
    failed: int | None = None,
) -> TrialScores:
    """Mated scores around a separation, non-mated ones around 0."""
    rng = np.random.default_rng(seed)
    owners = tuple(p for p in PEOPLE for _ in range(probes_each))
    mated = np.equal.outer(np.array(owners), np.array(PEOPLE))
    found = rng.normal(size=mated.shape) + separation * mated
    if failed is not None:
        found[failed] = np.nan
    own = found[mated]
    best = np.where(mated, -np.inf, found).max(axis=1)
    return TrialScores(
        system=system,
        variant="v",
        probe_keys=tuple(f"{key}{row}" for row in range(len(owners))),
        gallery_keys=PEOPLE,
        probe_people=owners,
        gallery_people=PEOPLE,
        scores=found,
        wrong=~(own > best),
    )


class TestCompareSystems:
    def test_figures_of_each_are_their_own(self) -> None:
        a, b = scores("a", 3.0, seed=1), scores("b", 2.0, seed=2)

        found = compare_systems(a, b, replicates=100)

        assert found.eer.a == eer(a.scores[a.mated], a.scores[~a.mated])
        assert found.eer.difference == found.eer.a - found.eer.b
        assert found.rank_1.a == a.wrong.mean()
        assert found.wrong_a - found.wrong_b == found.only_a_wrong - found.only_b_wrong

    def test_a_system_does_not_differ_from_itself(self) -> None:
        a = scores("a", 2.0, seed=1)

        found = compare_systems(a, a, replicates=100)

        assert found.eer.interval.to_list() == [0.0, 0.0]
        assert found.eer.p == found.rank_1.p == 1.0
        assert found.eer_ratio == 0.0

    def test_a_clearly_better_one_is_recognized_and_the_sides_are_antisymmetric(self) -> None:
        good, bad = scores("good", 6.0, seed=1), scores("bad", 1.0, seed=2)

        forth, back = (compare_systems(x, y, replicates=200) for x, y in ((good, bad), (bad, good)))

        assert forth.eer.interval.high < 0.0
        assert forth.rank_1.interval.high < 0.0
        assert forth.eer.p == pytest.approx(2.0 / 201)
        assert back.eer.difference == -forth.eer.difference
        assert back.eer.interval.low == pytest.approx(-forth.eer.interval.high)

    def test_both_see_the_same_people_in_every_draw(self) -> None:
        a, b = scores("a", 2.0, seed=1, probes_each=3), scores("b", 2.0, seed=2, probes_each=3)

        found = compare_systems(a, b, replicates=200, seed=9)

        person = np.repeat(np.arange(40), 3)
        slow = []
        for weights in redrawn_people(40, 200, 9):
            total = weights[person].sum()
            slow.append((weights[person] * (a.wrong.astype(float) - b.wrong)).sum() / total)
        assert found.rank_1.interval.to_list() == pytest.approx(np.quantile(slow, [0.025, 0.975]))
        ties_against = min(np.count_nonzero(np.array(slow) <= 0), np.count_nonzero(np.array(slow) >= 0))
        assert found.rank_1.p == pytest.approx(min(1.0, 2 * (1 + ties_against) / 201))

    def test_a_failure_of_one_system_is_an_error_of_that_system(self) -> None:
        whole, broken = scores("whole", 8.0, seed=1), scores("broken", 8.0, seed=1, failed=5)

        found = compare_systems(whole, broken, replicates=100)

        assert (found.wrong_a, found.wrong_b, found.only_b_wrong) == (0, 1, 1)
        assert found.eer.b > found.eer.a
        assert found.eer_ratio == pytest.approx(found.eer.a / found.eer.b - 1.0)

    def test_no_ratio_to_a_system_without_errors(self) -> None:
        perfect = scores("perfect", 30.0, seed=1)

        assert compare_systems(perfect, perfect, replicates=100).eer_ratio is None

    def test_other_trials_are_refused(self) -> None:
        with pytest.raises(TrialScoresError, match="same trials"):
            compare_systems(scores("a", 2.0, seed=1), scores("b", 2.0, seed=2, key="other"))


def cut(name: str, person: str) -> Cut:
    return Cut(EcgRecord(name, person, 250.0, np.zeros(750, dtype=np.float32)))


class TestCosineTrialScores:
    VECTORS = MappingProxyType({"a1": (1.0, 0.0), "a2": (0.8, 0.6), "b1": (0.0, 1.0), "b2": (0.6, 0.8)})

    def vector_of(self, piece: Cut) -> np.ndarray | None:
        found = self.VECTORS.get(piece.record.record_id)
        return None if found is None else np.array(found)

    def score(self, *probes: Probe) -> TrialScores:
        gallery = (Presentation.of(cut("a1", "a")), Presentation.of(cut("b1", "b")))
        return cosine_trial_scores("net", Trials("v", gallery, probes), self.vector_of)

    def test_scores_are_cosines_and_the_nearest_is_first(self) -> None:
        found = self.score(Probe(Presentation.of(cut("a2", "a"))), Probe(Presentation.of(cut("a2", "b"))))

        assert found.scores == pytest.approx(np.array([[0.8, 0.6], [0.8, 0.6]]))
        assert found.wrong.tolist() == [False, True]

    def test_what_was_not_acquired_is_wrong_and_has_no_score(self) -> None:
        found = self.score(Probe(Presentation.of(cut("lost", "a"))), Probe(Presentation.of(cut("b2", "b"))))

        assert np.isnan(found.scores[0]).all()
        assert found.wrong.tolist() == [True, False]

    def test_several_recordings_are_pooled(self) -> None:
        found = self.score(Probe(Presentation.of(cut("a2", "a"), cut("b2", "a"))))

        assert found.scores[0] == pytest.approx([0.5**0.5, 0.5**0.5])

    def test_an_own_enrollment_replaces_the_mated_comparison_only(self) -> None:
        probe = Probe(Presentation.of(cut("a2", "a")), own_enrollment=Presentation.of(cut("b2", "a")))

        assert self.score(probe).scores[0] == pytest.approx([0.96, 0.6])


class TestFiles:
    def test_scores_come_back_as_they_went(self, tmp_path: Path) -> None:
        kept = scores("a", 2.0, seed=1, failed=0)

        write_trial_scores(tmp_path / "x" / "D2.npz", [kept])
        found = read_trial_scores(tmp_path / "x" / "D2.npz")["v"]

        assert found.system == "a"
        assert found.same_trials_as(kept)
        assert np.allclose(found.scores, kept.scores, equal_nan=True, atol=1e-6)
        assert np.array_equal(found.wrong, kept.wrong)

    def test_an_absent_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(TrialScoresError, match=r"D2\.npz: no such file"):
            read_trial_scores(tmp_path / "D2.npz")

    def test_another_file_is_refused(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "D2.npz", one=np.zeros(1), two=np.zeros(1), three=np.zeros(1))

        with pytest.raises(TrialScoresError, match="not a file of trial scores"):
            read_trial_scores(tmp_path / "D2.npz")

    def test_a_probe_of_nobody_enrolled_is_refused(self) -> None:
        with pytest.raises(TrialScoresError, match="enrolled once"):
            TrialScores("a", "v", ("k",), ("g",), ("p",), ("q",), np.zeros((1, 1)), np.zeros(1, dtype=bool))
