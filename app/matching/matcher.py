"""From a probe and a gallery to decisions: shared by verification, identification and enrollment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from app.domain.details import Parts, rotated_local
from app.domain.errors import UnprocessableError
from app.domain.policies import DistancePolicy, Policy
from app.domain.ports.encoders import Encoder, Encoders
from app.domain.ports.store import UnitOfWork
from app.domain.ports.vault import TemplateVault
from app.domain.references import Modality, Template, TemplateKey, comparable
from app.domain.scores import Fusion
from app.domain.subjects import Gallery, GalleryTransform
from app.matching.comparisons import EncoderComparisons, EnrolledTemplates, first_only, offer
from app.matching.encoded_captures import EncodedCaptures
from app.matching.feature_fusion import FeatureScorer, Transforms
from app.matching.gallery_state import GalleryState
from app.matching.policy_board import PolicyBoard
from app.matching.probe import pool_probe, probe_templates
from app.matching.search import Sought, search, shortlisted
from app.matching.transformed_probe import TransformedProbe
from ml.runtime.evidence import EvidenceArray
from ml.runtime.matching.comparisons import BestOfPositions


class Matcher:
    """Compares probes with galleries and single subjects.

    Args:
        vault: Unwraps the galleries' transforms.
        encoders: The bundles in use.
        features: Scores fused vectors, if a fusion bundle is in use.
    """

    def __init__(
        self, vault: TemplateVault, encoders: Encoders, features: FeatureScorer | None = None
    ) -> None:
        self._vault = vault
        self._encoders = encoders
        self._features = features

    def require_fusion(self, fusion: Fusion, policy: Policy | None = None) -> None:
        """Check that decisions can be made this way: here, and under a policy if one is given.

        Raises:
            UnprocessableError: `fusion_unavailable`.
        """
        if fusion is Fusion.SCORE:
            return
        if self._features is None:
            raise UnprocessableError(
                "No fusion bundle is loaded; use fusion 'score'.", code="fusion_unavailable"
            )
        if isinstance(policy, DistancePolicy):
            raise UnprocessableError(
                "The gallery decides by the distance of each modality; use fusion 'score'.",
                code="fusion_unavailable",
            )

    def encoders_for(
        self, captures: EncodedCaptures, transforms: Transforms
    ) -> list[tuple[Encoder, GalleryTransform]]:
        """The encoders that the gallery has a transform for, the default first in each modality."""
        return [
            (encoder, transforms[modality, encoder.encoder_id])
            for modality in captures.served_modalities
            for encoder in self._encoders.of(modality)
            if (modality, encoder.encoder_id) in transforms
        ]

    def lacking(self, captures: EncodedCaptures, transforms: Transforms) -> list[Encoder]:
        """Encoders that the gallery has a transform for, and the captures have not been encoded under."""
        return [
            encoder for encoder, _ in self.encoders_for(captures, transforms) if not captures.holds(encoder)
        ]

    def transformed(
        self, gallery: Gallery, transforms: Transforms, captures: EncodedCaptures, min_quality: float
    ) -> list[TransformedProbe]:
        """Captures as probes under every encoder the gallery has a transform for, the default first.

        Args:
            gallery: Where it is compared.
            transforms: Those of the templates it is compared with: after a renewal, others mean nothing.
            captures: Of the request.
            min_quality: Captures below it are left out.
        """
        found = []
        for encoder, transform in self.encoders_for(captures, transforms):
            templates = probe_templates(captures, encoder, min_quality)
            if templates:
                rotated = {p: self._rotated(gallery, transform, t) for p, t in templates.items()}
                found.append(TransformedProbe(encoder, rotated))
        return found

    def each_recording(
        self,
        gallery: Gallery,
        transforms: Transforms,
        captures: EncodedCaptures,
        encoders: Sequence[Encoder],
        min_quality: float,
    ) -> list[tuple[int, TransformedProbe]]:
        """Every accepted capture as a probe of its own, with its index, under each of these encoders."""
        singles = []
        for encoder in encoders:
            transform = transforms.get((encoder.modality, encoder.encoder_id))
            if transform is None:  # Nobody has a template to compare with.
                continue
            for acquired in captures.accepted(encoder, min_quality):
                rotated = self._rotated(gallery, transform, pool_probe(encoder, [acquired]))
                single = TransformedProbe(encoder, {acquired.capture.position: rotated})
                singles.append((acquired.index, single))
        return singles

    def _rotated(self, gallery: Gallery, transform: GalleryTransform, template: Template) -> Template:
        """Multiply a template by the gallery's matrices; a detail is compared as it is."""
        parts = template.parts
        if parts is not None:
            local = rotated_local(parts.local, self._vault.local_matrix(gallery, transform))
            parts = Parts(parts.details, local)
        return Template(self._vault.matrix(gallery, transform) @ template.vector, template.evidence, parts)

    def against_gallery(
        self, state: GalleryState, probes: Sequence[TransformedProbe], policy: Policy, at_least: int = 1
    ) -> PolicyBoard:
        """Score all who may matter of those who share a modality with the probe.

        The caller holds the state's lock.

        Args:
            state: The gallery.
            probes: The probe under each encoder, the default first in each modality.
            policy: What is demanded.
            at_least: Candidates that are to be listed.

        Raises:
            UnprocessableError: `policy_incomplete`.
        """
        _require_rules(policy, [probe.encoder.modality for probe in probes])
        return search(state, [Sought(probe.encoder, probe.templates) for probe in probes], policy, at_least)

    def most_alike(
        self, state: GalleryState, probes: Sequence[TransformedProbe], k: int
    ) -> list[EncoderComparisons]:
        """Compare with the k of the largest cosines in every table; the caller holds the state's lock."""
        return shortlisted(state, [Sought(probe.encoder, probe.templates) for probe in probes], k)

    def against_subject(
        self,
        state: GalleryState,
        probes: Sequence[TransformedProbe],
        enrolled: Mapping[TemplateKey, Template],
        policy: Policy,
        *,
        any_position: bool = False,
    ) -> PolicyBoard:
        """Score one subject's templates; an empty scoreboard if nothing is comparable.

        Raises:
            UnprocessableError: `policy_incomplete`.
        """
        _require_rules(policy, [probe.encoder.modality for probe in probes])
        comparisons = first_only(
            [_compare_templates(probe, enrolled, any_position=any_position) for probe in probes]
        )
        with state.lock:
            compared = [
                (c, state.sample(c.modality, c.encoder).fitted()) for c in comparisons if c.slots.size
            ]
        return PolicyBoard(compared, policy, searched=False)

    def by_features_of_subject(
        self,
        board: PolicyBoard,
        gallery: Gallery,
        transforms: Transforms,
        probes: Sequence[TransformedProbe],
        enrolled: Mapping[TemplateKey, Template],
    ) -> PolicyBoard:
        """Decide on one subject by fused vectors; `require_fusion` has been called."""
        assert self._features is not None
        return self._features.board(
            board,
            gallery,
            transforms,
            probes,
            lambda encoder: partial(_enrolled_at, encoder, enrolled=enrolled),
        )

    def by_features_in_gallery(
        self, board: PolicyBoard, gallery: Gallery, state: GalleryState, probes: Sequence[TransformedProbe]
    ) -> PolicyBoard:
        """Decide on the candidates of a search by fused vectors; the caller holds the state's lock."""
        assert self._features is not None
        return self._features.board(
            board,
            gallery,
            state.transforms,
            probes,
            lambda encoder: partial(state.enrolled_at, encoder, among=board.slots),
        )


