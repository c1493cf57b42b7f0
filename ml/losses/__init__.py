"""Losses of the networks, one per file: metric losses, and terms by which a teacher guides a student."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml.losses.additive_margin import AdditiveMargin
from ml.losses.arc_face import ArcFace
from ml.losses.batch_hard_triplet import BatchHardTriplet
from ml.losses.ignored_pairs import IgnoredPairs
from ml.losses.metric_loss import MetricLoss
from ml.losses.proxy_anchor import ProxyAnchor
from ml.losses.sub_center import SubCenterArcFace
from ml.losses.sup_con import SupCon

# These have a learned direction per class, so they need the number of classes and the embedding's length.
CLASS_LOSSES: Mapping[str, type[MetricLoss]] = {
    "additive_margin": AdditiveMargin,
    "arc_face": ArcFace,
    "proxy_anchor": ProxyAnchor,
    "sub_center": SubCenterArcFace,
}
PAIR_LOSSES: Mapping[str, type[MetricLoss]] = {"batch_hard_triplet": BatchHardTriplet, "sup_con": SupCon}
METRIC_LOSSES: Mapping[str, type[MetricLoss]] = {**CLASS_LOSSES, **PAIR_LOSSES}


def make_metric_loss(
    name: str,
    *,
    n_classes: int,
    embedding_size: int,
    ignored_pairs: IgnoredPairs | None = None,
    **options: float,
) -> MetricLoss:
    """Make a metric loss by the name that recipes use.

    Args:
        name: One of `METRIC_LOSSES`.
        n_classes: Labels are 0 … n_classes - 1.
        embedding_size: Length of an embedding.
        ignored_pairs: Pairs of classes that do not count as different.
        options: Further arguments of the class, such as `margin` and `scale`.

    Raises:
        ValueError: An unknown name; the message lists the known ones.
        TypeError: An unknown option.
    """
    if name not in METRIC_LOSSES:
        raise ValueError(f"metric loss: expected one of {sorted(METRIC_LOSSES)}, got {name!r}")
    shape: dict[str, Any] = {}
    if name in CLASS_LOSSES:
        shape = {"n_classes": n_classes, "embedding_size": embedding_size}
    return METRIC_LOSSES[name](**shape, ignored_pairs=ignored_pairs, **options)
