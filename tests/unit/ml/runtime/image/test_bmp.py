import struct

import numpy as np
import pytest

from ml.runtime.image.bmp import check_bmp
from ml.runtime.image.errors import ImageTooLargeError, ImageUndecodableError
from ml.runtime.image.header import ImageFormat, ImageHeader
from ml.runtime.image.opening import open_image
from tests import images

PIXELS = images.picture(20, 30)
GREY = PIXELS[..., 0]
PLAIN = images.bmp(GREY, 8, palette=images.grey_palette())


def stating(content: bytes, at: int, form: str, value: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(form, changed, at, value)
    return bytes(changed)


class TestHeader:
    @pytest.mark.parametrize("top_down", [False, True])
    def test_says_format_and_size(self, top_down):
        content = images.bmp(PIXELS, 24, top_down=top_down)

        assert open_image(content).header == ImageHeader(ImageFormat.BMP, 30, 20)

    @pytest.mark.parametrize(("per_meter", "dpi"), [(19685, 500), (3780, None), (0, None), (-19685, None)])
    def test_says_the_resolution_of_a_scanner(self, per_meter, dpi):
        assert check_bmp(images.bmp(PIXELS, 24, per_meter=per_meter)).header.dpi == dpi


class TestContent:
    def test_ends_with_the_pixels(self):
        assert check_bmp(PLAIN + b"behind the end").content == PLAIN


class TestRefusal:
    @pytest.mark.parametrize("kept", [2, 53, 100, -1])
    def test_of_what_is_cut_short(self, kept):
        with pytest.raises(ImageUndecodableError, match="cut short"):
            check_bmp(PLAIN[:kept])

    @pytest.mark.parametrize(
        "content",
        [
            stating(PLAIN, 14, "<I", 12),  # The header of OS/2.
            stating(PLAIN, 14, "<I", 2**32 - 1),
            stating(PLAIN, 26, "<H", 2),
            stating(PLAIN, 28, "<H", 16),
            stating(PLAIN, 30, "<I", 1),  # Run lengths.
            stating(PLAIN, 30, "<I", 4),  # A JPEG within.
            stating(PLAIN, 46, "<I", 257),
            stating(PLAIN, 10, "<I", 54),  # Pixels where the palette is.
            stating(PLAIN, 18, "<i", -30),
            stating(PLAIN, 22, "<i", 0),
            images.bmp(np.zeros((4, 4, 4), np.uint8), 32, coding=3, masks=images.MASKS[::-1]),
        ],
    )
    def test_of_what_no_scanner_makes(self, content):
        with pytest.raises(ImageUndecodableError):
            check_bmp(content)

    @pytest.mark.parametrize(("width", "height"), [(5001, 5000), (20_001, 1), (1, -(2**31))])
    def test_of_more_pixels_than_are_decoded(self, width, height):
        claimed = stating(stating(PLAIN, 18, "<i", width), 22, "<i", height)

        with pytest.raises(ImageTooLargeError, match="25 million pixels"):
            check_bmp(claimed)
