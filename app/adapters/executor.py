"""The one bounded pool in which everything blocking happens (DESIGN §2)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from app.domain.errors import TemporaryError

T = TypeVar("T")

MIN_QUEUE_LIMIT = 32
QUEUE_LIMIT_PER_THREAD = 16


class BoundedExecutor:
    """A thread pool that says no instead of queueing without end.

    Args:
        threads: How many jobs run at once.
        queue_limit: How many may wait; default max(32, 16 × threads).
        max_wait_s: A job that no thread took up by then is withdrawn and never runs.
    """

    def __init__(self, threads: int, queue_limit: int | None = None, max_wait_s: float = 2.0) -> None:
        self._threads = threads
        self._queue_limit = (
            max(MIN_QUEUE_LIMIT, QUEUE_LIMIT_PER_THREAD * threads) if queue_limit is None else queue_limit
        )
        self._max_wait_s = max_wait_s
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._lock = threading.Lock()
        self._unfinished = 0

    @property
    def queued(self) -> int:
        """Jobs waiting for a thread."""
        return max(0, self._unfinished - self._threads)

    async def run(self, job: Callable[[], T]) -> T:
        """Run a job in a thread, in the context (request id) of the caller.

        Raises:
            TemporaryError: ``overloaded``: the queue is full, or no thread was free for ``max_wait_s``.
        """
        future = self._submit(job)
        loop = asyncio.get_running_loop()
        # cancel() withdraws a job that still waits and does nothing to one that runs.
        deadline = loop.call_later(self._max_wait_s, future.cancel)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if _this_task_is_cancelled():
                raise
            raise TemporaryError(f"No worker was free for {self._max_wait_s:g} s.") from None
        finally:
            deadline.cancel()

    def close(self) -> None:
        """Let running jobs end, withdraw the waiting ones."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, job: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._unfinished >= self._threads + self._queue_limit:
                raise TemporaryError("Too many requests are waiting.")
            self._unfinished += 1
        try:
            future = self._pool.submit(copy_context().run, job)
        except RuntimeError:
            self._forget(None)
            raise TemporaryError("The service is shutting down.") from None
        future.add_done_callback(self._forget)
        return future

    def _forget(self, _: Future[T] | None) -> None:
        with self._lock:
            self._unfinished -= 1


def _this_task_is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
