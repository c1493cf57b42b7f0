"""Decisions by one vector made of those of several modalities, in place of a sum of scores (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np

from app.domain.arrays import Float64Array, IntArray
from app.domain.ports.encoders import Encoder
from app.domain.ports.fusion import FeatureFusion
from app.domain.ports.vault import TemplateVault
from app.domain.references import Modality
from app.domain.subjects import Gallery, GalleryTransform
from app.matching.nearest_vectors import EnrolledAt, NearestVectors
from app.matching.policy_board import FusedPart, PolicyBoard
from app.matching.transformed_probe import TransformedProbe
from ml.runtime.evidence import IMAGES, EvidenceArray
from ml.runtime.matching.comparisons import Comparisons
from ml.runtime.matching.fitted_null import FittedNull
from ml.runtime.matching.gallery_null import GalleryNull
from ml.runtime.matching.scored_part import ScoredPart

Transforms = Mapping[tuple[Modality, str], GalleryTransform]
"""A gallery's newest transforms, by modality and encoder id."""
EnrolledOf = Callable[[Encoder], EnrolledAt]
"""What the templates of an encoder's probe compare with."""


_NOBODY = np.zeros(0, dtype=np.int64)


class FeatureScorer:
    """Scores candidates by fused vectors.

    Stored vectors are rotated by secret matrices of the gallery, which a network could not read. So those of
    the candidates are turned back, in memory and for this one comparison.

    Args:
        fusion: The bundle.
        vault: Unwraps the galleries' transforms.
    """

    def __init__(self, fusion: FeatureFusion, vault: TemplateVault) -> None:
        self._fusion = fusion
        self._vault = vault

    def board(
        self,
        scored: PolicyBoard,
        gallery: Gallery,
        transforms: Transforms,
        probes: Sequence[TransformedProbe],
        enrolled_of: EnrolledOf,
    ) -> PolicyBoard:
        """Decide on the candidates of a scoreboard anew.

        Whoever shares fewer than two modalities with the probe keeps the score of the one.

        Args:
            scored: Candidates, as the sum of scores has them; under a calibrated policy.
            gallery: Theirs.
            transforms: Those of the templates.
            probes: As they were compared.
            enrolled_of: The templates of the candidates.
        """
        nearest = {
            probe.encoder.modality: self._nearest(gallery, transforms, probe, enrolled_of)
            for probe in probes
            if self._fusion.encoders.get(probe.encoder.modality) == probe.encoder.encoder_id
        }
        everything = tuple(
            nearest
        )  # A part for it even if nobody has it all: what is said of the probe alone.
        groups = {everything: _NOBODY, **dict(_by_combination(nearest))} if len(nearest) > 1 else {}
        return scored.by_fused(
            [
                FusedPart(frozenset(chosen), self._part({m: nearest[m].at(slots) for m in chosen}, slots))
                for chosen, slots in groups.items()
            ]
        )

    def _nearest(
        self, gallery: Gallery, transforms: Transforms, probe: TransformedProbe, enrolled_of: EnrolledOf
    ) -> NearestVectors:
        encoder = probe.encoder
        matrix = self._vault.matrix(gallery, transforms[encoder.modality, encoder.encoder_id])
        found = NearestVectors.of(probe.templates, enrolled_of(encoder), encoder.vector_size)
        return found.turned_back(matrix)

    def _part(self, pairs: Mapping[Modality, NearestVectors], slots: IntArray) -> ScoredPart:
        """Those who share exactly these modalities with the probe."""
        calibration = self._fusion.calibration(list(pairs))
        probe = self._fusion.fuse({modality: of.probe for modality, of in pairs.items()})
        enrolled = self._fusion.fuse({modality: of.enrolled for modality, of in pairs.items()})
        quality: Float64Array = (
            np.stack([of.quality for of in pairs.values()]).astype(np.float64).mean(axis=0)
        )
        amount = np.full(slots.size, float(len(pairs)))
        comparisons = Comparisons(
            slots=slots,
            cosine=np.einsum("nd,nd->n", probe, enrolled, dtype=np.float64),
            compared=reduce(np.multiply, [of.compared for of in pairs.values()]),
            probe=EvidenceArray(amount, IMAGES, quality[0]),
            enrolled=EvidenceArray(amount, IMAGES, quality[1]),
        )
        return ScoredPart.of(comparisons, FittedNull(calibration, GalleryNull.identity()))


def _by_combination(
    nearest: Mapping[Modality, NearestVectors],
) -> list[tuple[tuple[Modality, ...], IntArray]]:
    """Slots by the modalities that they share with the probe, two at least."""
    modalities = list(nearest)
    everybody = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(n.slots for n in nearest.values())]))
    shared = np.array([np.isin(everybody, nearest[modality].slots) for modality in modalities])
    found = []
    for pattern in np.unique(shared, axis=1).T if modalities else ():
        if np.count_nonzero(pattern) > 1:
            chosen = tuple(m for m, is_shared in zip(modalities, pattern, strict=True) if is_shared)
            found.append((chosen, everybody[(shared == pattern[:, None]).all(axis=0)]))
    return found
