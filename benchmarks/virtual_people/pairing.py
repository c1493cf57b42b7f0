"""One random pairing of hearts, faces and fingers, and the probes of its people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from app.domain.captures import Capture, EcgStrip, FaceImage, FingerprintImage
from app.domain.references import Modality
from benchmarks.virtual_people.noise import FACE_SHARE, FINGERPRINT_SHARE, blackened, noisy_ecg
from benchmarks.virtual_people.sources import Source, Sources

PEOPLE = 58


@dataclass(frozen=True)
class VirtualPerson:
    """Somebody who does not exist.

    Args:
        name: In this pairing.
        enrolled, probe: One capture of each modality.
    """

    name: str
    enrolled: Mapping[Modality, Capture]
    probe: Mapping[Modality, Capture]


def pairing(sources: Sources, seed: int) -> list[VirtualPerson]:
    """Draw as many people as there are faces, each with a heart, a face and a finger of their own."""
    generator = np.random.default_rng([20261201, seed])
    drawn = {
        modality: [found[index] for index in generator.permutation(len(found))[:PEOPLE].tolist()]
        for modality, found in sources.items()
    }
    return [
        VirtualPerson(
            f"virtual-{seed}-{number}",
            {modality: people[number].enrolled for modality, people in drawn.items()},
            {modality: _any_probe(people[number], generator) for modality, people in drawn.items()},
        )
        for number in range(min(map(len, drawn.values())))
    ]


def combinations_of(modalities: Sequence[Modality]) -> list[tuple[Modality, ...]]:
    """All combinations of modalities, single ones first."""
    return [chosen for size in range(1, len(modalities) + 1) for chosen in combinations(modalities, size)]


class NoisyProbes:
    """The same captures with the paper's noise, made once each."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Capture, Capture]] = {}

    def of(self, capture: Capture) -> Capture:
        """Return the noisy form of a capture, always the same object."""
        if id(capture) not in self._made:
            generator = np.random.default_rng([20261202, len(self._made)])
            self._made[id(capture)] = (capture, _noisy(capture, generator))
        return self._made[id(capture)][1]


def _any_probe(source: Source, generator: np.random.Generator) -> Capture:
    return source.probes[int(generator.integers(len(source.probes)))]


def _noisy(capture: Capture, generator: np.random.Generator) -> Capture:
    if isinstance(capture, EcgStrip):
        return EcgStrip(noisy_ecg(capture.signal, generator, capture.fs_hz), capture.fs_hz, capture.lead)
    if isinstance(capture, FaceImage):
        return FaceImage(blackened(capture.image, FACE_SHARE, generator))
    image = blackened(capture.image, FINGERPRINT_SHARE, generator)
    return FingerprintImage(image, dpi=capture.dpi, finger=capture.finger)
