"""Every wrong body gets its code, points at the fault, tells nothing of the input, and changes nothing."""

import base64
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.factories import ecg, enroll_body, strip

MARKER = "zq7marker"


def recording(**changes):
    """A valid recording with some fields replaced; None removes one."""
    changed = {"modality": "ecg", "fs_hz": 100.0, "unit": "mV", "signal": strip(1).tolist()} | changes
    return {name: value for name, value in changed.items() if value is not None}


def enroll(**changes):
    """A valid enrollment with some fields replaced; None removes one."""
    changed = enroll_body("nobody", person=1) | changes
    return {name: value for name, value in changed.items() if value is not None}


def one(**changes):
    return enroll(recordings=[recording(**changes)])


def samples(*values, dtype="<f4"):
    return base64.b64encode(np.array(values, dtype).tobytes()).decode()


def as_bytes(text, dtype="float32"):
    return one(signal=None, signal_b64=text, dtype=dtype)


def nested(depth):
    return b'{"subject_id": ' + b"[" * depth + b"]" * depth + b"}"


def with_literal(literal):
    """A valid enrollment in which one sample is spelled so."""
    body = json.dumps(one(signal=[0.5] * 400))
    return body.replace("0.5", literal, 1).encode()


FINE_FLOATS = [0.1] * 400
FUTURE = (datetime.now(UTC) + timedelta(days=30)).isoformat()
AT_100_HZ = {"fs_hz": 100.0, "unit": "mV", "modality": "ecg"}

MALFORMED = {
    "nothing": b"",
    "blank": b"  \n",
    "half an object": b'{"subject_id": "ann"',
    "two documents": b"{} {}",
    "no json": MARKER.encode(),
    "single quotes": b"{'subject_id': 'ann'}",
    "trailing comma": b'{"subject_id": "ann",}',
    "comment": b'{"subject_id": "ann" /* me */}',
    "NaN as a sample": with_literal("NaN"),
    "Infinity as a sample": with_literal("Infinity"),
    "-Infinity as a sample": with_literal("-Infinity"),
    "NaN as a rate": json.dumps(one(fs_hz=float("nan"))).encode(),
    "NaN where text belongs": b'{"subject_id": NaN}',
    "NaN in an unknown field": b'{"x": NaN}',
    "leading zero": with_literal("01"),
    "leading plus": with_literal("+1"),
    "hexadecimal": with_literal("0x10"),
    "bare dot": with_literal("1."),
    "a number of five thousand digits": with_literal("1" * 5000),
    "lone high surrogate": b'{"subject_id": "\\ud800"}',
    "lone low surrogate": b'{"subject_id": "\\udc00"}',
    "surrogates in the wrong order": b'{"subject_id": "\\udc00\\ud800"}',
    "lone surrogate as a field name": b'{"\\ud800": 1}',
    "surrogate in utf-8": b'{"subject_id": "\xed\xa0\x80"}',
    "invalid utf-8": b'{"subject_id": "\xff"}',
    "overlong utf-8": b'{"subject_id": "\xc0\xaf"}',
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(enroll()).encode(),
    "utf-16": json.dumps(enroll()).encode("utf-16"),
    "control character in text": b'{"subject_id": "a\x00b"}',
    "nested 17 deep": nested(16),
    "nested 300 deep": nested(300),
    "nested 1 900 deep": nested(1_900),
}

TWICE = {
    "at the top": ('"subject_id": "nobody"', '"subject_id": "ann", "subject_id": "nobody"'),
    "alike": ('"subject_id": "nobody"', '"subject_id": "nobody", "subject_id": "nobody"'),
    "far apart": ("}]}", '}], "subject_id": "ann"}'),
    "spelled with an escape": ('"subject_id": "nobody"', '"subject_id": "nobody", "\\u0073ubject_id": "ann"'),
    "with an escape in capitals": (
        '"subject_id": "nobody"',
        '"subject_id": "nobody", "subject\\u005Fid": "ann"',
    ),
    "in a recording": ('"fs_hz": 100.0', '"fs_hz": 100.0, "fs_hz": 500'),
    "a list": ('"signal": [', '"signal": [1.0], "signal": ['),
    "in an unknown object": ('"subject_id"', '"x": {"y": [{"z": 1, "z": 2}]}, "subject_id"'),
    "unknown": ('"subject_id"', '"x": 1, "x": 1, "subject_id"'),
    "beside another fault": ('"subject_id": "nobody"', '"subject_id": 1, "subject_id": 2'),
}

