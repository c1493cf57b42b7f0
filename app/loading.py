"""Loading what a process holds as long as it lives."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Spare what is loaded here the garbage collector, now and later.

    A start makes a million objects and no garbage; looking through them costs a tenth of the start, and a
    quarter of a second whenever the collector goes through everything later, in the middle of a request.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
