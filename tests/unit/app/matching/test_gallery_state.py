"""The sample that a gallery's own null is taken from is the same in every process."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

import numpy as np

from app.adapters.index.exact_index import ExactIndex
from app.domain.policies import CalibratedPolicy
from app.domain.references import UNKNOWN_POSITION, Modality, Template, TemplateKey
from app.domain.subjects import GalleryTransform
from app.matching.gallery_state import GalleryState, LoadedSubject
from app.matching.matcher import Matcher
from app.matching.null_samples import MAX_SUBJECTS
from app.matching.transformed_probe import TransformedProbe
from ml.runtime.evidence import SECONDS, Evidence
from tests.fakes import FakeEncoder, FakeEncoders, unit

GALLERY = UUID(int=1)
OLD, NEW = FakeEncoder("2026.11"), FakeEncoder("2027.01")


def a_state() -> GalleryState:
    state = GalleryState(GALLERY, ExactIndex(), FakeEncoders(NEW, OLD))
    state.transforms = {
        (Modality.ECG, encoder.encoder_id): GalleryTransform(
            GALLERY, Modality.ECG, encoder.encoder_id, 1, b"wrapped"
        )
        for encoder in (OLD, NEW)
    }
    return state


def a_subject(number: int, *encoders: FakeEncoder, position: str = UNKNOWN_POSITION) -> LoadedSubject:
    vector = unit(np.random.default_rng(number).standard_normal(OLD.vector_size)).astype(np.float32)
    template = Template(vector, Evidence(10.0, SECONDS, 0.9))
    return LoadedSubject(
        uuid_bytes=UUID(int=number).bytes,
        subject_id=f"p{number}",
        templates={TemplateKey(Modality.ECG, position, e.encoder_id): template for e in encoders},
        references={(Modality.ECG, e.encoder_id): (position, template) for e in encoders},
    )


def sampled(state: GalleryState) -> dict[str, set[UUID]]:
    return {
        encoder.encoder_id: {state.subject(slot).uuid for slot in state.sample(Modality.ECG, encoder).slots}
        for encoder in (OLD, NEW)
    }


def rank(subject: LoadedSubject) -> bytes:
    return hashlib.sha256(subject.uuid.bytes).digest()


class TestSample:
    PEOPLE = tuple(a_subject(n, OLD if n % 2 else NEW) for n in range(1, MAX_SUBJECTS + 201))

    def test_is_the_thousand_of_smallest_rank_whatever_the_history(self):
        followed, rebuilt = a_state(), a_state()
        for subject in self.PEOPLE:
            followed.apply(subject.uuid, subject)
        rebuilt.fill(self.PEOPLE)

        first = sorted(self.PEOPLE, key=rank)[:MAX_SUBJECTS]
        expected = {
            e.encoder_id: {s.uuid for s in first if (Modality.ECG, e.encoder_id) in s.references}
            for e in (OLD, NEW)
        }
        assert sampled(rebuilt) == expected
        assert sampled(followed) == expected

    def test_is_filled_up_when_somebody_leaves_or_loses_a_version(self):
        followed, rebuilt = a_state(), a_state()
        followed.fill(self.PEOPLE)
        leaving, changing = sorted(self.PEOPLE, key=rank)[:2]
        changed = a_subject(changing.uuid.int, OLD, NEW)
        joining = max((a_subject(n, NEW) for n in range(5000, 5050)), key=rank)
        people = [s for s in self.PEOPLE if s.uuid not in (leaving.uuid, changing.uuid)] + [changed, joining]

        followed.apply(changed.uuid, changed)
        followed.apply(leaving.uuid, None)
        followed.apply(joining.uuid, joining)  # Of high rank, while there is room.
        for uuid in followed.unsampled():
            followed.apply(uuid, next(s for s in people if s.uuid == uuid))
        rebuilt.fill(people)

        assert sampled(followed) == sampled(rebuilt)


class TestSharing:
    def test_counts_whom_a_search_of_everybody_would_compare(self):
        state = a_state()
        for number, position in enumerate(("I", "II", UNKNOWN_POSITION, "V1"), start=1):
            state.apply(UUID(int=number), a_subject(number, OLD, position=position))
        probe = Template(np.eye(OLD.vector_size, dtype=np.float32)[0], Evidence(10.0, SECONDS, 0.9))

        for positions in (("I",), ("I", "II"), (UNKNOWN_POSITION,), ("aVR",)):
            templates = dict.fromkeys(positions, probe)
            everybody = state.compare(OLD, templates).slots.size
            assert state.sharing([(OLD, templates), (NEW, templates)]) == everybody


class TestComparisonsPerSubject:
    """A search and a claim count the same pairs of positions, each of which may match by chance."""

    POSITIONS = (("I",), ("I", "II", UNKNOWN_POSITION), ("II",))
    PROBED = ("I", UNKNOWN_POSITION)
    EXPECTED = (2, 5, 1)

    @staticmethod
    def with_positions(number: int, positions: Sequence[str]) -> LoadedSubject:
        (template,) = a_subject(number, NEW).templates.values()
        keys = [TemplateKey(Modality.ECG, position, NEW.encoder_id) for position in positions]
        return a_subject(number, NEW)._replace(templates=dict.fromkeys(keys, template))

    def test_every_comparable_pair_of_positions_counts(self):
        state = a_state()
        people = [self.with_positions(n, positions) for n, positions in enumerate(self.POSITIONS, start=1)]
        state.fill(people)
        (template,) = a_subject(9, NEW).templates.values()
        probe = TransformedProbe(NEW, dict.fromkeys(self.PROBED, template))
        matcher = Matcher(None, FakeEncoders(NEW))

        search = matcher.against_gallery(state, [probe], CalibratedPolicy())
        claims = [
            matcher.against_subject(state, [probe], person.templates, CalibratedPolicy()) for person in people
        ]

        assert tuple(search.basis(row).comparisons for row in range(3)) == self.EXPECTED
        assert tuple(claim.basis(0).comparisons for claim in claims) == self.EXPECTED


class TestStandIn:
    NAMES = tuple(f"nobody-{number}" for number in range(200))

    def test_of_an_empty_gallery_is_nobody(self):
        assert a_state().stand_in("nobody") is None

    def test_is_always_somebody_who_is_there(self):
        state = a_state()
        people = [a_subject(number, OLD) for number in range(1, 12)]
        for subject in people:
            state.apply(subject.uuid, subject)
        for subject in people[3:9]:
            state.apply(subject.uuid, None)

        found = {state.stand_in(name) for name in self.NAMES}

        assert found == {subject.uuid for subject in (*people[:3], *people[9:])}

    def test_stays_the_same_for_most_names_while_the_gallery_grows(self):
        state = a_state()
        for number in range(1, 40):
            state.apply(UUID(int=number), a_subject(number, OLD))
        before = [state.stand_in(name) for name in self.NAMES]
        for number in range(40, 44):
            state.apply(UUID(int=number), a_subject(number, OLD))

        after = [state.stand_in(name) for name in self.NAMES]

        assert sum(one == other for one, other in zip(before, after, strict=True)) > 160
