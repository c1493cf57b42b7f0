"""What a gallery learns about itself: enrolled subjects differ, so comparing them measures its own null.

A calibration made on one sensor claims too much on another. Among the enrolled people of a gallery every
comparison of a reference with another subject's template is non-mated by construction. From them comes an
affine map of the LLR that brings the bundle's null onto what is found, and, where the gallery's own pairs
resolve a rate, the threshold itself (DESIGN §4).

Three things could turn this against the gallery:

* *Junk.* Enrollments that resemble nobody could lower thresholds. The map adds at most 3 dB to any LLR, so no
  threshold falls by more than 3 dB, whatever is enrolled.
* *One person under several names.* Such pairs are mated and would raise thresholds until nobody matches:
  nine names of one person are 36 of the 2 278 pairs in a gallery of 68, more than the 1 % that a threshold
  is read from. So the fit begins with quantiles that one pair in ten cannot move, and approaches the tail
  in steps. At each step, pairs that the fit so far cannot explain are found and their names grouped by
  person (`possible_duplicates`); of every person only one name is compared with others. A pair is a
  duplicate if, in both directions, its corrected LLR exceeds the score that the fitted null expects one
  pair of this gallery to exceed (three pairs, where a third name looks like both): leaving out one honest
  pair of the 30 above the highest quantile used shifts a rate by 3 %. Pairs above a bundle's 5 % mated
  quantile may be either. They stay, and the quantiles used are taken where at most a tenth of the pairs
  above is of that kind.
* *A crowd that looks alike.* Many enrollments that resemble each other, but not enough to be one person,
  raise thresholds as a real shift does. The map takes at most 20 dB from the score of two equal vectors.
  Where that limit acts, thresholds are more lenient than what was measured, and the correction is `limited`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.runtime.calibration.nulls import BIN_DB, RESOLVED_PAIRS, LlrHistogram, Null
from ml.runtime.matching.class_shift import ClassShift
from ml.runtime.matching.possible_duplicates import PossibleDuplicates, find_possible_duplicates

if TYPE_CHECKING:
    from ml.runtime.calibration.llr import Calibration

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MIN_SUBJECTS = 30
MAX_GAIN_DB = 3.0
"""No LLR is raised, and so no threshold lowered, by more than this."""
_SLOPE_RANGE = (0.2, 5.0)
_DEEPEST_SAFE_SHARE = 0.01
_SUSPECTS_SHARE = 0.1
_EXPLICABLE_PAIRS = 1.0
_EQUAL_WITHIN_DB = 5.0
"""Vectors that score so near to equal ones are duplicates, whatever the limits.

