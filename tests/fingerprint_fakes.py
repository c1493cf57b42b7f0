"""A made-up fingerprint encoder: its details are compared, its vectors and local vectors are not enough.

A made-up finger is a pattern of 24 numbers, an image of it the same with noise. Half of the numbers make the
vector, six by six they make the local vectors, and all of them are the detail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar

import numpy as np

from app.domain.captures import FingerprintImage
from app.domain.errors import FailureToAcquireError
from app.domain.references import UNKNOWN_POSITION, Modality
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import LlrHistogram, PairScores, fit_null
from ml.runtime.calibration.softening import softened_grid
from ml.runtime.details import DetailComparer, FloatArray
from ml.runtime.encoding import Encoding
from ml.runtime.evidence import IMAGES, Evidence
from tests.fakes import FakeEncoder, fake_image_calibration, unit

RIDGES, IN_VECTOR, PER_PART = 24, 12, 6
EDGES, MOST = (2, 5, 17), 40
FAINT, FAINT_QUALITY = 1.0, 0.2
PEOPLE = 400
EVEN_ODDS = 0.6
"""The cosine of an LLR of 0 dB; strangers reach it once in a thousand comparisons."""


def finger(person: int, which: int = 0) -> np.ndarray:
    """The pattern of a made-up finger."""
    return np.random.default_rng([5, person, which]).standard_normal(RIDGES)


def print_of(
    person: int,
    take: int = 0,
    *,
    which: int = 0,
    position: str = UNKNOWN_POSITION,
    noise: float = 0.3,
    mirrored: bool = False,
    faint: bool = False,
) -> FingerprintImage:
    """An image of a made-up finger."""
    seed = np.random.default_rng([6, person, which, take])
    pattern = finger(person, which) + noise * seed.standard_normal(RIDGES)
    seen = (pattern[::-1] if mirrored else pattern) * (0.01 if faint else 1.0)
    return FingerprintImage(seen.astype(np.float32).tobytes(), finger=position)


class LargestCosine(DetailComparer):
    """The largest cosine of a pair of details; counts how many it has compared."""

    best: ClassVar[int] = 3

    def __init__(self) -> None:
        self.compared = 0
        self.opened = 0

    def shortlist_size(self, enrolled: int) -> int:
        return min(enrolled, 10 + enrolled // 20)

    def open(self, detail: bytes) -> np.ndarray:
        self.opened += 1
        return unit(np.frombuffer(detail, dtype=np.float32).astype(np.float64))

    def mirrored(self, opened: np.ndarray) -> np.ndarray:
        return opened[::-1]

    def compare(self, probe: Sequence[np.ndarray], enrolled: Sequence[Sequence[np.ndarray]]) -> FloatArray:
        self.compared += len(enrolled)
        shown = np.stack(probe)
        return np.array([float((shown @ np.stack(theirs).T).max()) for theirs in enrolled])


@lru_cache(maxsize=1)
def fake_fingerprint_calibration() -> Calibration:
    """The line of the other fakes, and nulls of the largest of 1, 4, 16 and 40 independent comparisons."""
    plain = fake_image_calibration()
    nats = float(plain.llr_map.nats(EVEN_ODDS, 1.0, 0.9))
    plain = replace(plain, llr_map=replace(plain.llr_map, bias=plain.llr_map.bias - nats))
    first, second = np.triu_indices(PEOPLE, k=1)
    patterns = unit(np.random.default_rng(20261201).standard_normal((PEOPLE, RIDGES)))
    cosine = (patterns @ patterns.T)[first, second]
    bare = replace(plain, nulls=(), llr_histograms=(), mated_quantiles_db=())
    first_bin, n_bins = softened_grid(bare.non_mated_pairs)
    nulls, histograms = [], []
    for number in (1, 4, 16, MOST):
        others = np.random.default_rng(number).integers(0, cosine.size, (number - 1, cosine.size))
        llr_db = bare.llr_db(np.maximum(cosine, cosine[others].max(axis=0, initial=-1.0)), 1.0, 0.9)
        scores = PairScores(bare.softening.measured_db(llr_db), first, second, PEOPLE)
        nulls.append(fit_null(scores, first_bin=first_bin, n_bins=n_bins, replicates=10))
        histograms.append(LlrHistogram.of(llr_db, pairs=first.size))
    return replace(
        bare,
        nulls=tuple(nulls),
        llr_histograms=tuple(histograms),
        mated_quantiles_db=(float(bare.llr_db(0.8, 1.0, 0.9)),) * len(nulls),
        comparison_edges=EDGES,
        most_comparisons=MOST,
    )


class FakeFingerprintEncoder(FakeEncoder):
    """Reads made-up prints; half of a pattern is all that its vector says."""

    modality = Modality.FINGERPRINT
    vector_size = IN_VECTOR
    local_size = PER_PART

    def __init__(self, version: str = "2026.12") -> None:
        super().__init__(version)
        self.encoder_id = f"fakefinger@{version}"
        self.comparer = LargestCosine()

    @property
    def calibration(self) -> Calibration:
        return fake_fingerprint_calibration()

    def encode(self, capture: FingerprintImage) -> Encoding:
        if len(capture.image) != 4 * RIDGES:
            raise FailureToAcquireError("There is no fingerprint.", code="no_fingerprint")
        pattern = np.frombuffer(capture.image, dtype=np.float32)
        quality = 0.9 if np.linalg.norm(pattern) > FAINT else FAINT_QUALITY
        return Encoding(
            vector=unit(pattern[:IN_VECTOR]).astype(np.float32),
            evidence=Evidence(1.0, IMAGES, quality),
            local=unit(pattern.reshape(-1, PER_PART)).astype(np.float32),
            detail=pattern.tobytes(),
        )
