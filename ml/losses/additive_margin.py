"""AM-softmax: the margin lowers the cosine."""

from __future__ import annotations

from torch import Tensor

from ml.losses.class_loss import ClassLoss


class AdditiveMargin(ClassLoss):
    """Softmax over scaled cosines, with `margin` subtracted from that of the own class.

    Source:
        Wang et al. 2018, "Additive margin softmax for face verification"; the same as CosFace.
    """

    def lowered(self, cosines: Tensor) -> Tensor:
        return cosines - self.margin
