"""Network encoders: every bundle there is, and what architectures of other sizes would take.

Load on the machine moves milliseconds: every round times `ecg-beat` too, and the ratio to it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench import Bench
from benchmarks.measuring import SERVER_CORE, Timings, on_core, time_calls
from benchmarks.paths import MODELS
from benchmarks.results import Line
from benchmarks.strips import FS_HZ, KNOWN_PEOPLE, PROBE_S
from ml.export.onnx_files import multiply_accumulates, open_session, parameter_count
from ml.runtime.bundle import ACTIVITY_KIND, WEIGHTS_FILE, read_bundle
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.signal.windows import WindowConfig, strip_windows
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.kinds import NETWORK_KIND
from ml.synthetic.ecg import SyntheticPerson

REFERENCE = "ecg-beat"
LIMITS_MS: Mapping[str, float] = {"ecg": 8.0, "ecg-edge": 2.0}
CANDIDATES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "ResNet-34": ("resnet1d", {}),
    "ResNet 64–256": (
        "resnet1d",
        {"widths": (64, 128, 192, 256), "blocks": (2, 2, 2, 2), "kernels": (7, 5, 5, 3)},
    ),
    "ResNet 48–160": (
        "resnet1d",
        {"widths": (48, 96, 128, 160), "blocks": (1, 1, 2, 2), "kernels": (7, 5, 3, 3)},
    ),
    "ResNet 32–96": (
        "resnet1d",
        {"widths": (32, 48, 64, 96), "blocks": (1, 2, 2, 2), "kernels": (7, 5, 3, 3)},
    ),
    "DeiT-tiny": ("deit1d", {}),
    "DeiT d 96": ("deit1d", {"width": 96, "blocks": 6, "mlp_ratio": 3.0}),
    "DeiT d 64": ("deit1d", {"width": 64, "blocks": 6, "heads": 2, "mlp_ratio": 3.0}),
}
"""Window networks by what they are; with random weights they take as long as with trained ones."""
_ROUNDS = 20
_WARM_UP_BATCHES = 10


def measure(bench: Bench) -> list[Line]:
    """Whole bundles from strip to vector; preparation and either polarity are inside."""
    strips = [
        SyntheticPerson.draw(person).record(PROBE_S, FS_HZ, session=1) for person in range(KNOWN_PEOPLE)
    ]
    folders = [path for path in sorted(MODELS.iterdir()) if path.is_dir()]
    bundles = [load_bundle(path) for path in folders if read_bundle(path).kind != ACTIVITY_KIND]
    chosen = [b for b in bundles if b.info.id == REFERENCE or b.info.kind == NETWORK_KIND]
    calls = {b.encoder_id: [partial(b.encode, RawEcg(strip, FS_HZ)) for strip in strips] for b in chosen}
    timings = _in_turn(bench, calls)
    return [_bundle_line(bundle, timings) for bundle in chosen]


def measure_candidates(bench: Bench) -> list[Line]:
    """Bare window networks on the windows of one strip, in floats and in 8 bits; needs torch."""
    strips = [_windows(person) for person in range(KNOWN_PEOPLE)]
    reference = next(load_bundle(path) for path in sorted(MODELS.glob(f"{REFERENCE}@*")))
    ecg = SyntheticPerson.draw(0).record(PROBE_S, FS_HZ, session=1)
    files: dict[str, bytes] = {}
    for name in bench.track(CANDIDATES, "export"):
        files |= _files(name, strips)
    calls: dict[str, list[Callable[[], object]]] = {
        reference.encoder_id: [partial(reference.encode, RawEcg(ecg, FS_HZ))]
    }
    for name, weights in files.items():
        session = open_session(weights)
        calls[name] = [partial(session.run, None, {"windows": windows}) for windows in strips[:5]]
    timings = _in_turn(bench, calls)
    base = timings[reference.encoder_id]
    return [
        _line(
            f"{name}, {len(strips[0])} windows without preparation",
            timings[name],
            base,
            _size(weights, len(strips[0])),
        )
        for name, weights in files.items()
    ]


def _files(name: str, strips: Sequence[NDArray[np.float32]]) -> dict[str, bytes]:
    """One architecture as floats and as 8-bit integers."""
    import torch

    from ml.export.quantization import quantize_network
    from ml.export.strip_network import window_network
    from ml.models.networks import make_network

    architecture, parameters = CANDIDATES[name]
    torch.manual_seed(0)
    network = make_network(architecture, parameters)
    with torch.no_grad():  # Running statistics as after training, or numbers grow from layer to layer.
        for windows in strips[:_WARM_UP_BATCHES]:
            network(torch.from_numpy(windows))
    floats = window_network(network)
    return {
        f"{name}, fp32": floats,
        f"{name}, int8": quantize_network(floats, [{"windows": w} for w in strips]),
    }


def _windows(person: int) -> NDArray[np.float32]:
    """What a window network reads of a strip; shape (n, n_samples)."""
    conditioned = condition(SyntheticPerson.draw(person).record(PROBE_S, FS_HZ, session=0), FS_HZ)
    return strip_windows(conditioned.ecg, np.ones(conditioned.ecg.size, dtype=np.bool_), WindowConfig())


def _in_turn(bench: Bench, calls: Mapping[str, Sequence[Callable[[], object]]]) -> dict[str, Timings]:
    """Time each kind of call once a round, so that load on the machine meets all alike."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    with on_core(SERVER_CORE):
        for each in calls.values():
            time_calls(each)  # To warm up.
        for _ in bench.track(range(bench.repeat(_ROUNDS)), "encode"):
            for name, each in calls.items():
                taken[name] += time_calls(each)
    return {name: Timings(tuple(times)) for name, times in taken.items()}


def _bundle_line(bundle: BundledEncoder, timings: Mapping[str, Timings]) -> Line:
    (base,) = (timing for name, timing in timings.items() if name.startswith(f"{REFERENCE}@"))
    weights = (MODELS / bundle.encoder_id / WEIGHTS_FILE).read_bytes()
    what = f"{bundle.encoder_id}: {PROBE_S:g} s at {FS_HZ:g} Hz to vector, either polarity, one thread"
    windows = len(_windows(0)) if bundle.info.kind == NETWORK_KIND else 1
    return _line(
        what, timings[bundle.encoder_id], base, _size(weights, windows), LIMITS_MS.get(bundle.info.id)
    )


def _size(weights: bytes, n_windows: int) -> dict[str, float]:
    return {
        "kib": round(len(weights) / 1024, 1),
        "parameters": parameter_count(weights),
        "million_macs": round(multiply_accumulates(weights, n_windows) / 1e6, 2),
    }


def _line(
    what: str, timing: Timings, base: Timings, size: Mapping[str, float], limit_ms: float | None = None
) -> Line:
    ratio = timing.p50_ms / base.p50_ms
    told = (
        f"{what}: p50 (p95 {timing.p95_ms:.2f} ms; {ratio:.2f} × {REFERENCE}; {size['kib']:.0f} KiB, "
        f"{size['parameters'] / 1e6:.2f} M parameters, {size['million_macs']:.1f} M MACs)"
    )
    return Line(
        told,
        f"{timing.p50_ms:.3g} ms",
        timing.p50_ms,
        "" if limit_ms is None else f"≤ {limit_ms:g} ms",
        None if limit_ms is None else timing.p50_ms <= limit_ms,
        {**timing.raw(), **size, "ratio_to_ecg_beat": round(ratio, 4)},
    )
