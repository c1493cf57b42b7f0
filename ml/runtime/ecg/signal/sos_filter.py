"""Second-order sections over one strip: `scipy.signal.sosfilt` without the checks of its arguments.

A strip of 10 s is filtered fourteen times, and the checks take as long as the filtering. What scipy runs
behind them is private to it, and therefore tried out before it is trusted: where it is missing or does
anything else than the public function, that one is used.
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
    """Replace signals by what the filter makes of them, and the states by those after the last sample.

    Args:
        sos: float64, shape (n_sections, 6), ones in column 3; C-contiguous, like the others.
        signals: Any unit, float64, shape (n_signals, n_samples).
        states: Of the filter before the first sample, float64, shape (n_signals, n_sections, 2).
    """
    _trusted_loop()(sos, signals, states)


@cache
def _trusted_loop() -> Loop:
    """Return scipy's own loop if it is what it was when this was written."""
    try:
        from scipy.signal._sosfilt import _sosfilt
    except ImportError:
        return public_loop
    return _sosfilt if does_the_same(_sosfilt) else public_loop


def public_loop(sos: NDArray[np.float64], signals: NDArray[np.float64], states: NDArray[np.float64]) -> None:
    """Run the public `scipy.signal.sosfilt` the way its private loop is called."""
    from scipy.signal import sosfilt

    for signal, state in zip(signals, states, strict=True):
        signal[:], state[:] = sosfilt(sos, signal, zi=state)


def does_the_same(loop: Loop) -> bool:
    """Whether a loop gives what the public function does, to the bit, on a short signal."""
    sos = np.array([[0.2, 0.3, 0.1, 1.0, -0.5, 0.1], [1.0, -1.1, 0.3, 1.0, -0.7, 0.2]])
    signals, states = np.sin(np.arange(32.0))[None], np.full((1, 2, 2), 0.25)
    expected, expected_states = signals.copy(), states.copy()
    public_loop(sos, expected, expected_states)
    try:
        loop(sos, signals, states)
    except (TypeError, ValueError):
        return False
    return np.array_equal(signals, expected) and np.array_equal(states, expected_states)
