"""Random galleries count what their own rules let pass."""

from functools import lru_cache

import numpy as np
import pytest

from ml.evaluation.protocols.random_galleries import People, gallery_figures
from ml.evaluation.trials.scoring import Comparisons
from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import IMAGES, EvidenceArray
from ml.training.calibration_fit import CohortScores, fit_calibration


def cosines(people: int, seed: int, alike: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    traits = generator.normal(size=(people, 12)) + alike
    sides = [traits + 0.4 * generator.normal(size=traits.shape) for _ in range(2)]
    one, other = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides)
    return one @ one.T, other @ one.T


@lru_cache
def calibration() -> Calibration:
    _, crossed = cosines(200, 1)
    side = EvidenceArray(np.ones(200), IMAGES, np.full(200, 0.8))
    return fit_calibration([CohortScores(crossed, side, side)], replicates=40)


def people(n: int, *, alike: float = 0.0, seed: int = 2) -> People:
    own, crossed = (calibration().llr_db(part, 1.0, 0.8) for part in cosines(n, seed, alike))
    classes = np.zeros((n, n), dtype=np.int64)
    who = np.arange(n)
    return People(calibration(), own, classes, Comparisons(crossed, classes, np.eye(n, dtype=bool), who, who))


def test_a_gallery_of_everybody_is_drawn_once_and_counts_each_comparison():
    found = gallery_figures(people(40), 40)

    assert (found["enrolled"], found["galleries"], found["corrected"]) == (40, 1, True)
    assert found["rates"][0]["comparisons"] == 40 * 39


def test_few_people_are_not_corrected_and_pass_as_the_bundle_lets_them():
    at = gallery_figures(people(60), 20, draws=30)["rates"][0]

    assert at["measured_over_nominal"] == at["measured_over_nominal_uncorrected"]
    assert 0.2 < at["measured_over_nominal"] < 2.0
    low, high = at["interval_95"]
    assert low <= at["measured_over_nominal"] <= high


def test_people_who_look_alike_pass_more_often_than_stated_until_the_gallery_corrects_itself():
    at = gallery_figures(people(80, alike=0.8), 40, draws=20)["rates"][0]

    assert at["measured_over_nominal_uncorrected"] > 3.0
    assert at["measured_over_nominal"] < 1.6


def test_a_rate_that_the_pairs_do_not_resolve_is_marked():
    percent, per_mille = gallery_figures(people(90), 30, draws=2)["rates"]

    assert percent["resolvable"]
    assert not per_mille["resolvable"]


@pytest.mark.parametrize("size", [20, 40])
def test_draws_are_the_same_in_every_run(size):
    assert gallery_figures(people(60), size, draws=3) == gallery_figures(people(60), size, draws=3)
