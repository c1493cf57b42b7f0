"""Small bundles and mean beats for tests, made from people who do not exist."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ml.export.beat_network import beat_lda_network
from ml.export.bundle_writer import describe_mean_beat, write_bundle
from ml.models.beat_lda import BeatLda, BeatLdaConfig, fit_beat_lda
from ml.models.beat_views import beat_views
from ml.runtime.calibration.llr import Calibration
from ml.runtime.ecg.activity.feature_constants import newest_features
from ml.runtime.ecg.beat_preparation import standard_beat
from ml.runtime.ecg.mean_beat import MeanBeatConfig
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.strip_preparation import StripConfig, StripPreparation
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.evidence import SECONDS, EvidenceArray
from ml.runtime.kinds import NETWORK_KIND, newest_preparation
from ml.runtime.vector_network import VectorNetwork
from ml.synthetic.ecg import SyntheticPerson
from ml.training.calibration_fit import CohortScores, fit_calibration
from ml.training.recipe import BundleNames, Recipe

MEAN_BEAT = MeanBeatConfig()
VIEWS = beat_views(MEAN_BEAT.n_samples, round(MEAN_BEAT.before_s * MEAN_BEAT.fs_hz), MEAN_BEAT.fs_hz)
LDA = BeatLdaConfig(dimensions=8)
RECIPE = Recipe(bundle=BundleNames("tiny", "1", "Apache-2.0"), lda=LDA, sha256="0" * 64)


def beat_shapes(n_people: int = 30, n_takes: int = 4) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Standardized beats with a common R wave and personal bumps, every third person upside down."""
    rng = np.random.default_rng(7)
    time_s = np.arange(MEAN_BEAT.n_samples) / MEAN_BEAT.fs_hz - MEAN_BEAT.before_s
    shapes, people = [], []
    for person in range(n_people):
        centres = rng.uniform(-0.2, 0.4, 5)
        heights = 0.2 * rng.standard_normal(5)
        bumps = heights @ np.exp(-((time_s - centres[:, None]) ** 2) / 0.001)
        for _ in range(n_takes):
            beat = np.exp(-(time_s**2) / 0.0004) + bumps + 0.02 * rng.standard_normal(time_s.size)
            shapes.append(-beat if person % 3 == 0 else beat)
            people.append(person)
    stacked = np.array(shapes)
    centred = stacked - stacked.mean(axis=1, keepdims=True)
    return centred / centred.std(axis=1, keepdims=True), np.array(people)


def fitted_lda() -> BeatLda:
    """An encoder fitted to `beat_shapes`."""
    shapes, people = beat_shapes()
    return fit_beat_lda(shapes, people, VIEWS, LDA)


def write_tiny_bundle(models: Path) -> BundledEncoder:
    """Write `models/tiny@1`: real network, calibration fitted to noise."""
    rng = np.random.default_rng(3)
    cosine = np.clip(0.3 * rng.standard_normal((40, 40)) + 0.6 * np.eye(40), -1.0, 1.0)
    side = EvidenceArray(np.full(40, 10.0), SECONDS, np.full(40, 0.8))
    calibration = fit_calibration([CohortScores(cosine, side, side)], replicates=5)
    return write_bundle(
        models,
        describe_mean_beat(RECIPE, LDA.dimensions),
        beat_lda_network(fitted_lda()),
        calibration,
        calibration_data={"people": 40, "set": "noise", "non_mated_pairs": 780},
        operating_points=[],
        vector_size=LDA.dimensions,
    )


STRIP_CONFIG = StripConfig()
NETWORK_VECTOR_SIZE = 24
SYNTHETIC_PEOPLE = 60


@cache
def mean_synthetic_beat() -> NDArray[np.float32]:
    """What synthetic people have in common, upright."""
    beats = []
    for person in range(1000, 1030):
        ecg = condition(SyntheticPerson.draw(person).record(10.0, 250.0), 250.0)
        beats.append(standard_beat(ecg.ecg, ecg.accepted_r_peaks, STRIP_CONFIG.mean_beat))
    return np.mean(beats, axis=0, dtype=np.float32)


