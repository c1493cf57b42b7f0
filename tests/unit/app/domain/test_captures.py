import numpy as np
import pytest

from app.domain.captures import (
    Capture,
    EcgFacts,
    EcgStrip,
    FaceImage,
    FingerprintImage,
    lacks_dpi,
    with_default_dpi,
)
from app.domain.references import Modality
from ml.runtime.ecg import preparation
from tests.fakes import FakeEcgFacts

SIGNAL = np.linspace(-1.0, 1.0, 900, dtype=np.float32)


class TestPosition:
    @pytest.mark.parametrize(
        ("capture", "modality", "position"),
        [
            (EcgStrip(SIGNAL, 250.0, lead="II"), Modality.ECG, "II"),
            (EcgStrip(SIGNAL, 250.0), Modality.ECG, "unknown"),
            (FaceImage(b"jpeg"), Modality.FACE, "unknown"),
            (FingerprintImage(b"png", finger="left_thumb"), Modality.FINGERPRINT, "left_thumb"),
        ],
    )
    def test_is_the_lead_or_the_finger(self, capture: Capture, modality, position):
        assert (capture.modality, capture.position) == (modality, position)


class TestValidation:
    @pytest.mark.parametrize(
        ("signal", "fs_hz"),
        [
            (SIGNAL[None], 250.0),
            (np.arange(900), 250.0),
            (SIGNAL, 0.0),
            (SIGNAL, float("nan")),
            (SIGNAL, float("inf")),
        ],
    )
    def test_a_strip_is_one_lead_of_floats_at_a_rate(self, signal, fs_hz):
        with pytest.raises(ValueError, match="expected"):
            EcgStrip(signal, fs_hz)

    @pytest.mark.parametrize("made", [FaceImage, FingerprintImage])
    @pytest.mark.parametrize("image", [b"", "text"])
    def test_an_image_has_bytes(self, made, image):
        with pytest.raises(ValueError, match="expected the bytes"):
            made(image)

    def test_a_stated_resolution_is_positive(self):
        with pytest.raises(ValueError, match="0 dpi"):
            FingerprintImage(b"png", dpi=0)


class TestDefaultDpi:
    def test_is_for_fingerprints_without_a_resolution(self):
        captures = (FaceImage(b"jpeg"), FingerprintImage(b"a", dpi=500), FingerprintImage(b"b"))

        completed = with_default_dpi(captures, 569)

        assert [lacks_dpi(capture) for capture in captures] == [False, False, True]
        assert completed[:2] == captures[:2]
        assert [capture.dpi for capture in completed[1:]] == [500, 569]
        assert completed[2].image == b"b"

    def test_may_be_open_too(self):
        (capture,) = with_default_dpi((FingerprintImage(b"a"),), None)

        assert lacks_dpi(capture)


class TestRepr:
    @pytest.mark.parametrize(
        ("capture", "text"),
        [
            (EcgStrip(SIGNAL, 250.0, lead="I"), "EcgStrip(900 samples, 250 Hz, lead I)"),
            (FaceImage(b"secret"), "FaceImage(6 bytes)"),
            (FingerprintImage(b"secret", dpi=500), "FingerprintImage(6 bytes, 500 dpi, unknown)"),
            (FingerprintImage(b"secret"), "FingerprintImage(6 bytes, unknown dpi, unknown)"),
        ],
    )
    def test_shows_no_contents(self, capture, text):
        assert repr(capture) == text


class TestEcgFacts:
    def test_are_told_from_those_of_other_modalities(self):
        assert isinstance(FakeEcgFacts(72.0, SIGNAL), EcgFacts)
        assert not isinstance(None, EcgFacts)
        assert not isinstance((1, 2), EcgFacts)

    def test_are_told_without_looking_for_warnings(self, monkeypatch):
        monkeypatch.setattr(preparation, "warnings_of", lambda *_: pytest.fail("computed before asked"))

        assert isinstance(preparation.EcgFacts(72.0, None, SIGNAL), EcgFacts)
