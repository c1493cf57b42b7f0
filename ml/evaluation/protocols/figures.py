"""Figures of one variant of a protocol, as kept in `results`."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.trials.encodings import TemplateSet
from ml.evaluation.trials.scoring import Comparisons, Scored, gallery_null_of
from ml.metrics.error_rates import cllr, det_points, eer, min_cllr, oracle_threshold
from ml.metrics.intervals import (
    Interval,
    eer_bootstrap,
    pair_share_bootstrap,
    share_bootstrap,
    wilson,
)
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import RESOLVED_PAIRS
from ml.runtime.matching.gallery_null import GalleryNull

FloatArray = NDArray[np.float64]

POLICY_RATES = (0.01, 0.001)
SMALL_GALLERY = 30
_SMALL_GALLERIES = 200
_SEED = 20261120


@dataclass(frozen=True)
class Share:
    """A count of errors among trials, with its interval.

    Args:
        resolvable: Whether the data resolve such a rate; otherwise a report prints the counts, but no
            rate.
    """

    count: int
    n: int
    interval: Interval
    resolvable: bool = True

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.n

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"value": self.value, **asdict(self), "interval": self.interval.to_list()}


@dataclass(frozen=True)
class RateFigures:
    """Results at a policy's false-match rate.

    Args:
        fmr: Nominal.
        measured: With the gallery's own null.
        measured_uncorrected: With the bundle's.
        small_galleries: Mean measured ÷ nominal over seeded galleries of 30; None with too few people.
        fnmr: At the preset threshold, with the gallery's own null.
        fnmr_uncorrected: At the bundle's.
        fnmr_oracle: At the threshold fitted to these very scores; None if not resolvable.
    """

    fmr: float
    measured: Share
    measured_uncorrected: Share
    small_galleries: float | None
    fnmr: Share
    fnmr_uncorrected: Share
    fnmr_oracle: Share | None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "fmr": self.fmr,
            "measured": self.measured.to_dict(),
            "measured_over_nominal": self.measured.value / self.fmr,
            "measured_uncorrected": self.measured_uncorrected.to_dict(),
            "measured_over_nominal_uncorrected": self.measured_uncorrected.value / self.fmr,
            "measured_over_nominal_galleries_of_30": self.small_galleries,
            "fnmr": self.fnmr.to_dict(),
            "fnmr_uncorrected": self.fnmr_uncorrected.to_dict(),
            "fnmr_oracle": self.fnmr_oracle.to_dict() if self.fnmr_oracle else None,
        }


@dataclass(frozen=True)
class VariantFigures:
    """All figures of one variant.

    Args:
        name: Of the variant.
        probes, subjects, failures: Mated probes, subjects of the gallery, failures to enroll or acquire.
        rank_1_errors, rank_1_error_per_subject: Of probes; mean over people.
        eer, eer_interval: Of the scores without a gallery's correction, failures counted.
        cllr, min_cllr, cllr_corrected: In bits; the first two without a gallery's correction.
        rates: One per policy rate.
        correction: The gallery's.
        non_mated_comparisons: Number of comparisons behind `det`.
        det: Thinned curve of the scores behind `eer`: FMR ascending, and FNMR there.
    """

    name: str
    probes: int
    subjects: int
    failures: int
    rank_1_errors: Share
    rank_1_error_per_subject: float
    eer: float
    eer_interval: Interval
    cllr: float
    min_cllr: float
    cllr_corrected: float
    rates: tuple[RateFigures, ...]
    correction: GalleryNull
    non_mated_comparisons: int
    det: tuple[tuple[float, ...], tuple[float, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "probes": self.probes,
            "subjects": self.subjects,
            "failures_to_enroll_or_acquire": self.failures,
            "rank_1_errors": self.rank_1_errors.to_dict(),
            "rank_1_error_per_subject": self.rank_1_error_per_subject,
            "eer": self.eer,
            "eer_interval": self.eer_interval.to_list(),
            "cllr": self.cllr,
            "min_cllr": self.min_cllr,
            "cllr_corrected": self.cllr_corrected,
            "rates": [rate.to_dict() for rate in self.rates],
            "correction": {
                "corrected": self.correction.corrected,
                "slope": self.correction.slope,
                "offset_db": self.correction.offset_db,
                "pairs": self.correction.pairs,
                "subjects": self.correction.subjects,
                "measured_over_nominal": self.correction.measured_over_nominal,
                "possible_duplicates": len(self.correction.possible_duplicates.groups),
            },
            "non_mated_comparisons": self.non_mated_comparisons,
            # As text, because indented JSON would give every number a line of its own.
            "det": {
                axis: " ".join(f"{value:.4g}" for value in values)
                for axis, values in zip(("fmr", "fnmr"), self.det, strict=True)
            },
        }


def variant_figures(
    name: str, comparisons: Comparisons, calibration: Calibration, gallery: TemplateSet
) -> VariantFigures:
    """Measure one variant.

    Args:
        name: Of the variant.
        comparisons: Every probe against the whole gallery.
        calibration: Of the bundle.
        gallery: Its own null corrects the scores.
    """
    correction = gallery_null_of(calibration, gallery)
    own = Scored(comparisons, calibration, correction)
    plain = Scored(comparisons, calibration, GalleryNull.identity())
    mated, people = mated_scores(plain.llr_db, comparisons)
    others = comparisons.compared_non_mated
    non_mated = plain.llr_db[others]
    first, second = people_of(comparisons, others)
    ranks = own.ranks()
    finite = mated[np.isfinite(mated)]
    det_fmr, det_fnmr = det_points(mated, non_mated)
    return VariantFigures(
        name=name,
        probes=mated.size,
        subjects=len(comparisons.gallery_people),
        failures=int(np.count_nonzero(np.isneginf(mated))),
        rank_1_errors=share_of_probes(ranks > 1, people),
        rank_1_error_per_subject=_mean_per_subject(ranks > 1, people),
        eer=eer(mated, non_mated),
        eer_interval=eer_bootstrap((mated, people), (non_mated, first, second)),
        cllr=cllr(finite, non_mated),
        min_cllr=min_cllr(finite, non_mated),
        cllr_corrected=cllr(correction.apply(finite), correction.apply(non_mated)),
        rates=tuple(_rate_figures(rate, own, plain, gallery) for rate in POLICY_RATES),
        correction=correction,
        non_mated_comparisons=int(non_mated.size),
        det=(tuple(det_fmr.tolist()), tuple(det_fnmr.tolist())),
    )


def _rate_figures(rate: float, own: Scored, plain: Scored, gallery: TemplateSet) -> RateFigures:
    comparisons = own.comparisons
    resolvable = comparisons.non_mated_pairs * rate >= RESOLVED_PAIRS
    mated, people = mated_scores(plain.llr_db, comparisons)
    non_mated = plain.llr_db[comparisons.compared_non_mated]
    oracle = mated < oracle_threshold(non_mated, rate)
    return RateFigures(
        fmr=rate,
        measured=_false_matches(own, rate, resolvable),
        measured_uncorrected=_false_matches(plain, rate, resolvable),
        small_galleries=_small_galleries(rate, own, gallery),
        fnmr=share_of_probes(mated_misses(own, rate), people),
        fnmr_uncorrected=share_of_probes(mated_misses(plain, rate), people),
        fnmr_oracle=share_of_probes(oracle, people) if resolvable else None,
    )


def _false_matches(scored: Scored, rate: float, resolvable: bool) -> Share:
    others = scored.comparisons.compared_non_mated
    hits = scored.matches(rate)[others]
    first, second = people_of(scored.comparisons, others)
    return Share(int(hits.sum()), hits.size, pair_share_bootstrap(hits, first, second), resolvable)


def mated_misses(scored: Scored, rate: float) -> NDArray[np.bool_]:
    """Mask of mated comparisons that do not match at a policy's rate, failures included; shape (n_mated,)."""
    comparisons = scored.comparisons
    return ~scored.matches(rate)[comparisons.mated_probes, comparisons.own_column]


