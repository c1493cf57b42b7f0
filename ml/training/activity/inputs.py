"""How features of a window, and of the wearer at rest where known, become the inputs of a head.

A description is what is known of a window: features made by hand, then those of a trunk. Known rest replaces
what the trunk says by how far it is from rest, and adds by how much rhythm and beats differ from it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.activity.features import FEATURE_NAMES, N_REST
from ml.runtime.ecg.activity.head import View

FloatArray = NDArray[np.float64]

N_BY_HAND = len(FEATURE_NAMES)
# What the trunk says counts two to three: of one share for all heads, the one with the least loss, of people
# left out as under A3 (results/activity/fusion.json). A share fitted for each head has less loss where
# it is fitted, and more under A3: ten people are too few.
TRUNK_SHARE = 0.4


def head_inputs(descriptions: FloatArray, rest: FloatArray | None) -> FloatArray:
    """Put together what a head reads.

    Args:
        descriptions: Of windows, float64, shape (n, n_by_hand + d).
        rest: Of the same wearers at rest, shape (n, n_by_hand + d) or (n_by_hand + d,); None if not known.

    Returns:
        float64, shape (n, n_by_hand + d) without rest, (n, n_by_hand + d + n_rest) with it: by hand, trunk,
        differences.
    """
    if rest is None:
        return descriptions
    by_hand, trunk = descriptions[:, :N_BY_HAND], descriptions[:, N_BY_HAND:]
    differences = by_hand[:, :N_REST] - rest[..., :N_REST]
    return np.hstack([by_hand, trunk - rest[..., N_BY_HAND:], differences])


def input_views(n_description: int, *, own_rest: bool) -> tuple[View, ...]:
    """Tell inputs made by hand from those of the trunk.

    Args:
        n_description: Features of a window; with as many as are made by hand there is no trunk.
        own_rest: Whether rest is known.
    """
    differences = n_description + np.arange(N_REST if own_rest else 0)
    by_hand, trunk = np.arange(N_BY_HAND), np.arange(N_BY_HAND, n_description)
    if not trunk.size:
        return (View(np.concatenate([by_hand, differences]), 1.0),)
    return (
        View(np.concatenate([by_hand, differences]), 1.0 - TRUNK_SHARE),
        View(trunk, TRUNK_SHARE),
    )
