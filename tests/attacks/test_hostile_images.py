"""No image file crashes the service, or makes it take more than a bounded time and memory.

Each file is decoded three times: in color, in color at an eighth, in grey.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.hostile_images import Cost

ROOT = Path(__file__).parents[2]
MAX_CPU_S = 6.0  # Three times what 25 million pixels take with 32 scans, on a busy machine.
MAX_PEAK_MIB = 350.0
N_SHORT, N_LONG = 30_000, 1_000_000

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="peaks are read from Linux"
)


def run(*arguments):
    """Lines of JSON; the decoders' own words go nowhere."""
    settings = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072", "PYTHONPATH": str(ROOT)}
    made = subprocess.run(
        [sys.executable, "-m", "tests.attacks.hostile_images", *arguments],
        cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-2_000:]
    return [json.loads(line) for line in made.stdout.splitlines()]


@pytest.mark.parametrize("which", ["cheap-bombs", pytest.param("bombs", marks=pytest.mark.long_form)])
def test_files_that_promise_more_than_they_hold_cost_little(which):
    costs = [Cost(**line) for line in run(which)]

    outcomes = {cost.name: cost.outcome for cost in costs}
    assert outcomes["progressive JPEG, 25 million pixels, 32 scans"] == "decoded"
    assert outcomes["PNG of 8 × 8 that inflates to 4 000 MiB"] == "image_undecodable"
    assert outcomes["progressive JPEG, 25 million pixels, 4 MiB of scans"] == "image_undecodable"
    assert [cost for cost in costs if "claims" in cost.name and cost.outcome == "decoded"] == []
    assert [cost for cost in costs if cost.peak_mib > MAX_PEAK_MIB] == []
    assert [cost for cost in costs if cost.cpu_s > MAX_CPU_S] == []
    assert [c for c in costs if c.outcome != "decoded" and (c.cpu_s > 0.2 or c.peak_mib > 32)] == []


@pytest.mark.parametrize("n", [N_SHORT, pytest.param(N_LONG, marks=pytest.mark.long_form)])
def test_mutated_files_are_decoded_or_refused(n):
    (totals,) = run("mutations", str(n))

    outcomes = totals["outcomes"]
    assert outcomes.keys() == {"decoded", "image_undecodable", "image_too_large"}
    assert sum(outcomes.values()) == n
    assert min(outcomes.values()) > n / 200  # Mutations that all ended the same way would prove nothing.
    assert totals["dearest_s"] < MAX_CPU_S
    assert totals["peak_mib"] < MAX_PEAK_MIB
    assert totals["kept_mib"] < 32
