import numpy as np
import pytest

from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.signal.lines import without_lines
from ml.synthetic.ecg import SyntheticPerson

FS_HZ = 250.0


def strip(person: int, seconds: float = 10.0) -> np.ndarray:
    return SyntheticPerson.draw(person).record(seconds, FS_HZ, session=0, seed=0).astype(float)


def sine(ecg: np.ndarray, hz: float, height: float) -> np.ndarray:
    return height * np.sin(2.0 * np.pi * hz * np.arange(ecg.size) / FS_HZ + 0.7)


@pytest.mark.parametrize("seconds", [3.0, 5.0, 10.0, 30.0])
def test_hearts_are_left_as_they_are(seconds):
    for person in range(30):
        ecg = strip(person, seconds)
        assert without_lines(ecg, FS_HZ) is ecg


@pytest.mark.parametrize("hz", [7.3, 11.7, 18.9, 27.31, 33.333])
@pytest.mark.parametrize("height", [0.3, 1.0, 5.0])
def test_a_line_is_subtracted_wherever_it_lies(hz, height):
    ecg = strip(2)

    left = without_lines(ecg + sine(ecg, hz, height), FS_HZ)

    assert np.std(left - ecg) < 0.06


def test_several_lines_are_subtracted():
    ecg = strip(3)

    left = without_lines(ecg + sine(ecg, 9.1, 1.0) + sine(ecg, 22.4, 0.7) + sine(ecg, 35.2, 2.0), FS_HZ)

    assert np.std(left - ecg) < 0.08


def test_the_mirror_image_gives_the_mirror_image():
    ecg = strip(4)
    spoiled = ecg + sine(ecg, 13.0, 1.0)

    np.testing.assert_array_equal(without_lines(-spoiled, FS_HZ), -without_lines(spoiled, FS_HZ))


@pytest.mark.parametrize(("hum_hz", "fs_hz"), [(50.0, 100.0), (60.0, 100.0), (60.0, 125.0), (60.0, 130.0)])
def test_hum_at_low_rates_leaves_the_heart(hum_hz, fs_hz):
    ecg = SyntheticPerson.draw(5).record(20.0, fs_hz, session=0, seed=0).astype(float)
    hum = 2.0 * np.sin(2.0 * np.pi * hum_hz * np.arange(ecg.size) / fs_hz + 0.7)

    clean, humming = condition(ecg, fs_hz), condition(ecg + hum, fs_hz)

    assert humming.quality.accepted_s == clean.quality.accepted_s
    middle = slice(500, -500)  # Filters swing in at the ends, with a notch too.
    assert np.corrcoef(humming.ecg[middle], clean.ecg[middle])[0, 1] > 0.98
