"""Keeps one person's recordings from being added to another person's references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from app.domain.errors import UnprocessableError
from app.domain.policies import CalibratedPolicy
from app.domain.ports import UnitOfWork
from app.domain.references import Modality
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
        transforms = newest_transforms(uow, gallery)
        singles = self._matcher.each_recording(gallery, transforms, probe, gallery.policy.quality_floor)
        matched = False
        for single in _first_only(singles, loaded[0]):
            own = self._compare(state, single, loaded[0], any_position=False)
            if own is False:
                raise _mismatch()
            matched |= bool(own or self._compare(state, single, loaded[0], any_position=True))
        if not matched:
            raise _mismatch()

    def _compare(
        self, state: GalleryState, single: TransformedProbe, enrolled: LoadedSubject, *, any_position: bool
    ) -> bool | None:
        """Whether it matches; None if there is nothing to compare with."""
        board = self._matcher.against_subject(
            state, [single], enrolled.templates, _POLICY, any_position=any_position
        )
        return bool(np.all(board.passes)) if len(board) else None


def _first_only(singles: Sequence[TransformedProbe], enrolled: LoadedSubject) -> Iterator[TransformedProbe]:
    """Of each modality, those under the first encoder that the subject has a template of."""
    known = {key.encoder for key in enrolled.templates}
    first: dict[Modality, str] = {}
    for single in singles:  # The default first within a modality.
        modality, encoder_id = single.encoder.modality, single.encoder.encoder_id
        if encoder_id in known and first.setdefault(modality, encoder_id) == encoder_id:
            yield single


def _mismatch() -> UnprocessableError:
    return UnprocessableError(
        "These recordings do not look like what is enrolled of this subject"
        f" (false match rate {MISMATCH_FMR:.0%}); an admin may use 'force'.",
        code="reference_mismatch",
    )