Computed people look so alike to an encoder made for real ones that one strip under four names stayed below a
limit in half of the galleries. With 5 dB it is found in all, and nothing changes on CinC dev, LUDB and QTDB.
"""
_MAX_ROUNDS = 4
_ROUNDING_DB = 1e-6
"""A score mapped there and back must not end up in the bin below."""
_NO_DUPLICATES = PossibleDuplicates()


@dataclass(frozen=True)
class FitRules:
    """What keeps names of one person, and crowds that look alike, from moving a gallery's thresholds.

    Chosen on CinC dev, LUDB and QTDB, plain and with a component common to all vectors, and on computed
    people (results/experiments/gallery-duplicates.json).

    Args:
        starting_shares: Upper quantiles that the first fits read. 20 names of one person among 80 are 6 % of
            all pairs.
        explicable_in_a_trio: A pair may be less unlikely if a third name looks like both: chance seldom makes
            three. With 10 instead of 3, LUDB's false matches at 0.1 % rise from 1.2 to 1.4 times the stated.
        max_loss_db: Two equal vectors lose no more than this. With 15 dB twice as many strangers pass as
            stated behind the strongest shift; with 25 dB a crowd that looks alike locks more people out.
    """

    starting_shares: tuple[float, ...] = (0.25, 0.1, 0.03)
    explicable_in_a_trio: float = 3.0
    max_loss_db: float = 20.0


_RULES = FitRules()


@dataclass(frozen=True)
class GalleryNull:
    """The correction of one gallery, modality and encoder.

    Args:
        corrected: Whether the gallery has enough subjects.
        slope: Of the map, above 0.
        offset_db: Of the map.
        pairs: Unordered pairs of subjects that were used.
        subjects: Number of subjects.
        measured_over_nominal: The gallery's uncorrected false-match rate at the bundle's threshold for 1 %,
            over 1 %. None below 30 subjects.
        possible_duplicates: Subjects who look like one person.
        own_llr_db: Uncorrected scores of the gallery's own comparisons per evidence class, each float64,
            ascending.
        own_pairs: Unordered pairs per evidence class.
        least_own_rate: Rates below it are not read from the gallery's own comparisons.
        pivot_db: Score that the bundle's null of the enrolled classes reaches at that rate.
        limited: Whether the map was held back at `FitRules.max_loss_db`.
    """

    corrected: bool
    slope: float
    offset_db: float
    pairs: int
    subjects: int
    measured_over_nominal: float | None
    possible_duplicates: PossibleDuplicates
    own_llr_db: tuple[FloatArray, ...] = ()
    own_pairs: tuple[int, ...] = ()
    least_own_rate: float = 1.0
    pivot_db: float = 0.0
    limited: bool = False

    @classmethod
    def identity(cls, *, subjects: int = 0, possible_duplicates: PossibleDuplicates = _NO_DUPLICATES) -> Self:
        """Return the correction that changes nothing."""
        return cls(False, 1.0, 0.0, subjects * (subjects - 1) // 2, subjects, None, possible_duplicates)

    @property
    def raised_db(self) -> float:
        """How much higher the gallery's own non-mated scores reach than the bundle's; 0 if uncorrected."""
        return (self.pivot_db - self.offset_db) / self.slope - self.pivot_db if self.corrected else 0.0

    def apply(self, llr_db: ArrayLike) -> FloatArray:
        """Correct unsoftened scores, strictly increasing; float64, same shape, dB."""
        values = np.asarray(llr_db, dtype=np.float64)
        if not self.corrected:
            return values
        return np.minimum(self.slope * values + self.offset_db, values + MAX_GAIN_DB)

    def null(self, calibration: "Calibration", evidence_class: int) -> Null:
        """Return the null of corrected softened scores.

        Rates that the gallery's own pairs resolve in this class follow their plain quantile, smaller ones the
        bundle's curve, moved by the map. In other classes than the enrolled ones the same component common to
        all vectors is assumed, not the same decibans (`class_shift`). A threshold, in uncorrected dB, lies
        at most 3 dB below the bundle's.
        """
        bundle = calibration.null(evidence_class)
        if not self.corrected:
            return bundle
        grid_db = (bundle.first_bin + np.arange(bundle.survival.size)) * BIN_DB
        uncorrected_db = self._invert(calibration.unsoften_db(grid_db))
        least = bundle.survival[_bins_at_or_below(calibration, uncorrected_db + MAX_GAIN_DB, bundle)]
        mapped_db = self._to_bundle(calibration, evidence_class, uncorrected_db)
        if self.limited:
            survival = bundle.survival[_bins_at_or_below(calibration, mapped_db, bundle)]
        else:
            survival = self._without_margin(calibration, evidence_class, mapped_db)
        survival = np.maximum(survival, least)
        resolution = bundle.resolution
        if self.own_pairs[evidence_class] > RESOLVED_PAIRS:
            own_scores = self.own_llr_db[evidence_class]
            own = 1.0 - np.searchsorted(own_scores, uncorrected_db, side="left") / own_scores.size
            own = np.maximum(own, least)
            read_to = max(self.least_own_rate, RESOLVED_PAIRS / self.own_pairs[evidence_class])
            survival = np.where(own > read_to, own, np.minimum(survival, read_to))
            resolution = min(resolution, read_to)
        return replace(
            bundle,
            survival=survival,
            histogram=-np.diff(survival, append=0.0),
            pairs=max(bundle.pairs, int(RESOLVED_PAIRS / resolution)),
            continued_to=min(bundle.reach, resolution),
        )

    def _without_margin(
        self, calibration: "Calibration", evidence_class: int, llr_db: FloatArray
    ) -> FloatArray:
        """The bundle's curve at some of its scores, without its margin at the rate of the fit.

        There the gallery's own people say where the curve starts. The bundle's upper limit is needed only for
        how it falls from there on: with 61 calibration people it starts twice as high as measured. Nothing
        lies below what was measured.
        """
        bundle, measured = calibration.null(evidence_class), calibration.llr_histogram(evidence_class)
        fitted_db = np.array([measured.quantile(self.least_own_rate)])
        stated = bundle.survival[_bins_at_or_below(calibration, fitted_db, bundle)]
        level = min(1.0, self.least_own_rate / float(stated[0]))
        continued = level * bundle.survival[_bins_at_or_below(calibration, llr_db, bundle)]
        return np.maximum(measured.survival(llr_db), continued)

    def _to_bundle(
        self, calibration: "Calibration", evidence_class: int, uncorrected_db: FloatArray
    ) -> FloatArray:
        """The bundle's score of the same rate in this class, at most 3 dB above."""
        sizes = np.array([scores.size for scores in self.own_llr_db], dtype=np.float64)
        if not sizes.sum():  # Nothing is known of their lengths: as if enrolled with long strips.
            sizes = np.eye(calibration.class_count)[calibration.strongest_class]
        shares = sizes / sizes.sum()
        if shares[evidence_class] == 1.0:
            return self.apply(uncorrected_db)
        shift = ClassShift.carried(calibration, (self.slope, self.offset_db), shares.tolist(), evidence_class)
        return np.minimum(shift.to_bundle(uncorrected_db), uncorrected_db + MAX_GAIN_DB)

    def _invert(self, corrected_db: FloatArray) -> FloatArray:
        return np.maximum((corrected_db - self.offset_db) / self.slope, corrected_db - MAX_GAIN_DB)


