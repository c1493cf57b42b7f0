import zlib

import cv2
import numpy as np
import pytest

from ml.runtime.image.decoding import decode_color, decode_grey
from ml.runtime.image.errors import ImageUndecodableError
from ml.runtime.image.opening import open_image
from tests import images

COLORS = images.picture()
GREY = COLORS[..., 1]
ALPHA = np.linspace(0, 255, GREY.size).reshape(GREY.shape).astype(np.uint8)
ON_WHITE = np.round((COLORS * (ALPHA[..., None] / 255.0)) + 255.0 * (1.0 - ALPHA[..., None] / 255.0))


def color(content: bytes, reduce=1):
    return decode_color(open_image(content), reduce=reduce)


def grey(content: bytes):
    return decode_grey(open_image(content))


def as_16_bits(pixels):
    return (pixels.astype(np.uint16) << 8 | 0x55).astype(">u2")


class TestKinds:
    """Each kind of file that is served, and what its pixels are."""

    @pytest.mark.parametrize(
        "content",
        [
            images.png(COLORS[..., ::-1], images.RGB),
            images.png(as_16_bits(COLORS[..., ::-1]), images.RGB, depth=16),
            images.bmp(COLORS, 24),
            images.bmp(COLORS, 24, top_down=True),
            images.bmp(np.dstack([COLORS, ALPHA]), 32),
            images.bmp(np.dstack([COLORS, ALPHA]), 32, coding=3, masks=images.MASKS),
        ],
        ids=["png", "png 16", "bmp", "bmp top-down", "bmp 32", "bmp masks"],
    )
    def test_colors_are_blue_green_red(self, content):
        decoded = color(content)

        assert decoded.dtype == np.uint8
        np.testing.assert_array_equal(decoded, COLORS)
        expected = cv2.cvtColor(COLORS, cv2.COLOR_BGR2GRAY)
        np.testing.assert_allclose(grey(content).astype(int), expected, atol=1)

    @pytest.mark.parametrize("quality_and_kind", [(1, 95), (1, 95, 2, 1), (1, 95, 4, 1)])
    def test_a_jpeg_is_close(self, quality_and_kind):
        decoded = color(images.jpeg(COLORS, *quality_and_kind))

        assert np.abs(decoded.astype(int) - COLORS).mean() < 4.0

    @pytest.mark.parametrize(
        "content",
        [
            images.grey_png(GREY),
            images.png(as_16_bits(GREY), images.GREY, depth=16),
            images.png(
                GREY, images.PALETTE, extra=images.chunk(b"PLTE", bytes(np.repeat(range(256), 3).tolist()))
            ),
            images.png(np.dstack([GREY, np.full_like(GREY, 255)]), images.GREY_ALPHA),
            images.bmp(GREY, 8, palette=images.grey_palette()),
        ],
        ids=["png", "png 16", "png palette", "png opaque", "bmp"],
    )
    def test_shades_stay_as_they_are(self, content):
        np.testing.assert_array_equal(grey(content), GREY)
        np.testing.assert_array_equal(color(content), np.dstack([GREY] * 3))

    @pytest.mark.parametrize("depth", [1, 2, 4])
    def test_pixels_of_few_bits_span_black_to_white(self, depth):
        levels = np.arange(48 * 64).reshape(48, 64) % (1 << depth)
        bits = (levels[..., None] >> np.arange(depth)[::-1]) & 1
        packed = np.packbits(bits.astype(np.uint8).reshape(48, -1), axis=1)
        expected = levels * 255 // ((1 << depth) - 1)

        decoded = grey(images.png(packed, images.GREY, depth=depth, width=64))

        np.testing.assert_array_equal(decoded, expected)
        if depth != 2:  # A BMP has no such depth.
            shades = images.grey_palette(1 << depth)
            np.testing.assert_array_equal(grey(images.bmp(packed, depth, width=64, palette=shades)), expected)

    @pytest.mark.parametrize(
        "content",
        [
            images.png(np.dstack([COLORS[..., ::-1], ALPHA]), images.RGB_ALPHA),
            images.png(as_16_bits(np.dstack([COLORS[..., ::-1], ALPHA])), images.RGB_ALPHA, depth=16),
        ],
    )
    def test_transparent_pixels_lie_on_white(self, content):
        np.testing.assert_allclose(color(content).astype(int), ON_WHITE, atol=1)
        np.testing.assert_array_equal(grey(content), cv2.cvtColor(color(content), cv2.COLOR_BGR2GRAY))

    def test_an_interlaced_picture_is_whole(self):
        passes = [
            (0, 0, 8, 8),
            (4, 0, 8, 8),
            (0, 4, 4, 8),
            (2, 0, 4, 4),
            (0, 2, 2, 4),
            (1, 0, 2, 2),
            (0, 1, 1, 2),
        ]
        rows = b"".join(
            b"\0" + row.tobytes() for x, y, over, down in passes for row in GREY[y::down, x::over]
        )
        head = images.png_head(64, 48, interlace=1)
        pixels = images.chunk(b"IDAT", zlib.compress(rows))

        decoded = grey(images.PNG_SIGNATURE + head + pixels + images.chunk(b"IEND"))

        np.testing.assert_array_equal(decoded, GREY)

    def test_a_transparent_entry_of_a_palette_lies_on_white(self):
        shades = images.chunk(b"PLTE", bytes([7] * 3 + [8] * 3)) + images.chunk(b"tRNS", b"\0")

        assert grey(images.png(np.array([[0, 1]], np.uint8), images.PALETTE, extra=shades)).tolist() == [
            [255, 8]
        ]

    def test_a_transparent_shade_stays_as_it_is(self):
        content = images.grey_png(np.array([[7, 8]], np.uint8), images.chunk(b"tRNS", b"\0\7"))

        assert grey(content).tolist() == [[7, 8]]


