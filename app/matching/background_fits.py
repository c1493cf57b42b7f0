"""One thread beside the requests, in which galleries learn about themselves what takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Condition, Event
from time import monotonic
from typing import Protocol

REST = 9.0
"""Times the duration of a fit that the thread rests after it: fits take a tenth of a core at most."""


class RunFit(Protocol):
    """Runs a fit, now or later."""

    def __call__(self, fit: Callable[[], None]) -> None: ...


def at_once(fit: Callable[[], None]) -> None:
    """Run a fit in the caller's own thread."""
    fit()


class BackgroundFits:
    """Runs fits one after the other, in the order in which they came.

    Args:
        report_failure: Called with what a fit raised; the one before stays in use.
        rest: Times the duration of each fit.
    """

    def __init__(self, report_failure: Callable[[Exception], None], rest: float = REST) -> None:
        self._report_failure = report_failure
        self._rest = rest
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="fit")
        self._hurry = Event()
        self._changed = Condition()
        self._waiting = 0

    def __call__(self, fit: Callable[[], None]) -> None:
        """Take a fit on; after `close` it is dropped."""
        with self._changed:
            self._waiting += 1
        try:
            self._pool.submit(self._run, fit)
        except RuntimeError:  # Closed.
            self._done()

    def settle(self, timeout_s: float) -> bool:
        """Wait until all that came is fitted, and let nothing rest meanwhile; whether that came in time."""
        self._hurry.set()
        try:
            with self._changed:
                return self._changed.wait_for(lambda: not self._waiting, timeout_s)
        finally:
            self._hurry.clear()

    def close(self) -> None:
        """Let the running fit end, and drop the others."""
        self._hurry.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, fit: Callable[[], None]) -> None:
        started = monotonic()
        try:
            fit()
        except Exception as error:  # A thread's edge: nobody else would see it.
            self._report_failure(error)
        finally:
            self._done()
        self._hurry.wait(self._rest * (monotonic() - started))

    def _done(self) -> None:
        with self._changed:
            self._waiting -= 1
            self._changed.notify_all()
