"""The bytes of a detail: a fixed length, and nothing but well-formed ones open."""

import numpy as np
import pytest

from ml.runtime.fingerprint.comparison.detail import (
    DETAIL_BYTES,
    LEAST_CYLINDERS,
    SLOTS,
    detail_of,
    open_detail,
)
from ml.runtime.fingerprint.comparison.template import DIRECTIONS
from tests.unit.ml.runtime.fingerprint.comparison.prints import finger


def detail(n: int = 45) -> bytes:
    return detail_of(finger(1, n), dpi=569.0, quality=0.75)


class TestDetail:
    def test_what_is_written_is_read(self) -> None:
        minutiae = finger(1, 45)

        opened = open_detail(detail_of(minutiae, dpi=569.0, quality=0.75))

        assert len(opened) == 45
        assert opened.dpi == 569.0
        assert opened.quality == pytest.approx(0.75, abs=1e-4)
        order = np.lexsort((opened.y, opened.x))
        expected = minutiae.xy[np.argsort(-minutiae.quality, kind="stable")]
        expected = np.rint((expected - expected.min(axis=0)) * 2.0)
        ranked = np.lexsort((expected[:, 1], expected[:, 0]))
        assert np.array_equal(np.stack([opened.x, opened.y], 1)[order], expected[ranked])

    def test_directions_are_kept_to_half_a_unit(self) -> None:
        minutiae = finger(1, 45)

        opened = open_detail(detail_of(minutiae, dpi=500.0, quality=0.5))

        found = np.sort(opened.direction)
        expected = np.sort(minutiae.direction)
        assert np.abs(found - expected).max() <= np.pi / DIRECTIONS + 1e-6

    @pytest.mark.parametrize("n", [12, 60, 140])
    def test_the_length_says_nothing_about_the_finger(self, n: int) -> None:
        assert len(detail(n)) == DETAIL_BYTES

    def test_the_best_minutiae_fill_the_slots(self) -> None:
        assert len(open_detail(detail(140))) == SLOTS

    def test_too_few_minutiae_are_refused(self) -> None:
        with pytest.raises(ValueError, match=f"expected {LEAST_CYLINDERS}"):
            detail(3)

    def test_minutiae_further_apart_than_fingers_are_wide_are_refused(self) -> None:
        minutiae = finger(1)
        minutiae.xy[0] = (1e5, 0.0)

        with pytest.raises(ValueError, match="further apart"):
            detail_of(minutiae, dpi=500.0, quality=0.5)

    def test_templates_stay_out_of_repr(self) -> None:
        assert repr(open_detail(detail())) == "FingerprintTemplate(45 minutiae)"


class TestMalformed:
    @pytest.mark.parametrize("length", [0, 10, DETAIL_BYTES - 1, DETAIL_BYTES + 1])
    def test_another_length(self, length: int) -> None:
        with pytest.raises(ValueError, match="bytes"):
            open_detail((detail() + b"\0")[:length])

    @pytest.mark.parametrize("place", [0, 3, 4])
    def test_another_beginning(self, place: int) -> None:
        broken = bytearray(detail())
        broken[place] ^= 1

        with pytest.raises(ValueError, match="version"):
            open_detail(bytes(broken))

    @pytest.mark.parametrize(("place", "value"), [(5, 101), (6, 0), (6, 46)])
    def test_impossible_counts(self, place: int, value: int) -> None:
        broken = bytearray(detail())
        broken[place] = value

        with pytest.raises(ValueError, match="cylinders on"):
            open_detail(bytes(broken))

    def test_more_minutiae_than_are_counted(self) -> None:
        broken = bytearray(detail())
        broken[5] = broken[6] = 20

        with pytest.raises(ValueError, match="not empty"):
            open_detail(bytes(broken))

    def test_bytes_at_random_never_open_and_never_crash(self) -> None:
        generator = np.random.default_rng(0)
        head = detail()[:12]
        for _ in range(200):
            with pytest.raises(ValueError, match=r"fingerprint|cylinders|slots"):
                open_detail(head + generator.bytes(DETAIL_BYTES - 12))
