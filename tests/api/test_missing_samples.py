"""Samples that a device lost: null among numbers, NaN among bytes; what is left still recognizes."""

import base64
import json
import shutil

import numpy as np
import pytest

from ml.synthetic.ecg import SyntheticPerson
from tests.api.application import open_shipped_api

FS_HZ = 250.0
SECONDS = 20.0
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


@pytest.fixture(scope="module")
def api(sqlite_template, tmp_path_factory):
    """The shipped bundles, with one person enrolled in lead I."""
    path = tmp_path_factory.mktemp("missing") / "pulseprint.db"
    shutil.copyfile(sqlite_template, path)
    with open_shipped_api(f"sqlite:///{path}") as opened:
        body = {"subject_id": "ann", "recordings": [as_numbers(heart(seed=0))]}
        assert opened.post("/enroll", body).status_code == 201
        yield opened


def heart(seed, seconds=SECONDS, person=3):
    return SyntheticPerson.draw(person).record(seconds, FS_HZ, seed=seed)


def as_numbers(ecg, **more):
    samples = [None if np.isnan(value) else float(value) for value in ecg]
    return {"modality": "ecg", "fs_hz": FS_HZ, "unit": "mV", "lead": "I", "signal": samples, **more}


def as_bytes(ecg):
    coded = base64.b64encode(ecg.astype("<f4").tobytes()).decode()
    recording = {**as_numbers(ecg), "signal_b64": coded, "dtype": "float32"}
    del recording["signal"]
    return recording


