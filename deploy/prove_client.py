"""The client of prove-container.sh, run in the container: enroll a synthetic person, then recognize them."""

import json
import os
import sys

import httpx

from ml.synthetic.ecg import SyntheticPerson

FS_HZ = 250.0


def strip(person: SyntheticPerson, seed: int) -> dict[str, object]:
    signal = [round(float(value_mv), 4) for value_mv in person.record(20.0, FS_HZ, seed=seed)]
    return {"modality": "ecg", "fs_hz": FS_HZ, "unit": "mV", "lead": "I", "signal": signal}


def ask(client: httpx.Client, path: str, body: dict[str, object]) -> None:
    answer = client.post(path, json=body)
    print("POST", path, answer.status_code, json.dumps(answer.json()))
    answer.raise_for_status()


def main(step: str) -> None:
    person, stranger = SyntheticPerson.draw(1), SyntheticPerson.draw(2)
    headers = {"Authorization": f"Bearer {os.environ['API_KEY']}"}
    with httpx.Client(base_url=os.environ["URL"], headers=headers, timeout=30.0) as client:
        if step == "enroll":
            ask(client, "/enroll", {"subject_id": "synthetic-1", "recordings": [strip(person, 10)]})
        ask(client, "/verify", {"subject_id": "synthetic-1", "recordings": [strip(person, 11)]})
        ask(client, "/verify", {"subject_id": "synthetic-1", "recordings": [strip(stranger, 12)]})


if __name__ == "__main__":
    main(sys.argv[1])
