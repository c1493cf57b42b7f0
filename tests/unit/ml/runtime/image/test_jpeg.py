import struct
import time

import pytest

from ml.runtime.image.errors import ImageTooLargeError, ImageUndecodableError
from ml.runtime.image.header import ImageFormat, ImageHeader
from ml.runtime.image.jpeg import MAX_SCANS, check_jpeg
from ml.runtime.image.opening import open_image
from tests import images

PLAIN = images.without_jfif(images.jpeg(images.picture(20, 30)))
FRAME_AT = PLAIN.index(b"\xff\xc0")
SCAN_AT = PLAIN.index(b"\xff\xda")
PROGRESSIVE = 2  # cv2.IMWRITE_JPEG_PROGRESSIVE


def with_frame(height: int, width: int, bits: int = 8, components: int = 3) -> bytes:
    stated = struct.pack(">BHHB", bits, height, width, components)
    return PLAIN[: FRAME_AT + 4] + stated + PLAIN[FRAME_AT + 10 :]


class TestHeader:
    @pytest.mark.parametrize("progressive", [0, 1])
    def test_says_format_and_size(self, progressive):
        content = images.jpeg(images.picture(20, 30), PROGRESSIVE, progressive)

        assert open_image(content).header == ImageHeader(ImageFormat.JPEG, 30, 20)

    @pytest.mark.parametrize("number", range(1, 9))
    @pytest.mark.parametrize("order", ["<", ">"])
    def test_says_how_the_camera_was_held(self, number, order):
        turned = images.with_segments(PLAIN, images.exif(images.oriented(number, order)))

        assert check_jpeg(turned).header.orientation == number

    @pytest.mark.parametrize(
        ("segments", "dpi"),
        [
            ([images.jfif(1, 500, 500)], 500),
            ([images.jfif(2, 197, 197)], 500),
            ([images.jfif(0, 500, 500)], None),
            ([images.jfif(1, 96, 96)], None),
            ([images.jfif(1, 500, 1000)], None),
            ([images.segment(0xE0, b"JFIF\0")], None),
        ],
    )
    def test_says_the_resolution_of_a_scanner(self, segments, dpi):
        assert check_jpeg(images.with_segments(PLAIN, *segments)).header.dpi == dpi

    def test_believes_jfif_before_exif(self):
        across, down = (struct.pack("<I", 50), struct.pack("<I", 50))
        entries = [(0x011A, 5, 1, across), (0x011B, 5, 1, down)]
        block = images.tiff(entries, tail=bytes(12) + struct.pack("<II", 1000, 1))
        scanned = images.exif(block)

        assert check_jpeg(images.with_segments(PLAIN, scanned)).header.dpi == 1000
        both = images.with_segments(PLAIN, images.jfif(1, 500, 500), scanned)
        assert check_jpeg(both).header.dpi == 500


class TestContent:
    def test_holds_no_metadata_and_nothing_behind_the_end(self):
        place = images.exif(images.oriented(6) + b"52.5200 N 13.4050 E")
        notes = images.segment(0xFE, b"a comment")
        profile = images.segment(0xE2, b"ICC_PROFILE\0" + bytes(100))

        checked = check_jpeg(images.with_segments(PLAIN, place, notes, profile) + PLAIN)

        assert checked.content == PLAIN

    def test_keeps_what_names_the_color_space(self):
        adobe = images.segment(0xEE, b"Adobe\0" + bytes(6))

        assert adobe in check_jpeg(images.with_segments(PLAIN, adobe)).content


class TestRefusal:
    @pytest.mark.parametrize("kept", [3, 10, FRAME_AT + 5, SCAN_AT, SCAN_AT + 40, -2, -1])
    def test_of_what_is_cut_short(self, kept):
        with pytest.raises(ImageUndecodableError, match="cut short"):
            check_jpeg(PLAIN[:kept])

    @pytest.mark.parametrize(
        ("content", "match"),
        [
            (b"\xff\xd8\xff\xd9", "ends before its pixels"),
            (PLAIN[:SCAN_AT] + b"\xff\xd9", "ends before its pixels"),
            (b"\xff\xd8" + PLAIN[SCAN_AT:], "a frame and at most"),
            (with_frame(20, 30, bits=12), "8 bits"),
            (with_frame(20, 30, components=4), "one or three components"),
            (with_frame(0, 30), "no pixels"),
            (PLAIN[:FRAME_AT] + PLAIN[FRAME_AT:SCAN_AT] + PLAIN[FRAME_AT:], "more than one frame"),
            (PLAIN[: FRAME_AT + 1] + b"\xc3" + PLAIN[FRAME_AT + 2 :], "not served"),  # Lossless.
            (PLAIN[: FRAME_AT + 1] + b"\xc9" + PLAIN[FRAME_AT + 2 :], "not served"),  # Arithmetic coding.
            (images.with_segments(PLAIN, images.segment(0xC0, b"\x08")), "too short"),
            (images.with_segments(PLAIN, b"\xff\xe5\0\0"), "cut short"),
            (images.with_segments(PLAIN, b"nothing of a JPEG"), "damaged"),
            (images.with_segments(PLAIN, *[b"\xff\xfe\0\2"] * 2048), "2048 segments"),
        ],
    )
    def test_of_what_no_camera_makes(self, content, match):
        with pytest.raises(ImageUndecodableError, match=match):
            check_jpeg(content)

    def test_of_more_scans_than_any_encoder_writes(self):
        scan = PLAIN[SCAN_AT:-2]
        most = PLAIN[:SCAN_AT] + scan * MAX_SCANS

        check_jpeg(most + b"\xff\xd9")
        with pytest.raises(ImageUndecodableError, match="32 scans"):
            check_jpeg(most + scan + b"\xff\xd9")

    @pytest.mark.parametrize(("width", "height"), [(65_535, 65_535), (5001, 5000), (20_001, 1)])
    def test_of_more_pixels_than_are_decoded(self, width, height):
        with pytest.raises(ImageTooLargeError, match="25 million pixels"):
            check_jpeg(with_frame(height, width))

    def test_takes_time_linear_in_the_bytes(self):
        """Fill bytes, stuffing and restarts are what a search might go through again and again."""
        for filling in (b"\xff", b"\xff\x00", b"\xff\xd0", b"\xff\xff\x00"):
            content = PLAIN[: SCAN_AT + 40] + filling * (4_000_000 // len(filling)) + b"\xff\xd9"

            started_s = time.process_time()
            check_jpeg(content)
            assert time.process_time() - started_s < 0.5
