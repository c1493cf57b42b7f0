"""How much more evidence of the probe would do, if this were the person."""

from __future__ import annotations

import numpy as np

from app.domain.arrays import Float64Array
from app.matching.comparisons import EncoderComparisons
from app.matching.policy_board import PolicyBoard
from ml.runtime.calibration.llr_map import MAX_SECONDS
from ml.runtime.evidence import SECONDS, Evidence, EvidenceArray, pair
from ml.runtime.matching.scored_part import ScoredPart

_STEP_S = 0.5


def further_seconds(board: PolicyBoard, row: int, part: int, shown: Evidence) -> float | None:
    """Further seconds of one part's modality after which a candidate would match; None if no length would do.

    Evidence is expected to grow as the median mated score of the calibration people does.

    Args:
        board: Where the candidate does not match.
        row: Which candidate.
        part: Of the board; the candidate was compared in it.
        shown: What the probe rests on in this modality.
    """
    comparisons, scored = board.comparisons[part], board.parts[part]
    at = scored.row_of(int(board.slots[row]))
    if shown.unit != SECONDS or at is None or _enrolled_is_weaker(comparisons, at, shown):
        return None
    lengths = np.arange(shown.amount + _STEP_S, MAX_SECONDS + _STEP_S, _STEP_S)
    others_db = board.score_db[row] - scored.score_db[at]
    scores_db = others_db + _scores_by_length(comparisons, scored, at, shown, lengths)
    longer = EvidenceArray(lengths, SECONDS, np.full(lengths.size, shown.quality))
    classes = scored.fitted.calibration.evidence_classes(longer)
    basis = board.basis(row)
    for seconds, score_db, evidence_class in zip(lengths, scores_db, classes, strict=True):
        threshold = board.threshold(basis.with_class(part, int(evidence_class)))
        if threshold is not None and score_db >= threshold:
            return float(seconds - shown.amount)
    return None


def _enrolled_is_weaker(comparisons: EncoderComparisons, at: int, shown: Evidence) -> bool:
    return bool(pair(comparisons.probe[at], comparisons.enrolled[at]).amount < shown.amount)


def _scores_by_length(
    comparisons: EncoderComparisons, scored: ScoredPart, at: int, shown: Evidence, lengths: Float64Array
) -> Float64Array:
    """Scores to be expected of longer probes of the same person, in dB."""
    calibration, gallery_null = scored.fitted.calibration, scored.fitted.gallery_null
    now = calibration.compare(comparisons.cosine[at], comparisons.probe[at], comparisons.enrolled[at])
    gain_db = calibration.expected_gain_db(shown.amount, lengths)
    return calibration.soften_db(gallery_null.apply(now.llr_db + gain_db))
