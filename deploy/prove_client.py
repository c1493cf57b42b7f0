"""The client of prove-container.sh: uses the service over HTTP as its callers do, with synthetic people."""

import base64
import json
import os
import re
import sys
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np

from ml.runtime.face.drawn_face import drawn_face_file
from ml.synthetic.fingerprint.png import encode_png
from ml.synthetic.person import ComputedPerson

Recording = dict[str, Any]

FS_HZ, DPI = 250.0, 500
PERSON, STRANGER = ComputedPerson(1), ComputedPerson(2)
FINGER = "right_index"


def strip(person: ComputedPerson, seed: int, duration_s: float = 20.0) -> Recording:
    signal = [round(float(value_mv), 4) for value_mv in person.heart.record(duration_s, FS_HZ, seed=seed)]
    return {"modality": "ecg", "fs_hz": FS_HZ, "unit": "mV", "lead": "I", "signal": signal}


def fingerprint(person: ComputedPerson, take: int) -> Recording:
    image = person.finger(FINGER).impression(take, dpi=DPI).image
    return picture("fingerprint", encode_png(image, DPI)) | {"finger": FINGER}


def face(take: int) -> Recording:
    """A drawn face. A network finds all of them alike, so there is none of the stranger."""
    return picture("face", drawn_face_file(PERSON.seed, take=take))


def picture(modality: str, image: bytes) -> Recording:
    return {"modality": modality, "image_b64": base64.b64encode(image).decode()}


def served(client: httpx.Client) -> list[str]:
    """Modalities that the image has an encoder for."""
    return sorted({model["modality"] for model in client.get("/models").raise_for_status().json()["items"]})


def of_person(client: httpx.Client, take: int) -> list[Recording]:
    """One recording of every modality that is served."""
    recordings = [strip(PERSON, 10 + take), fingerprint(PERSON, take)]
    return recordings + ([face(take)] if "face" in served(client) else [])


def post(client: httpx.Client, path: str, body: dict[str, object], expected: int = 200) -> dict[str, Any]:
    answer = client.post(path, json=body)
    print("POST", path, answer.status_code, json.dumps(answer.json()))
    if answer.status_code != expected:
        sys.exit(f"prove-container: expected status {expected}")
    return dict(answer.json())


def models(client: httpx.Client) -> None:
    print(*served(client))


def enroll(client: httpx.Client) -> None:
    post(client, "/enroll", {"subject_id": "computed-1", "recordings": of_person(client, 0)}, expected=201)


def recognize(client: httpx.Client) -> None:
    """The enrolled person must match by each recording and by all of them, and the stranger by none."""
    own = of_person(client, 1)
    for probe in (*([one] for one in own), own):
        decide(client, probe, "match")
    for other in (strip(STRANGER, 12), fingerprint(STRANGER, 1)):
        decide(client, [other], "non_match")


def decide(client: httpx.Client, probe: list[Recording], expected: str) -> None:
    claim = post(client, "/verify", {"subject_id": "computed-1", "recordings": probe})
    found = post(client, "/identify", {"recordings": probe})
    if (claim["decision"], found["decision"]) != (expected, expected):
        sys.exit(f"prove-container: expected {expected} twice")


def refuse(client: httpx.Client) -> None:
    """Pictures of nothing, which the encoders of images refuse with their own codes."""
    nothing = encode_png(np.full((300, 300), 128, dtype=np.uint8), DPI)
    for modality in served(client):
        if modality != "ecg":
            post(client, "/identify", {"recordings": [picture(modality, nothing)]}, expected=422)


def activity(client: httpx.Client) -> None:
    post(client, "/activity", {"recording": strip(PERSON, 13, duration_s=30.0)})


def docs(client: httpx.Client) -> None:
    """The page, every file that it loads, all from the service itself, and the contract that it shows."""
    page = client.get("/docs")
    files = sorted(re.findall(r'<(?:link|script|img)\b[^>]*\b(?:href|src)="([^"]*)"', page.text))
    if foreign := [file for file in files if not re.match("/[^/]", file)]:
        sys.exit(f"prove-container: /docs loads {foreign}, not from the service")
    if not any(file.endswith("/swagger-ui-bundle.js") for file in files):
        sys.exit("prove-container: /docs does not load Swagger UI")
    for answer in (page, *map(client.get, [*files, "/openapi.json"])):
        media_type = answer.headers["content-type"].partition(";")[0]
        print("GET", answer.request.url.path, answer.status_code, media_type, len(answer.content), "bytes")
        answer.raise_for_status()


STEPS: dict[str, Callable[[httpx.Client], None]] = {
    step.__name__: step for step in (models, enroll, recognize, refuse, activity, docs)
}


def main(step: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['API_KEY']}"}
    with httpx.Client(base_url=os.environ["URL"], headers=headers, timeout=30.0) as client:
        STEPS[step](client)


if __name__ == "__main__":
    main(sys.argv[1])
