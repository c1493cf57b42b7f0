from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from ml.cli import app
from ml.runtime.image.opening import open_image
from ml.synthetic.fingerprint import SENSORS, ComputedFinger
from ml.synthetic.fingerprint.folder import TRUTH_FILE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prints") / "new"
    options = [
        "--fingers",
        "2",
        "--impressions",
        "2",
        "--seed",
        "7",
        "--dpi",
        "400",
        "--sensor",
        "capacitive",
    ]
    result = CliRunner().invoke(app, ["synthesize", "fingerprints", str(folder), *options])
    assert result.exit_code == 0, result.output
    return folder


class TestFingerprints:
    def test_each_impression_becomes_an_image_that_says_its_resolution(self, folder):
        names = sorted(path.name for path in folder.glob("*.png"))

        assert names == ["00007_1.png", "00007_2.png", "00008_1.png", "00008_2.png"]
        for name in names:
            assert open_image((folder / name).read_bytes()).header.dpi == pytest.approx(400, abs=0.1)

    def test_the_images_are_those_of_the_seeds(self, folder):
        expected = ComputedFinger.draw(8).impression(2, sensor="capacitive", dpi=400).image

        found = cv2.imread(str(folder / "00008_2.png"), cv2.IMREAD_UNCHANGED)

        np.testing.assert_array_equal(found, expected)

    def test_the_truth_names_every_image_with_its_minutiae(self, folder):
        lines = [json.loads(line) for line in (folder / TRUTH_FILE).read_text(encoding="utf-8").splitlines()]

        assert [line["image"] for line in lines] == sorted(path.name for path in folder.glob("*.png"))
        expected = ComputedFinger.draw(7).impression(1, sensor="capacitive", dpi=400).minutiae
        np.testing.assert_allclose([row[:2] for row in lines[0]["minutiae"]], expected.xy, atol=0.01)

    def test_an_unknown_sensor_is_refused_by_name(self, tmp_path):
        result = CliRunner().invoke(app, ["synthesize", "fingerprints", str(tmp_path), "--sensor", "ink"])

        assert result.exit_code == 2
        assert "capacitive" in result.output


class TestSheet:
    def test_shows_every_sensor_in_a_row(self, tmp_path):
        path = tmp_path / "new" / "sheet.png"

        result = CliRunner().invoke(app, ["synthesize", "sheet", str(path)])

        assert result.exit_code == 0, result.output
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        rows = np.array_split(picture, len(SENSORS))
        assert all(
            (row[: SENSORS[name].height_px // 2] < 160).any() for row, name in zip(rows, SENSORS, strict=True)
        )
