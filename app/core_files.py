"""No copy of this process's memory on a disk: it holds templates, recordings and keys in clear."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def forbid_core_files() -> None:
    """For this process; what it starts inherits the limit, and calls this for the rest.

    A program that the kernel pipes core files to gets them whatever the limit is. Linux therefore also hears
    that this process is not to be dumped, which keeps debuggers of the same user out as well.
    """
    if sys.platform == "win32":
        return
    import resource

    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
