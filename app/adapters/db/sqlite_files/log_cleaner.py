"""Empties SQLite's log after erasures, as soon as nobody reads an older snapshot."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from threading import Event, Lock, Thread
from typing import cast

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.adapters.db.sqlite_files.opening import empty_log

log = structlog.get_logger(__name__)

_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 1.0
_PATIENCE_MS = 100  # Readers may hold the attempt up, and it holds up writers.


class LogCleaner:
    """A thread that lives while there is something to clean.

    Args:
        engine: On SQLite.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._again = False

    def clean_later(self) -> None:
        """Try again and again until the log is empty."""
        with self._lock:
            self._again = True
            if self._thread is None and not self._stop.is_set():
                self._thread = Thread(target=self._run, name="log-cleaner", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the thread, after a last try."""
        self._stop.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        pause_s = _PAUSE_S
        while True:
            stopped = self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            if stopped or self._is_done():
                break
        if stopped and not self._cleaned():
            log.warning("store.log_not_emptied")  # The next process empties it with its first write.

    def _is_done(self) -> bool:
        with self._lock:
            self._again = False
        cleaned = self._cleaned()
        with self._lock:
            if cleaned and not self._again:
                self._thread = None
                return True
        return False

    def _cleaned(self) -> bool:
        try:
            with closing(self._engine.raw_connection()) as connection:
                return empty_log(cast(sqlite3.Connection, connection.driver_connection), wait_ms=_PATIENCE_MS)
        except (SQLAlchemyError, sqlite3.Error):
            return False
