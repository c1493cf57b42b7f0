"""Writers of one process stand in line for SQLite's one write lock.

SQLite itself has no queue: a writer that finds the lock taken sleeps and tries again, up to 100 ms later.
Beside three others a writer waited up to 3.6 s that way, close to the timeout at which it would be refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from app.domain.errors import TemporaryError


class WriteTurn:
    """First come, first served; other processes still meet at the busy timeout."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self._taken = False
        self._line: deque[Lock] = deque()

    @contextmanager
    def taken(self, timeout_s: float) -> Iterator[None]:
        """Wait for the turn and keep it.

        Raises:
            TemporaryError: `store_unavailable`: it did not come in time.
        """
        self._wait(timeout_s)
        try:
            yield
        finally:
            self._pass_on()

    def _wait(self, timeout_s: float) -> None:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            mine = Lock()
            mine.acquire()
            self._line.append(mine)
        if mine.acquire(timeout=timeout_s):
            return
        with self._mutex:
            if mine in self._line:
                self._line.remove(mine)
                raise TemporaryError("Too many requests are waiting to write.", code="store_unavailable")
        # The turn came between the timeout and here: it is ours.

    def _pass_on(self) -> None:
        with self._mutex:
            if self._line:
                self._line.popleft().release()
            else:
                self._taken = False
