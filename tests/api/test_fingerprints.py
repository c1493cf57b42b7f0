"""Fingerprints over HTTP, with the bundle in git and a computed finger."""

import base64
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from app.api.schemas.example_images import EXAMPLE_FINGERPRINT_B64
from ml.synthetic.fingerprint import ComputedFinger
from tests.api.application import open_shipped_api

SVG = "image/svg+xml"
LEGEND = 3


@pytest.fixture(scope="module")
def pressed():
    return ComputedFinger.draw(2).impression(0).image


@pytest.fixture
def api(sqlite_url):
    with open_shipped_api(sqlite_url) as opened:
        yield opened


def fingerprint(pixels, dpi=500):
    content = cv2.imencode(".png", pixels)[1].tobytes()
    return {"modality": "fingerprint", "image_b64": base64.b64encode(content).decode(), "dpi": dpi}


def marks(answer):
    """Minutiae in a picture, without those of the legend."""
    root = ElementTree.fromstring(answer.content)
    found = sum("mark" in one.get("class", "").split() for one in root.iter())
    return max(0, found - LEGEND)


class TestQuality:
    def test_says_what_was_measured_and_what_to_do(self, api, pressed):
        recordings = [fingerprint(pressed), fingerprint(pressed[120:248, 80:208])]

        whole, part = api.post("/quality", {"recordings": recordings}).json()["recordings"]

        assert (whole["accepted"], whole["reasons"], whole["explanations"]) == (True, [], [])
        assert 20 < whole["minutiae"] <= 100
        assert 7.0 < whole["ridge_period_px"] < 12.0
        assert 150.0 < whole["print_area_mm2"] < 400.0
        assert part["accepted"] is True
        assert part["minutiae"] < whole["minutiae"]
        assert part["reasons"] == ["partial_print"]
        assert part["explanations"][0].endswith("of the finger can be seen. Lay it down flat.")

    @pytest.mark.parametrize("dpi", [500, 1000])
    def test_draws_minutiae_also_of_a_print_that_it_refuses(self, api, pressed, dpi):
        body = {"recordings": [fingerprint(pressed, dpi)]}

        (report,) = api.post("/quality", body).json()["recordings"]
        picture = api.post("/quality", body, headers={"Accept": SVG})

        assert report.get("code") == (None if dpi == 500 else "dpi_implausible")
        assert marks(picture) == report.get("minutiae", marks(picture))
        assert marks(picture) > 20

    def test_draws_nothing_where_there_are_no_ridges(self, api):
        paper = {"recordings": [fingerprint(np.full((200, 200), 230, np.uint8))]}

        (report,) = api.post("/quality", paper).json()["recordings"]
        picture = api.post("/quality", paper, headers={"Accept": SVG})

        assert report["code"] == "no_fingerprint"
        assert marks(picture) == 0


class TestDocumentedExample:
    def test_is_enrolled_and_verified(self, api):
        example = {"modality": "fingerprint", "image_b64": EXAMPLE_FINGERPRINT_B64, "dpi": 500}

        enrolled = api.post("/enroll", {"subject_id": "ann", "recordings": [example]})
        verified = api.post("/verify", {"subject_id": "ann", "recordings": [example]})

        assert enrolled.status_code == 201
        assert verified.json()["decision"] == "match"
