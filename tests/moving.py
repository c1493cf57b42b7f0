"""Made-up people who rest, walk and so on: heartbeats of a rate, and a sway of a pace, per activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml.data.motion import ACTIVITIES, ELECTRODES, MotionRecord, Stretch
from ml.evaluation.activity.timelines import Chaining
from ml.export.activity.building import write_activity_bundle
from ml.export.onnx_files import IR_VERSION, OPSET
from ml.runtime.ecg.activity.bundle import BundledRecognizer
from ml.runtime.ecg.activity.smoothing import stay_probability
from ml.runtime.ecg.activity.trunk import Trunk, TrunkWindows
from ml.training.activity.examples import MotionFeatures, motion_features
from ml.training.activity.fitting import FittedHead
from ml.training.activity.recipe import ActivityRecipe, HeadsPlan, TimelinePlan, TrunkPlan
from ml.training.recipe import BundleNames
from tests.heartbeats import strip

FS_HZ = 250.0
# By activity: seconds between beats, pace of the sway in hertz, its size in millivolts.
MOVES = ((0.9, 0.3, 0.0), (0.75, 0.9, 0.15), (0.65, 1.8, 0.2), (0.45, 2.7, 0.3), (0.5, 0.6, 0.5))
RECIPE = ActivityRecipe(
    BundleNames("activity", "2026.11", "GPL-3.0"),
    TrunkPlan("made-up", 3.0),
    HeadsPlan((10.0,), 3.0),
    TimelinePlan(10.0, 60.0),
    "0" * 64,
)
TRUNK_WINDOWS = TrunkWindows(step_s=3.0)
TRUNK_SIZE = 6
CHAININGS = (
    Chaining(stay_probability(3.0, 60.0), 0.3),
    Chaining(stay_probability(3.0, 60.0), 0.6, temperature=1.5),
)
CORRELATIONS = (0.7, 0.6)


def moving_signal(activity: int, seconds: float, seed: int = 0) -> np.ndarray:
    """A strip of one activity, in raw units as a device without calibration gives it, float32."""
    rr_s, pace_hz, size_mv = MOVES[activity]
    random = np.random.default_rng(seed)
    known = strip(FS_HZ, seconds, rr_s=rr_s * random.uniform(0.93, 1.07), seed=seed)
    times_s = np.arange(known.ecg_mv.size) / FS_HZ
    sway = size_mv * random.uniform(0.8, 1.2) * np.sin(2 * np.pi * pace_hz * times_s + seed)
    return (2000.0 + 400.0 * (known.ecg_mv + sway)).astype(np.float32)


def moving_records(n_people: int, seconds: float = 44.0) -> list[MotionRecord]:
    """People × electrodes × activities."""
    return [
        MotionRecord(
            record_id=f"{person}-{kind}-{name}",
            person=f"p{person}",
            activity=name,
            electrode=kind,
            fs_hz=FS_HZ,
            stretches=(
                Stretch(0.0, moving_signal(activity, seconds, 100 * person + 10 * electrode + activity)),
            ),
        )
        for person in range(n_people)
        for electrode, kind in enumerate(ELECTRODES)
        for activity, name in enumerate(ACTIVITIES)
    ]


def trunk_weights(size: int = TRUNK_SIZE) -> bytes:
    """A network of one layer that was never trained: the mean size of what lies along some directions."""
    from onnx import TensorProto, helper, numpy_helper

    n_samples = TRUNK_WINDOWS.n_samples
    directions = np.random.default_rng(7).standard_normal((n_samples, size)) / np.sqrt(n_samples)
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", length])
        for name, length in (("windows", n_samples), ("stages", size))
    ]
    nodes = [
        helper.make_node("MatMul", ["windows", "directions"], ["along"]),
        helper.make_node("Relu", ["along"], ["stages"]),
    ]
    constants = [numpy_helper.from_array(directions.astype(np.float32), "directions")]
    model = helper.make_model(
        helper.make_graph(nodes, "trunk", ports[:1], ports[1:], constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    return bytes(model.SerializeToString(deterministic=True))


def made_up_trunk() -> Trunk:
    """A trunk of `trunk_weights`."""
    return Trunk(trunk_weights(), TRUNK_WINDOWS)


def write_moving_bundle(
    models: Path, heads: Sequence[FittedHead], figures: Sequence[Mapping[str, Any]] = ()
) -> BundledRecognizer:
    """Write heads that were fitted to made-up people as the bundle of `RECIPE`."""
    return write_activity_bundle(
        models,
        RECIPE,
        trunk_weights(),
        heads,
        CHAININGS,
        correlations=CORRELATIONS,
        people=4,
        figures=figures,
    )


def moving_features(n_people: int, context_s: float = 10.0) -> MotionFeatures:
    """Features of `moving_records`, of one length of window every 6 s."""
    return motion_features(moving_records(n_people), (context_s,), made_up_trunk(), 6.0)
