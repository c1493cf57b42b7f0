"""How large a gallery may grow before its policy asks for more than usual evidence can reach."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.policies import CalibratedPolicy
from app.domain.ports.encoders import Encoders
from app.domain.references import Modality
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import Null, fused

_LARGEST = 10_000_000


def max_subjects(
    policy: CalibratedPolicy, encoders: Encoders, modalities: frozenset[Modality] = frozenset()
) -> int | None:
    """Most subjects among whom a person of usual scores in some modalities is still found.

    A search among more finds less than half of the people it should find. With one comparison in each
    modality: leads of the probe by enrolled leads would share the rate.

    Args:
        policy: What is demanded.
        encoders: The bundles in use.
        modalities: In which people are enrolled and searched; of those that are served, the weakest alone if
            none is given.

    Returns:
        0 if not even one; `None` if nothing is served or there is no limit worth naming.
    """
    served = [m for m in Modality if encoders.default(m) is not None]
    if not modalities:
        limits = [_most(policy, encoders, [modality]) for modality in served]
        return min((limit for limit in limits if limit is not None), default=None)
    return _most(policy, encoders, [m for m in served if m in modalities])


def _most(policy: CalibratedPolicy, encoders: Encoders, modalities: Sequence[Modality]) -> int | None:
    served = [encoder for m in modalities if (encoder := encoders.default(m)) is not None]
    if not served:
        return None
    usual_db = sum(encoder.calibration.usual_mated_score_db for encoder in served)
    null = fused([_null_of_endless_evidence(encoder.calibration) for encoder in served])
    if not _reachable(null, policy, 1, usual_db):
        return 0
    if _reachable(null, policy, _LARGEST, usual_db):
        return None
    low, high = 1, _LARGEST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _reachable(null, policy, middle, usual_db) else (low, middle)
    return low


def _null_of_endless_evidence(calibration: Calibration) -> Null:
    return calibration.null(calibration.strongest_class)


def _reachable(null: Null, policy: CalibratedPolicy, subjects: int, usual_db: float) -> bool:
    return policy.of_search(subjects).threshold_db(null) <= usual_db
