"""What templates that a search did not return could reach at most.

A shortlist holds the largest cosines. A likelihood ratio depends on length and quality beside the cosine, so
somebody beyond the shortlist may still be the better candidate. How much better has a bound: the map from
cosine to LLR rises strictly, and lengths and qualities of the templates searched lie within a known range.
"""

import numpy as np
from numpy.typing import NDArray

from ml.runtime.calibration.llr_map import LlrMap
from ml.runtime.calibration.softening import DB_PER_NAT
from ml.runtime.evidence import EvidenceArray

FloatArray = NDArray[np.float64]

_CELLS = 8
"""Parts that the range of each feature is divided into; the bound of a part is close to what it holds."""


def highest_llr_db(llr_map: LlrMap, cosine: float, extremes: EvidenceArray) -> float:
    """Bound the LLR of comparisons whose cosine is not above a value.

    Within a part of the range, u = cosine·exp(scale·x) + location·x is largest at a corner: the exponential
    is convex, and where the cosine is negative its smallest value bounds it. The ramps rise with u, and the
    offset is linear in x. So the sum of the maxima is not exceeded, and the largest over all parts bounds the
    whole.

    Args:
        llr_map: Of the encoder.
        cosine: None of the comparisons has a larger one.
        extremes: What they rest on lies between the least and the greatest of these.

    Returns:
        Decibans; exceeded by no comparison between the extremes.
    """
    corners = llr_map.features(  # (2, 2): least and greatest, features
        np.array([extremes.amount.min(), extremes.amount.max()]),
        np.array([extremes.quality.min(), extremes.quality.max()]),
    )
    edges = np.linspace(corners[0], corners[1], _CELLS + 1)  # (cells + 1, 2)
    x = np.stack(
        np.broadcast_arrays(edges[:, None, 0], edges[None, :, 1]), axis=-1
    )  # (cells + 1, cells + 1, 2)
    stretched, moved = np.exp(x @ llr_map.scale), x @ llr_map.location
    if cosine >= 0.0:
        u = _over_cells(cosine * stretched + moved)
    else:
        u = cosine * -_over_cells(-stretched) + _over_cells(moved)
    nats = llr_map.bias + _over_cells(x @ llr_map.offset) + llr_map.rise(u)
    return float(DB_PER_NAT * nats.max())


def _over_cells(at_corners: FloatArray) -> FloatArray:
    """The largest value at the four corners of each part."""
    one_way = np.maximum(at_corners[1:], at_corners[:-1])
    return np.asarray(np.maximum(one_way[:, 1:], one_way[:, :-1]))
