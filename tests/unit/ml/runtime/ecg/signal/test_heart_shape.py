"""Waves that no heart makes are refused, and computed hearts are not."""

import numpy as np
import pytest

from ml.runtime.ecg.preparation import example_ecg
from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.signal.errors import SignalError
from ml.synthetic.ecg import SyntheticPerson


def pulses(width_s: float, rate_hz: float, fs_hz: float, seconds: float = 10.0) -> np.ndarray:
    generator = np.random.default_rng(3)
    at_s = np.arange(int(seconds * fs_hz)) / fs_hz + 0.3
    width_s = max(width_s, 1.0 / fs_hz)
    return (np.mod(at_s, 1.0 / rate_hz) < width_s) + 0.002 * generator.standard_normal(at_s.size)


@pytest.mark.parametrize("fs_hz", [125.0, 250.0, 300.0, 500.0, 1000.0])
@pytest.mark.parametrize("rate_hz", [0.7, 1.0, 1.7, 2.8])
@pytest.mark.parametrize("width_s", [0.004, 0.008, 0.012, 0.02, 0.03])
def test_pulses_of_a_generator_are_refused(fs_hz, rate_hz, width_s):
    with pytest.raises(SignalError):
        condition(pulses(width_s, rate_hz, fs_hz), fs_hz)


@pytest.mark.parametrize("sigma_s", [0.009, 0.015])
def test_round_waves_that_stand_alone_are_refused(sigma_s):
    fs_hz = 250.0
    at_s = np.mod(np.arange(2500) / fs_hz, 0.8) - 0.4

    with pytest.raises(SignalError):
        condition(np.exp(-0.5 * (at_s / sigma_s) ** 2), fs_hz)


@pytest.mark.parametrize("fs_hz", [125.0, 250.0, 500.0])
def test_computed_hearts_are_accepted(fs_hz):
    accepted = 0
    for person in range(60):
        try:
            condition(SyntheticPerson.draw(person).record(10.0, fs_hz, session=0, seed=0), fs_hz)
        except SignalError:
            continue
        accepted += 1

    assert accepted >= 59


def test_the_example_that_encoders_warm_up_with_is_accepted():
    example = example_ecg()

    assert condition(example.signal, example.fs_hz).accepted.all()
