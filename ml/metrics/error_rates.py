"""Error rates of comparisons and searches: functions of two arrays, `mated_scores` and `non_mated_scores`.

Higher scores mean more alike. A comparison matches when its score reaches the threshold. A failure to enroll
or to acquire enters as a mated score of −inf, a non-match at every threshold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_NATS_PER_DB = np.log(10.0) / 10.0


def fmr(non_mated_scores: ArrayLike, threshold: float) -> float:
    """Return the share of non-mated comparisons that match."""
    return float(np.mean(np.asarray(non_mated_scores) >= threshold))


def fnmr(mated_scores: ArrayLike, threshold: float) -> float:
    """Return the share of mated comparisons that do not match."""
    return float(np.mean(np.asarray(mated_scores) < threshold))


@dataclass(frozen=True)
class DetCurve:
    """Error rates at every threshold that changes one of them; float64, shape (n,), thresholds ascending."""

    thresholds: FloatArray
    fmr: FloatArray
    fnmr: FloatArray


def det_curve(mated_scores: ArrayLike, non_mated_scores: ArrayLike) -> DetCurve:
    """Return both error rates at every score, and at +inf, above which nothing matches.

    Raises:
        ValueError: An empty array or NaN.
    """
    mated, non_mated = _checked(mated_scores), _checked(non_mated_scores)
    thresholds = np.append(np.unique(np.concatenate([mated, non_mated])), np.inf)
    thresholds = thresholds[thresholds > -np.inf]
    return DetCurve(
        thresholds=thresholds,
        fmr=1.0 - np.searchsorted(non_mated, thresholds, side="left") / non_mated.size,
        fnmr=np.searchsorted(mated, thresholds, side="left") / mated.size,
    )


def det_points(
    mated_scores: ArrayLike, non_mated_scores: ArrayLike, *, per_decade: int = 16
) -> tuple[FloatArray, FloatArray]:
    """Thin a DET curve for storage: FMR from one false match to 1/2, and the FNMR there.

    Args:
        mated_scores: −inf for failures.
        non_mated_scores: Of n comparisons.
        per_decade: Points per factor ten of FMR.

    Returns:
        FMR, ascending, each a count over n; FNMR, never rising. float64, both shape (m,).
    """
    mated, non_mated = _checked(mated_scores), _checked(non_mated_scores)
    decades = np.log10(max(non_mated.size / 2.0, 1.0))
    wanted = np.geomspace(1.0, max(non_mated.size / 2.0, 1.0), 1 + int(np.ceil(decades * per_decade)))
    counts = np.unique(np.round(wanted)).astype(np.int64)
    thresholds = np.array([oracle_threshold(non_mated, count / non_mated.size) for count in counts])
    # Ties may keep the rate below the allowed one, so it is measured, not assumed.
    fmr_found = 1.0 - np.searchsorted(non_mated, thresholds, side="left") / non_mated.size
    return fmr_found, np.searchsorted(mated, thresholds, side="left") / mated.size


def eer(mated_scores: ArrayLike, non_mated_scores: ArrayLike) -> float:
    """Return the equal error rate, by linear interpolation where the two step curves cross."""
    curve = det_curve(mated_scores, non_mated_scores)
    gap = curve.fnmr - curve.fmr  # Never falls, and ends at 1 − 0 > 0.
    after = int(np.argmax(gap >= 0.0))
    if after == 0 or gap[after] == 0.0:
        return float((curve.fnmr[after] + curve.fmr[after]) / 2.0)
    before = after - 1
    share = -gap[before] / (gap[after] - gap[before])
    return float(curve.fnmr[before] + share * (curve.fnmr[after] - curve.fnmr[before]))


def oracle_threshold(non_mated_scores: ArrayLike, rate: float) -> float:
    """Return the lowest threshold at which these very scores keep the rate; unknown in advance."""
    scores = _checked(non_mated_scores)
    allowed = int(np.floor(rate * scores.size + 1e-9))
    return (
        float(np.nextafter(scores[scores.size - allowed - 1], np.inf)) if allowed < scores.size else -np.inf
    )


def cllr(mated_llr_db: ArrayLike, non_mated_llr_db: ArrayLike) -> float:
    """Return the cost of log-likelihood ratios, in bits; a system without information costs 1.

    Source:
        Brümmer and du Preez, 2006, Application-independent evaluation of speaker detection.
    """
    mated = np.asarray(mated_llr_db, dtype=np.float64) * _NATS_PER_DB
    non_mated = np.asarray(non_mated_llr_db, dtype=np.float64) * _NATS_PER_DB
    cost = np.mean(np.logaddexp(0.0, -mated)) + np.mean(np.logaddexp(0.0, non_mated))
    return float(cost / 2.0 / np.log(2.0))


def min_cllr(mated_scores: ArrayLike, non_mated_scores: ArrayLike) -> float:
    """Return the least `cllr` of any increasing map of these scores (pool adjacent violators)."""
    mated, non_mated = _checked(mated_scores), _checked(non_mated_scores)
    scores, index = np.unique(np.concatenate([mated, non_mated]), return_inverse=True)
    mated_share = np.bincount(index[: mated.size], minlength=scores.size) / mated.size
    non_mated_share = np.bincount(index[mated.size :], minlength=scores.size) / non_mated.size
    pooled_mated, pooled_non_mated = _pool_adjacent_violators(mated_share, non_mated_share)
    total = pooled_mated + pooled_non_mated
    # A block with posterior p costs −m·log2(p) − n·log2(1 − p), and p = m / (m + n).
    cost = _entropy_term(pooled_mated, total) + _entropy_term(pooled_non_mated, total)
    return float(np.sum(cost) / 2.0)


def ranks(mated_scores: ArrayLike, other_scores: ArrayLike) -> NDArray[np.int64]:
    """Return the rank of each probe's own subject; ties count against it.

    Args:
        mated_scores: Score against the own subject, shape (n_probes,).
        other_scores: Scores against the others, shape (n_probes, n_others); NaN marks no comparison.
    """
    mated = np.asarray(mated_scores, dtype=np.float64)
    others = np.asarray(other_scores, dtype=np.float64)
    ahead = np.count_nonzero(others >= mated[:, None], axis=1)
    return np.where(np.isneginf(mated), np.iinfo(np.int64).max, 1 + ahead)


def rank_errors(probe_ranks: ArrayLike, k: int = 1) -> int:
    """Count the probes whose own subject is not among the first k."""
    return int(np.count_nonzero(np.asarray(probe_ranks) > k))


@dataclass(frozen=True)
class OpenSetRates:
    """Rates of an identification with strangers among the probes (ISO/IEC 19795-1), at one threshold."""

    threshold: float
    dir: float
    fpir: float

    @property
    def fnir(self) -> float:
        """Share of enrolled probes that were not identified at rank 1."""
        return 1.0 - self.dir


def open_set_rates(
    mated_margins: ArrayLike, mated_ranks: ArrayLike, stranger_margins: ArrayLike, threshold: float
) -> OpenSetRates:
    """Return detection-and-identification rate and false-positive identification rate.

    Args:
        mated_margins: The own subject's score of each enrolled probe, shape (n_enrolled,).
        mated_ranks: Its rank, shape (n_enrolled,).
        stranger_margins: The best candidate's score of each probe that is not enrolled, shape (n_strangers,).
        threshold: In the same unit.
    """
    identified = (np.asarray(mated_margins) >= threshold) & (np.asarray(mated_ranks) == 1)
    return OpenSetRates(threshold, float(np.mean(identified)), fmr(stranger_margins, threshold))


def _checked(scores: ArrayLike) -> FloatArray:
    values = np.sort(np.asarray(scores, dtype=np.float64).ravel())
    if not values.size or np.isnan(values[-1]):
        raise ValueError("error rates need at least one score, and none may be NaN")
    return values


def _entropy_term(part: FloatArray, total: FloatArray) -> FloatArray:
    filled = part > 0.0
    result = np.zeros(part.shape)
    result[filled] = -part[filled] * np.log2(part[filled] / total[filled])
    return result


def _pool_adjacent_violators(mated: FloatArray, non_mated: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Merge neighbors until the mated share mated / (mated + non_mated) never falls."""
    blocks: list[tuple[float, float]] = []
    for m, n in zip(mated.tolist(), non_mated.tolist(), strict=True):
        block = (m, n)
        # m₁/(m₁+n₁) ≥ m₂/(m₂+n₂) written without division.
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1])
        blocks.append(block)
    pooled = np.array(blocks)
    return pooled[:, 0], pooled[:, 1]
