from __future__ import annotations

import numpy as np
import pytest

from ml.runtime.fingerprint.extraction.extractor import extract


@pytest.fixture(scope="module")
def impression(computed_print):
    return extract(computed_print.image, 500)


def share_found(expected, found, *, within_px=6.0, within_rad=0.35):
    """Share of the expected (xy, direction) that are among the found."""
    distance = np.hypot(*(expected[0][:, None] - found[0][None, :]).transpose(2, 0, 1))
    turn = np.abs(np.angle(np.exp(1j * (expected[1][:, None] - found[1][None, :]))))
    return ((distance < within_px) & (turn < within_rad)).any(axis=1).mean()


def points(minutiae):
    return minutiae.xy, minutiae.direction


class TestMinutiae:
    def test_they_are_those_that_the_finger_was_computed_with(self, computed_print, impression):
        true = points(computed_print.minutiae)

        assert share_found(points(impression.minutiae), true) > 0.9
        assert share_found(true, points(impression.minutiae)) > 0.8

    def test_equal_pictures_give_equal_minutiae_wherever_they_lie_in_memory(self, computed_print, impression):
        elsewhere = np.empty(computed_print.image.size + 5, np.uint8)[5:].reshape(computed_print.image.shape)
        elsewhere[...] = computed_print.image

        again = extract(elsewhere, 500)

        np.testing.assert_array_equal(again.minutiae.xy, impression.minutiae.xy)
        np.testing.assert_array_equal(again.minutiae.direction, impression.minutiae.direction)
        np.testing.assert_array_equal(again.minutiae.quality, impression.minutiae.quality)

    def test_an_inverted_picture_gives_the_same_minutiae(self, computed_print, impression):
        inverted = extract(255 - computed_print.image, 500)

        np.testing.assert_array_equal(inverted.minutiae.xy, impression.minutiae.xy)
        np.testing.assert_array_equal(inverted.minutiae.direction, impression.minutiae.direction)

    def test_they_move_with_the_print(self, computed_print, impression):
        height, width = computed_print.image.shape
        paper = np.median(computed_print.image[:10])
        moved = np.random.default_rng(0).normal(paper, 2.0, (height + 35, width + 22)).astype(np.uint8)
        moved[29:-6, 13:-9] = computed_print.image

        found = extract(moved, 500).minutiae

        expected = impression.minutiae.xy + np.float32([13, 29]), impression.minutiae.direction
        # Blocks cut the ridges elsewhere, so that some faint minutiae come and others go.
        assert share_found(expected, points(found), within_px=2.0, within_rad=0.1) > 0.8

    def test_they_turn_with_the_print(self, computed_print, impression):
        turned = np.ascontiguousarray(np.rot90(computed_print.image))  # Counterclockwise.

        found = extract(turned, 500).minutiae

        x, y = impression.minutiae.xy.T
        width = computed_print.image.shape[1]
        expected = np.stack([y, width - 1 - x], axis=1), impression.minutiae.direction - np.pi / 2
        assert share_found(expected, points(found), within_px=2.0, within_rad=0.1) > 0.8

    def test_a_mirrored_print_has_other_directions(self, computed_print, impression):
        mirrored = extract(np.ascontiguousarray(computed_print.image[:, ::-1]), 500).minutiae

        assert share_found(points(impression.minutiae), points(mirrored)) < 0.5

    @pytest.mark.parametrize("dpi", [300, 1000])
    def test_they_are_in_pixels_at_500_dpi_whatever_the_resolution(self, finger, impression, dpi):
        found = extract(finger.impression(0, dpi=dpi).image, dpi)

        assert share_found(points(found.minutiae), points(impression.minutiae)) > 0.7
        assert found.ridge_period_px == pytest.approx(impression.ridge_period_px, rel=0.1)

    def test_the_best_come_first_and_are_at_most_a_hundred(self, impression):
        assert 0 < len(impression.minutiae) <= 100
        assert (np.diff(impression.minutiae.quality) <= 0.0).all()


class TestMaps:
    def test_they_cover_the_picture_in_blocks_of_eight(self, computed_print, impression):
        height, width = computed_print.image.shape
        rows, columns = impression.mask.shape

        assert rows * 8 >= height
        assert columns * 8 >= width
        assert impression.ridge_angle.shape == impression.quality_map.shape == (rows, columns)

    def test_the_mask_is_where_the_finger_touches(self, computed_print, impression):
        contact = computed_print.contact[4::8, 4::8]
        mask = impression.mask[: contact.shape[0], : contact.shape[1]]

        assert (mask & contact).sum() / (mask | contact).sum() > 0.8

    def test_no_quality_is_claimed_beside_the_print(self, impression):
        assert (impression.quality_map[~impression.mask] == 0.0).all()
        assert impression.quality_map.max() <= 1.0

    def test_minutiae_lie_in_the_mask(self, impression):
        column, row = (impression.minutiae.xy // 8).astype(int).T

        assert impression.mask[row, column].all()


class TestQuality:
    def test_a_part_of_a_print_is_worth_less_than_the_whole(self, computed_print, impression):
        part = extract(computed_print.image[100:260, 80:240], 500)

        assert 0.0 < part.quality < impression.quality < 1.0

    def test_a_poorly_pressed_finger_is_worth_less(self, finger, impression):
        assert extract(finger.impression(0, quality="poor").image, 500).quality < impression.quality


def test_nothing_biometric_is_shown(impression):
    assert repr(impression) == f"Impression({len(impression.minutiae)} minutiae, {impression.quality:.2f})"
