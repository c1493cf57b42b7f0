import time
import zlib

import pytest

from ml.runtime.image.errors import ImageTooLargeError, ImageUndecodableError
from ml.runtime.image.inflation import check_inflation, inflated_size

PIXELS = bytes(range(256)) * 4000
STREAM = zlib.compress(PIXELS)


def in_pieces(stream: bytes, length: int) -> list[bytes]:
    return [stream[at : at + length] for at in range(0, len(stream), length)]


class TestInflatedSize:
    @pytest.mark.parametrize(
        ("width", "bits", "row"),
        [(8, 1, 1), (9, 1, 2), (3, 2, 1), (5, 4, 3), (5, 8, 5), (5, 24, 15), (5, 64, 40)],
    )
    def test_counts_rows_and_their_filters(self, width, bits, row):
        assert inflated_size(width, 7, bits, interlaced=False) == 7 * (1 + row)

    @pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 5), (8, 8), (9, 17)])
    def test_counts_the_passes_of_adam7(self, width, height):
        """Every pixel is in one pass, by the table of the specification's figure."""
        figure = [
            "16462646",
            "77777777",
            "56565656",
            "77777777",
            "36463646",
            "77777777",
            "56565656",
            "77777777",
        ]
        rows = {(figure[y % 8][x % 8], y) for y in range(height) for x in range(width)}

        assert inflated_size(width, height, 8, interlaced=True) == width * height + len(rows)

    def test_is_bounded(self):
        assert inflated_size(5000, 4999, 32, interlaced=False) <= 100_000_000
        with pytest.raises(ImageTooLargeError, match="100 MB"):
            inflated_size(5000, 5000, 64, interlaced=False)


class TestCheckInflation:
    @pytest.mark.parametrize("length", [1, 7, 1000, 10**6])
    def test_accepts_a_whole_stream_in_any_pieces(self, length):
        check_inflation(in_pieces(STREAM, length), len(PIXELS))
        check_inflation([b"", *in_pieces(STREAM, length), b""], len(PIXELS))

    @pytest.mark.parametrize("size", [0, len(PIXELS) - 1, len(PIXELS) + 1])
    def test_refuses_another_size(self, size):
        with pytest.raises(ImageUndecodableError, match="more or fewer"):
            check_inflation([STREAM], size)

    @pytest.mark.parametrize("stream", [b"", STREAM[:-1], STREAM[: len(STREAM) // 2]])
    def test_refuses_what_is_cut_short(self, stream):
        with pytest.raises(ImageUndecodableError, match="more or fewer"):
            check_inflation([stream], len(PIXELS))

    @pytest.mark.parametrize("stream", [b"no stream", STREAM[:-1] + bytes([STREAM[-1] ^ 1])])
    def test_refuses_damage(self, stream):
        with pytest.raises(ImageUndecodableError, match="do not inflate"):
            check_inflation([stream], len(PIXELS))

    def test_stops_at_the_size(self):
        packer = zlib.compressobj(9)
        bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
        started_s = time.process_time()

        with pytest.raises(ImageUndecodableError):
            check_inflation([bomb], 72)

        assert time.process_time() - started_s < 0.05
