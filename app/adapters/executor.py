"""The one bounded pool in which everything blocking happens (DESIGN §2)."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from app.domain.activity import Pieces
from app.domain.errors import TemporaryError

T = TypeVar("T")

MIN_QUEUE_LIMIT = 32
QUEUE_LIMIT_PER_THREAD = 16
MAX_ASIDE = 32
"""Jobs that may wait for something outside at once."""

_of_thread = threading.local()


def step_aside() -> None:
    """Let another job run in place of the one of this thread, which is about to wait for something outside.

    Those who only read are not kept waiting by those who wait for a lock. The job is not counted any more
    when it goes on: what follows is short. In a thread of no executor it does nothing.

    Raises:
        TemporaryError: `overloaded`: too many wait already.
    """
    job: _Job | None = getattr(_of_thread, "job", None)
    if job is not None:
        job.step_aside()


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
        self._pool = ThreadPoolExecutor(threads + MAX_ASIDE, thread_name_prefix="work")
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._running = 0
        self._aside = 0
        self._closed = False
        self._long_work = asyncio.Semaphore(threads)

    @property
    def queued(self) -> int:
        """Jobs waiting for a thread."""
        return len(self._waiting)

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
        with self._lock:
            self._closed = True
            withdrawn, self._waiting = list(self._waiting), deque()
        for job in withdrawn:
            job.future.cancel()
        self._pool.shutdown(wait=True)

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
        context, future = copy_context(), Future[T]()
        waiting = _Job(self, lambda: context.run(job), future)
        with self._lock:
            if self._closed:
                raise TemporaryError("The service is shutting down.")
            if self._running >= self._threads and len(self._waiting) >= self._queue_limit and not admitted:
                raise TemporaryError("Too many requests are waiting.")
            self._waiting.append(waiting)
            self._start_next()
        future.add_done_callback(lambda _: self._withdraw(waiting))
        return future

    def _start_next(self) -> None:
        """Start as many as may run; the caller holds the lock."""
        while self._waiting and self._running < self._threads:
            job = self._waiting.popleft()
            if job.future.set_running_or_notify_cancel():
                self._running += 1
                self._pool.submit(job.run)

    def _withdraw(self, job: _Job) -> None:
        if job.future.cancelled():
            with self._lock, suppress(ValueError):
                self._waiting.remove(job)

    def step_aside(self) -> None:
        """Of a running job; see the function of this name."""
        with self._lock:
            if self._aside >= MAX_ASIDE:
                raise TemporaryError("Too many requests are waiting to write.")
            self._aside += 1
            self._running -= 1
            self._start_next()

    def ended(self, *, aside: bool) -> None:
        """Of a job, which may have stepped aside."""
        with self._lock:
            if aside:
                self._aside -= 1
            else:
                self._running -= 1
            self._start_next()


class _Job:
    """Work, whoever waits for its result, and whether it takes a place among those that run."""

    def __init__(self, executor: BoundedExecutor, work: Callable[[], object], future: Future[Any]) -> None:
        self.future = future
        self._executor = executor
        self._work = work
        self._aside = False

    def run(self) -> None:
        _of_thread.job = self
        try:
            result = self._work()
        except BaseException as error:  # Whoever waits gets it, as from any pool of threads.
            self._end()
            self.future.set_exception(error)
        else:
            self._end()
            self.future.set_result(result)

    def step_aside(self) -> None:
        if not self._aside:
            self._executor.step_aside()
            self._aside = True

    def _end(self) -> None:
        _of_thread.job = None
        self._executor.ended(aside=self._aside)


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
