"""`fusion: feature` over HTTP, by a network that is fitted here to computed people."""

import base64

import numpy as np
import pytest

from app.adapters.fusion import BundleFusion, load_fusion
from app.domain.captures import EcgStrip, FaceImage
from app.domain.errors import ConfigurationError
from ml.export.fusion_network import fusion_network
from ml.export.fusion_writer import FusionDescription, Naming, write_fusion_bundle
from ml.training.fusion.fitting import FusionFit
from ml.training.fusion.making import fit
from ml.training.fusion.people import Person, Vectors
from tests.api.application import open_api
from tests.factories import FS_HZ, ecg, strip
from tests.fakes import PATTERN_SAMPLES, FakeEncoder, FakeEncoders, FakeFaceEncoder

FITTED_TO = range(1000, 1080)
FUSION = {"fusion": "feature"}


def face_vector(person, take):
    """A fake person's face, noisy enough to need the heart beside it."""
    pattern = np.random.default_rng([3, person]).standard_normal(PATTERN_SAMPLES)
    noise = 0.4 * np.random.default_rng([4, person, take]).standard_normal(PATTERN_SAMPLES)
    return (pattern + noise).astype(np.float32)


def face(person, take=0):
    return {"modality": "face", "image_b64": base64.b64encode(face_vector(person, take).tobytes()).decode()}


def both(person, take=0):
    return [ecg(person, take), face(person, take)]