class TestOrientation:
    """EXIF says where row 0 and column 0 of the stored picture are; here they are put there by indexing."""

    UPRIGHT = images.picture(24, 40)

    @pytest.mark.parametrize(
        ("number", "stored"),
        [
            (1, UPRIGHT),
            (2, UPRIGHT[:, ::-1]),
            (3, UPRIGHT[::-1, ::-1]),
            (4, UPRIGHT[::-1]),
            (5, UPRIGHT.swapaxes(0, 1)),
            (6, UPRIGHT.swapaxes(0, 1)[::-1]),
            (7, UPRIGHT[::-1, ::-1].swapaxes(0, 1)),
            (8, UPRIGHT.swapaxes(0, 1)[:, ::-1]),
        ],
    )
    def test_is_applied(self, number, stored):
        note = images.chunk(b"eXIf", images.oriented(number))
        content = images.png(stored[..., ::-1], images.RGB, extra=note)

        decoded = color(content)

        np.testing.assert_array_equal(decoded, self.UPRIGHT)
        assert decoded.flags.c_contiguous
        np.testing.assert_allclose(grey(content), cv2.cvtColor(self.UPRIGHT, cv2.COLOR_BGR2GRAY), atol=1)
        assert color(content, reduce=2).shape == (12, 20, 3)

    def test_agrees_with_opencv(self):
        for number in range(1, 9):
            note = images.exif(images.oriented(number))
            content = images.with_segments(images.jpeg(self.UPRIGHT), note)

            np.testing.assert_array_equal(
                color(content), cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            )


class TestReduction:
    @pytest.mark.parametrize("encoded", [images.jpeg, lambda p: images.png(p[..., ::-1], images.RGB)])
    @pytest.mark.parametrize("reduce", [1, 2, 4, 8])
    def test_divides_the_size_and_keeps_the_picture(self, encoded, reduce):
        whole = cv2.resize(images.picture(), (161, 123), interpolation=cv2.INTER_CUBIC)

        reduced = color(encoded(whole), reduce)

        height, width = -(-123 // reduce), -(-161 // reduce)
        assert reduced.shape == (height, width, 3)
        expected = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
        assert np.abs(reduced.astype(int) - expected).mean() < 3.0


class TestRefusal:
    def test_of_rows_with_an_unknown_filter(self):
        head, tail = images.png_head(8, 8), images.chunk(b"IEND")
        damaged = images.PNG_SIGNATURE + head + images.chunk(b"IDAT", zlib.compress(b"\x09" * 72)) + tail

        for decode in (decode_color, decode_grey):
            with pytest.raises(ImageUndecodableError, match="cannot be decoded"):
                decode(open_image(damaged))

    def test_says_nothing_of_the_decoder(self):
        shades = images.without_jfif(images.jpeg(GREY))
        at = shades.index(b"\xff\xc0")
        damaged = shades[: at + 11] + b"\x55" + shades[at + 12 :]  # Sampling factors that do not exist.

        with pytest.raises(ImageUndecodableError) as refused:
            color(damaged)

        assert refused.value.__cause__ is None
        assert "cv" not in str(refused.value).lower()