def fit_gallery_null(
    calibration: "Calibration",
    llr_db: NDArray[np.floating],
    evidence_classes: NDArray[np.integer],
    rules: FitRules = _RULES,
) -> GalleryNull:
    """Fit a gallery's correction; the same for any order of its subjects.

    Args:
        calibration: Of the encoder.
        llr_db: Unsoftened scores, shape (n, n): a single reference of subject i against the template of
            subject j. The diagonal is ignored; NaN marks what was not compared.
        evidence_classes: Of the comparisons, integer, shape (n, n).
        rules: Others than those that ship are for experiments.
    """
    subjects = len(llr_db)
    if subjects < MIN_SUBJECTS:
        return GalleryNull.identity(subjects=subjects)
    own = _OwnComparisons.of(
        np.asarray(llr_db, dtype=np.float64), np.asarray(evidence_classes), calibration.class_count
    )
    if own.pairs <= 2 * RESOLVED_PAIRS:
        return GalleryNull.identity(subjects=subjects)
    kept, duplicates, share = own, _NO_DUPLICATES, 1.0
    slope, offset_db = 1.0, 0.0
    for start in (*rules.starting_shares, *[None] * _MAX_ROUNDS):
        expected = _Expected.of(calibration, kept)
        share = start or kept.upper_share((expected.mated_db - offset_db) / slope)
        slope, offset_db = _fit_map(kept, expected, max(share, kept.resolution))
        equal_db = expected.identical_db - _EQUAL_WITHIN_DB
        limits_db = (
            expected.bundle.quantile(explicable / own.pairs)
            for explicable in (_EXPLICABLE_PAIRS, rules.explicable_in_a_trio)
        )
        found = own.possible_duplicates(
            *(min((limit_db - offset_db) / slope, equal_db) for limit_db in limits_db)
        )
        if start is None and found == duplicates:
            break
        if found != duplicates:
            duplicates, kept = found, own.without(found)
        if kept.pairs <= 2 * RESOLVED_PAIRS:  # Many names of few people.
            return GalleryNull.identity(subjects=subjects, possible_duplicates=duplicates)
    expected = _Expected.of(calibration, kept)
    lowest_db = expected.identical_db - rules.max_loss_db - slope * expected.identical_db
    limited = offset_db < lowest_db
    return GalleryNull(
        corrected=True,
        slope=slope,
        offset_db=max(offset_db, lowest_db),
        pairs=kept.pairs,
        subjects=subjects,
        measured_over_nominal=_measured_over_nominal(calibration, kept),
        possible_duplicates=duplicates,
        own_llr_db=kept.by_class,
        # Beyond the limit the gallery's own quantiles are not believed either, and where probes score lower
        # than references among each other, they are none of probes.
        own_pairs=(0,) * calibration.class_count
        if limited or calibration.enrolled_histograms
        else kept.pairs_by_class,
        least_own_rate=share,
        pivot_db=expected.bundle.quantile(share),
        limited=limited,
    )


