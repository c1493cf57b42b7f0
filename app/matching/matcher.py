"""From a probe and a gallery to decisions: shared by verification, identification and enrollment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.domain.errors import UnprocessableError
from app.domain.policies import DistancePolicy, Policy
from app.domain.ports import Encoder, Encoders, IntArray, TemplateVault, UnitOfWork
from app.domain.references import Modality, Template, TemplateKey, comparable
from app.domain.subjects import Gallery, GalleryTransform
from app.matching.comparisons import EncoderComparisons
from app.matching.gallery_state import EXHAUSTIVE_UP_TO, GalleryState
from app.matching.policy_board import PolicyBoard
from app.matching.probe import Probe, pool_probe
from ml.runtime.evidence import Evidence, EvidenceArray
from ml.runtime.matching.comparisons import BestOfPositions

Transforms = Mapping[tuple[Modality, str], GalleryTransform]
"""A gallery's newest transforms, by modality and encoder id."""


@dataclass(frozen=True)
class TransformedProbe:
    """Probe templates of one encoder version, multiplied by the gallery's secret matrix."""

    encoder: Encoder
    templates: Mapping[str, Template]

    @property
    def evidence(self) -> Evidence:
        """Of the position that shows the most."""
        shown = [template.evidence for template in self.templates.values()]
        return max(shown, key=lambda evidence: evidence.amount)


class Matcher:
    """Compares probes with galleries and single subjects.

    Args:
        vault: Unwraps the galleries' transforms.
        encoders: The bundles in use.
    """

    def __init__(self, vault: TemplateVault, encoders: Encoders) -> None:
        self._vault = vault
        self._encoders = encoders

    def asked(self, probe: Probe, transforms: Transforms) -> list[tuple[Encoder, GalleryTransform]]:
        """The encoders that the gallery has a transform for, the default first in each modality."""
        return [
            (encoder, transforms[modality, encoder.encoder_id])
            for modality in probe.served_modalities
            for encoder in self._encoders.of(modality)
            if (modality, encoder.encoder_id) in transforms
        ]

    def transformed(
        self, gallery: Gallery, transforms: Transforms, probe: Probe, min_quality: float
    ) -> list[TransformedProbe]:
        """The probe under every encoder the gallery has a transform for, the default first.

        Args:
            gallery: Where it is compared.
            transforms: Those of the templates it is compared with: after a renewal, others mean nothing.
            probe: The recordings.
            min_quality: Recordings below it are left out.
        """
        found = []
        for encoder, transform in self.asked(probe, transforms):
            templates = probe.templates(encoder, min_quality)
            if templates:
                matrix = self._vault.matrix(gallery, transform)
                rotated = {p: replace(t, vector=matrix @ t.vector) for p, t in templates.items()}
                found.append(TransformedProbe(encoder, rotated))
        return found

    def each_recording(
        self,
        gallery: Gallery,
        transforms: Transforms,
        probe: Probe,
        encoders: Sequence[Encoder],
        min_quality: float,
    ) -> list[tuple[int, TransformedProbe]]:
        """Every accepted recording as a probe of its own, with its index, under each of these encoders."""
        singles = []
        for encoder in encoders:
            transform = transforms.get((encoder.modality, encoder.encoder_id))
            if transform is None:  # Nobody has a template to compare with.
                continue
            matrix = self._vault.matrix(gallery, transform)
            for acquired in probe.accepted(encoder, min_quality):
                template = pool_probe(encoder, [acquired.encoding])
                rotated = replace(template, vector=matrix @ template.vector)
                single = TransformedProbe(encoder, {acquired.recording.position: rotated})
                singles.append((acquired.index, single))
        return singles

    def against_gallery(
        self, state: GalleryState, probes: Sequence[TransformedProbe], policy: Policy
    ) -> PolicyBoard:
        """Score everybody who shares a modality with the probe; the caller holds the state's lock.

        Raises:
            UnprocessableError: ``policy_incomplete``.
        """
        _require_rules(policy, [probe.encoder.modality for probe in probes])
        comparisons, among = self.with_gallery(state, probes)
        compared = [(c, state.sample(c.modality, c.encoder).fitted()) for c in comparisons if c.slots.size]
        sought = [(probe.encoder, probe.templates) for probe in probes]
        subjects = None if among is None else state.sharing(sought)
        return PolicyBoard(compared, policy, searched=True, gallery_size=subjects)

    def with_gallery(
        self, state: GalleryState, probes: Sequence[TransformedProbe]
    ) -> tuple[list[EncoderComparisons], IntArray | None]:
        """Compare with everybody, or with the shortlist of a large gallery, which is returned beside.

        The caller holds the state's lock.
        """
        among = _shortlist(state, probes) if state.subject_count > EXHAUSTIVE_UP_TO else None
        return _first_only([state.compare(p.encoder, p.templates, among) for p in probes]), among

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
            UnprocessableError: ``policy_incomplete``.
        """
        _require_rules(policy, [probe.encoder.modality for probe in probes])
        comparisons = _first_only(
            [_compare_templates(probe, enrolled, any_position=any_position) for probe in probes]
        )
        with state.lock:
            compared = [
                (c, state.sample(c.modality, c.encoder).fitted()) for c in comparisons if c.slots.size
            ]
        return PolicyBoard(compared, policy, searched=False)


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


def _shortlist(state: GalleryState, probes: Sequence[TransformedProbe]) -> IntArray:
    found = [state.shortlist(probe.encoder, probe.templates) for probe in probes]
    return np.unique(np.concatenate(found or [np.zeros(0, dtype=np.int64)]))


def _first_only(comparisons: Sequence[EncoderComparisons]) -> list[EncoderComparisons]:
    """Of one modality, each candidate under the first encoder only; later parts lose those."""
    seen: dict[Modality, IntArray] = {}
    kept = []
    for part in comparisons:  # The default first within a modality.
        before = seen.get(part.modality)
        kept.append(part if before is None else part.only(~np.isin(part.slots, before)))
        seen[part.modality] = part.slots if before is None else np.union1d(before, part.slots)
    return kept


def _compare_templates(
    probe: TransformedProbe, enrolled: Mapping[TemplateKey, Template], *, any_position: bool
) -> EncoderComparisons:
    """One subject as a gallery of one, in slot 0."""
    best = BestOfPositions(1, probe.encoder.calibration.unit)
    slot = np.zeros(1, dtype=np.int64)
    for position, template in probe.templates.items():
        for key, reference in enrolled.items():
            if (key.modality, key.encoder) != (probe.encoder.modality, probe.encoder.encoder_id):
                continue
            if any_position or comparable(position, key.position):
                cosine = np.array([template.vector @ reference.vector])
                best.offer(slot, cosine, template.evidence, EvidenceArray.of([reference.evidence]))
    return EncoderComparisons.of(best, probe.encoder)
