"""The stages of a fingerprint bundle: fit network and combiner, then calibrate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ml.data.fingerprints import DEVELOPMENT, read_fvc
from ml.export.cylinder_network import cylinder_network
from ml.runtime.fingerprint.comparison.combiner import Combiner
from ml.runtime.fingerprint.comparison.detail import open_detail
from ml.runtime.fingerprint.comparison.template import FingerprintTemplate
from ml.runtime.fingerprint.preparation import MOST_LOCAL_VECTORS
from ml.training.fingerprint.combiner_fit import compare_all, fit_combiner
from ml.training.fingerprint.cylinder_axes import fit_cylinder_axes
from ml.training.fingerprint.impressions import TrainingPrint, extract_computed, extract_files
from ml.training.fingerprint.recipe import FingerprintRecipe


@dataclass(frozen=True)
class FittedFingerprint:
    """What is fitted to development people.

    Args:
        weights: The network, an ONNX file.
        combiner: Of what comparisons find.
        impressions: How many the network was fitted to.
    """

    weights: bytes
    combiner: Combiner
    impressions: int


def fit(data: Path, recipe: FingerprintRecipe, cache: Path) -> FittedFingerprint:
    """Fit the network to FVC2000 and computed fingers, the combiner to FVC2000 alone.

    Args:
        data: Folder that holds `fingerprint/`.
        recipe: The experiment.
        cache: Folder for extracted minutiae.
    """
    real = {name: _usable(extract_files(name, read_fvc(data, name), cache)) for name in DEVELOPMENT}
    computed = _usable(extract_computed(recipe.computed.fingers, cache))
    prints = [one for part in (*real.values(), computed) for one in part]
    fillings = [one.written.fillings[:MOST_LOCAL_VECTORS] for one in prints if one.written]
    axes = fit_cylinder_axes(fillings, [one.finger for one in prints], recipe.axes)
    compared = {
        name: compare_all([opened(one) for one in part], [one.finger for one in part])
        for name, part in real.items()
    }
    return FittedFingerprint(cylinder_network(axes), fit_combiner(compared, recipe.combiner), len(prints))


def opened(impression: TrainingPrint) -> FingerprintTemplate:
    """Open the detail of an impression that was not refused."""
    assert impression.written is not None
    return open_detail(impression.written.detail)


def _usable(prints: list[TrainingPrint]) -> list[TrainingPrint]:
    return [one for one in prints if one.written is not None]
