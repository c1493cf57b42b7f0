"""The client of prove-container.sh: uses the service over HTTP as its callers do, with synthetic people."""

import json
import os
import re
import sys
from collections.abc import Callable

import httpx

from ml.synthetic.ecg import SyntheticPerson

FS_HZ = 250.0
PERSON, STRANGER = SyntheticPerson.draw(1), SyntheticPerson.draw(2)


def strip(person: SyntheticPerson, seed: int, duration_s: float = 20.0) -> dict[str, object]:
    signal = [round(float(value_mv), 4) for value_mv in person.record(duration_s, FS_HZ, seed=seed)]
    return {"modality": "ecg", "fs_hz": FS_HZ, "unit": "mV", "lead": "I", "signal": signal}


def post(client: httpx.Client, path: str, body: dict[str, object]) -> None:
    answer = client.post(path, json=body)
    print("POST", path, answer.status_code, json.dumps(answer.json()))
    answer.raise_for_status()


def enroll(client: httpx.Client) -> None:
    post(client, "/enroll", {"subject_id": "synthetic-1", "recordings": [strip(PERSON, 10)]})


def recognize(client: httpx.Client) -> None:
    """The enrolled person must match and the stranger must not; the script compares the decisions."""
    for probe in (strip(PERSON, 11), strip(STRANGER, 12)):
        post(client, "/verify", {"subject_id": "synthetic-1", "recordings": [probe]})
        post(client, "/identify", {"recordings": [probe]})


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
    step.__name__: step for step in (enroll, recognize, activity, docs)
}


def main(step: str) -> None:
    headers = {"Authorization": f"Bearer {os.environ['API_KEY']}"}
    with httpx.Client(base_url=os.environ["URL"], headers=headers, timeout=30.0) as client:
        STEPS[step](client)


if __name__ == "__main__":
    main(sys.argv[1])
