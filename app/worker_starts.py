"""Processes that start side by side: ready together, and patient with a database that restarts."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final, NoReturn

import structlog

from app.adapters.metrics import forget_worker
from app.domain.errors import TemporaryError

FOLDER_VARIABLE: Final = "PULSEPRINT_WORKER_STARTS"
TRY_AGAIN_S: Final = 1.0
POSTPONED_STATUS: Final = (
    75  # EX_TEMPFAIL; uvicorn ends all processes for its own 3, and starts others again.
)

_log = structlog.get_logger("pulseprint.workers")


class WorkerStarts:
    """Which of the processes have started, by one file each.

    Args:
        folder: Shared by all; none where there is one process.
        workers: How many there are to be.
    """

    def __init__(self, folder: Path | None, workers: int) -> None:
        self._folder = folder
        self._workers = workers
        self._all_started = folder is None

    @classmethod
    def of_environment(cls, workers: int) -> WorkerStarts:
        """As the parent process left it to its workers."""
        folder = os.environ.get(FOLDER_VARIABLE)
        return cls(Path(folder) if folder else None, workers)

    @property
    def is_worker(self) -> bool:
        """Whether this process is one of several."""
        return self._folder is not None

    def add(self) -> None:
        """This process has started."""
        if self._folder is not None:
            (self._folder / f"{os.getpid()}.started").touch()

    @property
    def all_started(self) -> bool:
        """Whether all have started once; one that dies later is replaced while others answer."""
        if not self._all_started and self._folder is not None:
            self._all_started = len(list(self._folder.glob("*.started"))) >= self._workers
        return self._all_started


def start_again(error: TemporaryError) -> NoReturn:
    """End this worker so that the parent starts another: the database was checked, and is only away.

    A start that fails in uvicorn's own way would end the parent and all other workers.
    """
    _log.warning("worker.start_postponed", code=error.code, reason=error.detail)
    time.sleep(TRY_AGAIN_S)
    forget_worker(os.getpid())
    os._exit(POSTPONED_STATUS)
