import struct

import pytest

from ml.runtime.image.exif import ExifClaims, read_exif
from tests import images


def scanned(across: tuple[int, int], down: tuple[int, int], unit: int = 2, order: str = "<") -> bytes:
    rationals = 8 + 2 + 3 * 12 + 4
    entries = [
        (0x011A, 5, 1, struct.pack(order + "I", rationals)),
        (0x011B, 5, 1, struct.pack(order + "I", rationals + 8)),
        (0x0128, 3, 1, struct.pack(order + "HH", unit, 0)),
    ]
    return images.tiff(entries, order, tail=struct.pack(order + "IIII", *across, *down))


class TestReadExif:
    @pytest.mark.parametrize("order", ["<", ">"])
    def test_reads_the_resolution_in_both_byte_orders(self, order):
        assert read_exif(scanned((1000, 2), (500, 1), order=order)) == ExifClaims(1, 500)

    def test_reads_pixels_per_centimeter(self):
        assert read_exif(scanned((197, 1), (197, 1), unit=3)).dpi == 500

    @pytest.mark.parametrize(
        ("across", "down", "unit"),
        [((500, 0), (500, 1), 2), ((500, 1), (500, 1), 1), ((72, 1), (72, 1), 2), ((500, 1), (250, 1), 2)],
    )
    def test_knows_no_resolution_where_none_is_stated(self, across, down, unit):
        assert read_exif(scanned(across, down, unit)).dpi is None

    @pytest.mark.parametrize("number", [0, 9, 65_535])
    def test_takes_an_unknown_orientation_for_upright(self, number):
        assert read_exif(images.oriented(number)).orientation == 1

    @pytest.mark.parametrize(
        "block",
        [
            b"",
            b"XX" + images.oriented(6)[2:],
            images.oriented(6)[:-10],
            b"II*\0" + struct.pack("<I", 2**32 - 1),
            b"II*\0" + struct.pack("<IH", 8, 65_535),
            images.tiff([(0x011A, 5, 1, struct.pack("<I", 2**32 - 1))]),
            images.tiff([(0x0112, 3, 2**32 - 1, bytes(4)), (0x0112, 4, 1, b"\6\0\0\0")]),
        ],
    )
    def test_reads_nothing_from_what_is_damaged(self, block):
        assert read_exif(block) == ExifClaims()