def newest_transforms(uow: UnitOfWork, gallery: Gallery) -> Transforms:
    """As this unit of work sees them; they come in order of their versions."""
    return {(t.modality, t.encoder): t for t in uow.transforms.of_gallery(gallery.uuid)}


def _require_rules(policy: Policy, used: Sequence[Modality]) -> None:
    if not isinstance(policy, DistancePolicy):
        return
    lacking = sorted(set(used) - set(policy.rules))
    if lacking:
        raise UnprocessableError(
            f"The gallery's distance policy has no rule for {', '.join(lacking)}.", code="policy_incomplete"
        )


def _compare_templates(
    probe: TransformedProbe, enrolled: Mapping[TemplateKey, Template], *, any_position: bool
) -> EncoderComparisons:
    """One subject as a gallery of one, in slot 0."""
    best = BestOfPositions(probe.encoder.calibration.unit)
    for position, template in probe.templates.items():
        for one in _enrolled_at(probe.encoder, position, enrolled, any_position=any_position):
            offer(best, probe.encoder, template, one)
    return EncoderComparisons.of(best, probe.encoder)


def _enrolled_at(
    encoder: Encoder, position: str, enrolled: Mapping[TemplateKey, Template], *, any_position: bool = False
) -> Iterator[EnrolledTemplates]:
    """What a probe template of this position compares with, of one subject in slot 0."""
    for key, template in enrolled.items():
        if (key.modality, key.encoder) != (encoder.modality, encoder.encoder_id):
            continue
        if any_position or comparable(position, key.position):
            yield EnrolledTemplates(
                slots=np.zeros(1, dtype=np.int64),
                vectors=template.vector[np.newaxis],
                evidence=EvidenceArray.of([template.evidence]),
                parts=() if template.parts is None else (template.parts,),
            )
