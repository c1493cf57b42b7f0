"""Fit a calibration to comparisons of people who are in neither training nor test sets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.llr_map import MAX_SECONDS, LlrMap, hinge_width, hinges
from ml.runtime.calibration.nulls import (
    LlrHistogram,
    Null,
    PairScores,
    fit_null,
)
from ml.runtime.calibration.softening import DB_PER_NAT, softened_grid
from ml.runtime.evidence import SECONDS, EvidenceArray, pair

FloatArray = NDArray[np.float64]

_KNOTS = 7
_SMOOTHNESS = 1e-3
_FEATURE_RIDGE = 1e-3
_TAIL_TRIALS = 4_000
_BULK_TRIALS = 8_000


@dataclass(frozen=True)
class CohortScores:
    """Every reference of a cohort compared with every probe, at one amount of evidence.

    Row i is the reference and column i the probe of person i: the diagonal is mated. NaN marks failed
    comparisons.

    Args:
        cosine: Shape (n, n).
        references, probes: What each of them rests on, shape (n,).
        subjects: Subject ids, shape (n,); equal ids are the same person. None: all differ.
        compared: How many comparisons of two captures are behind each score.
        enrolled: References with each other, shape (n, n), where they are more alike than with probes: the
            same pose and light. None: no more alike.
    """

    cosine: NDArray[np.floating]
    references: EvidenceArray
    probes: EvidenceArray
    subjects: Sequence[str] | None = None
    compared: int = 1
    enrolled: NDArray[np.floating] | None = None

    @property
    def evidence(self) -> EvidenceArray:
        """What every comparison rests on; shape (n, n)."""
        return pair(self.references[:, None], self.probes)

    @property
    def people(self) -> NDArray[np.int64]:
        """Index of the person of each row; int64, shape (n,)."""
        if self.subjects is None:
            return np.arange(len(self.cosine))
        return np.unique(np.asarray(self.subjects), return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True)
class _Trials:
    cosine: FloatArray
    evidence: EvidenceArray
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    mated: NDArray[np.bool_]
    cohort: NDArray[np.int64]
    compared: NDArray[np.int64]


def fit_calibration(
    cohorts: Sequence[CohortScores],
    *,
    comparison_edges: tuple[int, ...] = (),
    replicates: int = 200,
    seed: int = 20261120,
) -> Calibration:
    """Fit LLR map and nulls.

    Args:
        cohorts: One per length of evidence; each evidence class needs one at least, or all lie in one class
            that then serves for all. The same people may appear in several, and need the same subject ids for
            it. Evidence that is not counted in seconds has one class, or those of the edges, and its amount
            is not looked at.
        comparison_edges: See `Calibration`; its nulls hold up to the largest number compared.
        replicates: Bootstrap draws of people for each null.
        seed: Of the draws.

    Raises:
        ValueError: No mated or no non-mated comparisons, or a class without them.
    """
    trials = _gather(cohorts)
    llr_map = _fit_llr_map(trials)
    evidence = trials.evidence
    llr_db = DB_PER_NAT * llr_map.nats(trials.cosine, evidence.amount, evidence.quality)
    people = int(max(trials.first.max(), trials.second.max())) + 1
    non_mated = ~trials.mated
    whole = PairScores(llr_db[non_mated], trials.first[non_mated], trials.second[non_mated], people)
    most = int(trials.compared.max()) if comparison_edges else 0
    draft = Calibration(
        llr_map,
        (),
        (),
        (),
        whole.pairs,
        people,
        unit=evidence.unit,
        comparison_edges=comparison_edges,
        most_comparisons=most,
    )
    groups = _class_groups(trials, draft.evidence_classes(evidence, trials.compared), draft.class_count)
    nulls, histograms, mated_quantiles = [], [], []
    for members in groups:
        others = members & non_mated
        scores = PairScores(llr_db[others], trials.first[others], trials.second[others], people)
        nulls.append(_fit_softened_null(draft, scores, replicates=replicates, seed=seed))
        histograms.append(LlrHistogram.of(scores.score_db, pairs=scores.pairs))
        mated_quantiles.append(float(np.quantile(llr_db[members & trials.mated], 0.05)))
    return Calibration(
        llr_map,
        tuple(nulls),
        tuple(histograms),
        tuple(mated_quantiles),
        draft.non_mated_pairs,
        people,
        mated_medians_db=_mated_medians(trials, llr_db),
        unit=evidence.unit,
        comparison_edges=comparison_edges,
        most_comparisons=most,
        enrolled_histograms=_enrolled_histograms(draft, cohorts),
    )


def _enrolled_histograms(draft: Calibration, cohorts: Sequence[CohortScores]) -> tuple[LlrHistogram, ...]:
    """What references of different people score with each other, of one class; none where nobody knows."""
    scores, pairs = [], set()
    for cohort in cohorts:
        if cohort.enrolled is None:
            return ()
        people, names = cohort.people, np.array(_subject_names(cohort))
        others = np.isfinite(cohort.enrolled) & np.not_equal.outer(people, people)
        evidence = pair(cohort.references[:, None], cohort.references)
        llr_db = draft.llr_db(cohort.enrolled[others], evidence.amount[others], evidence.quality[others])
        scores.append(llr_db)
        rows, columns = np.nonzero(others)
        pairs |= {tuple(sorted(both)) for both in zip(names[rows], names[columns], strict=True)}
    return (LlrHistogram.of(np.concatenate(scores), pairs=len(pairs)),)


def _mated_medians(trials: _Trials, llr_db: FloatArray) -> tuple[tuple[float, float], ...]:
    """How far mated scores reach at each length of evidence: (median seconds, median dB), by seconds.

    Where evidence is not counted in seconds, its amount does not matter: one median, filed under 1.
    """
    if trials.evidence.unit != SECONDS:
        return ((1.0, float(np.median(llr_db[trials.mated]))),)
    medians = []
    for cohort in np.unique(trials.cohort):
        mated = trials.mated & (trials.cohort == cohort)
        if mated.any():
            seconds = np.median(trials.evidence.amount[mated])
            medians.append((float(seconds), float(np.median(llr_db[mated]))))
    return tuple(sorted(medians))


def _fit_softened_null(draft: Calibration, llr: PairScores, *, replicates: int, seed: int) -> Null:
    first_bin, n_bins = softened_grid(draft.non_mated_pairs)
    softened = PairScores(draft.softening.measured_db(llr.score_db), llr.first, llr.second, llr.people)
    return fit_null(softened, first_bin=first_bin, n_bins=n_bins, replicates=replicates, seed=seed)


def _class_groups(trials: _Trials, classes: NDArray[np.int64], class_count: int) -> list[NDArray[np.bool_]]:
    present = [
        bool(np.any(trials.mated & (classes == k)) and np.any(~trials.mated & (classes == k)))
        for k in range(class_count)
    ]
    if all(present):
        return [classes == k for k in range(class_count)]
    if np.unique(classes).size == 1:
        return [np.ones(classes.size, dtype=bool)]
    raise ValueError(
        f"evidence classes without mated or non-mated comparisons: {np.flatnonzero(~np.array(present))}"
    )


def _gather(cohorts: Sequence[CohortScores]) -> _Trials:
    names = sorted({name for cohort in cohorts for name in _subject_names(cohort)})
    index = {name: position for position, name in enumerate(names)}
    parts = []
    for number, cohort in enumerate(cohorts):
        people = np.array([index[name] for name in _subject_names(cohort)], dtype=np.int64)
        first, second = np.meshgrid(people, people, indexing="ij")  # (n, n) each
        diagonal = np.eye(len(people), dtype=bool)
        # The same person in two rows is neither a non-mated pair nor the intended mated one.
        kept = np.isfinite(cohort.cosine) & (diagonal | (first != second))
        evidence = cohort.evidence
        columns = (cohort.cosine, evidence.amount, evidence.quality, first, second, diagonal)
        rows = int(kept.sum())
        parts.append(
            [column[kept] for column in columns] + [np.full(rows, number), np.full(rows, cohort.compared)]
        )
    cosine, amount, quality, first, second, mated, cohort_number, compared = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    (unit,) = {cohort.references.unit for cohort in cohorts}
    if not mated.any() or mated.all():
        raise ValueError("a calibration needs mated and non-mated comparisons")
    evidence = EvidenceArray(amount, unit, quality)
    return _Trials(cosine.astype(np.float64), evidence, first, second, mated, cohort_number, compared)


def _subject_names(cohort: CohortScores) -> Sequence[str]:
    if cohort.subjects is not None:
        return [str(name) for name in cohort.subjects]
    return [f"{row:08d}" for row in range(len(cohort.cosine))]


def _fit_llr_map(trials: _Trials) -> LlrMap:
    """Regularized logistic regression with equal priors and equal weight for each cohort."""
    from scipy.optimize import minimize  # Only fitting needs it; serving stays quick to import.

    chosen, weights = _chosen_trials(trials)
    cosine, mated, evidence = trials.cosine[chosen], trials.mated[chosen], trials.evidence[chosen]
    timed = evidence.unit == SECONDS
    start = LlrMap(
        knots=_knots(cosine, weights),
        log_slopes=np.zeros(_KNOTS + 1),
        bias=0.0,
        scale=np.zeros(2),
        location=np.zeros(2),
        offset=np.zeros(2),
        seconds_range=_seconds_range(trials.evidence.amount) if timed else (1.0, 1.0),
        quality_mean=float(np.average(evidence.quality, weights=weights)),
        quality_sd=max(float(np.sqrt(np.cov(evidence.quality, aweights=weights))), 1e-3),
    )
    features = start.features(evidence.amount, evidence.quality)
    if not timed:
        features[:, 0] = 0.0  # Its parameters then stay where they start, at 0.
    objective = _Objective(start.knots, cosine, features, mated, weights)
    initial = np.concatenate([np.full(_KNOTS + 1, np.log(10.0)), np.zeros(7)])
    found = minimize(objective, initial, jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-8})
    return _with_parameters(start, found.x)


def _seconds_range(seconds: FloatArray) -> tuple[float, float]:
    return float(seconds.min()), min(float(seconds.max()), MAX_SECONDS)


def _with_parameters(start: LlrMap, parameters: FloatArray) -> LlrMap:
    log_slopes, rest = parameters[: _KNOTS + 1], parameters[_KNOTS + 1 :]
    return LlrMap(
        knots=start.knots,
        log_slopes=log_slopes,
        bias=float(rest[0]),
        scale=rest[1:3],
        location=rest[3:5],
        offset=rest[5:7],
        seconds_range=start.seconds_range,
        quality_mean=start.quality_mean,
        quality_sd=start.quality_sd,
    )


def _chosen_trials(trials: _Trials) -> tuple[NDArray[np.int64], FloatArray]:
    """Keep all mated trials, the highest non-mated ones and every k-th of the rest, k times as heavy."""
    chosen, weights = [], []
    cohorts = np.unique(trials.cohort)
    for number in cohorts:
        mated = np.flatnonzero((trials.cohort == number) & trials.mated)
        non_mated = np.flatnonzero((trials.cohort == number) & ~trials.mated)
        non_mated = non_mated[np.argsort(-trials.cosine[non_mated], kind="stable")]
        tail, bulk = non_mated[:_TAIL_TRIALS], non_mated[_TAIL_TRIALS:]
        step = max(1, -(-bulk.size // _BULK_TRIALS))
        strided = bulk[step // 2 :: step]
        sizes = np.concatenate(
            [np.ones(tail.size), np.full(strided.size, bulk.size / max(strided.size, 1))]
        )  # (n_tail + n_strided,)
        chosen += [mated, tail, strided]
        weights += [np.full(mated.size, 0.5 / max(mated.size, 1)), 0.5 * sizes / max(sizes.sum(), 1.0)]
    return np.concatenate(chosen), np.concatenate(weights) / len(cohorts)


def _knots(cosine: FloatArray, weights: FloatArray) -> FloatArray:
    """Put the knots at quantiles of the balanced mixture of mated and non-mated cosines."""
    order = np.argsort(cosine, kind="stable")
    cumulated = np.cumsum(weights[order])
    wanted = np.linspace(0.0, 1.0, _KNOTS + 2)[1:-1] * cumulated[-1]
    knots: FloatArray = cosine[order][np.searchsorted(cumulated, wanted)]
    smallest_gap = 1e-3 * max(float(np.ptp(cosine)), 1e-6)
    for k in range(1, knots.size):
        knots[k] = max(knots[k], knots[k - 1] + smallest_gap)
    return knots


class _Objective:
    """Weighted logistic loss with its gradient, plus penalties on rough slopes and on the features."""

    def __init__(
        self,
        knots: FloatArray,
        cosine: FloatArray,
        features: FloatArray,
        mated: NDArray[np.bool_],
        weights: FloatArray,
    ) -> None:
        self._knots, self._width = knots, hinge_width(knots)
        self._cosine, self._features, self._weights = cosine, features, weights
        self._sign = np.where(mated, 1.0, -1.0)

    def __call__(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        log_slopes, rest = parameters[: _KNOTS + 1], parameters[_KNOTS + 1 :]
        bias, scale, location, offset = rest[0], rest[1:3], rest[3:5], rest[5:7]
        slopes = np.exp(log_slopes)
        stretched = self._cosine * np.exp(self._features @ scale)
        u = stretched + self._features @ location
        hinged = hinges(u, self._knots)  # (n, n_knots)
        nats = bias + self._features @ offset + slopes[0] * u + hinged @ np.diff(slopes)
        loss = float(np.sum(self._weights * np.logaddexp(0.0, -self._sign * nats)))
        pull = -self._weights * self._sign / (1.0 + np.exp(np.clip(self._sign * nats, -500.0, 500.0)))
        steepness = np.clip((u[:, None] - self._knots) / self._width, -500.0, 500.0)
        du = pull * (slopes[0] + (1.0 / (1.0 + np.exp(-steepness))) @ np.diff(slopes))
        ramp_pull = np.concatenate([[pull @ u], pull @ hinged, [0.0]])  # R_k = H_(k−1) − H_k, with H_(−1) = u
        gradient = np.concatenate(
            [
                slopes * (ramp_pull[:-1] - ramp_pull[1:]),
                [pull.sum()],
                self._features.T @ (du * stretched),
                self._features.T @ du,
                self._features.T @ pull,
            ]
        )
        penalty, penalty_gradient = _penalty(log_slopes, rest)
        return loss + penalty, gradient + penalty_gradient


def _penalty(log_slopes: FloatArray, rest: FloatArray) -> tuple[float, FloatArray]:
    bends = np.diff(log_slopes)
    slopes_gradient = 2.0 * _SMOOTHNESS * (np.append(0.0, bends) - np.append(bends, 0.0))
    ridge = np.concatenate([[0.0], 2.0 * _FEATURE_RIDGE * rest[1:]])
    value = _SMOOTHNESS * float(bends @ bends) + _FEATURE_RIDGE * float(rest[1:] @ rest[1:])
    return value, np.concatenate([slopes_gradient, ridge])
