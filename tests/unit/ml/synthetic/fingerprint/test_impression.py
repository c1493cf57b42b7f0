from __future__ import annotations

import numpy as np
import pytest

from ml.synthetic.fingerprint import QUALITIES, SENSORS, ComputedFinger


@pytest.fixture(scope="module")
def finger():
    return ComputedFinger.draw(1)


def ridge_period_px(image, around=64):
    """From the middle of the spectrum of the image's middle; between 4 and 24 pixels."""
    rows, columns = (side // 2 for side in image.shape)
    patch = image[rows - around : rows + around, columns - around : columns + around].astype(float)
    window = np.hanning(2 * around)
    power = np.abs(np.fft.fft2((patch - patch.mean()) * np.outer(window, window), (512, 512))) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(512)))
    ridges = (frequency > 1 / 24) & (frequency < 1 / 4)
    return power[ridges].sum() / (power * frequency)[ridges].sum()


def apart_after_alignment(first, second):
    """Distances that the best rotation and shift leave."""
    at, to = (part[:, 0] + 1j * part[:, 1] for part in (first.astype(float), second.astype(float)))
    at, to = at - at.mean(), to - to.mean()
    turn = np.vdot(at, to)
    return np.abs(at * turn / abs(turn) - to)


class TestImpression:
    def test_equal_seeds_give_equal_images(self, finger):
        first, again = finger.impression(3), ComputedFinger.draw(1).impression(3)

        np.testing.assert_array_equal(first.image, again.image)

    def test_other_seeds_give_other_images(self, finger):
        assert np.mean(finger.impression(1).image != finger.impression(2).image) > 0.9

    @pytest.mark.parametrize("sensor", SENSORS)
    def test_a_sensor_sets_size_and_grey_values(self, finger, sensor):
        impression = finger.impression(0, sensor=sensor, quality="good")

        ridge, background = np.percentile(impression.image, [5, 95])
        assert impression.image.dtype == np.uint8
        assert impression.image.shape == (SENSORS[sensor].height_px, SENSORS[sensor].width_px)
        assert background - ridge > 0.6 * (
            min(255.0, SENSORS[sensor].background_grey) - SENSORS[sensor].ridge_grey
        )

    def test_minutiae_lie_where_the_finger_touches(self, finger):
        impression = finger.impression(4)

        column, row = np.rint(impression.minutiae.xy).astype(int).T
        assert len(impression.minutiae) > 15
        assert impression.contact[row, column].all()

    def test_two_impressions_share_minutiae(self, finger):
        first, second = (finger.impression(seed, quality="good").minutiae for seed in (1, 2))

        shared, of_first, of_second = np.intersect1d(first.number, second.number, return_indices=True)

        assert len(shared) > 0.7 * min(len(first), len(second))
        assert (first.is_ending[of_first] == second.is_ending[of_second]).all()
        apart = apart_after_alignment(first.xy[of_first], second.xy[of_second])
        assert 0.1 < np.median(apart) < 8.0

    def test_endings_lie_at_ends_of_dark_lines(self):
        """Ahead of an ending there is a ridge, ahead of a fork a valley; on average over many."""
        ahead = {True: [], False: []}
        for seed in range(2):
            impression = ComputedFinger.draw(seed).impression(0, quality="good")
            minutiae = impression.minutiae
            steps = 6.5 * np.stack([np.cos(minutiae.direction), np.sin(minutiae.direction)], 1)
            column, row = np.rint(minutiae.xy + steps).astype(int).T
            inside = (column >= 0) & (column < 320) & (row >= 0) & (row < 400)
            for grey, is_ending in zip(
                impression.image[row[inside], column[inside]], minutiae.is_ending[inside], strict=True
            ):
                ahead[bool(is_ending)].append(int(grey))

        assert np.mean(ahead[True]) < np.mean(ahead[False]) - 50

    @pytest.mark.parametrize("dpi", [300, 400, 700])
    def test_the_ridge_period_follows_the_resolution(self, finger, dpi):
        usual, other = finger.impression(0, quality="good"), finger.impression(0, quality="good", dpi=dpi)

        assert other.image.shape == (round(400 * dpi / 500), round(320 * dpi / 500))
        period_px = ridge_period_px(usual.image)
        assert period_px == pytest.approx(finger.period_px, rel=0.2)
        stretched = ridge_period_px(other.image, around=round(64 * dpi / 500))
        assert stretched == pytest.approx(period_px * dpi / 500, rel=0.07)

    def test_less_quality_shows_less_of_the_finger(self, finger):
        shown = {
            quality: np.mean([finger.impression(seed, quality=quality).contact.mean() for seed in range(8)])
            for quality in QUALITIES
        }

        assert shown["good"] > shown["normal"] > shown["poor"]

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [({"quality": "fine"}, "quality"), ({"sensor": "ink"}, "sensor"), ({"dpi": 96}, "dpi")],
    )
    def test_unknown_names_and_resolutions_are_refused(self, finger, wrong, said):
        with pytest.raises(ValueError, match=said):
            finger.impression(0, **wrong)
