"""Enroll and identify through the client that `openapi-python-client` generated.

Run with its environment, by `python -m tests.clients`: `recognize.py URL KEY STRIPS`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pulseprint_client import AuthenticatedClient
from pulseprint_client.api.galleries import create_gallery
from pulseprint_client.api.recognition import assess_quality, enroll, identify
from pulseprint_client.models import (
    CalibratedPolicyAnswer,
    CalibratedPolicyBody,
    Decision,
    EcgRecording,
    EcgUnit,
    EnrollAnswer,
    EnrollBody,
    GalleryAnswer,
    GalleryBody,
    IdentifyAnswer,
    IdentifyBody,
    Lead,
    ProblemAnswer,
    QualityAnswer,
    QualityBody,
    SampleType,
)


def recording(strip: dict[str, Any]) -> EcgRecording:
    """The strip with the types of the client."""
    return EcgRecording(
        modality="ecg",
        fs_hz=strip["fs_hz"],
        unit=EcgUnit(strip["unit"]),
        lead=Lead(strip["lead"]),
        signal_b64=strip["signal_b64"],
        dtype=SampleType(strip["dtype"]),
    )


def main(url: str, key: str, strips: Path) -> None:
    """Enroll, identify, and be told of a wrong request."""
    enrolled, probe = (recording(strip) for strip in json.loads(strips.read_text()))
    client = AuthenticatedClient(base_url=url, token=key)

    policy = CalibratedPolicyBody(kind="calibrated", fmr=1e-4)
    gallery = create_gallery.sync(client=client, body=GalleryBody(name="python", policy=policy))
    assert isinstance(gallery, GalleryAnswer), gallery
    assert isinstance(gallery.policy, CalibratedPolicyAnswer)
    assert gallery.policy.fmr == 1e-4

    body = EnrollBody(subject_id="operator-17", gallery="python", recordings=[enrolled])
    stored = enroll.sync(client=client, body=body)
    assert isinstance(stored, EnrollAnswer), stored
    assert [reference.modality for reference in stored.references] == ["ecg"]

    found = identify.sync(client=client, body=IdentifyBody(gallery="python", recordings=[probe]))
    assert isinstance(found, IdentifyAnswer), found
    assert found.decision is Decision.MATCH
    assert found.candidates[0].subject_id == found.subject_id == "operator-17"

    gap = EcgRecording(
        modality="ecg", fs_hz=100, unit=EcgUnit.MILLIVOLT, signal=[*map(float, range(999)), None]
    )
    report = assess_quality.sync(client=client, body=QualityBody(recordings=[gap]))
    assert isinstance(report, QualityAnswer), report

    neither = EcgRecording(modality="ecg", fs_hz=100, unit=EcgUnit.MILLIVOLT)
    refused = identify.sync(client=client, body=IdentifyBody(recordings=[neither]))
    assert isinstance(refused, ProblemAnswer), refused
    assert refused.code == "invalid_request"
    # Would be an unused comment, and so an error, if the client took anything for a recording.
    IdentifyBody(recordings=["not a recording"])  # type: ignore[list-item]
    sys.stdout.write(f"python: enrolled and identified {found.subject_id} at {found.score} dB\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
