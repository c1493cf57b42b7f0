"""Fit the axes and code words of cylinders to impressions of known fingers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.models.cylinder_vectors import CylinderAxes, unit, vlad

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CylinderAxesConfig:
    """Args:
    local_dimensions: Length of the vector of one cylinder.
    whitening: Principal axes are divided by their variance to this power; ½ is full whitening.
    words: Number of code words.
    sharpness: See `CylinderAxes`.
    vector_dimensions: Length of the vector of an impression.
    subspace: Principal axes of VLADs that the discriminant axes are sought in.
    shrinkage: Share of the within-finger scatter that is replaced by its mean variance.
    seed: Of the code words.
    """

    local_dimensions: int = 48
    whitening: float = 0.25
    words: int = 64
    sharpness: float = 30.0
    vector_dimensions: int = 256
    subspace: int = 400
    shrinkage: float = 0.2
    seed: int = 20261201


def fit_cylinder_axes(
    fillings: Sequence[NDArray[np.floating]], fingers: Sequence[str], config: CylinderAxesConfig
) -> CylinderAxes:
    """Fit to impressions.

    Args:
        fillings: Of each impression, shape (n_cylinders, cells).
        fingers: Whose impression each is, unique over all sets.
        config: Sizes.
    """
    roots = np.sqrt(np.concatenate(fillings).astype(np.float64))
    mean = roots.mean(axis=0)
    variance, axes = np.linalg.eigh(np.cov((roots - mean).T))
    kept = slice(-1, -config.local_dimensions - 1, -1)
    local = axes[:, kept] / variance[kept] ** config.whitening
    parts = [unit((np.sqrt(one.astype(np.float64)) - mean) @ local) for one in fillings]
    words = _code_words(np.concatenate(parts), config)
    vlads = np.stack([vlad(one, words, config.sharpness) for one in parts])
    center = vlads.mean(axis=0)
    whole = _discriminant_axes(vlads - center, np.unique(fingers, return_inverse=True)[1], config)
    return CylinderAxes(mean, local, words, config.sharpness, center, whole)


def _code_words(local: FloatArray, config: CylinderAxesConfig) -> FloatArray:
    from sklearn.cluster import MiniBatchKMeans

    clusters = MiniBatchKMeans(
        config.words, n_init=2, batch_size=4096, max_iter=60, random_state=config.seed % 2**32
    )
    return np.asarray(clusters.fit(local).cluster_centers_, dtype=np.float64)


def _discriminant_axes(
    centered: FloatArray, finger: NDArray[np.int64], config: CylinderAxesConfig
) -> FloatArray:
    """Whiten the scatter within fingers, then take the principal axes of their means."""
    _, scale, rows = np.linalg.svd(centered, full_matrices=False)
    rank = min(config.subspace, int((scale > 1e-5).sum()))
    basis = rows[:rank].T  # (k · l, rank)
    inside = centered @ basis
    means = np.stack([inside[finger == one].mean(axis=0) for one in range(finger.max() + 1)])
    deviations = inside - means[finger]
    within = deviations.T @ deviations / max(len(inside) - len(means), 1)
    within = (1.0 - config.shrinkage) * within + config.shrinkage * np.trace(within) / rank * np.eye(rank)
    variance, axes = np.linalg.eigh(within)
    whitener = axes / np.sqrt(variance)
    spread, directions = np.linalg.eigh(np.cov((means @ whitener).T))
    order = np.argsort(-spread)[: config.vector_dimensions]
    return np.asarray(basis @ whitener @ directions[:, order])
