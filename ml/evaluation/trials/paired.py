"""Paired comparison of two systems on the same trials: one bootstrap over people for both."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.trials.trial_scores import TrialScores, TrialScoresError
from ml.metrics.error_rates import eer
from ml.metrics.intervals import Interval, eer_by_weights, redrawn_people

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

REPLICATES = 1000
_SEED = 20261120


@dataclass(frozen=True)
class Difference:
    """A figure of two systems, and its uncertain difference.

    Args:
        a, b: The figure of each.
        difference: a − b; below 0 means fewer errors of a.
        interval: Of the difference.
        p: Two-sided share of draws with the opposite sign, ties counted against; never below 2 ÷ (draws
            + 1).
    """

    a: float
    b: float
    difference: float
    interval: Interval
    p: float

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self) | {"interval": self.interval.to_list()}


@dataclass(frozen=True)
class PairedFigures:
    """Two systems on one variant.

    Args:
        variant: Of the protocol.
        a, b: Names of the systems.
        probes, people: Counts.
        wrong_a, wrong_b, only_a_wrong, only_b_wrong: Rank-1 errors.
        rank_1: Share of rank-1 errors.
        eer: Equal error rate, failures counted.
        eer_ratio, eer_ratio_interval: EER of a over that of b, −1: −0.1 is 10 % better. None if b's is 0.
    """

    variant: str
    a: str
    b: str
    probes: int
    people: int
    wrong_a: int
    wrong_b: int
    only_a_wrong: int
    only_b_wrong: int
    rank_1: Difference
    eer: Difference
    eer_ratio: float | None
    eer_ratio_interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return vars(self) | {
            "rank_1": self.rank_1.to_dict(),
            "eer": self.eer.to_dict(),
            "eer_ratio_interval": self.eer_ratio_interval.to_list() if self.eer_ratio_interval else None,
        }


def compare_systems(
    a: TrialScores, b: TrialScores, *, replicates: int = REPLICATES, seed: int = _SEED
) -> PairedFigures:
    """Compare two systems on the same trials.

    Args:
        a, b: Their scores.
        replicates: Bootstrap draws of people.
        seed: Of the draws.

    Raises:
        TrialScoresError: The trials differ.
    """
    if not a.same_trials_as(b):
        raise TrialScoresError(f"{a.variant}: {a.system} and {b.system} were not measured on the same trials")
    names = sorted({*a.probe_people, *a.gallery_people})
    index = {name: k for k, name in enumerate(names)}
    probe_people = np.array([index[name] for name in a.probe_people])
    gallery_people = np.array([index[name] for name in a.gallery_people])
    parts = [_parts(one, probe_people, gallery_people) for one in (a, b)]
    eers = [eer(mated[0], non_mated[0]) for mated, non_mated in parts]
    eer_of = [eer_by_weights(mated, non_mated) for mated, non_mated in parts]
    share_of = [_share(one.wrong, probe_people) for one in (a, b)]
    draws = np.array(
        [
            [share_of[0](w), share_of[1](w), eer_of[0](w), eer_of[1](w)]
            for w in redrawn_people(len(names), replicates, seed)
        ]
    )  # (replicates, 4)
    wrong = [int(np.count_nonzero(one.wrong)) for one in (a, b)]
    ratio, ratio_interval = _ratio(eers, draws[:, 2:])
    return PairedFigures(
        variant=a.variant,
        a=a.system,
        b=b.system,
        probes=probe_people.size,
        people=int(np.unique(probe_people).size),
        wrong_a=wrong[0],
        wrong_b=wrong[1],
        only_a_wrong=int(np.count_nonzero(a.wrong & ~b.wrong)),
        only_b_wrong=int(np.count_nonzero(b.wrong & ~a.wrong)),
        rank_1=_difference(wrong[0] / probe_people.size, wrong[1] / probe_people.size, draws[:, :2]),
        eer=_difference(eers[0], eers[1], draws[:, 2:]),
        eer_ratio=ratio,
        eer_ratio_interval=ratio_interval,
    )


def _parts(
    one: TrialScores, probe_people: IntArray, gallery_people: IntArray
) -> tuple[tuple[FloatArray, IntArray], tuple[FloatArray, IntArray, IntArray]]:
    mated = one.mated
    own = one.scores[mated]
    others = ~mated & np.isfinite(one.scores)
    rows, columns = np.nonzero(others)
    return (
        (np.where(np.isnan(own), -np.inf, own), probe_people),
        (one.scores[others], probe_people[rows], gallery_people[columns]),
    )


def _share(wrong: NDArray[np.bool_], people: IntArray) -> Callable[[FloatArray], float]:
    def share(weights: FloatArray) -> float:
        total = float(weights[people].sum())
        return float(weights[people] @ wrong) / total if total else float("nan")

    return share


def _difference(a: float, b: float, draws: FloatArray) -> Difference:
    found = draws[:, 0] - draws[:, 1]
    found = found[np.isfinite(found)]
    low, high = np.quantile(found, [0.025, 0.975])
    sides = (np.count_nonzero(found <= 0.0), np.count_nonzero(found >= 0.0))
    p = min(1.0, 2.0 * (1 + min(sides)) / (found.size + 1))
    return Difference(a, b, a - b, Interval(float(low), float(high)), float(p))


def _ratio(eers: list[float], draws: FloatArray) -> tuple[float | None, Interval | None]:
    usable = draws[np.isfinite(draws).all(axis=1) & (draws[:, 1] > 0.0)]
    if eers[1] <= 0.0 or not usable.size:
        return None, None
    low, high = np.quantile(usable[:, 0] / usable[:, 1] - 1.0, [0.025, 0.975])
    return eers[0] / eers[1] - 1.0, Interval(float(low), float(high))
