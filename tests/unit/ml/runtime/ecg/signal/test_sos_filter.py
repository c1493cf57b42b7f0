import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import butter, sosfilt

from ml.runtime.ecg.signal.sos_filter import Loop, does_the_same, filter_in_place, public_loop

SOS = butter(2, (0.5, 40.0), btype="bandpass", fs=250.0, output="sos")


def nothing(sos: np.ndarray, signals: np.ndarray, states: np.ndarray) -> None:
    """Compiled by somebody who had other plans."""


def one_ulp_off(sos: np.ndarray, signals: np.ndarray, states: np.ndarray) -> None:
    public_loop(sos, signals, states)
    signals[0, -1] = np.nextafter(signals[0, -1], np.inf)


def forgetful(sos: np.ndarray, signals: np.ndarray, states: np.ndarray) -> None:
    public_loop(sos, signals, states.copy())


def with_another_argument(sos: np.ndarray, signals: np.ndarray, states: np.ndarray, axis: int) -> None:
    public_loop(sos, signals, states)


class TestFilterInPlace:
    @given(
        arrays(np.float64, st.integers(1, 200), elements=st.floats(-1e7, 1e7)),
        arrays(np.float64, (2, 2), elements=st.floats(-1e3, 1e3)),
    )
    def test_it_equals_scipys_public_function_to_the_bit(self, signal: np.ndarray, state: np.ndarray) -> None:
        filtered, left = signal[None].copy(), state[None].copy()

        filter_in_place(SOS, filtered, left)

        expected, expected_state = sosfilt(SOS, signal, zi=state)
        assert filtered.tobytes() == expected[None].tobytes()
        assert left.tobytes() == expected_state[None].tobytes()


class TestDoesTheSame:
    def test_the_public_function_does(self) -> None:
        assert does_the_same(public_loop)

    @pytest.mark.parametrize("loop", [nothing, one_ulp_off, forgetful, with_another_argument])
    def test_what_differs_is_not_trusted(self, loop: Loop) -> None:
        assert not does_the_same(loop)
