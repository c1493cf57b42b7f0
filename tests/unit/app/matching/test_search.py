"""A search through shortlists gives the answer of a scan of everybody.

The long form: `PULSEPRINT_EXACTNESS=10000 python -m pytest -s tests/unit/app/matching/test_search.py`.
"""

import os
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from app.adapters.index.exact_index import ExactIndex
from app.adapters.index.faiss_index import FaissIndex
from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric
from app.domain.references import Modality, Template, TemplateKey
from app.domain.subjects import GalleryTransform
from app.matching.comparisons import first_only
from app.matching.gallery_state import GalleryState, LoadedSubject
from app.matching.policy_board import PolicyBoard
from app.matching.search import Sought, search
from ml.runtime.bundle import read_bundle
from ml.runtime.calibration.llr import Calibration
from ml.runtime.evidence import SECONDS, Evidence
from tests.approximate_index import ApproximateIndex
from tests.fakes import FakeEncoder, FakeEncoders, FakeFaceEncoder, unit

MODELS = Path(__file__).parents[4] / "models"
SEARCHES = int(os.environ.get("PULSEPRINT_EXACTNESS", "150"))
PROBES = 5  # Of each gallery.
SIZE = 16
FIRST = 8  # So that shortlists of small galleries leave somebody out.


class EcgEncoder(FakeEncoder):
    """With the calibration of a bundle that ships: its LLR depends on length and quality."""

    vector_size = SIZE
    calibration = Calibration.from_dict(read_bundle(MODELS / "ecg@2026.11.1").calibration)


ECG, OLD_ECG, FACE = EcgEncoder("2027.01"), EcgEncoder("2026.11"), FakeFaceEncoder()


def a_template(rng: np.random.Generator, vector: np.ndarray, modality: Modality = Modality.ECG) -> Template:
    seconds = float(rng.choice([3.2, 5.5, 9.0, 14.0, 40.0]) * rng.uniform(0.9, 1.1))
    evidence = Evidence(seconds, modality.evidence_unit, float(rng.uniform(0.2, 1.0)))
    return Template(unit(vector).astype(np.float32), evidence)


class World:
    """A gallery at random, and probes of people in it and of strangers."""

    def __init__(self, seed: int, index, *, encoders=(ECG,), people: int | None = None) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.encoders = encoders
        self.state = GalleryState(UUID(int=1), index, FakeEncoders(*encoders))
        self.state.transforms = {
            (e.modality, e.encoder_id): GalleryTransform(UUID(int=1), e.modality, e.encoder_id, 1, b"")
            for e in encoders
        }
        self.people = int(rng.integers(20, 400)) if people is None else people
        self.centre = rng.standard_normal(SIZE) * rng.choice([0.0, 0.5])
        self.vectors = {e.encoder_id: self._vectors(e.vector_size) for e in encoders}
        self.state.fill([self._subject(number) for number in range(self.people)])

    def _vectors(self, size: int) -> np.ndarray:
        found = self.rng.standard_normal((self.people, size))
        return found + self.centre[:size] if size <= SIZE else found

    def _subject(self, number: int) -> LoadedSubject:
        templates = {}
        for encoder in self.encoders:
            if encoder is not self.encoders[0] and self.rng.uniform() < 0.2:
                continue
            heart = self.vectors[encoder.encoder_id][number]
            for position in self.rng.choice(["unknown", "I", "II"], self.rng.integers(1, 3), replace=False):
                seen = heart + 0.1 * self.rng.standard_normal(heart.size)  # No two positions are alike.
                key = TemplateKey(encoder.modality, str(position), encoder.encoder_id)
                templates[key] = a_template(self.rng, seen, encoder.modality)
        references = {}
        for key, template in templates.items():
            references.setdefault((key.modality, key.encoder), (key.position, template))
        return LoadedSubject(UUID(int=number + 1).bytes, f"p{number:05}", templates, references)

    def probe(self) -> list[Sought]:
        """Of somebody enrolled or of nobody, in one or two positions."""
        person = int(self.rng.integers(0, 2 * self.people))
        found = []
        for encoder in self.encoders:
            known = self.vectors[encoder.encoder_id]
            heart = known[person] if person < self.people else self.rng.standard_normal(known.shape[1])
            noise = self.rng.uniform(0.2, 1.2) * self.rng.standard_normal((2, heart.size))
            templates = {"I": a_template(self.rng, heart + noise[0], encoder.modality)}
            if encoder.modality is Modality.ECG and self.rng.uniform() < 0.3:
                templates["unknown"] = a_template(self.rng, heart + noise[1])
            found.append(Sought(encoder, templates))
        return found

    def policy(self):
        if self.rng.uniform() < 0.15:
            farthest = float(self.rng.uniform(0.2, 0.9))
            rule = DistanceRule(Metric.COSINE, farthest)
            return DistancePolicy({encoder.modality: rule for encoder in self.encoders})
        return CalibratedPolicy(
            fmr=float(self.rng.choice([1e-3, 0.05])), fpir=float(self.rng.choice([0.01, 0.5]))
        )

    def scan(self, probes, policy) -> PolicyBoard:
        """Everybody, without a shortlist."""
        compared = first_only([self.state.compare(p.encoder, p.templates) for p in probes])
        scored = [(c, self.state.sample(c.modality, c.encoder).fitted()) for c in compared if c.slots.size]
        return PolicyBoard(scored, policy, searched=True, gallery_size=self.state.sharing(probes))


