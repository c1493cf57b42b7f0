"""Relational distillation: distances and angles between people as in the teacher's space."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ml.losses.distillation_term import DistillationTerm
from ml.models.features import Features


class KdRelation(DistillationTerm):
    """Distances between pairs and angles within triples of a batch, each compared by Huber's loss.

    Unit vectors, since recognition compares cosines. The lengths of the embeddings may differ: nothing is
    projected.

    Args:
        distance_weight: Of the pairs.
        angle_weight: Of the triples.
        angle_samples: Samples of a batch, from its start, that form triples: their number grows as the cube.

    Source:
        Park et al. 2019, "Relational knowledge distillation", equations 4 to 8.
    """

    def __init__(
        self, *, distance_weight: float = 1.0, angle_weight: float = 2.0, angle_samples: int = 64
    ) -> None:
        super().__init__()
        self.distance_weight = distance_weight
        self.angle_weight = angle_weight
        self.angle_samples = angle_samples

    def of_features(self, student: Features, teacher: Features, labels: Tensor) -> Tensor:  # noqa: ARG002
        learning = functional.normalize(student.embedding)
        wanted = functional.normalize(teacher.embedding)
        distance = functional.smooth_l1_loss(_distances(learning), _distances(wanted))
        n = self.angle_samples
        angle = functional.smooth_l1_loss(_angle_cosines(learning[:n]), _angle_cosines(wanted[:n]))
        return self.distance_weight * distance + self.angle_weight * angle


def _distances(units: Tensor) -> Tensor:
    """Distances of all pairs, in units of their mean."""
    distances = functional.pdist(units)
    return distances / distances.mean().clamp_min(1e-6)


def _angle_cosines(units: Tensor) -> Tensor:
    """Cosines at each sample, between the directions to all pairs of others; (n, d) → (n, n, n)."""
    # Samples closer than eps count as one point: their direction is noise, its gradient unbounded.
    directions = functional.normalize(units[None] - units[:, None], dim=2, eps=1e-4)
    return torch.bmm(directions, directions.transpose(1, 2))
