"""`preprocessing` of a face bundle."""

import numpy as np
import pytest

from ml.runtime.face.encoder_input import EncoderInput

FIELDS = {
    "size": 112,
    "points": [[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]],
    "channels": "rgb",
    "mean": 127.5,
    "scale": 0.0078125,
}


class TestEncoderInput:
    def test_colors_are_put_in_order_and_scaled(self):
        crop = np.zeros((112, 112, 3), dtype=np.uint8)
        crop[..., 2] = 255  # Red: OpenCV's order is blue, green, red.

        found = EncoderInput.from_dict(FIELDS).of(crop)

        assert found.shape == (1, 3, 112, 112)
        assert found.dtype == np.float32
        assert found[0, :, 5, 7].tolist() == [0.99609375, -0.99609375, -0.99609375]

    def test_blue_first_on_request(self):
        crop = np.dstack([np.full((112, 112), value, dtype=np.uint8) for value in (1, 2, 3)])

        found = EncoderInput.from_dict({**FIELDS, "channels": "bgr", "mean": 0, "scale": 1}).of(crop)

        assert found[0, :, 0, 0].tolist() == [1.0, 2.0, 3.0]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"channels": "grey"}, "expected one of rgb, bgr"),
            ({"scale": 0.0}, "a scale above 0"),
            ({"mean": float("nan")}, "a finite mean"),
            ({"size": 60}, "five points within 60"),
            ({"sharpen": 1}, "unknown"),
        ],
    )
    def test_impossible_parameters_are_refused(self, change, message):
        with pytest.raises(ValueError, match=message):
            EncoderInput.from_dict({**FIELDS, **change})