def ranked(board: PolicyBoard) -> list[tuple[int, float, bool]]:
    """Slot, margin and decision of all, best first."""
    rows = sorted(range(len(board)), key=lambda row: (*board.order.key(row), int(board.slots[row])))
    return [(int(board.slots[row]), float(board.score_db[row]), bool(board.passes[row])) for row in rows]


def answer(board: PolicyBoard, listed: int = 10):
    """What a client reads: the first candidate, and all who match."""
    best = ranked(board)
    first = best[0]
    return (
        first[0],
        pytest.approx(first[1], abs=1e-4),
        first[2],
        sorted(slot for slot, _, ok in best[:listed] if ok),
    )


def differing(index, encoders, searches: int) -> tuple[list[int], int]:
    """Seeds of galleries whose search and scan give different answers; searches that left somebody out."""
    found, shorter = [], 0
    for seed in range(searches // PROBES):
        world = World(seed, index(), encoders=encoders)
        for _ in range(PROBES):
            probes, policy = world.probe(), world.policy()
            board = search(world.state, probes, policy, at_least=10, first_shortlist=FIRST)
            found += [seed] * (answer(board) != answer(world.scan(probes, policy)))
            shorter += len(board) < world.state.subject_count
    print(f"{index.__name__}, {len(encoders)}: {len(found)} of {searches} differ; {shorter} short")  # noqa: T201
    return found, shorter


class TestAgainstAScanOfEverybody:
    @pytest.mark.parametrize("index", [ExactIndex, FaissIndex], ids=lambda cls: cls.__name__)
    def test_decision_and_first_candidate_are_the_same(self, index):
        """One modality, several positions, lengths and qualities."""
        found, shorter = differing(index, (ECG,), SEARCHES)

        assert found == []
        assert shorter > 0, "every shortlist held everybody: nothing was shown"

    @pytest.mark.parametrize("encoders", [(ECG, OLD_ECG), (ECG, FACE), (ECG, OLD_ECG, FACE)], ids=len)
    def test_versions_and_modalities_together_too(self, encoders):
        found, _ = differing(ExactIndex, encoders, SEARCHES // 3)

        assert found == []


class TestAnApproximateIndex:
    def test_the_same_person_is_first_nearly_always_and_scores_are_exact(self):
        """What the index says of a cosine is never believed: vectors are read and compared."""
        agreeing = 0
        world = World(2, ApproximateIndex(disturbance=0.1), people=300)
        for _ in range(40):
            probes, policy = world.probe(), CalibratedPolicy()

            found = search(world.state, probes, policy, at_least=10, first_shortlist=FIRST)
            everybody = {slot: score for slot, score, _ in ranked(world.scan(probes, policy))}

            best = ranked(found)
            agreeing += best[0][0] == ranked(world.scan(probes, policy))[0][0]
            assert all(score == pytest.approx(everybody[slot], abs=1e-4) for slot, score, _ in best)
        assert agreeing >= 38


class TestSearch:
    def test_the_index_is_what_it_searches(self, monkeypatch):
        world = World(1, FaissIndex())
        monkeypatch.setattr(
            world.state, "nearest", lambda *_: (_ for _ in ()).throw(AssertionError("searched"))
        )

        with pytest.raises(AssertionError, match="searched"):
            search(world.state, world.probe(), CalibratedPolicy(), at_least=10)

    def test_an_empty_gallery_has_no_candidates(self):
        world = World(1, ExactIndex(), people=0)

        assert (
            len(
                search(
                    world.state,
                    [Sought(ECG, {"I": a_template(world.rng, np.ones(SIZE))})],
                    CalibratedPolicy(),
                    10,
                )
            )
            == 0
        )

    def test_who_moves_to_another_evidence_class_is_found_once(self):
        world = World(3, ExactIndex(), people=50)
        vector = world.vectors[ECG.encoder_id][7]
        for seconds in (3.0, 6.0, 40.0):
            template = Template(unit(vector).astype(np.float32), Evidence(seconds, SECONDS, 0.9))
            key = TemplateKey(Modality.ECG, "I", ECG.encoder_id)
            subject = LoadedSubject(
                UUID(int=8).bytes, "p7", {key: template}, {(Modality.ECG, ECG.encoder_id): ("I", template)}
            )
            world.state.apply(UUID(int=8), subject)

        board = search(world.state, [Sought(ECG, {"I": template})], CalibratedPolicy(), 10)

        assert ranked(board)[0][0] == 7
        assert world.state.indexed_count == world.state.template_count
