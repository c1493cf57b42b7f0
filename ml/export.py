"""Fitted weights → ONNX network → checked bundle with a card."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.bundle import BUNDLE_FILE, CARD_FILE, MEAN_BEAT_KIND, SCHEMA, WEIGHTS_FILE
from ml.calibration import Calibration
from ml.encoder import EcgEncoder, load_bundle
from ml.models.beat_lda import BeatLda
from ml.models.beat_views import WHOLE_VARIANCE_FLOOR
from ml.training.recipe import Recipe

# Old enough for every ONNX Runtime since 1.15.
OPSET = 17
IR_VERSION = 8
TRAINING_DATA = ("PhysioNet/CinC Challenge 2017, train people of our split (ODC-By 1.0)",)


def beat_lda_network(fitted: BeatLda) -> bytes:
    """Write the whole encoder as one ONNX file: turn upright, project, give unit norm.

    Args:
        fitted: Polarity, mean and projection.

    Returns:
        A network `beats` float32 (n, n_samples) → `vectors` float32 (n, d). Same weights, same bytes.
    """
    from onnx import TensorProto, checker, helper

    graph = _Graph()
    value = graph.node("MatMul", ["beats", graph.constant(fitted.polarity[:, None])])
    inverted = graph.node("Less", [value, graph.constant(np.array(0.0))])
    sign = graph.node("Where", [inverted, graph.constant(np.array(-1.0)), graph.constant(np.array(1.0))])
    upright = graph.node("Mul", ["beats", sign])
    features = _views(graph, upright, fitted)
    projected = graph.node("MatMul", [features, graph.constant(fitted.projection)])
    centred = graph.node("Sub", [projected, graph.constant(fitted.mean @ fitted.projection)])
    norm = graph.node("ReduceL2", [centred], axes=[1], keepdims=1)
    safe_norm = graph.node("Max", [norm, graph.constant(np.array(np.finfo(np.float32).tiny, np.float64))])
    graph.node("Div", [centred, safe_norm], name="vectors")
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "beat_lda",
            [helper.make_tensor_value_info("beats", TensorProto.FLOAT, ["n", fitted.polarity.size])],
            [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", fitted.projection.shape[1]])],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="pulseprint",
    )
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


class _Graph:
    """Nodes and constants of a network, named by number."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def node(self, operator: str, inputs: Sequence[str], *, name: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, value: NDArray[np.floating] | NDArray[np.int64]) -> str:
        from onnx import numpy_helper

        kept = value if value.dtype == np.int64 else value.astype(np.float32)
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(kept), name))
        return name


def _views(graph: _Graph, upright: str, fitted: BeatLda) -> str:
    """The same as `ml.models.beat_views.apply_views`."""
    differences = [upright]
    for order in range(max(view.order for view in fitted.views)):
        length = fitted.polarity.size - order
        later, earlier = (
            _slice(graph, differences[-1], 1, length),
            _slice(graph, differences[-1], 0, length - 1),
        )
        slope = graph.node("Sub", [later, earlier])
        differences.append(_standardised(graph, slope, WHOLE_VARIANCE_FLOOR))
    pieces = [
        _standardised(graph, _slice(graph, differences[v.order], v.start, v.stop), v.variance_floor)
        for v in fitted.views
    ]
    return graph.node("Concat", pieces, axis=1)


def _slice(graph: _Graph, rows: str, start: int, stop: int) -> str:
    limits = [graph.constant(np.array([value], dtype=np.int64)) for value in (start, stop, 1)]
    return graph.node("Slice", [rows, *limits])


def _standardised(graph: _Graph, rows: str, variance_floor: float) -> str:
    mean = graph.node("ReduceMean", [rows], axes=[1], keepdims=1)
    centred = graph.node("Sub", [rows, mean])
    square = graph.node("Mul", [centred, centred])
    variance = graph.node("ReduceMean", [square], axes=[1], keepdims=1)
    floored = graph.node("Add", [variance, graph.constant(np.array(variance_floor))])
    return graph.node("Div", [centred, graph.node("Sqrt", [floored])])


