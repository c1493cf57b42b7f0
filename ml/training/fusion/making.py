"""From people's vectors to all that a fusion bundle holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ml.models.fusion_net import FusionNet, FusionNetConfig
from ml.runtime.calibration.llr import Calibration
from ml.runtime.fusion.fusion_bundle import combinations_of
from ml.training.fusion.calibrating import CombinationFigures, calibrate_combination
from ml.training.fusion.fitting import FusionFit, fit_fusion_net
from ml.training.fusion.people import Person, split

__all__ = ["FusionFit", "MadeFusion", "fit"]


@dataclass(frozen=True)
class MadeFusion:
    """A fitted and calibrated network.

    Args:
        network: The layers.
        calibrations: For every combination of at least two modalities.
        figures: Error rates on the calibration people.
        fitted, calibrated: Names of the people on either side.
    """

    network: FusionNet
    calibrations: Mapping[tuple[str, ...], Calibration]
    figures: Sequence[CombinationFigures]
    fitted: Sequence[str]
    calibrated: Sequence[str]


def fit(
    people: Sequence[Person],
    vector_sizes: Mapping[str, int],
    plan: FusionFit,
    report: Callable[[int], None] = lambda _: None,
) -> MadeFusion:
    """Fit a network to some of the people and calibrate it on the others.

    Args:
        people: Each with vectors of every modality.
        vector_sizes: Length of the vectors by modality, in the order of the mask.
        plan: How it is fitted.
        report: Called with the number of steps made.

    Raises:
        FusionDataError: Too few people.
    """
    fitted, calibrated = split(people)
    network = fit_fusion_net(fitted, FusionNetConfig(vector_sizes), plan, report)
    results = {
        chosen: calibrate_combination(calibrated, chosen, _fuse(network))
        for chosen in combinations_of(vector_sizes)
    }
    return MadeFusion(
        network,
        {chosen: calibration for chosen, (calibration, _) in results.items()},
        [figures for _, figures in results.values()],
        [person.name for person in fitted],
        [person.name for person in calibrated],
    )


def _fuse(
    network: FusionNet,
) -> Callable[[Mapping[str, NDArray[np.float32]]], NDArray[np.float32]]:
    """The network as the bundle will compute it."""
    sizes = network.config.vector_sizes

    def fuse(vectors: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        n = len(next(iter(vectors.values())))
        rows = [vectors.get(m, np.zeros((n, size), np.float32)) for m, size in sizes.items()]
        mask = np.tile(np.array([float(m in vectors) for m in sizes], np.float32), (n, 1))
        with torch.inference_mode():
            found = network([torch.from_numpy(part) for part in rows], torch.from_numpy(mask)).numpy()
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)

    return fuse
