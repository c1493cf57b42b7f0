"""Keeps one person's recordings from being added to another person's references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.domain.errors import FailureToEnrollError, Fault, UnprocessableError
from app.domain.policies import CalibratedPolicy, DistancePolicy, Policy
from app.domain.ports.encoders import Encoder
from app.domain.ports.store import UnitOfWork
from app.domain.references import Modality, Template, TemplateKey
from app.domain.subjects import Gallery, Subject
from app.matching.encoded_captures import EncodedCaptures
from app.matching.follower import GalleryFollower
from app.matching.gallery_state import GalleryState
from app.matching.matcher import Matcher, newest_transforms
from app.matching.mirrored import MIRRORED, MIRRORED_DETAIL, matches_in_mirror_only
from app.matching.transformed_probe import TransformedProbe

MISMATCH_FMR = 0.01
"""The loosest rate that anything is added at, however loose the gallery's own policy is."""


Admitted = frozenset[tuple[str, int]]
"""Recordings of a request that may be stored: encoder id and index."""


class MismatchCheck:
    """What is added to a subject must look like it (DESIGN §5, enroll)."""

    def __init__(self, matcher: Matcher, follower: GalleryFollower) -> None:
        self._matcher = matcher
        self._follower = follower

    def admitted(
        self,
        uow: UnitOfWork,
        gallery: Gallery,
        subject: Subject,
        captures: EncodedCaptures,
        encoders: Sequence[Encoder],
    ) -> Admitted:
        """Let nothing in that is not known to be the subject's: what is stored decides from then on.

        Every recording is compared with the subject's templates of its modality and has to match, whatever
        its position: one that the subject has not must be no way in. It has to match what was enrolled first
        as well: each addition moves the templates, and a row of blends would lead from one person to another.

        The first encoder that the subject has templates of decides. Under the others that it has templates
        of, what does not match is not stored.

        Args:
            uow: Whose lock keeps the subject as it is until the recordings are stored.
            gallery: Whose policy decides, but never at more than 1 %.
            subject: Who is enrolled under the name.
            captures: Of the request.
            encoders: That they would be stored with, the default first in each modality.

        Raises:
            UnprocessableError: `reference_mismatch`.
            FailureToEnrollError: `fingerprint_mirrored`.
        """
        state = self._follower.up_to_date(uow, gallery)
        loaded = self._follower.load(uow, gallery, [subject.uuid])
        enrolled = loaded[0].templates if loaded else {}
        first_enrolled = self._follower.load_first(uow, gallery, subject.uuid)
        known = [enrolled, first_enrolled.templates if first_enrolled else {}]
        floor = gallery.policy.quality_floor
        singles = self._matcher.each_recording(
            gallery, newest_transforms(uow, gallery), captures, encoders, floor
        )
        matching = {
            (single.encoder.encoder_id, index): all(
                self._is_subject(state, single, templates, gallery.policy) for templates in known
            )
            for index, single in singles
            if any(key.encoder == single.encoder.encoder_id for key in enrolled)
        }
        deciding = _deciding(encoders, enrolled)
        admitted = set()
        for encoder in encoders:
            first = deciding.get(encoder.modality)
            for index in (one.index for one in captures.accepted(encoder, floor)):
                verdict = None if first is None else matching.get((first.encoder_id, index))
                if first is not None and verdict is False:
                    single = next(one for at, one in singles if (at, one.encoder) == (index, first))
                    if matches_in_mirror_only(self._matcher, state, single, enrolled, MISMATCH_FMR):
                        raise _flipped(index)
                    raise _mismatch(gallery.policy)
                if verdict is None and _is_default(encoder, encoders):
                    raise _incomparable()
                if verdict and matching.get((encoder.encoder_id, index), True):
                    admitted.add((encoder.encoder_id, index))
        return frozenset(admitted)

    def _is_subject(
        self,
        state: GalleryState,
        single: TransformedProbe,
        enrolled: Mapping[TemplateKey, Template],
        policy: Policy,
    ) -> bool:
        """By the templates it is comparable with; a position the subject has not, by those of all others."""
        for any_position in (False, True):
            boards = [
                self._matcher.against_subject(state, [single], enrolled, rule, any_position=any_position)
                for rule in _rules(policy, single.encoder.modality)
            ]
            if len(boards[0]):
                return all(bool(np.all(board.passes)) for board in boards)
        return False


def _rules(policy: Policy, modality: Modality) -> list[Policy]:
    """The gallery's own rule, and 1 % where that is stricter: a lax policy must not open a name for ever."""
    if isinstance(policy, CalibratedPolicy):
        return [CalibratedPolicy(fmr=min(MISMATCH_FMR, policy.fmr))]
    own: list[Policy] = (
        [DistancePolicy({modality: policy.rules[modality]})] if modality in policy.rules else []
    )
    return [CalibratedPolicy(fmr=MISMATCH_FMR), *own]


def _deciding(
    encoders: Sequence[Encoder], enrolled: Mapping[TemplateKey, Template]
) -> dict[Modality, Encoder]:
    """Of each modality the first encoder that the subject has a template of."""
    known = {key.encoder for key in enrolled}
    return {encoder.modality: encoder for encoder in reversed(encoders) if encoder.encoder_id in known}


def _is_default(encoder: Encoder, encoders: Sequence[Encoder]) -> bool:
    """Whether what this encoder accepts is reported as accepted."""
    return next(one for one in encoders if one.modality == encoder.modality) is encoder


def _mismatch(policy: Policy) -> UnprocessableError:
    fmr = min(MISMATCH_FMR, policy.fmr) if isinstance(policy, CalibratedPolicy) else MISMATCH_FMR
    return UnprocessableError(
        "Not all of these recordings look like what is enrolled of this subject"
        f" (false match rate {fmr:.2g}); an admin may use 'force'.",
        code="reference_mismatch",
    )


def _flipped(index: int) -> FailureToEnrollError:
    fault = Fault(f"/recordings/{index}", MIRRORED, MIRRORED_DETAIL)
    return FailureToEnrollError(MIRRORED_DETAIL, code=MIRRORED, faults=[fault])


def _incomparable() -> UnprocessableError:
    return UnprocessableError(
        "Not all of these recordings can be compared with what is enrolled of this subject, which has no"
        " references of their modality under an encoder in use; an admin may use 'force'.",
        code="reference_mismatch",
    )
