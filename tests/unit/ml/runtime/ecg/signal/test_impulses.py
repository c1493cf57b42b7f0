import numpy as np
import pytest

from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.signal.errors import ImpulsesError
from ml.runtime.ecg.signal.impulses import bridged, impulses
from ml.synthetic.ecg import SyntheticPerson

RATES = (100.0, 128.0, 250.0, 360.0, 500.0, 1000.0, 2000.0)


def strip(person: int, fs_hz: float, seconds: float = 10.0) -> np.ndarray:
    return SyntheticPerson.draw(person).record(seconds, fs_hz, session=0, seed=0).astype(float)


@pytest.mark.parametrize("fs_hz", RATES)
def test_hearts_have_none_even_where_an_r_wave_is_a_few_samples(fs_hz):
    assert not any(impulses(strip(person, fs_hz), fs_hz).any() for person in range(30))


@pytest.mark.parametrize("fs_hz", RATES)
@pytest.mark.parametrize("value", [-30.0, 12.0])
def test_single_samples_are_found_and_bridged_wherever_they_lie(fs_hz, value):
    ecg = strip(3, fs_hz)
    at = np.random.default_rng(1).choice(np.arange(8, ecg.size - 8, 9), 12, replace=False)
    spoiled = ecg.copy()
    spoiled[at] = value

    found = impulses(spoiled, fs_hz)

    assert found[at].mean() > 0.9
    assert found.sum() <= 14
    # Under one that hits the tip of an R wave, the tip is lost.
    assert np.quantile(np.abs(bridged(spoiled, found) - ecg)[found], 0.75) < 0.2


@pytest.mark.parametrize("fs_hz", [500.0, 1000.0, 2000.0])
def test_spikes_of_three_milliseconds_are_found(fs_hz):
    ecg = strip(4, fs_hz)
    width = round(0.003 * fs_hz)
    starts = np.arange(round(0.3 * fs_hz), ecg.size - width, round(0.9 * fs_hz))
    for start in starts:
        ecg[start : start + width] += 3.0

    assert impulses(ecg, fs_hz).sum() == starts.size * width


def test_mirror_gain_and_offset_do_not_matter():
    ecg = strip(5, 250.0)
    ecg[[200, 900, 903]] = 4.0

    found = impulses(ecg, 250.0)

    assert found[[200, 900, 903]].all()
    np.testing.assert_array_equal(impulses(-1000.0 * ecg + 2.0**20, 250.0), found)


def test_a_clean_strip_is_the_same_array():
    ecg = strip(6, 250.0)

    assert bridged(ecg, impulses(ecg, 250.0)) is ecg


def test_what_is_left_of_a_strip_with_few_is_the_heart():
    ecg = strip(7, 500.0)
    spoiled = np.rint(200.0 * ecg + 1024.0)
    spoiled[np.random.default_rng(2).choice(ecg.size, 30, replace=False)] = -32768.0

    clean, mended = condition(ecg, 500.0), condition(spoiled, 500.0)

    assert np.corrcoef(clean.ecg, mended.ecg)[0, 1] > 0.995


def test_a_strip_of_many_is_refused():
    ecg = strip(8, 250.0)
    ecg[::20] += 50.0

    with pytest.raises(ImpulsesError):
        condition(ecg, 250.0)


@pytest.mark.parametrize("fs_hz", [250.0, 500.0, 1000.0])
@pytest.mark.parametrize("width_s", [0.008, 0.02, 0.028])
@pytest.mark.parametrize("height", [0.4, 1.0, -2.0])
def test_calibration_pulses_on_a_heart_are_bridged(fs_hz, width_s, height):
    ecg = strip(9, fs_hz)
    at_s = np.arange(ecg.size) / fs_hz
    inside = np.mod(at_s + 0.37, 1.13) < width_s

    found = impulses(ecg + height * inside, fs_hz)

    assert found[inside].mean() > 0.85
    assert not found[~inside].any()
