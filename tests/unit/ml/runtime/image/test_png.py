import struct
import zlib

import numpy as np
import pytest

from ml.runtime.image.errors import ImageTooLargeError, ImageUndecodableError
from ml.runtime.image.header import ImageFormat, ImageHeader
from ml.runtime.image.opening import open_image
from ml.runtime.image.png import check_png
from tests import images

PIXELS = images.picture(20, 30)[..., 0]
PIXEL_DATA = images.chunk(b"IDAT", zlib.compress(bytes(31 * 20)))
END = images.chunk(b"IEND")


def assembled(*chunks: bytes) -> bytes:
    return images.PNG_SIGNATURE + b"".join(chunks)


class TestHeader:
    def test_says_format_and_size(self):
        header = open_image(images.grey_png(PIXELS)).header

        assert header == ImageHeader(ImageFormat.PNG, 30, 20, orientation=1, dpi=None, has_alpha=False)

    @pytest.mark.parametrize(
        ("extra", "dpi"),
        [
            (images.physical(19685, 19685), 500),
            (images.physical(39370, 39370), 1000),
            (images.physical(2835, 2835), None),  # 72 dpi: what programs write that do not know.
            (images.physical(500, 500, unit=0), None),
            (images.physical(19685, 10000), None),
            (images.chunk(b"pHYs", b"\0"), None),
            (images.chunk(b"eXIf", images.oriented(6)), None),
        ],
    )
    def test_says_the_resolution_of_a_scanner(self, extra, dpi):
        assert check_png(images.grey_png(PIXELS, extra)).header.dpi == dpi

    def test_says_how_the_camera_was_held(self):
        turned = images.grey_png(PIXELS, images.chunk(b"eXIf", images.oriented(6)))

        assert check_png(turned).header.orientation == 6

    @pytest.mark.parametrize(
        ("color", "channels", "extra", "expected"),
        [
            (images.GREY, 1, b"", False),
            (images.GREY, 1, images.chunk(b"tRNS", b"\0\7"), False),
            (images.RGB, 3, images.chunk(b"tRNS", bytes(6)), True),
            (images.PALETTE, 1, images.chunk(b"PLTE", bytes(6)) + images.chunk(b"tRNS", b"\0"), True),
            (images.GREY_ALPHA, 2, b"", True),
            (images.RGB_ALPHA, 4, b"", True),
        ],
    )
    def test_says_whether_pixels_may_be_transparent(self, color, channels, extra, expected):
        content = images.png(np.zeros((4, 4, channels), np.uint8), color, extra=extra)

        assert check_png(content).header.has_alpha is expected


class TestContent:
    def test_holds_no_metadata_and_nothing_behind_the_end(self):
        bomb = zlib.compress(bytes(50_000_000))
        extra = b"".join(
            [
                images.chunk(b"iCCP", b"profile\0\0" + bomb),
                images.chunk(b"zTXt", b"Comment\0\0" + bomb),
                images.chunk(b"tEXt", b"Author\0Somebody"),
                images.chunk(b"acTL", bytes(8)),
                images.physical(19685, 19685),
            ]
        )

        checked = check_png(images.grey_png(PIXELS, extra) + b"behind the end")

        assert checked.content == images.grey_png(PIXELS)

    def test_is_not_shown(self):
        assert repr(check_png(images.grey_png(PIXELS))).startswith("CheckedImage(PNG, ")


class TestRefusal:
    @pytest.mark.parametrize("kept", [8, 20, 33, 40, -1, -12])
    def test_of_what_is_cut_short(self, kept):
        with pytest.raises(ImageUndecodableError, match="cut short"):
            check_png(images.grey_png(PIXELS)[:kept])

    def test_of_a_chunk_that_claims_more_than_there_is(self):
        endless = struct.pack(">I", 0x7FFFFFFF) + b"IDAT"

        with pytest.raises(ImageUndecodableError, match="cut short"):
            check_png(assembled(images.png_head(30, 20), endless + PIXEL_DATA))

    @pytest.mark.parametrize("place", [20, 45, -20])
    def test_of_damage(self, place):
        content = bytearray(images.grey_png(PIXELS))
        content[place] ^= 0x10

        with pytest.raises(ImageUndecodableError):
            check_png(bytes(content))

    @pytest.mark.parametrize(
        ("chunks", "match"),
        [
            ([PIXEL_DATA, END], "begin with its header"),
            ([images.chunk(b"IHDR", bytes(12)), PIXEL_DATA, END], "begin with its header"),
            ([images.png_head(30, 20), END], "no pixels"),
            ([images.png_head(30, 20, color=images.PALETTE), PIXEL_DATA, END], "no palette"),
            ([images.png_head(30, 20, depth=3), PIXEL_DATA, END], "standard does not know"),
            ([images.png_head(30, 20, depth=16, color=images.PALETTE), PIXEL_DATA, END], "does not know"),
            ([images.png_head(30, 20, interlace=2), PIXEL_DATA, END], "standard does not know"),
            ([images.png_head(30, 20), images.chunk(b"ABCD"), PIXEL_DATA, END], "critical chunk"),
            ([images.png_head(0, 20), PIXEL_DATA, END], "no pixels"),
            ([images.png_head(30, 20), *[images.chunk(b"tEXt")] * 10_000, PIXEL_DATA, END], "10000 chunks"),
        ],
    )
    def test_of_what_the_standard_does_not_have(self, chunks, match):
        with pytest.raises(ImageUndecodableError, match=match):
            check_png(assembled(*chunks))

    @pytest.mark.parametrize(
        ("width", "height"), [(5001, 5000), (20_001, 1), (1, 2**31 - 1), (2**32 - 1,) * 2]
    )
    def test_of_more_pixels_than_are_decoded(self, width, height):
        with pytest.raises(ImageTooLargeError, match="25 million pixels"):
            check_png(assembled(images.png_head(width, height), PIXEL_DATA, END))
