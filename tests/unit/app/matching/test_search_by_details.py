"""Searches in which one modality is compared by details."""

from uuid import UUID

import numpy as np
import pytest

from app.adapters.index.exact_index import ExactIndex
from app.domain.details import Detail, Parts
from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric
from app.domain.references import UNKNOWN_POSITION, Modality, Template, TemplateKey
from app.domain.subjects import GalleryTransform
from app.matching.background_fits import RunFit, at_once
from app.matching.comparisons import first_only
from app.matching.encoded_captures import Acquired
from app.matching.gallery_state import GalleryState, LoadedSubject
from app.matching.matcher import Matcher
from app.matching.policy_board import PolicyBoard
from app.matching.probe import pool_probe
from app.matching.search import COMPLETED, GLANCED_AT, Sought, search, shortlisted
from app.matching.transformed_probe import TransformedProbe
from ml.runtime.evidence import IMAGES, Evidence
from tests.fakes import FakeEncoders, FakeFaceEncoder, unit
from tests.fingerprint_fakes import FakeFingerprintEncoder, print_of

PEOPLE = 300
FACES = 12
GALLERY = UUID(int=1)


def printed(encoder, person: int, *takes: int, **shape) -> Template:
    """Prints of a person as one template, references and probes alike."""
    images = [print_of(person, take, **shape) for take in takes]
    return pool_probe(encoder, [Acquired.of(n, image, encoder) for n, image in enumerate(images)])


def faced(person: int, take: int = 0) -> Template:
    """A face of a person."""
    pattern = np.random.default_rng([3, person]).standard_normal(FACES)
    noise = 0.2 * np.random.default_rng([4, person, take]).standard_normal(FACES)
    return Template(unit(pattern + noise).astype(np.float32), Evidence(1.0, IMAGES, 0.9))


class World:
    """People with a finger and, most of them, a face."""

    def __init__(self, people: int = PEOPLE, run_fit: RunFit = at_once) -> None:
        self.fingers, self.faces = FakeFingerprintEncoder(), FakeFaceEncoder()
        encoders = (self.fingers, self.faces)
        self.state = GalleryState(GALLERY, ExactIndex(), FakeEncoders(*encoders), run_fit=run_fit)
        self.state.transforms = {
            (e.modality, e.encoder_id): GalleryTransform(GALLERY, e.modality, e.encoder_id, 1, b"")
            for e in encoders
        }
        self.state.fill([self.subject(person) for person in range(people)])
        self.fingers.comparer.compared = 0

    def subject(self, person: int) -> LoadedSubject:
        found = {
            TemplateKey(Modality.FINGERPRINT, UNKNOWN_POSITION, self.fingers.encoder_id): printed(
                self.fingers, person, 0, 1
            )
        }
        if person % 5:
            found[TemplateKey(Modality.FACE, UNKNOWN_POSITION, self.faces.encoder_id)] = faced(person)
        references = {(key.modality, key.encoder): (key.position, one) for key, one in found.items()}
        return LoadedSubject(UUID(int=person + 1).bytes, f"p{person}", found, references)

    def probe(self, person: int, *, face: bool = True, **shape) -> list[Sought]:
        found = [Sought(self.fingers, {UNKNOWN_POSITION: printed(self.fingers, person, 7, **shape)})]
        return [*found, Sought(self.faces, {UNKNOWN_POSITION: faced(person, 7)})] if face else found

    def scan(self, probes, policy) -> PolicyBoard:
        """Everybody, without a shortlist."""
        compared = first_only([self.state.compare(p.encoder, p.templates) for p in probes])
        scored = [(c, self.state.sample(c.modality, c.encoder).fitted()) for c in compared if c.slots.size]
        return PolicyBoard(scored, policy, searched=True, gallery_size=self.state.sharing(probes))


@pytest.fixture(scope="module")
def world():
    return World()


def first(board: PolicyBoard) -> tuple[int, float, bool]:
    row = min(range(len(board)), key=board.order.key)
    return int(board.slots[row]), float(board.score_db[row]), bool(board.passes[row])