def computed_person(number):
    """Vectors of a fake person as the fake encoders give them."""
    hearts = [EcgStrip(strip(number, take).astype(np.float32), FS_HZ) for take in range(3)]
    faces = [FaceImage(face_vector(number, take).tobytes()) for take in range(3)]
    return Person(
        f"person-{number}",
        {
            "ecg": Vectors(np.stack([FakeEncoder().encode(one).vector for one in hearts]), np.full(3, 0.9)),
            "face": Vectors(
                np.stack([FakeFaceEncoder().encode(one).vector for one in faces]), np.full(3, 0.9)
            ),
        },
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with a fusion bundle that `ml` wrote."""
    folder = tmp_path_factory.mktemp("models")
    sizes = dict.fromkeys(("ecg", "face"), PATTERN_SAMPLES)
    made = fit([computed_person(number) for number in FITTED_TO], sizes, FusionFit(steps=200))
    naming = Naming("1", {"ecg": "fake@2026.11", "face": "fakeface@2026.11"}, "ours")
    write_fusion_bundle(
        folder,
        FusionDescription(naming, made.fitted, made.calibrated, {}),
        fusion_network(made.network),
        vector_size=150,
        calibrations=made.calibrations,
        figures=made.figures,
    )
    return folder


@pytest.fixture(scope="module")
def fusion(models):
    return load_fusion(models, ["fake@2026.11", "fakeface@2026.11"])


@pytest.fixture
def fused_api(sqlite_url, fusion):
    with open_api(sqlite_url, FakeEncoders(FakeEncoder(), FakeFaceEncoder()), fusion=fusion) as api:
        api.put("/galleries/default", {"policy": {"kind": "calibrated", "fmr": 0.1, "fpir": 0.5}})
        for person in range(12):
            answer = api.post("/enroll", {"subject_id": f"p{person}", "recordings": both(person)})
            assert answer.status_code == 201
        yield api


class TestVerify:
    def test_the_right_person_matches_and_another_does_not(self, fused_api):
        own = [
            fused_api.post("/verify", {"subject_id": f"p{n}", "recordings": both(n, 5)} | FUSION)
            for n in range(12)
        ]
        others = [
            fused_api.post("/verify", {"subject_id": f"p{n}", "recordings": both(n + 1, 5)} | FUSION)
            for n in range(11)
        ]

        assert sum(answer.json()["decision"] == "match" for answer in own) >= 11
        assert sum(answer.json()["decision"] == "match" for answer in others) <= 2

    def test_the_decision_says_how_it_was_made(self, fused_api):
        answer = fused_api.post("/verify", {"subject_id": "p1", "recordings": both(1, 5)} | FUSION).json()

        assert answer["fusion"] == "feature"
        assert [part["status"] for part in answer["modalities"]] == ["used", "used"]
        assert answer["score"] != pytest.approx(sum(part["score"] for part in answer["modalities"]), abs=0.01)

    def test_one_modality_alone_is_decided_by_its_own_score(self, fused_api):
        probe = {"subject_id": "p1", "recordings": [ecg(1, 5)]}

        fused = fused_api.post("/verify", probe | FUSION).json()
        plain = fused_api.post("/verify", probe).json()

        assert (fused["score"], fused["threshold"]) == (plain["score"], plain["threshold"])
        assert fused["fusion"] == "score"

    def test_a_refusal_without_scores_follows_from_the_probe_alone(self, fused_api):
        key = fused_api.new_key(*[s for s in _scopes() if s.value != "read:scores"])
        fused_api.post("/enroll", {"subject_id": "heart-only", "recordings": [ecg(40)]})

        answers = [
            fused_api.post(
                "/verify", {"subject_id": name, "recordings": both(30, 5)} | FUSION, key=key
            ).json()
            for name in ("p1", "p2")
        ]

        assert {answer["decision"] for answer in answers} == {"non_match"}
        assert len({answer["threshold"] for answer in answers}) == 1
        assert not any("score" in answer for answer in answers)


class TestIdentify:
    def test_the_right_person_is_first(self, fused_api):
        answers = [fused_api.post("/identify", {"recordings": both(n, 6)} | FUSION).json() for n in range(12)]

        firsts = [answer["candidates"][0]["subject_id"] for answer in answers]
        assert sum(first == f"p{n}" for n, first in enumerate(firsts)) >= 11
        assert {answer["fusion"] for answer in answers} == {"feature"}

    def test_somebody_with_one_modality_stays_a_candidate(self, fused_api):
        fused_api.post("/enroll", {"subject_id": "heart-only", "recordings": [ecg(40)]})

        answer = fused_api.post("/identify", {"recordings": both(40, 1)} | FUSION).json()

        assert answer["candidates"][0]["subject_id"] == "heart-only"


class TestAvailability:
    def test_without_a_bundle_it_is_unavailable(self, sqlite_api):
        answer = sqlite_api.post("/verify", {"subject_id": "p1", "recordings": [ecg(1)]} | FUSION)

        assert (answer.status_code, answer.json()["code"]) == (422, "fusion_unavailable")

    def test_under_a_distance_policy_it_is_unavailable(self, fused_api):
        rule = {"metric": "cosine", "max_distance": 0.5}
        policy = {"kind": "distance", "rules": {"ecg": rule, "face": rule}}
        fused_api.put("/galleries/default", {"policy": policy})

        answer = fused_api.post("/identify", {"recordings": both(1)} | FUSION)

        assert (answer.status_code, answer.json()["code"]) == (422, "fusion_unavailable")

    def test_models_lists_it_with_the_encoders_it_reads(self, fused_api):
        found = [item for item in fused_api.get("/models").json()["items"] if item["purpose"] == "fusion"]

        assert len(found) == 1
        assert found[0]["encoders"] == {"ecg": "fake@2026.11", "face": "fakeface@2026.11"}
        assert "modality" not in found[0]


class TestLoading:
    def test_a_folder_without_one_gives_none(self, tmp_path):
        assert load_fusion(tmp_path, []) is None

    def test_encoders_that_are_not_loaded_stop_the_start(self, models):
        with pytest.raises(ConfigurationError, match=r"fusion@1 reads the vectors of fakeface@2026\.11"):
            load_fusion(models, ["fake@2026.11"])

    def test_a_damaged_one_stops_the_start(self, models, tmp_path):
        import shutil

        shutil.copytree(models / "fusion@1", tmp_path / "fusion@1")
        (tmp_path / "fusion@1" / "model.onnx").write_bytes(b"damaged")

        with pytest.raises(ConfigurationError, match=r"checksum of model\.onnx"):
            load_fusion(tmp_path, [])

    def test_it_is_what_the_port_asks_for(self, fusion):
        assert isinstance(fusion, BundleFusion)
        assert fusion.card.id == "fusion"


def _scopes():
    from app.domain.subjects import Scope

    return list(Scope)
