"""Keeps one person's recordings from being added to another person's references."""

from __future__ import annotations

import numpy as np

from app.domain.errors import UnprocessableError
from app.domain.policies import CalibratedPolicy
from app.domain.ports import UnitOfWork
from app.domain.references import comparable
from app.domain.subjects import Gallery, Subject
from app.services.following import GalleryFollower
from app.services.gallery_state import GalleryState, LoadedSubject
from app.services.matching import Matcher, TransformedProbe, newest_transforms
from app.services.probes import Probe

MISMATCH_FMR = 0.01
_POLICY = CalibratedPolicy(fmr=MISMATCH_FMR)


class MismatchCheck:
    """What is added to a subject must look like it (DESIGN §5, enroll)."""

    def __init__(self, matcher: Matcher, follower: GalleryFollower) -> None:
        self._matcher = matcher
        self._follower = follower

    def require_same_subject(self, uow: UnitOfWork, gallery: Gallery, subject: Subject, probe: Probe) -> None:
        """Check every accepted recording on its own.

        Some recording must match an enrolled template at a false match rate of 1 %, whatever the
        positions; and none may fail to match a template of its own modality and position.

        Raises:
            UnprocessableError: ``reference_mismatch``.
        """
        loaded = self._follower.load(uow, gallery, [subject.uuid])
        if not loaded:  # Only references of retired encoders: there is nothing to compare with.
            return
        state = self._follower.up_to_date(uow, gallery)
        matched = False
        transforms = newest_transforms(uow, gallery)
        for single in self._matcher.each_recording(gallery, transforms, probe, gallery.policy.quality_floor):
            matches = self._matches(state, single, loaded[0])
            matched |= matches
            if not matches and _same_position(single, loaded[0]):
                matched = False
                break
        if not matched:
            raise UnprocessableError(
                "These recordings do not look like what is enrolled of this subject"
                f" (false match rate {MISMATCH_FMR:.0%}); an admin may use 'force'.",
                code="reference_mismatch",
            )

    def _matches(self, state: GalleryState, single: TransformedProbe, enrolled: LoadedSubject) -> bool:
        board = self._matcher.against_subject(state, [single], enrolled.templates, _POLICY, any_position=True)
        return bool(len(board)) and bool(np.all(board.passes))


def _same_position(single: TransformedProbe, enrolled: LoadedSubject) -> bool:
    return any(
        key.modality == single.encoder.modality
        and key.encoder == single.encoder.encoder_id
        and comparable(position, key.position)
        for position in single.templates
        for key in enrolled.templates
    )
