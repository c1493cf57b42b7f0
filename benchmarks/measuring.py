"""Timings: on which core, how often, and what is reported."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SERVER_CORE = 0
LOAD_CORE = 1


@dataclass(frozen=True)
class Timings:
    """Repeated measurements of the same thing, in seconds."""

    seconds: tuple[float, ...]

    @property
    def p50_ms(self) -> float:
        return self.quantile_ms(0.5)

    @property
    def p95_ms(self) -> float:
        return self.quantile_ms(0.95)

    def quantile_ms(self, share: float) -> float:
        return float(np.quantile(self.seconds, share)) * 1e3

    def raw(self) -> dict[str, object]:
        """Return every single measurement for the JSON, so that others can compute other statistics."""
        return {
            "n": len(self.seconds),
            "p50_ms": round(self.p50_ms, 4),
            "p95_ms": round(self.p95_ms, 4),
            "each_ms": [round(1e3 * value, 4) for value in self.seconds],
        }


def time_calls(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Return the duration of each call, in seconds."""
    taken = []
    for call in calls:
        started_s = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started_s)
    return taken


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run this thread, and the threads and processes it starts, on one core; no effect on a single one."""
    before = os.sched_getaffinity(0)
    if core in before:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def processor_s(pid: int) -> float:
    """Time that a process has spent on processors so far, all its threads together."""
    return time.clock_gettime(~pid << 3 | 2)  # What clock_getcpuclockid(3) of Linux names.


def machine_facts() -> dict[str, object]:
    """Return what a reader must know of the machine; no names and no paths."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory_kib = next(int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kib / 2**20, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scheduling": _scheduling(),
        "server_core": SERVER_CORE,
        "load_core": LOAD_CORE,
        "load_average_before": [round(value, 2) for value in os.getloadavg()],
    }


def _scheduling() -> str:
    """Return the priority of the process: on a busy machine a benchmark may run before other work."""
    if os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR):
        return "real time"
    autogroup = Path("/proc/self/autogroup")
    group = autogroup.read_text().rpartition(" ")[2].strip() if autogroup.exists() else "0"
    return f"nice {os.getpriority(os.PRIO_PROCESS, 0)}, autogroup nice {group}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
