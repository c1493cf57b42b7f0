"""Second-order sections over one strip: `scipy.signal.sosfilt` without the checks of its arguments.

A strip of 10 s is filtered fourteen times, and the checks take as long as the filtering. The loop behind them
is private to scipy, so it is tested before use. If it is missing or differs from the public function, the
public one is used.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

Loop = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], None]
"""Of sections (n_sections, 6), signals (n, n_samples) and states (n, n_sections, 2); the last two change."""


def filter_in_place(
    sos: NDArray[np.float64], signals: NDArray[np.float64], states: NDArray[np.float64]
) -> None:
    """Filter signals in place, and replace the states by those after the last sample.

    Args:
        sos: float64, shape (n_sections, 6), ones in column 3; C-contiguous, like the others.
        signals: Any unit, float64, shape (n_signals, n_samples).
        states: Before the first sample, float64, shape (n_signals, n_sections, 2).
    """
    _trusted_loop()(sos, signals, states)


@cache
def _trusted_loop() -> Loop:
    """Return scipy's own loop if it still behaves as expected."""
    try:
        from scipy.signal._sosfilt import _sosfilt
    except ImportError:
        return public_loop
    return _sosfilt if does_the_same(_sosfilt) else public_loop


def public_loop(sos: NDArray[np.float64], signals: NDArray[np.float64], states: NDArray[np.float64]) -> None:
    """Run the public `scipy.signal.sosfilt` with the signature of its private loop."""
    from scipy.signal import sosfilt

    for signal, state in zip(signals, states, strict=True):
        signal[:], state[:] = sosfilt(sos, signal, zi=state)


def does_the_same(loop: Loop) -> bool:
    """Whether a loop equals the public function, to the bit, on a short signal."""
    sos = np.array([[0.2, 0.3, 0.1, 1.0, -0.5, 0.1], [1.0, -1.1, 0.3, 1.0, -0.7, 0.2]])
    signals, states = np.sin(np.arange(32.0))[None], np.full((1, 2, 2), 0.25)
    expected, expected_states = signals.copy(), states.copy()
    public_loop(sos, expected, expected_states)
    try:
        loop(sos, signals, states)
    except (TypeError, ValueError):
        return False
    return np.array_equal(signals, expected) and np.array_equal(states, expected_states)
