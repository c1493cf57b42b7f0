"""`make bench`: measure the budgets of DESIGN §10 and save every raw number under results."""

from __future__ import annotations

import os

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"  # Before numpy is first imported: all figures are for one thread.

import argparse  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402

from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402

from benchmarks import (  # noqa: E402
    activity,
    cold_start,
    encode,
    encode_face,
    encode_network,
    enroll,
    fingerprints,
    identify_latency,
    memory,
    three_modalities,
    throughput,
    verbs,
)
from benchmarks.bench import Bench  # noqa: E402
from benchmarks.results import JSON_FILE, Line, print_table, save  # noqa: E402

BENCHMARKS: dict[str, Callable[[Bench], list[Line]]] = {
    "identify": identify_latency.measure,
    "throughput": throughput.measure,
    "encode": encode.measure,
    "encode-network": encode_network.measure,
    "enroll": enroll.measure,
    "cold-start": cold_start.measure,
    "memory": memory.measure,
    "verbs": verbs.measure,
    "activity": activity.measure,
    "fingerprints": fingerprints.measure,
}
# Measured only when named: they need the training environment, or a bundle that is fetched.
STUDIES: dict[str, Callable[[Bench], list[Line]]] = {
    "encode-face": encode_face.measure,
    "three-modalities": three_modalities.measure,
    "window-networks": encode_network.measure_candidates,
}


def main() -> int:
    """Return 0 if every measured budget is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS | STUDIES, help="measure only this; may be repeated"
    )
    parser.add_argument(
        "--quick", action="store_true", help="few repetitions, small galleries; nothing is saved"
    )
    options = parser.parse_args()
    console = Console()
    found = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bench = Bench(options.quick, progress)
        for name in bench.track(options.only or list(BENCHMARKS), "benchmarks"):
            found[name] = (BENCHMARKS | STUDIES)[name](bench)
            if not options.quick:
                save({name: found[name]}, quick=False)
    print_table(console, found)
    console.print("Nothing was saved (--quick)." if options.quick else f"Every raw number: {JSON_FILE}")
    missed = [line for lines in found.values() for line in lines if line.kept is False]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
