"""No body makes the service take much more memory than the body itself, or more than a moment.

Measured in a process of its own, by the kernel's high-water mark of resident memory: what the parser takes in
Rust is no object of Python. One request at a time, each with a key that may make it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.odd_bodies import KNOWN, Cost

ROOT = Path(__file__).parents[2]
SAMPLE = 60
MAX_CPU_S = 0.2

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="peaks are read from Linux"
)


@pytest.fixture
def costs_of(sqlite_template, tmp_path):
    def spend(which):
        path = tmp_path / "pulseprint.db"
        shutil.copyfile(sqlite_template, path)
        # One arena, and large blocks go back at once: or a peak would hide in what was free before.
        settings = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072", "PYTHONPATH": str(ROOT)}
        made = subprocess.run(
            [sys.executable, "-m", "tests.attacks.odd_bodies", f"sqlite:///{path}", which],
            cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr[-2_000:]
        *lines, last = map(json.loads, made.stdout.splitlines())
        return [Cost(**line) for line in lines], last["kept_mib"]

    return spend


def test_odd_bodies_are_refused_at_little_cost(costs_of):
    costs, kept_mib = costs_of("all" if os.environ.get("PULSEPRINT_ATTACKS") == "long" else str(SAMPLE))

    assert {(cost.name, cost.route) for cost in costs} >= KNOWN
    assert [cost for cost in costs if cost.status >= 500] == []
    assert sum(cost.status < 400 for cost in costs) < len(costs) / 100  # Some numbers make a strip after all.
    assert [cost for cost in costs if cost.peak_mib > cost.allowed_mib] == []
    assert [cost for cost in costs if cost.cpu_s > MAX_CPU_S] == []
    assert kept_mib < 16  # What stays would hide in the peak of what comes next.


def test_the_largest_honest_bodies_take_no_more_memory(costs_of):
    costs, _ = costs_of("legitimate")

    assert {cost.code for cost in costs} <= {"", "signal_flat", "modality_unavailable"}
    assert [cost for cost in costs if cost.peak_mib > cost.allowed_mib] == []