INVALID = {
    "an array": ([], "invalid_request", ""),
    "a number": (7, "invalid_request", ""),
    "null": (b"null", "invalid_request", ""),
    "a string": (MARKER, "invalid_request", ""),
    "an empty object": ({}, "invalid_request", "/subject_id"),
    "nested 16 deep": (nested(15), "invalid_request", "/subject_id"),
    "no subject": (enroll(subject_id=None), "invalid_request", "/subject_id"),
    "no recordings": (enroll(recordings=None), "invalid_request", "/recordings"),
    "empty recordings": (enroll(recordings=[]), "invalid_request", "/recordings"),
    "25 recordings": (enroll(recordings=[ecg(1)] * 25), "invalid_request", "/recordings"),
    "recordings not a list": (enroll(recordings={MARKER: 1}), "invalid_request", "/recordings"),
    "a recording that is a list": (enroll(recordings=[[1]]), "invalid_request", "/recordings/0"),
    "a recording that is null": (
        enroll(recordings=[ecg(1), None]),
        "invalid_request",
        "/recordings/1",
    ),
    "consent that is null": (
        json.dumps(enroll() | {"consent": None}).encode(),
        "invalid_request",
        "/consent",
    ),
    "signal that is null": (
        json.dumps(enroll(recordings=[AT_100_HZ | {"signal": None}])).encode(),
        "invalid_request",
        "/recordings/0/signal",
    ),
    "unknown field": (enroll(**{f"{MARKER}: 1": 1}), "invalid_request", ""),
    "unknown field of a recording": (one(**{MARKER * 5: 1}), "invalid_request", "/recordings/0"),
    "subject that ends with a space": (enroll(subject_id=f"{MARKER} "), "invalid_request", "/subject_id"),
    "subject with a quote": (enroll(subject_id=f"{MARKER}'s"), "invalid_request", "/subject_id"),
    "subject with a newline": (enroll(subject_id=f"{MARKER}\n"), "invalid_request", "/subject_id"),
    "subject with a zero byte": (enroll(subject_id=f"{MARKER}\0"), "invalid_request", "/subject_id"),
    "subject with a slash": (enroll(subject_id=f"{MARKER}/x"), "invalid_request", "/subject_id"),
    "subject that is a step up": (enroll(subject_id=".."), "invalid_request", "/subject_id"),
    "subject of 129 characters": (enroll(subject_id="a" * 129), "invalid_request", "/subject_id"),
    "subject in another script": (enroll(subject_id="анна"), "invalid_request", "/subject_id"),
    "empty subject": (enroll(subject_id=""), "invalid_request", "/subject_id"),
    "subject that is a number": (enroll(subject_id=17), "invalid_request", "/subject_id"),
    "gallery with a slash": (enroll(gallery=f"../{MARKER}"), "invalid_request", "/gallery"),
    "force as text": (enroll(force="true"), "invalid_request", "/force"),
    "force as a number": (enroll(force=1), "invalid_request", "/force"),
    "consent without a time": (enroll(consent={"text_id": "t"}), "invalid_request", "/consent/given_at"),
    "consent without an offset": (
        enroll(consent={"text_id": "t", "given_at": "2026-11-20T09:30:00"}),
        "invalid_request",
        "/consent/given_at",
    ),
    "consent text with a newline": (
        enroll(consent={"text_id": f"{MARKER}\n", "given_at": "2026-11-20T09:30:00Z"}),
        "invalid_request",
        "/consent/text_id",
    ),
    "no modality": (one(modality=None), "invalid_request", "/recordings/0/modality"),
    "unknown modality": (one(modality=MARKER), "invalid_request", "/recordings/0/modality"),
    "modality in capitals": (one(modality="ECG"), "invalid_request", "/recordings/0/modality"),
    "modality that is a number": (one(modality=1), "invalid_request", "/recordings/0/modality"),
    "no rate": (one(fs_hz=None), "invalid_request", "/recordings/0/fs_hz"),
    "rate as text": (one(fs_hz="100"), "invalid_request", "/recordings/0/fs_hz"),
    "rate as a truth value": (one(fs_hz=True), "invalid_request", "/recordings/0/fs_hz"),
    "rate of 99 Hz": (one(fs_hz=99.0), "sampling_rate_unsupported", "/recordings/0/fs_hz"),
    "rate of 2000.1 Hz": (one(fs_hz=2000.1), "sampling_rate_unsupported", "/recordings/0/fs_hz"),
    "rate of 99.999 Hz": (one(fs_hz=99.999), "sampling_rate_unsupported", "/recordings/0/fs_hz"),
    "negative rate": (one(fs_hz=-250), "sampling_rate_unsupported", "/recordings/0/fs_hz"),
    "rate of 1e300 Hz": (one(fs_hz=1e300), "sampling_rate_unsupported", "/recordings/0/fs_hz"),
    "no unit": (one(unit=None), "invalid_request", "/recordings/0/unit"),
    "unknown unit": (one(unit=MARKER), "invalid_request", "/recordings/0/unit"),
    "unknown lead": (one(lead=MARKER), "invalid_request", "/recordings/0/lead"),
    "neither signal nor bytes": (one(signal=None), "invalid_request", "/recordings/0"),
    "signal and bytes": (
        one(signal_b64=samples(*FINE_FLOATS), dtype="float32"),
        "invalid_request",
        "/recordings/0",
    ),
    "bytes without a type": (as_bytes(samples(*FINE_FLOATS), None), "invalid_request", "/recordings/0"),
    "a type without bytes": (one(dtype="int16"), "invalid_request", "/recordings/0"),
    "unknown type": (as_bytes(samples(*FINE_FLOATS), MARKER), "invalid_request", "/recordings/0/dtype"),
    "empty signal": (one(signal=[]), "invalid_request", "/recordings/0/signal"),
    "signal as text": (one(signal=MARKER), "invalid_request", "/recordings/0/signal"),
    "text among the samples": (
        one(signal=[*FINE_FLOATS, MARKER]),
        "invalid_request",
        "/recordings/0/signal/400",
    ),
    "numeric text among the samples": (
        one(signal=[*FINE_FLOATS, "0.5"]),
        "invalid_request",
        "/recordings/0/signal/400",
    ),
    "a truth value among the samples": (
        one(signal=[*FINE_FLOATS, True]),
        "invalid_request",
        "/recordings/0/signal/400",
    ),
    "a list among the samples": (
        one(signal=[*FINE_FLOATS, [1]]),
        "invalid_request",
        "/recordings/0/signal/400",
    ),
    "a sample of 1e400": (with_literal("1e400"), "signal_not_finite", "/recordings/0/signal"),
    "a sample beyond float32": (with_literal("1e39"), "signal_not_finite", "/recordings/0/signal"),
    "a sample of 400 digits": (with_literal("9" * 400), "signal_not_finite", "/recordings/0/signal"),
    "a sample of 1.1e12": (with_literal("1.1e12"), "invalid_request", "/recordings/0/signal"),
    "bytes that are no base64": (as_bytes(f"{MARKER}!="), "invalid_request", "/recordings/0"),
    "base64 with a space": (as_bytes(samples(*FINE_FLOATS) + " "), "invalid_request", "/recordings/0"),
    "base64 of two alphabets": (as_bytes("-_+/"), "invalid_request", "/recordings/0"),
    "base64 that was cut": (as_bytes(samples(*FINE_FLOATS)[:41]), "invalid_request", "/recordings/0"),
    "base64 with padding inside": (as_bytes("AA==AAAA"), "invalid_request", "/recordings/0"),
    "base64 with too much padding": (as_bytes("AAAA===="), "invalid_request", "/recordings/0"),
    "a data URI": (
        as_bytes("data:application/octet-stream;base64,AAAAAAAA"),
        "invalid_request",
        "/recordings/0",
    ),
    "base64 in another script": (as_bytes("ааааа"), "invalid_request", "/recordings/0"),
    "half a sample": (as_bytes(base64.b64encode(b"abc").decode()), "invalid_request", "/recordings/0"),
    "infinity in the bytes": (as_bytes(samples(*FINE_FLOATS, np.inf)), "signal_not_finite", "/recordings/0"),
    "2e12 in the bytes": (as_bytes(samples(*FINE_FLOATS, 2e12)), "invalid_request", "/recordings/0"),
    "strip of 120.1 s": (one(signal=[0.0] * 12010), "signal_too_long", "/recordings/0/signal"),
    "six strips of 110 s": (
        enroll(recordings=[recording(signal=[0.0] * 11000)] * 6),
        "signal_too_long",
        "/recordings",
    ),
    "captured next month": (one(captured_at=FUTURE), "invalid_request", "/recordings/0/captured_at"),
    "captured in 1899": (
        one(captured_at="1899-12-31T00:00:00Z"),
        "invalid_request",
        "/recordings/0/captured_at",
    ),
    "captured on 30 February": (
        one(captured_at="2026-02-30T00:00:00Z"),
        "invalid_request",
        "/recordings/0/captured_at",
    ),
    "captured in the year 1, east": (
        one(captured_at="0001-01-01T00:00:00+23:59"),
        "invalid_request",
        "/recordings/0/captured_at",
    ),
    "captured at a number": (one(captured_at=1.7e9), "invalid_request", "/recordings/0/captured_at"),
    "captured on a date": (one(captured_at="2026-11-20"), "invalid_request", "/recordings/0/captured_at"),
    "face without an image": (
        enroll(recordings=[{"modality": "face"}]),
        "invalid_request",
        "/recordings/0/image_b64",
    ),
    "face with a signal": (
        enroll(recordings=[{"modality": "face", "image_b64": "/9j/4AAQ", "signal": [1]}]),
        "invalid_request",
        "/recordings/0",
    ),
    "image that is no base64": (
        enroll(recordings=[{"modality": "face", "image_b64": "!!!!"}]),
        "invalid_request",
        "/recordings/0/image_b64",
    ),
    "image of 5 MiB": (
        enroll(recordings=[{"modality": "face", "image_b64": "A" * (5 * 1024 * 1024 * 4 // 3 // 4 * 4)}]),
        "image_too_large",
        "/recordings/0/image_b64",
    ),
    "fingerprint of a toe": (
        enroll(recordings=[{"modality": "fingerprint", "image_b64": "iVBORw0K", "finger": "left_toe"}]),
        "invalid_request",
        "/recordings/0/finger",
    ),
    "fingerprint at 10 dpi": (
        enroll(recordings=[{"modality": "fingerprint", "image_b64": "iVBORw0K", "dpi": 10}]),
        "invalid_request",
        "/recordings/0/dpi",
    ),
    "fingerprint at 500.0 dpi": (
        enroll(recordings=[{"modality": "fingerprint", "image_b64": "iVBORw0K", "dpi": 500.5}]),
        "invalid_request",
        "/recordings/0/dpi",
    ),
    "face, not served": (
        enroll(recordings=[{"modality": "face", "image_b64": "/9j/4AAQ"}]),
        "modality_unavailable",
        "/recordings/0",
    ),
    "strip of 1 s": (one(signal=strip(1, seconds=1.0).tolist()), "signal_too_short", "/recordings/0"),
    "flat strip": (one(signal=[0.0] * 400), "signal_flat", "/recordings/0"),
}

PROBES = {
    "/verify": {"subject_id": "ann", "recordings": [ecg(1)]},
    "/identify": {"recordings": [ecg(1)]},
}
INVALID_PROBES = {
    "25 recordings": ("/verify", {"recordings": [ecg(1)] * 25}, "invalid_request", "/recordings"),
    "601 s": (
        "/identify",
        {"recordings": [recording(signal=[0.0] * 10_100)] * 6},
        "signal_too_long",
        "/recordings",
    ),
    "fmr of 0": ("/verify", {"fmr": 0}, "invalid_request", "/fmr"),
    "fmr of 1": ("/verify", {"fmr": 1}, "invalid_request", "/fmr"),
    "fmr as text": ("/verify", {"fmr": "0.001"}, "invalid_request", "/fmr"),
    "fmr in a search": ("/identify", {"fmr": 0.001}, "invalid_request", ""),
    "fpir in a verification": ("/verify", {"fpir": 0.001}, "invalid_request", ""),
    "fpir of 2": ("/identify", {"fpir": 2.0}, "invalid_request", "/fpir"),
    "no candidates": ("/identify", {"max_candidates": 0}, "invalid_request", "/max_candidates"),
    "101 candidates": ("/identify", {"max_candidates": 101}, "invalid_request", "/max_candidates"),
    "10.5 candidates": ("/identify", {"max_candidates": 10.5}, "invalid_request", "/max_candidates"),
    "true candidates": ("/identify", {"max_candidates": True}, "invalid_request", "/max_candidates"),
    "a subject in a search": ("/identify", {"subject_id": "ann"}, "invalid_request", ""),
    "unknown fusion": ("/verify", {"fusion": MARKER}, "invalid_request", "/fusion"),
    "feature fusion": ("/verify", {"fusion": "feature"}, "fusion_unavailable", None),
    "looser fmr": ("/verify", {"fmr": 0.01}, "policy_looser", None),
    "looser fpir": ("/identify", {"fpir": 0.1}, "policy_looser", None),
}

DISTANCE = {"kind": "distance", "rules": {"ecg": {"metric": "cosine", "max_distance": 0.3}}}
INVALID_GALLERIES = {
    "no name": ({}, "/name"),
    "bad name": ({"name": f"{MARKER} "}, "/name"),
    "no kind": ({"name": "g", "policy": {}}, "/policy/kind"),
    "unknown kind": ({"name": "g", "policy": {"kind": MARKER}}, "/policy/kind"),
    "fmr of 1": ({"name": "g", "policy": {"kind": "calibrated", "fmr": 1.0}}, "/policy/fmr"),
    "quality of 2": (
        {"name": "g", "policy": {"kind": "calibrated", "min_quality": 2}},
        "/policy/min_quality",
    ),
    "unknown modality": (
        {"name": "g", "policy": {"kind": "calibrated", "required": [MARKER]}},
        "/policy/required/0",
    ),
    "a rule in a calibrated policy": ({"name": "g", "policy": DISTANCE | {"kind": "calibrated"}}, "/policy"),
    "no rules": ({"name": "g", "policy": {"kind": "distance"}}, "/policy/rules"),
    "empty rules": ({"name": "g", "policy": {"kind": "distance", "rules": {}}}, "/policy/rules"),
    "rule for a gait": (
        {"name": "g", "policy": {"kind": "distance", "rules": {"/" + MARKER: 1}}},
        "/policy/rules",
    ),
    "rule without a metric": (
        {"name": "g", "policy": {"kind": "distance", "rules": {"ecg": {"max_distance": 1}}}},
        "/policy/rules/ecg/metric",
    ),
    "distance of 3": (
        {
            "name": "g",
            "policy": {"kind": "distance", "rules": {"ecg": {"metric": "cosine", "max_distance": 3}}},
        },
        "/policy/rules/ecg/max_distance",
    ),
}


def cases(table):
    return [
        pytest.param(*(row if isinstance(row, tuple) else (row,)), id=name) for name, row in table.items()
    ]


def send(api, path, body):
    if isinstance(body, bytes):
        return api.post(path, content=body)
    return api.post(path, body)


def check(answer, status, code, pointer):
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert MARKER not in answer.text
    assert len(problem.get("errors", [])) <= 10
    if pointer is not None:
        assert problem["errors"][0]["pointer"] == pointer
        assert problem["errors"][0]["code"] == code


def state(api):
    """What a client can see of the store."""
    galleries = api.get("/galleries").json()["items"]
    return [(g["name"], g["policy"], g["subjects"], g["references"]) for g in galleries]


class TestMalformed:
    @pytest.mark.parametrize("body", cases(MALFORMED))
    def test_is_400_and_changes_nothing(self, shared_api, body):
        before = state(shared_api)

        answer = send(shared_api, "/enroll", body)

        check(answer, 400, "malformed_payload", None)
        assert state(shared_api) == before


class TestNamesGivenTwice:
    """A gateway may read the first where the service would read the last."""

    @pytest.mark.parametrize(("before", "after"), cases(TWICE))
    def test_are_400_and_change_nothing(self, shared_api, before, after):
        seen, body = state(shared_api), json.dumps(enroll())
        assert body.count(before) == 1

        answer = shared_api.post("/enroll", content=body.replace(before, after).encode())

        check(answer, 400, "malformed_payload", None)
        assert "twice" in answer.json()["detail"]
        assert state(shared_api) == seen

    @pytest.mark.parametrize("path", ["/verify", "/identify", "/quality", "/activity", "/galleries"])
    def test_are_400_in_every_call(self, shared_api, path):
        answer = shared_api.post(path, content=b'{"recordings": [], "recordings": []}')

        check(answer, 400, "malformed_payload", None)

    def test_in_different_objects_are_welcome(self, shared_api):
        answer = shared_api.post("/quality", {"recordings": [recording(), recording()]})

        assert answer.status_code == 200


class TestInvalidEnrollment:
    @pytest.mark.parametrize(("body", "code", "pointer"), cases(INVALID))
    def test_is_422_with_its_code_and_changes_nothing(self, shared_api, body, code, pointer):
        before = state(shared_api)

        answer = send(shared_api, "/enroll", body)

        check(answer, 422, code, pointer)
        assert state(shared_api) == before


class TestInvalidProbe:
    @pytest.mark.parametrize(("path", "changes", "code", "pointer"), cases(INVALID_PROBES))
    def test_is_422_with_its_code(self, shared_api, path, changes, code, pointer):
        shared_api.post("/enroll", enroll_body("ann", person=1, gallery="default"))

        answer = shared_api.post(path, PROBES[path] | changes)

        check(answer, 422, code, pointer)


UNKNOWN = {
    "a rate of a gallery": (
        "PUT /galleries/default",
        {"fmr": 0.01, "policy": {"kind": "calibrated"}},
        "",
        ["'fmr'", "policy, fingerprint_dpi"],
    ),
    "beside a field that lacks": (
        "PUT /galleries/default",
        {"fmr": 0.01},
        "",
        ["'fmr'", "policy, fingerprint_dpi"],
    ),
    "in a policy": (
        "PUT /galleries/default",
        {"policy": {"kind": "calibrated", "fnmr": 0.1}},
        "/policy",
        ["'fnmr'", "kind, fmr, fpir, required, min_quality"],
    ),
    "in a rule": (
        "PUT /galleries/default",
        {"policy": {"kind": "distance", "rules": {"ecg": {"metric": "cosine", "max_distance": 1, "max": 1}}}},
        "/policy/rules/ecg",
        ["'max'", "metric, max_distance"],
    ),
    "in a recording": ("POST /enroll", one(fs=250), "/recordings/0", ["'fs'", "modality, fs_hz, unit"]),
    "in a consent": (
        "POST /enroll",
        enroll(consent={"text": "t"}),
        "/consent",
        ["'text'", "text_id, given_at"],
    ),
    "in a resting strip": (
        "POST /activity",
        {"recording": recording(), "rest": recording(rate=1)},
        "/rest",
        ["'rate'", "modality, fs_hz, unit"],
    ),
    "of a query": ("GET /subjects?page=2", None, "", ["'page'", "limit, cursor, gallery"]),
    "of a query where none is known": ("GET /models?page=2", None, "", ["'page'", "expected none"]),
}


class TestUnknownFields:
    @pytest.mark.parametrize(("call", "body", "pointer", "words"), cases(UNKNOWN))
    def test_are_named_with_what_is_known_there(self, shared_api, call, body, pointer, words):
        answer = shared_api.call(*call.split(), body)

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        faults = [fault for fault in answer.json()["errors"] if words[0] in fault["detail"]]
        assert [fault["pointer"] for fault in faults] == [pointer]
        assert all(word in faults[0]["detail"] for word in words)


class TestInvalidGallery:
    @pytest.mark.parametrize(("body", "pointer"), cases(INVALID_GALLERIES))
    def test_is_422_and_creates_nothing(self, shared_api, body, pointer):
        before = state(shared_api)

        answer = shared_api.post("/galleries", body)

        check(answer, 422, "invalid_request", pointer)
        assert state(shared_api) == before


class TestManyFaults:
    def test_ten_at_most_are_told(self, shared_api):
        body = enroll(recordings=[{"modality": "ecg"}] * 20)

        answer = shared_api.post("/enroll", body)

        assert len(answer.json()["errors"]) == 10

    def test_many_unknown_fields_do_not_hide_other_faults(self, shared_api):
        body = {f"x{n}": n for n in range(20)} | enroll(subject_id=17)

        pointers = [fault["pointer"] for fault in shared_api.post("/enroll", body).json()["errors"]]

        assert pointers == ["/subject_id", *[""] * 9]

    @pytest.mark.parametrize(
        "part", [b"[],", b"{},", b'"",', b"[", b'{"', b'"NaN",', b"[NaN],", b"[" * 16 + b"]" * 16 + b","]
    )
    def test_more_parts_than_any_request_are_refused_unparsed(self, shared_api, part):
        answer = shared_api.post("/verify", content=b"[" + part * 20_000 + b"1]")

        check(answer, 422, "invalid_request", None)

    def test_more_numbers_than_any_request_are_refused_unparsed(self, shared_api):
        body = b'{"subject_id":"a","recordings":[' + b"1," * 1_000_000 + b"1]}"

        answer = shared_api.post("/enroll", content=body)

        check(answer, 422, "invalid_request", None)
        assert "signal_b64" in answer.json()["detail"]

    def test_as_many_numbers_as_a_request_may_hold_are_read(self, shared_api):
        """600 s at 500 Hz, in five strips of 120 s."""
        body = enroll(recordings=[recording(fs_hz=500, signal=[0] * 60_000)] * 5)

        answer = shared_api.post("/enroll", body)

        check(answer, 422, "signal_flat", "/recordings/0")

    @pytest.mark.parametrize("text", ["\u0436", "\U0001f600", "\\u0436", "\\ud83d\\ude00"])
    def test_long_text_beyond_ascii_is_refused_unparsed(self, shared_api, text):
        body = f'{{"subject_id":"{"a" * 1024 * 1024}{text}"}}'.encode()

        check(shared_api.post("/verify", content=body), 422, "invalid_request", None)

    @pytest.mark.parametrize("number", [b"1" * 19, b"-" + b"1" * 19, b" " + b"1" * 400])
    def test_long_integers_in_a_large_body_are_refused_unparsed(self, shared_api, number):
        body = b'{"subject_id":"a","x":"' + b"1" * 1024 * 1024 + b'","recordings":[' + number + b"]}"

        answer = shared_api.post("/verify", content=body)

        check(answer, 422, "invalid_request", None)
        assert "digits" in answer.json()["detail"]

    def test_long_fractions_in_a_large_body_are_read(self, shared_api):
        """As a computer writes them: 0.00012345678901234567."""
        body = json.dumps(enroll(recordings=[recording(fs_hz=500, signal=["?"] * 60_000)]))

        answer = shared_api.post("/enroll", content=body.replace('"?"', "0.00012345678901234567").encode())

        check(answer, 422, "signal_flat", "/recordings/0")

    def test_escapes_of_ascii_in_base64_are_read(self, shared_api):
        """As some clients write the + of base64."""
        content = b"\xfb\x00\x00" * 350_000
        text = base64.b64encode(content).decode().replace("+", "\\u002B")
        body = json.dumps(as_bytes("?", dtype="int16")).replace("?", text)

        answer = shared_api.post("/enroll", content=body.encode())

        assert "\\u002B" in body
        check(answer, 422, "signal_too_long", "/recordings/0/signal_b64")