def one_in_a_hundred(ecg):
    ecg[np.random.default_rng(1).choice(ecg.size, ecg.size // 100, replace=False)] = np.nan


def a_fifth_of_a_second(ecg):
    ecg[2000:2050] = np.nan


def two_seconds(ecg):
    ecg[1300:1800] = np.nan


def both_ends(ecg):
    ecg[:100] = ecg[-100:] = np.nan


LOSSES = [one_in_a_hundred, a_fifth_of_a_second, two_seconds, both_ends]


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("written", [as_numbers, as_bytes])
def test_the_rest_matches(api, lose, written):
    probe = heart(seed=1)
    lose(probe)

    answer = api.post("/verify", {"subject_id": "ann", "recordings": [written(probe)]}).json()

    assert answer["decision"] == "match"


@pytest.mark.parametrize("lose", LOSSES)
def test_the_rest_is_found_in_a_search_and_a_stranger_is_not(api, lose):
    answers = []
    for person in (3, 5):
        probe = heart(seed=1, person=person)
        lose(probe)
        answers.append(api.post("/identify", {"recordings": [as_bytes(probe)]}).json())

    assert [answer["subject_id"] for answer in answers] == ["ann", None]


def test_a_long_gap_is_not_counted_as_evidence(api):
    probe = heart(seed=1)
    two_seconds(probe)

    (report,) = api.post("/quality", {"recordings": [as_numbers(probe)]}).json()["recordings"]

    assert (report["accepted"], report["seconds"]) == (True, 15.0)
    assert report["reasons"] == ["samples_missing"]
    assert report["explanations"] == [
        "Too many samples of a part of the strip are missing. Check the connection."
    ]


@pytest.mark.parametrize("there", [0, 100])
@pytest.mark.parametrize("path", ["/verify", "/identify", "/enroll"])
def test_hardly_any_sample_is_refused(api, path, there):
    probe = heart(seed=1)
    probe[there:] = np.nan
    body = {"recordings": [as_numbers(probe)]} | ({} if path == "/identify" else {"subject_id": "ann"})

    answer = api.post(path, body)

    assert (answer.status_code, answer.json()["code"]) == (422, "samples_missing")


def test_one_lead_may_miss_what_another_has(api):
    gap = heart(seed=2)
    gap[:4500] = np.nan
    leads = [as_numbers(heart(seed=2)), as_numbers(gap, lead="II")]

    answer = api.post("/enroll", {"subject_id": "bob", "recordings": leads}).json()

    assert [(one["position"], one["seconds"]) for one in answer["references"]] == [("I", 20.0)]
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [(1, "samples_missing")]


def test_twelve_leads_match_although_one_has_gaps(api):
    enrolled = [as_numbers(heart(n, seconds=10.0), lead=lead) for n, lead in enumerate(LEADS)]
    assert api.post("/enroll", {"subject_id": "twelve", "recordings": enrolled}).status_code == 201
    probes = [heart(20 + n, seconds=10.0) for n in range(len(LEADS))]
    probes[6][500:1000] = np.nan
    one_in_a_hundred(probes[6])
    recordings = [as_numbers(probe, lead=lead) for probe, lead in zip(probes, LEADS, strict=True)]

    answer = api.post("/verify", {"subject_id": "twelve", "recordings": recordings}).json()

    assert (answer["decision"], answer["modalities"][0]["status"]) == ("match", "used")
    assert api.delete("/subjects/twelve").status_code == 204


@pytest.mark.parametrize("share", [0.5, 0.85])
def test_samples_scattered_too_thinly_are_refused(api, share):
    probe = heart(seed=1)
    probe[np.random.default_rng(0).random(probe.size) < share] = np.nan

    answer = api.post("/verify", {"subject_id": "ann", "recordings": [as_numbers(probe)]})

    assert (answer.status_code, answer.json()["code"]) == (422, "samples_missing")


def test_activities_are_told_around_a_gap(api):
    recording = heart(seed=3, seconds=60.0)
    recording[5000:7500] = np.nan

    answer = api.post("/activity", {"recording": as_numbers(recording)})

    assert answer.status_code == 200
    timeline = answer.json()["timeline"]
    assert {one["activity"] for one in timeline if one["start_s"] >= 20.0 and one["end_s"] <= 30.0} == {
        "unknown"
    }
    assert {one["activity"] for one in timeline if one["end_s"] <= 19.0 or one["start_s"] >= 31.0} == {"rest"}


def test_activities_go_on_after_minutes_without_samples(api):
    recording = heart(seed=3, seconds=300.0)
    recording[12_500:62_500] = np.nan

    answer = api.post("/activity", {"recording": as_bytes(recording)})

    assert answer.status_code == 200
    assert answer.json()["seconds"] == pytest.approx(100.0, abs=10.0)


def test_a_rest_without_samples_is_named(api):
    nothing = as_bytes(np.full(2500, np.nan))

    answer = api.post("/activity", {"recording": as_bytes(heart(seed=3)), "rest": nothing})

    assert (answer.status_code, answer.json()["code"]) == (422, "samples_missing")
    assert answer.json()["errors"][0]["pointer"] == "/rest"


def test_a_picture_shows_where_nothing_was(api):
    probe = heart(seed=1)
    two_seconds(probe)
    one_in_a_hundred(probe)

    answer = api.post("/quality", {"recordings": [as_numbers(probe)]}, headers={"Accept": "image/svg+xml"})

    assert answer.status_code == 200
    assert b"not used: missing" in answer.content
    assert b"nan" not in answer.content


def test_a_picture_of_nothing_is_one(api):
    nothing = as_bytes(np.full(2500, np.nan))

    answer = api.post("/quality", {"recordings": [nothing]}, headers={"Accept": "image/svg+xml"})

    assert answer.status_code == 200
    assert b"nan" not in answer.content


@pytest.mark.parametrize("sign", [0, 1])
def test_every_bit_pattern_of_nan_is_a_missing_sample(api, sign):
    probe = heart(seed=1)
    quiet_and_signaling = np.array([0x7FC00000, 0x7F800001, 0x7FFFFFFF], "<u4") | np.uint32(sign << 31)
    probe[[100, 900, 1700]] = quiet_and_signaling.view("<f4")

    answer = api.post("/verify", {"subject_id": "ann", "recordings": [as_bytes(probe)]})

    assert answer.json()["decision"] == "match"


def test_null_and_nan_say_the_same(api):
    probe = heart(seed=1)
    one_in_a_hundred(probe)
    two_seconds(probe)

    bodies = [
        api.post("/quality", {"recordings": [written(probe)]}).json() for written in (as_numbers, as_bytes)
    ]

    assert bodies[0] == bodies[1]


def test_a_bare_nan_beside_null_is_no_json(api):
    probe = heart(seed=1)
    a_fifth_of_a_second(probe)
    body = json.dumps({"recordings": [as_numbers(probe)]})

    answer = api.post("/quality", content=body.replace("null", "NaN", 1).encode())

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_payload")


def test_an_infinite_sample_beside_a_missing_one_is_refused(api):
    probe = heart(seed=1)
    probe[:3] = [np.nan, np.inf, np.nan]

    answer = api.post("/quality", {"recordings": [as_bytes(probe)]})

    assert (answer.status_code, answer.json()["code"]) == (422, "signal_not_finite")
