"""Whether stated false-match rates are true in small galleries, drawn at random from the people of a set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.trials.scoring import Comparisons, Scored
from ml.metrics.intervals import pair_share_bootstrap
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import RESOLVED_PAIRS
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null

SIZES: Final = (20, 30, 58)
RATES: Final = (0.01, 0.001)
DRAWS: Final = 100
_SEED: Final = 20261201


@dataclass(frozen=True, eq=False)
class People:
    """All that random galleries of some people decide by.

    Args:
        calibration: Of the encoder.
        own_llr_db: A single reference of person i against the template of person j, NaN where nothing was
            compared; shape (n, n).
        own_classes: Evidence classes of these, shape (n, n).
        comparisons: Every probe against every template.
    """

    calibration: Calibration
    own_llr_db: NDArray[np.float64]
    own_classes: NDArray[np.int64]
    comparisons: Comparisons

    def gallery(self, kept: NDArray[np.int64]) -> Scored:
        """Enroll some, and score every probe by a gallery's rules."""
        among = np.ix_(kept, kept)
        correction = fit_gallery_null(self.calibration, self.own_llr_db[among], self.own_classes[among])
        return Scored(self.comparisons.columns(kept), self.calibration, correction)


def gallery_figures(people: People, size: int, draws: int = DRAWS) -> dict[str, Any]:
    """Draw galleries of one size, and count false matches of all probes but the enrolled people's own.

    Args:
        people: At least `size` of them.
        size: People enrolled.
        draws: Galleries; one if it holds everybody.
    """
    drawn = [people.gallery(kept) for kept in _drawn(people, size, draws)]
    return {
        "enrolled": size,
        "galleries": len(drawn),
        "corrected": drawn[0].correction.corrected,
        "rates": [_at(people, drawn, rate) for rate in RATES],
    }


def _drawn(people: People, size: int, draws: int) -> Iterator[NDArray[np.int64]]:
    n = len(people.comparisons.gallery_people)
    generator = np.random.default_rng(_SEED)
    for _ in range(1 if size == n else draws):
        yield np.sort(generator.choice(n, size=size, replace=False))


def _at(people: People, drawn: list[Scored], rate: float) -> dict[str, Any]:
    ours = [_false_matches(people, scored, rate) for scored in drawn]
    plain = [
        _false_matches(people, Scored(one.comparisons, people.calibration, GalleryNull.identity()), rate)
        for one in drawn
    ]
    hits, trials = (np.sum([one[k] for one in ours], axis=0) for k in range(2))
    compared = trials > 0
    rows, columns = np.nonzero(compared)
    comparisons = people.comparisons
    # A comparison that is in several galleries counts once, as often as it matches on average.
    interval = pair_share_bootstrap(
        hits[compared] / trials[compared], comparisons.probe_people[rows], comparisons.gallery_people[columns]
    )
    found = float(hits.sum() / trials.sum())
    return {
        "fmr": rate,
        "resolvable": comparisons.non_mated_pairs * rate >= RESOLVED_PAIRS,
        "comparisons": int(np.count_nonzero(compared)),
        "measured_over_nominal": found / rate,
        "interval_95": [limit / rate for limit in interval.to_list()],
        "spread_of_galleries": _spread(ours, rate),
        "measured_over_nominal_uncorrected": float(
            sum(one[0].sum() for one in plain) / sum(one[1].sum() for one in plain) / rate
        ),
        "fnmr": float(np.mean([_missed(scored, rate) for scored in drawn])),
    }


def _false_matches(
    people: People, scored: Scored, rate: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """False matches and non-mated comparisons, each of the shape of all comparisons."""
    columns = np.searchsorted(people.comparisons.gallery_people, scored.comparisons.gallery_people)
    found = np.zeros((2, *people.comparisons.llr_db.shape), dtype=np.int64)
    others = scored.comparisons.compared_non_mated
    found[0][:, columns] = scored.matches(rate) & others
    found[1][:, columns] = others
    return found[0], found[1]


def _spread(ours: list[tuple[NDArray[np.int64], NDArray[np.int64]]], rate: float) -> list[float]:
    """The middle 90 % of galleries, measured ÷ nominal."""
    ratios = [float(hits.sum() / trials.sum()) / rate for hits, trials in ours]
    return [float(limit) for limit in np.quantile(ratios, [0.05, 0.95])]


def _missed(scored: Scored, rate: float) -> float:
    comparisons = scored.comparisons
    matched = scored.matches(rate)[comparisons.mated_probes, comparisons.own_column]
    return float(np.mean(~matched))