@dataclass(frozen=True)
class _OwnComparisons:
    """A gallery's non-mated comparisons, sorted once per evidence class: every quantile is then a look-up."""

    llr_db: FloatArray
    evidence_classes: NDArray[np.integer]
    used: BoolArray
    by_class: tuple[FloatArray, ...]
    pairs_by_class: tuple[int, ...]
    pairs: int

    @classmethod
    def of(
        cls,
        llr_db: FloatArray,
        evidence_classes: NDArray[np.integer],
        class_count: int,
        left_out: BoolArray | None = None,
    ) -> Self:
        used = np.isfinite(llr_db)
        np.fill_diagonal(used, False)
        if left_out is not None:
            used &= ~left_out
        members = [used & (evidence_classes == k) for k in range(class_count)]
        return cls(
            llr_db=llr_db,
            evidence_classes=evidence_classes,
            used=used,
            by_class=tuple(np.sort(llr_db[mask]) for mask in members),
            pairs_by_class=tuple(_unordered_pairs(mask) for mask in members),
            pairs=_unordered_pairs(used),
        )

    @property
    def resolution(self) -> float:
        return min(0.25, RESOLVED_PAIRS / self.pairs)

    def without(self, duplicates: PossibleDuplicates) -> "_OwnComparisons":
        """Count every person once: only the first name is compared with other people."""
        left_out = np.zeros(self.used.shape, dtype=bool)
        for _, *others in duplicates.people:
            left_out[others, :] = left_out[:, others] = True
        for row, column in duplicates.other_pairs:
            left_out[row, column] = left_out[column, row] = True
        return _OwnComparisons.of(self.llr_db, self.evidence_classes, len(self.by_class), left_out)

    @cached_property
    def mutual_db(self) -> FloatArray:
        """The lower score of both directions; −inf where a pair is not used. Shape (n, n)."""
        scores = np.where(self.used, self.llr_db, -np.inf)
        return np.minimum(scores, scores.T)

    @cached_property
    def preference(self) -> FloatArray:
        """Which name of a person is kept: that of the longest strip, then the one most like all others.

        Not by row: replicas hold the subjects in different orders. Shape (n,).
        """
        lengths = np.where(self.used, self.evidence_classes, 0).sum(axis=1)
        likeness_db = np.where(self.used, self.llr_db, 0.0)
        likeness = likeness_db.sum(axis=1) + likeness_db.sum(axis=0)
        return np.asarray(np.round(lengths * 1e6 + likeness, 3), dtype=np.float64)

    def possible_duplicates(self, limit_db: float, limit_in_a_trio_db: float) -> PossibleDuplicates:
        """Find the subjects whose scores exceed a limit in both directions, in a trio the lower one."""
        alike = self.mutual_db > limit_db
        near = self.mutual_db > limit_in_a_trio_db
        rows = np.flatnonzero(near.any(axis=1))  # Few, or a product of all rows would take a while.
        among = near[np.ix_(rows, rows)].astype(np.float32)
        alike[np.ix_(rows, rows)] |= (among > 0.0) & (among @ among > 0.0)  # Some third name is near both.
        return find_possible_duplicates(alike, self.mutual_db, self.preference)

    def upper_share(self, mated_limit_db: float) -> float:
        """The smallest rate that is resolved and little touched by pairs that may be one person twice."""
        mutual = self.mutual_db
        best = mutual.max(axis=1)
        # Of one person enrolled twice, each is the other's best partner.
        both_best = (mutual >= best[:, None]) & (mutual >= best) & (mutual > mated_limit_db)
        suspects = np.count_nonzero(both_best) // 2
        touched = min(_DEEPEST_SAFE_SHARE, suspects / _SUSPECTS_SHARE / self.pairs)
        return max(self.resolution, touched)

    @cached_property
    def ordered_db(self) -> FloatArray:
        """The scores of all classes, ascending."""
        filled = [scores for scores in self.by_class if scores.size]
        return filled[0] if len(filled) == 1 else np.sort(np.concatenate(filled))

    def quantiles(self, *upper_shares: float) -> list[float]:
        ordered = self.ordered_db
        ranks = [max(1, round(share * ordered.size)) for share in upper_shares]
        return [float(ordered[ordered.size - rank]) for rank in ranks]


