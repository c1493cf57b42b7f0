"""Made-up people who rest, walk and so on: heartbeats of a rate, and a sway of a pace, per activity."""

from __future__ import annotations

import numpy as np

from ml.activity.examples import MotionFeatures, motion_features
from ml.activity.recipe import ActivityRecipe, HeadsPlan, TimelinePlan
from ml.activity.smoothing import stay_probability
from ml.data.motion import ACTIVITIES, ELECTRODES, MotionRecord, Stretch
from ml.evaluation.activity_timelines import Chaining
from ml.training.recipe import BundleNames
from tests.heartbeats import strip

FS_HZ = 250.0
# By activity: seconds between beats, pace of the sway in hertz, its size in millivolts.
MOVES = ((0.9, 0.3, 0.0), (0.75, 0.9, 0.15), (0.65, 1.8, 0.2), (0.45, 2.7, 0.3), (0.5, 0.6, 0.5))
RECIPE = ActivityRecipe(
    BundleNames("activity", "2026.11", "GPL-3.0"), HeadsPlan((10.0,), 3.0), TimelinePlan(10.0, 60.0), "0" * 64
)
CHAINING = Chaining(stay_probability(3.0, 60.0), 0.3)
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


def moving_features(n_people: int, context_s: float = 10.0) -> MotionFeatures:
    """Features of `moving_records`, of one length of window every 6 s."""
    return motion_features(moving_records(n_people), (context_s,), 6.0)
