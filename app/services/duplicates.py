"""Who else looks like the person that is being enrolled: perhaps the same one under another name."""

from __future__ import annotations

import numpy as np

from app.domain.ports.store import Store
from app.domain.subjects import ApiClient, Gallery
from app.matching.comparisons import EncoderComparisons
from app.matching.encoded_captures import EncodedCaptures
from app.matching.follower import GalleryFollower
from app.matching.gallery_state import GalleryState
from app.matching.matcher import Matcher
from ml.runtime.evidence import pair

DUPLICATES_FPIR = 0.02
"""How often somebody new may be taken for somebody who is enrolled: one enrollment in fifty.

On CinC dev, LUDB and QTDB, galleries of 60, this finds 87 to 100 % of the people with `ecg` (79 to 99 % at
0.01), and 2 to 8 % of new people are taken for somebody. It is a hint to look, and decides nothing.
"""
MAX_NAMES = 10
"""Of the most alike of each evidence class; one more is compared, which may be the subject itself."""


class DuplicateSearch:
    """Finds the names of a gallery that new recordings may belong to.

    Scores are not softened, and no policy decides: this has to work in galleries where no threshold for a
    search can be reached.

    Args:
        store: The truth.
        matcher: Compares.
        follower: Knows the galleries.
    """

    def __init__(self, store: Store, matcher: Matcher, follower: GalleryFollower) -> None:
        self._store = store
        self._matcher = matcher
        self._follower = follower

    def names_like(
        self, caller: ApiClient, gallery_name: str, subject_id: str, captured: EncodedCaptures
    ) -> tuple[str, ...]:
        """Other names that these recordings look like, the most alike first.

        It sees what was enrolled when it looked: of two requests at the same time neither finds the other.

        Args:
            caller: Who asks; nothing is found in a gallery that the caller may not see.
            gallery_name: Where the recordings are enrolled.
            subject_id: Under which name.
            captured: The recordings.
        """
        if not caller.may_see(gallery_name):
            return ()
        with self._store.reading() as uow:
            gallery = uow.galleries.by_name(gallery_name)
            if gallery is None:
                return ()
            state = self._follower.up_to_date(uow, gallery)
            lacking = self._matcher.lacking(captured, state.transforms)
            names = [] if lacking else self._names(gallery, state, captured)
        if lacking:  # Older versions: encoded with no transaction open, and then the look is taken anew.
            captured.add(lacking)
            return self.names_like(caller, gallery_name, subject_id, captured)
        return tuple(name for name in dict.fromkeys(names) if name != subject_id)[:MAX_NAMES]

    def _names(self, gallery: Gallery, state: GalleryState, captured: EncodedCaptures) -> list[str]:
        with state.lock:
            templates = self._matcher.transformed(
                gallery, state.transforms, captured, gallery.policy.quality_floor
            )
            comparisons = self._matcher.most_alike(state, templates, MAX_NAMES + 1)
            alike = [slot for compared in comparisons for slot in _alike(state, compared)]
            return [known.subject_id for slot in alike if (known := state.subject(slot)) is not None]


def _alike(state: GalleryState, compared: EncoderComparisons) -> list[int]:
    """Slots whose corrected score is too high for chance, the highest first."""
    calibration = compared.encoder.calibration
    correction = state.sample(compared.modality, compared.encoder).recent_null()
    found: list[tuple[float, int]] = []
    both = pair(compared.probe, compared.enrolled)
    classes = calibration.evidence_classes(both, compared.compared)
    for evidence_class in np.unique(classes):
        members = np.flatnonzero(classes == evidence_class)
        best = members[np.argsort(-compared.cosine[members], kind="stable")[:MAX_NAMES]]
        nearest = compared.only(best)
        scores = calibration.compare(nearest.cosine, nearest.probe, nearest.enrolled, nearest.compared)
        llr_db = correction.apply(scores.llr_db)
        rate = DUPLICATES_FPIR / state.subject_count / int(calibration.shared(compared.compared).max())
        above = llr_db >= calibration.reached_by_chance_db(int(evidence_class), rate)
        found += zip(llr_db[above].tolist(), compared.slots[best[above]].tolist(), strict=True)
    return [slot for _, slot in sorted(found, key=lambda one: (-one[0], one[1]))]
