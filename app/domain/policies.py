"""What a gallery demands of a comparison: a calibrated policy, or a raw distance rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.domain.errors import UnprocessableError
from app.domain.references import Modality
from ml.runtime.matching.demand import Demand

DEFAULT_FMR = 1e-3
DEFAULT_FPIR = 0.01
DEFAULT_MIN_QUALITY = 0.0


class Metric(StrEnum):
    COSINE = "cosine"
    EUCLIDEAN = "euclidean"


@dataclass(frozen=True)
class CalibratedPolicy:
    """Decide at stated error rates.

    Attributes:
        fmr: False match rate of one comparison, in (0, 1).
        fpir: False positive identification rate of one search, in (0, 1).
        required: Modalities without which nobody matches: an attacker may not choose what to withhold.
        min_quality: Recordings below it are rejected (0 … 1).
    """

    fmr: float = DEFAULT_FMR
    fpir: float = DEFAULT_FPIR
    required: frozenset[Modality] = frozenset()
    min_quality: float = DEFAULT_MIN_QUALITY

    def __post_init__(self) -> None:
        for name in ("fmr", "fpir"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise UnprocessableError(f"{name} must lie between 0 and 1, exclusive.")
        if not 0.0 <= self.min_quality <= 1.0:
            raise UnprocessableError("min_quality must lie between 0 and 1.")

    @property
    def quality_floor(self) -> float:
        return self.min_quality

    def of_claim(self) -> Demand:
        """What a claimed identity must satisfy."""
        return Demand(self.fmr)

    def of_search(self, subjects: int) -> Demand:
        """What a candidate must satisfy in a search among so many."""
        return Demand(self.fmr, self.fpir, subjects)


@dataclass(frozen=True)
class DistanceRule:
    """A raw threshold on unit vectors: cosine distance 1 - cos, or Euclidean distance sqrt(2 - 2 cos)."""

    metric: Metric
    max_distance: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.max_distance <= 2.0:
            raise UnprocessableError("max_distance must lie between 0 and 2: templates have unit norm.")

    def passes(self, cosine: ArrayLike) -> NDArray[np.bool_]:
        """Which cosines lie within; same shape."""
        return np.asarray(distance(cosine, self.metric) <= self.max_distance)


@dataclass(frozen=True)
class DistancePolicy:
    """The papers' way: all used modalities must lie within their own distance."""

    rules: Mapping[Modality, DistanceRule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.rules:
            raise UnprocessableError("A distance policy needs a rule for at least one modality.")

    @property
    def quality_floor(self) -> float:
        """Encoders have a floor of their own; the papers know no further one."""
        return 0.0


Policy = CalibratedPolicy | DistancePolicy


def distance(cosine: ArrayLike, metric: Metric) -> NDArray[np.float64]:
    """Distances of unit vectors, from their cosines; float64, same shape."""
    values = np.asarray(cosine, dtype=np.float64)
    match metric:
        case Metric.COSINE:
            return np.asarray(1.0 - values)
        case Metric.EUCLIDEAN:
            return np.asarray(np.sqrt(np.maximum(0.0, 2.0 - 2.0 * values)))
        case _:
            assert_never(metric)


def tighten(policy: Policy, *, fmr: float | None = None, fpir: float | None = None) -> Policy:
    """The gallery's policy with a request's own, equal or stricter, error rates.

    Raises:
        UnprocessableError: `policy_looser` if the request asks for more errors than its gallery
            allows; `invalid_request` if it names error rates under a distance policy.
    """
    if isinstance(policy, DistancePolicy):
        if fmr is not None or fpir is not None:
            raise UnprocessableError("This gallery decides by raw distances: fmr and fpir do not apply.")
        return policy
    for name, wanted, allowed in (("fmr", fmr, policy.fmr), ("fpir", fpir, policy.fpir)):
        if wanted is not None and wanted > allowed:
            raise UnprocessableError(
                f"{name} {wanted:g} is looser than the gallery's {allowed:g}.", code="policy_looser"
            )
    return CalibratedPolicy(
        fmr=policy.fmr if fmr is None else fmr,
        fpir=policy.fpir if fpir is None else fpir,
        required=policy.required,
        min_quality=policy.min_quality,
    )
