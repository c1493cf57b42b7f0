"""An installation of `ecg-beat` after a bundle `ecg` appeared beside it: real encoders, strips of nobody."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from app.adapters.encoders import load_encoders
from app.domain.errors import ConfigurationError
from ml.synthetic.ecg import SyntheticPerson
from tests.api.application import open_api
from tests.bundles import write_network_bundle

BEAT, NETWORK = "ecg-beat@2026.11", "ecg@2026.11.1"
SHIPPED = Path(__file__).parents[2] / "models" / BEAT
ANN, BOB, CARL = 0, 1, 4
# What 60 synthetic people behind the network's calibration can resolve.
POLICY = {"kind": "calibrated", "fmr": 0.05, "fpir": 0.15}


def recording(person: int, take: int) -> dict:
    ecg = SyntheticPerson.draw(person).record(10.0, 250.0, seed=take)
    return {"modality": "ecg", "fs_hz": 250, "unit": "mV", "signal": np.round(ecg, 4).tolist()}


def enroll(api, subject_id: str, person: int, take: int = 1) -> dict:
    answer = api.post("/enroll", {"subject_id": subject_id, "recordings": [recording(person, take)]})
    assert answer.status_code == 201, answer.text
    return answer.json()


def verify(api, subject_id: str, person: int) -> dict:
    return api.post("/verify", {"subject_id": subject_id, "recordings": [recording(person, 9)]}).json()


def identify(api, person: int) -> dict:
    return api.post("/identify", {"recordings": [recording(person, 9)]}).json()


def used(answer: dict) -> str:
    (part,) = answer["modalities"]
    return part["encoder"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """The models folder before and after."""
    before, after = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("after")
    for folder in (before, after):
        shutil.copytree(SHIPPED, folder / BEAT)
    write_network_bundle(after, NETWORK)
    return {"before": before, "after": after}


@pytest.fixture
def upgraded_url(sqlite_url, folders):
    """A database with Ann and Bob enrolled before."""
    with open_api(sqlite_url, load_encoders(folders["before"], {})) as api:
        api.put("/galleries/default", {"policy": POLICY})
        enroll(api, "ann", ANN)
        enroll(api, "bob", BOB)
    return sqlite_url


@pytest.fixture
def api(upgraded_url, folders):
    with open_api(upgraded_url, load_encoders(folders["after"], {})) as opened:
        yield opened


class TestAfterTheUpgrade:
    def test_both_are_in_use_and_the_new_one_is_the_default(self, api):
        models = api.get("/models").json()["items"]

        assert {f"{m['id']}@{m['version']}": m["default"] for m in models} == {BEAT: False, NETWORK: True}

    def test_people_enrolled_before_are_still_verified(self, api):
        own, other = verify(api, "ann", ANN), verify(api, "ann", BOB)

        assert (own["decision"], other["decision"]) == ("match", "non_match")
        assert used(own) == used(other) == BEAT

    def test_everybody_is_identified_under_their_own_encoder(self, api):
        assert [reference["encoder"] for reference in enroll(api, "carl", CARL)["references"]] == [NETWORK]

        found = [identify(api, person) for person in (ANN, BOB, CARL)]

        assert [(answer["subject_id"], used(answer)) for answer in found] == [
            ("ann", BEAT),
            ("bob", BEAT),
            ("carl", NETWORK),
        ]
        assert {answer["gallery_size"] for answer in found} == {3}

    def test_adding_recordings_moves_a_person_over(self, api):
        added = enroll(api, "ann", ANN, take=2)

        stored = api.get("/subjects/ann/references").json()["items"]
        assert sorted(reference["encoder"] for reference in added["references"]) == [BEAT, NETWORK]
        assert sorted(reference["encoder"] for reference in stored) == [BEAT, BEAT, NETWORK]
        assert used(verify(api, "ann", ANN)) == NETWORK
        assert verify(api, "ann", BOB)["decision"] == "non_match"
        assert [used(identify(api, person)) for person in (ANN, BOB)] == [NETWORK, BEAT]

    def test_another_persons_recordings_are_not_added(self, api):
        answer = api.post("/enroll", {"subject_id": "ann", "recordings": [recording(BOB, 2)]})

        assert (answer.status_code, answer.json()["code"]) == (422, "reference_mismatch")

    def test_candidates_are_listed_once_each_by_how_far_they_are_above_their_threshold(self, api):
        enroll(api, "ann", ANN, take=2)
        enroll(api, "carl", CARL)

        candidates = identify(api, ANN)["candidates"]

        assert sorted(candidate["subject_id"] for candidate in candidates) == ["ann", "bob", "carl"]
        assert {c["subject_id"]: used(c) for c in candidates} == {
            "ann": NETWORK,
            "bob": BEAT,
            "carl": NETWORK,
        }
        assert candidates[0]["subject_id"] == "ann"

    def test_each_encoder_has_a_correction_of_its_own(self, api):
        enroll(api, "ann", ANN, take=2)

        corrections = api.get("/galleries/default").json()["correction"]

        assert {c["encoder"]: c["subjects"] for c in corrections} == {BEAT: 2, NETWORK: 1}

    def test_a_renewal_keeps_both(self, api):
        enroll(api, "ann", ANN, take=2)

        assert api.post("/galleries/default/renew").status_code == 202

        assert [(identify(api, p)["subject_id"], used(identify(api, p))) for p in (ANN, BOB)] == [
            ("ann", NETWORK),
            ("bob", BEAT),
        ]


class TestChoice:
    def test_who_pins_the_old_one_keeps_it(self, upgraded_url, folders):
        with open_api(upgraded_url, load_encoders(folders["after"], {"ecg": BEAT})) as api:
            added = enroll(api, "ann", ANN, take=2)

        assert [reference["encoder"] for reference in added["references"]] == [BEAT]

    def test_who_goes_back_to_the_old_one_finds_everybody(self, upgraded_url, folders):
        with open_api(upgraded_url, load_encoders(folders["after"], {})) as api:
            enroll(api, "ann", ANN, take=2)
            enroll(api, "carl", CARL)

        with open_api(upgraded_url, load_encoders(folders["after"], {"ecg": BEAT})) as api:
            found = [identify(api, person) for person in (ANN, BOB, CARL)]

        assert [(answer["subject_id"], used(answer)) for answer in found] == [
            ("ann", BEAT),
            ("bob", BEAT),
            ("carl", NETWORK),
        ]

    def test_a_start_without_a_bundle_that_people_need_is_refused(self, upgraded_url, folders):
        with open_api(upgraded_url, load_encoders(folders["after"], {})) as api:
            enroll(api, "carl", CARL)

        with pytest.raises(ConfigurationError, match=r"1 references of ecg@2026\.11"):
            open_api(upgraded_url, load_encoders(folders["before"], {})).__enter__()
