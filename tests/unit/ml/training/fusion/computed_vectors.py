"""People whose vectors are directions with noise: no signal, no pictures."""

import numpy as np

from ml.training.fusion.people import Person, Vectors

SIZES = {"ecg": 24, "face": 16, "fingerprint": 32}


def computed_people(n, *, noise=0.6, captures=3, seed=7):
    """n people with captures around a direction of their own; `noise` is relative to it."""
    generator = np.random.default_rng(seed)
    return [
        Person(
            f"person-{number}",
            {modality: _captures(size, noise, captures, generator) for modality, size in SIZES.items()},
        )
        for number in range(n)
    ]


def _captures(size, noise, captures, generator):
    own = generator.standard_normal(size)
    rows = own + noise * np.linalg.norm(own) * generator.standard_normal((captures, size)) / size**0.5
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return Vectors(units.astype(np.float32), generator.uniform(0.4, 1.0, captures))
