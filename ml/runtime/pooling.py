"""Templates: one vector per subject, modality, position and encoder."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def pool(
    vectors: NDArray[np.floating], sessions: Sequence[object] | NDArray[np.generic]
) -> NDArray[np.float32]:
    """Average per session, then over sessions, and renormalize: a long session does not outvote a short one.

    Args:
        vectors: Unit vectors, float, shape (n, d), n ≥ 1.
        sessions: Session of each vector, shape (n,); compared by equality.

    Returns:
        Unit norm, float32, shape (d,).

    Raises:
        ValueError: No vectors, shapes that differ, or vectors that cancel out.
    """
    stacked = np.asarray(vectors, dtype=np.float64)
    if stacked.ndim != 2 or len(stacked) == 0 or len(stacked) != len(sessions):
        raise ValueError(f"expected one session per vector, found {stacked.shape} and {len(sessions)}")
    members: dict[object, list[int]] = {}
    for row, session in enumerate(sessions):
        members.setdefault(session, []).append(row)
    mean = np.mean([stacked[rows].mean(axis=0) for rows in members.values()], axis=0)
    norm = float(np.linalg.norm(mean))
    if norm <= np.finfo(np.float32).eps:
        raise ValueError("the vectors cancel out")
    return np.asarray(mean / norm, dtype=np.float32)