def _small_galleries(rate: float, own: Scored, gallery: TemplateSet) -> float | None:
    """Mean measured ÷ nominal over galleries of 30 random subjects, each with its own null."""
    subjects = len(gallery.subject_ids)
    if subjects < 2 * SMALL_GALLERY:
        return None
    generator = np.random.default_rng(_SEED)
    ratios = []
    for _ in range(_SMALL_GALLERIES):
        kept = np.sort(generator.choice(subjects, size=SMALL_GALLERY, replace=False))
        correction = gallery_null_of(own.calibration, gallery.subset(kept))
        part = Scored(own.comparisons.columns(kept), own.calibration, correction)
        ratios.append(float(np.mean(part.matches(rate)[part.comparisons.compared_non_mated])) / rate)
    return float(np.mean(ratios))


def mated_scores(llr_db: FloatArray, comparisons: Comparisons) -> tuple[FloatArray, NDArray[np.int64]]:
    """Scores against the own subject, −inf for failures, and the person of each."""
    rows = comparisons.mated_probes
    scores = llr_db[rows, comparisons.own_column]
    return np.where(np.isnan(scores), -np.inf, scores), comparisons.probe_people[rows]


def people_of(
    comparisons: Comparisons, chosen: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the two people of each chosen comparison, in the order of `scores[chosen]`."""
    rows, columns = np.nonzero(chosen)
    return comparisons.probe_people[rows], comparisons.gallery_people[columns]


def share_of_probes(misses: NDArray[np.bool_], people: NDArray[np.int64]) -> Share:
    """A share of probes: Wilson's interval if each person gave one, else a bootstrap over people."""
    several = np.unique(people).size < people.size
    count, n = int(np.count_nonzero(misses)), misses.size
    return Share(count, n, share_bootstrap(misses, people) if several else wilson(count, n))


def _mean_per_subject(misses: NDArray[np.bool_], people: NDArray[np.int64]) -> float:
    found, index = np.unique(people, return_inverse=True)
    per_person = np.bincount(index, weights=misses.astype(np.float64)) / np.bincount(index)
    return float(per_person.sum() / found.size)