def write_bundle(
    models: Path,
    recipe: Recipe,
    weights: bytes,
    calibration: Calibration,
    *,
    calibration_data: Mapping[str, Any],
    operating_points: Sequence[Mapping[str, Any]],
    vector_size: int,
) -> EcgEncoder:
    """Write `models/<id>@<version>/` and load it back.

    Raises:
        BundleError: What was written cannot be served.
    """
    names = recipe.bundle
    directory = models / f"{names.id}@{names.version}"
    directory.mkdir(parents=True, exist_ok=True)
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "id": names.id,
        "version": names.version,
        "kind": MEAN_BEAT_KIND,
        "modality": "ecg",
        "preprocessing": asdict(recipe.mean_beat),
        "vector_size": vector_size,
        "metric": "cosine",
        "licence": names.licence,
        "training_data": list(TRAINING_DATA),
        "recipe_sha256": recipe.sha256,
        "git_revision": git_revision(),
        "operating_points": list(operating_points),
        "calibration_data": dict(calibration_data),
        "calibration": _rounded(calibration.to_dict()),
    }
    contents = {WEIGHTS_FILE: weights, CARD_FILE: card(fields).encode()}
    fields["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    (directory / BUNDLE_FILE).write_text(_readable_json(fields) + "\n", encoding="utf-8")
    return load_bundle(directory)


def card(fields: Mapping[str, Any]) -> str:
    """Write the model card from the fields of `bundle.json`."""
    about = fields["calibration_data"]
    rows = "\n".join(
        f"| {p['seconds']:g} | {p['fmr']:g} | {p['threshold_db']:.2f} | {100 * p['measured_fmr']:.3f} % "
        f"| {p['non_matches']}/{p['mated']} = {100 * p['fnmr']:.1f} % "
        f"({100 * p['fnmr_interval_95'][0]:.1f}–{100 * p['fnmr_interval_95'][1]:.1f}) "
        f"| {p['failures_to_acquire']} |"
        for p in fields["operating_points"]
    )
    window = fields["preprocessing"]
    return f"""# {fields["id"]}@{fields["version"]}

Identity vector from one lead of ECG: the robust mean heartbeat ({window["before_s"]:g} s before to
{window["after_s"]:g} s after the centre of the QRS, {window["fs_hz"]:g} Hz, standardised), turned upright
by a linear functional, projected on {fields["vector_size"]} discriminant axes scaled by within-person
scatter, unit norm. Vectors compare by {fields["metric"]}, and only with vectors of this version.

- Licence: {fields["licence"]}. Weights fitted to: {"; ".join(fields["training_data"])}.
  Cite the sets and PhysioNet.
- Amplitude and polarity of a strip change nothing; leads far from lead I were not trained on.
- Recipe {fields["recipe_sha256"][:12]}, code {fields["git_revision"][:12]}.

## Calibration

{about["people"]} people ({about["set"]}), none of them used for fitting weights;
{about["non_mated_pairs"]} unordered pairs of people. **Mated scores: same recording** (first against last
seconds, at most half the recording each): they know nothing of other days, other sensors or other postures.
Expect more false non-matches there, and let a gallery of 30 subjects or more correct its own null.

Error rates on those same people. A failure to acquire counts as a non-match; intervals are 95 % (Wilson).

| seconds | policy FMR | threshold dB | measured FMR | FNMR (interval) | failures to acquire |
|---|---|---|---|---|---|
{rows}

## Limits

- The recordings are hand-held, from one make of device, many of them of patients with arrhythmia; the labels
  tell neither age nor sex nor ethnicity, so nothing is known of differences between groups.
- Heart rate moves the T wave and with it the vector; new conduction blocks or infarctions change it.
- Not a medical device, and not proof against replay: a re-sent recording is not detected.
"""


def git_revision() -> str:
    """Commit of the code that runs, with `+` if files of `ml` differ; `unknown` outside a checkout."""
    try:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _rounded(value: Any) -> Any:
    """Eight digits are more than the data carry, and halve the file."""
    if isinstance(value, float):
        return float(f"{value:.8g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value


def _readable_json(fields: Mapping[str, Any]) -> str:
    """Indent objects, keep lists of numbers on one line."""
    lines = (f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items())
    return "{\n" + ",\n".join(lines) + "\n}"
