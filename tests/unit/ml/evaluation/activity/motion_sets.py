"""Small made-up motion sets."""

import numpy as np

from ml.data.motion import ACTIVITIES, ELECTRODES, MotionRecord, Stretch

FS_HZ = 250.0


def noise_record(
    person: str = "p0",
    activity: str = "rest",
    electrode: str = "textile",
    *,
    seconds: tuple[float, ...] = (62.0,),
    seed: int = 0,
) -> MotionRecord:
    """One recording of noise, in parts of these lengths."""
    rng = np.random.default_rng(seed)
    stretches, before_s = [], 0.0
    for length_s in seconds:
        signal = 2048.0 + 100.0 * rng.standard_normal(round(length_s * FS_HZ))
        stretches.append(Stretch(before_s, signal.astype(np.float32)))
        before_s += length_s
    return MotionRecord(
        f"{person}_{activity}_{electrode}", person, activity, electrode, FS_HZ, tuple(stretches)
    )


def whole_set(n_people: int = 4, seconds: float = 62.0) -> list[MotionRecord]:
    """Everybody in every activity with every electrode."""
    return [
        noise_record(f"p{person}", activity, electrode, seconds=(seconds,), seed=person)
        for person in range(n_people)
        for activity in ACTIVITIES
        for electrode in ELECTRODES
    ]
