"""The one bounded pool in which everything blocking happens (DESIGN §2)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import Generic, TypeVar

from app.domain.activity import Pieces
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

    Work that takes seconds comes in pieces, and queues anew for each of them. No more such work runs at once
    than there are threads, so that other requests wait for one piece of each and not for all of it.
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
        self._long_work = asyncio.Semaphore(threads)

    @property
    def queued(self) -> int:
        """Jobs waiting for a thread."""
        return max(0, self._unfinished - self._threads)

    async def run(self, job: Callable[[], T]) -> T:
        """Run a job in a thread, in the context (request id) of the caller.

        Raises:
            TemporaryError: `overloaded`: the queue is full, or no thread was free for `max_wait_s`.
        """
        return await self._wait(self._submit(job), self._max_wait_s)

    async def run_in_pieces(self, pieces: Pieces[T], between: Callable[[], Awaitable[None]]) -> T:
        """Run work piece by piece, each in any thread.

        Args:
            pieces: What is to be done; its return value is the result.
            between: Awaited before every further piece; what it raises ends the work.

        Raises:
            TemporaryError: `overloaded`: as of a job, before the second piece; work that has come
                further is not given up.
        """
        end = _End[T]()
        await self.run(lambda: end.reached_by(pieces))
        if not end.results:
            async with _a_place(self._long_work, self._max_wait_s):
                while not end.results:
                    await between()
                    future = self._submit(lambda: end.reached_by(pieces), admitted=True)
                    await self._wait(future, None)
        return end.results[0]

    def close(self) -> None:
        """Let running jobs end, withdraw the waiting ones."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _wait(self, future: Future[T], max_wait_s: float | None) -> T:
        # cancel() withdraws a job that still waits and does nothing to one that runs.
        loop = asyncio.get_running_loop()
        deadline = None if max_wait_s is None else loop.call_later(max_wait_s, future.cancel)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if _this_task_is_cancelled():
                raise
            raise _no_thread_within(self._max_wait_s) from None
        finally:
            if deadline is not None:
                deadline.cancel()

    def _submit(self, job: Callable[[], T], *, admitted: bool = False) -> Future[T]:
        with self._lock:
            if self._unfinished >= self._threads + self._queue_limit and not admitted:
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


class _End(Generic[T]):
    """Where work in pieces ends up."""

    def __init__(self) -> None:
        self.results: list[T] = []

    def reached_by(self, pieces: Pieces[T]) -> None:
        """Do the next piece, and keep the result if it was the last."""
        try:
            next(pieces)
        except StopIteration as stop:
            self.results.append(stop.value)


@asynccontextmanager
async def _a_place(places: asyncio.Semaphore, max_wait_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(max_wait_s):
            await places.acquire()
    except TimeoutError:
        raise _no_thread_within(max_wait_s) from None
    try:
        yield
    finally:
        places.release()


def _no_thread_within(seconds: float) -> TemporaryError:
    return TemporaryError(f"No worker was free for {seconds:g} s.")


def _this_task_is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
