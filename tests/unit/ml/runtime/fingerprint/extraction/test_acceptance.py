from __future__ import annotations

import cv2
import numpy as np
import pytest

from ml.runtime.fingerprint.errors import (
    DpiImplausibleError,
    FingerprintQualityError,
    NoFingerprintError,
)
from ml.runtime.fingerprint.extraction.extractor import extract

SHAPE = (360, 300)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
RADIUS = np.hypot(X - 150, Y - 180)


def gray(values):
    return np.clip(128.0 + 60.0 * values, 0, 255).astype(np.uint8)


def noise(blur_px, *, band=False):
    white = np.random.default_rng(1).normal(size=SHAPE)
    if blur_px:
        low = cv2.GaussianBlur(white, (0, 0), blur_px * 1.6) if band else 0.0
        white = cv2.GaussianBlur(white, (0, 0), blur_px) - low
    return gray(white / white.std())


def waves(phase):
    return gray(1.4 * np.sin(phase))


def writing(scale, step_px, thickness):
    page = np.full(SHAPE, 255, np.uint8)
    for row in range(step_px, SHAPE[0], step_px):
        cv2.putText(page, "The quick brown fox jumps", (5, row), 0, scale, 0, thickness)
    return page


def strip_chart():
    page = np.full((400, 800), 255, np.uint8)
    page[::40] = page[:, ::40] = 200
    t = np.arange(0, 10, 1 / 250)
    ecg = np.exp(-(((t % 0.8 - 0.4) / 0.015) ** 2)) + 0.2 * np.exp(-(((t % 0.8 - 0.6) / 0.05) ** 2))
    for lead in range(4):
        line = np.stack([t * 80, 80 + 95 * lead - 70 * ecg], axis=1).astype(np.int32)
        cv2.polylines(page, [line], False, 0, 1, cv2.LINE_AA)
    return page


def face():
    """Two eyes, a mouth and soft shading."""
    shading = 190.0 - 0.4 * np.hypot(X - 150, 0.8 * (Y - 180))
    for x, y, width in ((105, 140, 20), (195, 140, 20), (150, 260, 40)):
        shading -= 90.0 * np.exp(-(((X - x) / width) ** 2) - ((Y - y) / 9) ** 2)
    return np.clip(shading + np.random.default_rng(2).normal(0, 2, SHAPE), 0, 255).astype(np.uint8)


OTHER_PICTURES = {
    "blank": np.full(SHAPE, 255, np.uint8),
    "paper": gray(np.random.default_rng(3).normal(0, 0.03, SHAPE)),
    "white noise": noise(0),
    "blurred noise": noise(1),
    "clouds": noise(4),
    "noise of ridge frequency": noise(1.5, band=True),
    "leather": noise(2.5, band=True),
    "stripes": waves(2 * np.pi * X / 9),
    "slanted stripes": waves(2 * np.pi * (X * np.cos(0.5) + Y * np.sin(0.5)) / 7),
    "noisy stripes": np.maximum(waves(2 * np.pi * X / 11) // 2, noise(0) // 2),
    "ripples": waves(2 * np.pi * (X + 12 * np.sin(Y / 25)) / 9),
    "rings": waves(2 * np.pi * RADIUS / 9),
    "spiral": waves(2 * np.pi * RADIUS / 9 + np.arctan2(Y - 180, X - 150)),
    "plaid": gray(np.sin(2 * np.pi * X / 9) + np.sin(2 * np.pi * Y / 9)),
    "checkerboard": gray(2.0 * ((X // 9 + Y // 9) % 2) - 1.0),
    "large writing": writing(0.7, 25, 2),
    "small writing": writing(0.4, 12, 1),
    "strip chart": strip_chart(),
    "face": face(),
}


class TestNoFingerprint:
    @pytest.mark.parametrize("picture", OTHER_PICTURES)
    def test_other_pictures_are_no_fingerprints(self, picture):
        with pytest.raises(NoFingerprintError) as refusal:
            extract(OTHER_PICTURES[picture], 500)

        assert refusal.value.code == "no_fingerprint"


class TestDpiImplausible:
    @pytest.mark.parametrize(("true_dpi", "stated_dpi"), [(1000, 500), (500, 250), (500, 1000), (250, 500)])
    def test_twice_or_half_the_true_resolution_is_refused(self, finger, true_dpi, stated_dpi):
        image = finger.impression(0, dpi=true_dpi).image

        with pytest.raises(DpiImplausibleError) as refusal:
            extract(image, stated_dpi)

        assert refusal.value.code == "dpi_implausible"

    def test_a_picture_larger_than_any_finger_is_not_even_resampled(self):
        with pytest.raises(DpiImplausibleError, match="inches"):
            extract(np.zeros((3000, 3000), np.uint8), 50)


class TestQualityTooLow:
    def test_a_small_piece_of_a_print_is_too_little(self, computed_print):
        with pytest.raises(FingerprintQualityError) as refusal:
            extract(computed_print.image[200:250, 150:200], 500)

        assert refusal.value.code == "quality_too_low"

    @pytest.mark.parametrize("shape", [(1, 1), (3, 500), (20, 20)])
    def test_a_picture_of_a_few_pixels_is_refused(self, shape):
        picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)

        with pytest.raises((FingerprintQualityError, NoFingerprintError)):
            extract(picture, 500)