@cache
def tiny_network(
    *,
    windows: tuple[int | str, ...] = ("n", 368),
    beat: tuple[int | str, ...] = (1, MEAN_BEAT.n_samples),
    names: tuple[str, str, str] = ("windows", "beat", "vector"),
    element_type: int = TensorProto.FLOAT,
) -> bytes:
    """A network of kind `ecg-network` from random projections, and what is deliberately wrong with it.

    The mean beat turns windows and beat upright; rectified projections of the windows are averaged; so much
    of the beat as is not everybody's is projected; both go into the vector.
    """
    rng = np.random.default_rng(11)
    common = mean_synthetic_beat()
    sizes = (int(windows[-1]), int(beat[-1]))
    constants = {
        "upright": np.resize(common, (sizes[1], 1)),
        "common": np.resize(common, (1, sizes[1])),
        "zero": np.float32(0.0),
        "plus": np.float32(1.0),
        "minus": np.float32(-1.0),
        "share": np.float32(0.2),
        "of_windows": rng.standard_normal((sizes[0], 8)) / 20.0,
        "of_beat": rng.standard_normal((sizes[1], NETWORK_VECTOR_SIZE - 8)) / 10.0,
    }
    nodes = [
        helper.make_node("MatMul", [names[1], "upright"], ["likeness"]),
        helper.make_node("Less", ["likeness", "zero"], ["inverted"]),
        helper.make_node("Where", ["inverted", "minus", "plus"], ["sign"]),
        helper.make_node("Mul", [names[0], "sign"], ["upright_windows"]),
        helper.make_node("MatMul", ["upright_windows", "of_windows"], ["projected_windows"]),
        helper.make_node("Relu", ["projected_windows"], ["rectified"]),
        helper.make_node("ReduceMean", ["rectified"], ["pooled"], axes=[0], keepdims=1),
        helper.make_node("Mul", ["pooled", "share"], ["from_windows"]),
        helper.make_node("Mul", [names[1], "sign"], ["upright_beat"]),
        helper.make_node("Sub", ["upright_beat", "common"], ["own"]),
        helper.make_node("MatMul", ["own", "of_beat"], ["from_beat"]),
        helper.make_node("Concat", ["from_windows", "from_beat"], [names[2]], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(names[0], element_type, windows),
            helper.make_tensor_value_info(names[1], element_type, beat),
        ],
        [helper.make_tensor_value_info(names[2], element_type, [1, NETWORK_VECTOR_SIZE])],
        [
            numpy_helper.from_array(
                np.asarray(value, dtype=helper.tensor_dtype_to_np_dtype(element_type)), name
            )
            for name, value in constants.items()
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opset, ir_version=8)
    return model.SerializeToString(deterministic=True)


@cache
def network_calibration() -> Calibration:
    """Decibans of `tiny_network`, from synthetic people recorded twice."""
    network = VectorNetwork(StripPreparation(STRIP_CONFIG), tiny_network())
    people = [SyntheticPerson.draw(1000 + person) for person in range(SYNTHETIC_PEOPLE)]
    sides = [[network.encode(RawEcg(p.record(8.0, 250.0, seed=s), 250.0)) for p in people] for s in (1, 2)]
    vectors = [np.stack([encoding.vector for encoding in side]) for side in sides]
    evidence = [EvidenceArray.of([encoding.evidence for encoding in side]) for side in sides]
    scores = CohortScores(vectors[0] @ vectors[1].T, *evidence)
    return fit_calibration([scores], replicates=5)


ACTIVITY_FIELDS: Mapping[str, Any] = {
    "schema": 2,
    "kind": "activity",
    "modality": "ecg",
    "preprocessing": {},
    **newest_features(),
    "calibration": {},
    "calibration_data": {"people": 0, "set": "none"},
    "operating_points": [],
    "licence": "GPL-3.0",
    "training_data": ["no data: nothing was trained"],
    "recipe_sha256": "0" * 64,
    "git_revision": "unknown",
    "classes": ["rest", "walk", "run"],
    "groups": {"rest": ["rest"], "moving": ["walk", "run"]},
}


def write_activity_files(models: Path, encoder_id: str = "activity@1", **fields: Any) -> Path:
    """Write what is checked of an activity bundle, about weights that are none; its directory."""
    name, _, version = encoder_id.partition("@")
    contents = {"model.onnx": b"no network", "card.md": b"# Nothing that tells activities\n"}
    files = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
    directory = models / encoder_id
    directory.mkdir(parents=True)
    for file, content in contents.items():
        (directory / file).write_bytes(content)
    written = {**ACTIVITY_FIELDS, "id": name, "version": version, "files": files, **fields}
    (directory / "bundle.json").write_text(json.dumps(written))
    return directory


def write_network_bundle(
    models: Path,
    encoder_id: str = "ecg@1",
    *,
    weights: bytes | None = None,
    preprocessing: Mapping[str, Any] | None = None,
) -> BundledEncoder:
    """Write a bundle of kind `ecg-network` and load it back."""
    name, _, version = encoder_id.partition("@")
    contents = {"model.onnx": weights or tiny_network(), "card.md": b"# A network of random numbers\n"}
    fields = {
        "schema": 2,
        "id": name,
        "version": version,
        "kind": NETWORK_KIND,
        "modality": "ecg",
        "files": {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        "preprocessing": asdict(STRIP_CONFIG) if preprocessing is None else preprocessing,
        **newest_preparation(NETWORK_KIND),
        "vector_size": NETWORK_VECTOR_SIZE,
        "metric": "cosine",
        "calibration": network_calibration().to_dict(),
        "calibration_data": {"people": SYNTHETIC_PEOPLE, "set": "synthetic", "non_mated_pairs": 1770},
        "operating_points": [],
        "licence": "Apache-2.0",
        "training_data": ["no data: random numbers"],
        "recipe_sha256": "0" * 64,
        "git_revision": "unknown",
    }
    directory = models / encoder_id
    directory.mkdir(parents=True)
    for file, content in contents.items():
        (directory / file).write_bytes(content)
    (directory / "bundle.json").write_text(json.dumps(fields))
    return load_bundle(directory)
