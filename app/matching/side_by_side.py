"""Running the encoders of one request at the same time.

A request runs in one thread of the bounded executor. Encoders of further modalities go to threads of their
own, and only while one of these is free: what no thread has taken up, the request does itself. So no request
waits for another, and there are never more than `HELPERS` such threads, however many requests there are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")

HELPERS = max(1, (os.cpu_count() or 2) - 1)
"""Beside the request's own thread; more than cores would only get in each other's way."""

_helpers = ThreadPoolExecutor(HELPERS, thread_name_prefix="encode")


def side_by_side(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Run jobs, the first in the caller's thread and the others beside it where threads are free.

    Args:
        jobs: None waits for another.

    Returns:
        Their results in order; what the first of them raised is raised when all have ended.
    """
    if len(jobs) < 2:
        return [job() for job in jobs]
    futures: list[Future[T]] = [_helpers.submit(copy_context().run, job) for job in jobs[1:]]
    own: Future[T] = Future()
    _run_into(own, jobs[0])
    for future, job in zip(reversed(futures), reversed(jobs[1:]), strict=True):
        if future.cancel():  # Nobody has begun it.
            index = futures.index(future)
            futures[index] = Future()
            _run_into(futures[index], job)
    return [future.result() for future in (own, *futures)]


def _run_into(future: Future[T], job: Callable[[], T]) -> None:
    try:
        future.set_result(job())
    except BaseException as error:
        future.set_exception(error)
