"""Sub-center ArcFace: a class has several directions, of which the nearest counts."""

from __future__ import annotations

from ml.losses.arc_face import ArcFace
from ml.losses.ignored_pairs import IgnoredPairs


class SubCenterArcFace(ArcFace):
    """ArcFace with room for a class's noisy recordings beside its clean ones.

    Source:
        Deng et al. 2020, "Sub-center ArcFace: boosting face recognition by large-scale noisy web faces".
    """

    def __init__(
        self,
        n_classes: int,
        embedding_size: int,
        *,
        scale: float = 30.0,
        margin: float = 0.2,
        ignored_pairs: IgnoredPairs | None = None,
        sub_centers: int = 2,
    ) -> None:
        super().__init__(
            n_classes,
            embedding_size,
            scale=scale,
            margin=margin,
            ignored_pairs=ignored_pairs,
            sub_centers=sub_centers,
        )