def _unordered_pairs(used: BoolArray) -> int:
    return int(np.count_nonzero(used | used.T)) // 2


@dataclass(frozen=True)
class _Expected:
    """What the bundle expects of comparisons of these lengths.

    Of those that are kept only: 3-s names of one person, left out as duplicates, would else weigh in the
    mixture and move the map of everybody else by ten decibans.

    Args:
        bundle: Non-mated scores.
        mated_db: 5 % quantile of the mated scores.
        identical_db: Score of equal vectors.
    """

    bundle: LlrHistogram
    mated_db: float
    identical_db: float

    @classmethod
    def of(cls, calibration: "Calibration", kept: "_OwnComparisons") -> Self:
        weights = [float(scores.size) for scores in kept.by_class]
        filled = [k for k, weight in enumerate(weights) if weight]
        classes = range(calibration.class_count)
        equal_db = [calibration.identical_llr_db(k) for k in classes]
        return cls(
            bundle=LlrHistogram.mixture([calibration.enrolled_histogram(k) for k in classes], weights),
            mated_db=max(calibration.mated_quantile_db(k) for k in filled),
            identical_db=float(np.average(equal_db, weights=weights)),
        )


def _fit_map(own: _OwnComparisons, expected: _Expected, upper_share: float) -> tuple[float, float]:
    """Bring the upper quantile of the gallery onto the bundle's exactly: thresholds lie there and above.

    The slope decides how far above. Two readings of a shift bound it: the tail spreads as the bulk does (the
    medians meet too), or a component common to all vectors lifts a cosine c to c + (1 − c)·common, which
    moves the bulk far and equal vectors not at all (two of them keep their score). The first is too strict
    for the second kind of shift, the second too lenient for the first; the geometric mean of their slopes is
    neither by much (results/experiments/gallery-tail.json).
    """
    own_median, own_upper = own.quantiles(0.5, upper_share)
    median, upper = expected.bundle.quantile(0.5), expected.bundle.quantile(upper_share)
    spread = _slope(upper - median, own_upper - own_median)
    anchored = _slope(expected.identical_db - upper, expected.identical_db - own_upper)
    slope = float(np.sqrt(spread * anchored))
    return slope, upper - slope * own_upper


def _slope(bundle_db: float, own_db: float) -> float:
    return float(np.clip(max(bundle_db, 1e-6) / max(own_db, 1e-6), *_SLOPE_RANGE))


def _measured_over_nominal(calibration: "Calibration", own: _OwnComparisons) -> float:
    reached, total = 0.0, 0
    for k, scores in enumerate(own.by_class):
        threshold_db = float(calibration.unsoften_db(calibration.null(k).threshold(0.01)))
        above = scores.size - int(np.searchsorted(scores, threshold_db, side="left"))
        reached += above * _probes_over_enrolled(calibration, k, threshold_db)
        total += scores.size
    return reached / total / 0.01


def _probes_over_enrolled(calibration: "Calibration", evidence_class: int, llr_db: float) -> float:
    """How many times as often probes reach a score as references among each other do, in the calibration."""
    if not calibration.enrolled_histograms:
        return 1.0
    both = (calibration.llr_histogram(evidence_class), calibration.enrolled_histogram(evidence_class))
    probes, enrolled = (float(one.survival(np.array([llr_db]))[0]) for one in both)
    return probes / enrolled if enrolled > 0.0 else 1.0


def _bins_at_or_below(calibration: "Calibration", llr_db: FloatArray, null: Null) -> NDArray[np.int64]:
    softened = calibration.soften_db(np.clip(llr_db, -1e4, 1e4)) + _ROUNDING_DB
    bins = np.floor(softened / BIN_DB).astype(np.int64) - null.first_bin
    return np.clip(bins, 0, null.survival.size - 1)
