"""A finger that matches in a mirror only: its image was flipped on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from app.domain.details import Detail, Parts
from app.domain.policies import CalibratedPolicy
from app.domain.references import Template, TemplateKey
from app.matching.gallery_state import GalleryState
from app.matching.matcher import Matcher
from app.matching.transformed_probe import TransformedProbe

MIRRORED = "fingerprint_mirrored"
MIRRORED_DETAIL = "The mirror image matches and this one does not: send the image as the sensor shows it."


def matches_in_mirror_only(
    matcher: Matcher,
    state: GalleryState,
    probe: TransformedProbe,
    enrolled: Mapping[TemplateKey, Template],
    fmr: float,
) -> bool:
    """Whether the mirror image of a probe, and not the probe, matches a subject at a false-match rate."""
    mirrored = _mirrored(probe)
    if mirrored is None:
        return False
    policy = CalibratedPolicy(fmr=fmr)
    as_sent, flipped = (matcher.against_subject(state, [one], enrolled, policy) for one in (probe, mirrored))
    return bool(len(flipped) and flipped.passes.all() and not as_sent.passes.all())


def _mirrored(probe: TransformedProbe) -> TransformedProbe | None:
    """None where the encoder compares vectors, or cannot say what a mirror shows."""
    comparer = probe.encoder.comparer
    if comparer is None:
        return None
    templates = {}
    for position, template in probe.templates.items():
        opened = [] if template.parts is None else template.parts.opened
        flipped = [comparer.mirrored(one) for one in opened]
        if not flipped or any(one is None for one in flipped):
            return None
        local = np.zeros((0, probe.encoder.local_size), dtype=np.float32)  # Nobody is searched for by it.
        parts = Parts(tuple(map(Detail.of_opened, flipped)), local)
        templates[position] = replace(template, parts=parts)
    return TransformedProbe(probe.encoder, templates)