class TestSearch:
    def test_whoever_is_shortlisted_is_compared_by_details(self, world):
        before = world.fingers.comparer.compared

        board = search(world.state, world.probe(3, face=False), CalibratedPolicy(), at_least=10)

        size = world.fingers.comparer.shortlist_size(PEOPLE)
        assert first(board)[0] == 3
        assert world.fingers.comparer.compared - before == len(board) == size
        assert board.gallery_size == PEOPLE

    def test_mated_searches_answer_as_a_scan_of_everybody(self, world):
        policy = CalibratedPolicy(fpir=0.5)

        for person in range(0, 40, 3):
            for face in (False, True):
                probes = world.probe(person, face=face)
                found = first(search(world.state, probes, policy, at_least=10))
                assert found == pytest.approx(first(world.scan(probes, policy)), abs=1e-6)

    def test_of_other_modalities_a_bounded_number_is_completed(self, world):
        before = world.fingers.comparer.compared

        board = search(world.state, world.probe(4), CalibratedPolicy(), at_least=10)

        made = world.fingers.comparer.compared - before
        assert len(board) > COMPLETED + world.fingers.comparer.shortlist_size(PEOPLE)
        assert made <= COMPLETED + world.fingers.comparer.shortlist_size(PEOPLE)

    def test_whom_another_modality_brings_up_is_completed(self, world):
        """The print is so noisy that its local vectors find nobody; the face does."""
        probes = world.probe(6, noise=3.0)

        board = search(world.state, probes, CalibratedPolicy(), at_least=10)

        row = int(np.flatnonzero(board.slots == 6)[0])
        assert board.basis(row).classes[0] is not None

    def test_beyond_the_shortlist_a_print_is_no_evidence(self, world):
        board = search(world.state, world.probe(7), CalibratedPolicy(), at_least=10)

        only_face = [row for row in range(len(board)) if board.basis(row).classes[0] is None]
        assert only_face
        face_alone = search(world.state, world.probe(7)[1:], CalibratedPolicy(), at_least=10)
        for row in only_face[:20]:
            same = np.flatnonzero(face_alone.slots == board.slots[row])
            if same.size:
                assert board.score_db[row] == pytest.approx(face_alone.score_db[same[0]])

    def test_a_longer_shortlist_of_faces_repeats_no_comparison_of_details(self, world):
        before = world.fingers.comparer.compared

        search(world.state, world.probe(8), CalibratedPolicy(), at_least=10, first_shortlist=4)

        most = 2 * (COMPLETED + world.fingers.comparer.shortlist_size(PEOPLE))
        assert world.fingers.comparer.compared - before <= most

    def test_a_distance_policy_finds_by_vectors_whoever_a_scan_finds(self, world):
        policy = DistancePolicy({Modality.FINGERPRINT: DistanceRule(Metric.COSINE, 0.25)})

        for person in range(10):
            probes = world.probe(person, face=False)
            found, everybody = search(world.state, probes, policy, at_least=100), world.scan(probes, policy)
            passing = {int(s) for s, ok in zip(found.slots, found.passes, strict=True) if ok}
            assert passing == {int(s) for s, ok in zip(everybody.slots, everybody.passes, strict=True) if ok}

    def test_an_enrollment_looks_at_few(self, world):
        before = world.fingers.comparer.compared

        compared = shortlisted(world.state, world.probe(9), k=11)

        assert world.fingers.comparer.compared - before == GLANCED_AT
        assert 9 in compared[0].slots


class TestFollowing:
    def test_who_leaves_or_changes_is_searched_so(self):
        world = World(60)
        world.state.apply(UUID(int=4), None)
        moved = world.subject(99)._replace(uuid_bytes=UUID(int=6).bytes)
        world.state.apply(UUID(int=6), moved)

        gone = search(world.state, world.probe(3, face=False), CalibratedPolicy(), at_least=10)
        found = search(world.state, world.probe(99, face=False), CalibratedPolicy(), at_least=10)

        assert 3 not in gone.slots
        assert first(found)[0] == 5
        assert world.state.indexed_count == world.state.template_count

    def test_a_print_without_local_vectors_is_kept_and_compared_in_a_claim(self):
        world = World(60)
        key = TemplateKey(Modality.FINGERPRINT, UNKNOWN_POSITION, world.fingers.encoder_id)
        plain = world.subject(70)
        bare = plain.templates[key]
        bare = Template(bare.vector, bare.evidence, Parts(bare.parts.details, bare.parts.local[:0]))
        world.state.apply(plain.uuid, plain)
        world.state.apply(plain.uuid, plain._replace(templates={key: bare}))

        board = Matcher(None, FakeEncoders(world.fingers)).against_subject(
            world.state,
            [TransformedProbe(world.fingers, {UNKNOWN_POSITION: printed(world.fingers, 70, 7)})],
            {key: bare},
            CalibratedPolicy(),
        )

        assert board.passes.all()
        assert world.state.indexed_count == world.state.template_count


class TestCounting:
    def test_unknown_fingers_count_every_finger_tried(self, world):
        keys = [TemplateKey(Modality.FINGERPRINT, f, world.fingers.encoder_id) for f in ("thumb", "index")]
        enrolled = {key: printed(world.fingers, 3, 0, 1, 2, which=n) for n, key in enumerate(keys)}
        probe = printed(world.fingers, 3, 7, 8)
        matcher = Matcher(None, FakeEncoders(world.fingers))

        def board_of(position):
            probes = [TransformedProbe(world.fingers, {position: probe})]
            return matcher.against_subject(world.state, probes, enrolled, CalibratedPolicy())

        assert board_of(UNKNOWN_POSITION).comparisons[0].compared.tolist() == [12]
        assert board_of("thumb").comparisons[0].compared.tolist() == [6]
        assert board_of(UNKNOWN_POSITION).basis(0).classes == (2,)

    def test_details_of_several_recordings_are_kept_apart(self, world):
        template = printed(world.fingers, 3, 0, 1, 2)

        assert len(template.parts.details) == 3
        assert all(isinstance(detail, Detail) for detail in template.parts.details)
        assert np.linalg.norm(template.vector) == pytest.approx(1.0, abs=1e-6)


def test_a_fit_that_waits_while_the_gallery_is_rebuilt_does_not_fail():
    waiting = []
    world = World(people=40, run_fit=waiting.append)

    world.state.reset()
    for fit in waiting:
        fit()

    assert waiting
    assert world.state.subject_count == 0
