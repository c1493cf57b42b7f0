"""Inputs of a head, from the features of a window and the wearer's resting baseline where known.

A description holds the hand-crafted features of a window, then those of the trunk. With a baseline, trunk
features become differences to rest, and differences of rhythm and beats are appended.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.activity.features import FEATURE_NAMES, N_REST
from ml.runtime.ecg.activity.head import View

FloatArray = NDArray[np.float64]

N_BY_HAND = len(FEATURE_NAMES)
# The trunk counts two to three: of the shares fixed for all heads, the one with the least loss on held-out
# people under A3 (results/activity/fusion.json). A share fitted for each head has less loss where it is
# fitted and more under A3: ten people are too few.
TRUNK_SHARE = 0.4


def head_inputs(descriptions: FloatArray, rest: FloatArray | None) -> FloatArray:
    """Assemble the inputs of a head.

    Args:
        descriptions: Of windows, float64, shape (n, n_by_hand + d).
        rest: Of the same wearers at rest, shape (n, n_by_hand + d) or (n_by_hand + d,); None if unknown.

    Returns:
        float64, shape (n, n_by_hand + d) without rest, (n, n_by_hand + d + n_rest) with it: hand-crafted,
        trunk, differences.
    """
    if rest is None:
        return descriptions
    by_hand, trunk = descriptions[:, :N_BY_HAND], descriptions[:, N_BY_HAND:]
    differences = by_hand[:, :N_REST] - rest[..., :N_REST]
    return np.hstack([by_hand, trunk - rest[..., N_BY_HAND:], differences])


def input_views(n_description: int, *, own_rest: bool) -> tuple[View, ...]:
    """Separate hand-crafted inputs from those of the trunk.

    Args:
        n_description: Features of a window; without a trunk, as many as are hand-crafted.
        own_rest: Whether a resting baseline is known.
    """
    differences = n_description + np.arange(N_REST if own_rest else 0)
    by_hand, trunk = np.arange(N_BY_HAND), np.arange(N_BY_HAND, n_description)
    if not trunk.size:
        return (View(np.concatenate([by_hand, differences]), 1.0),)
    return (
        View(np.concatenate([by_hand, differences]), 1.0 - TRUNK_SHARE),
        View(trunk, TRUNK_SHARE),
    )
