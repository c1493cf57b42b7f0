"""ArcFace: the margin widens the angle."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ml.losses.class_loss import ClassLoss


class ArcFace(ClassLoss):
    """Softmax over scaled cosines, with `margin` radians added to the angle of the own class.

    Source:
        Deng et al. 2019, "ArcFace: additive angular margin loss for deep face recognition".
    """

    def lowered(self, cosines: Tensor) -> Tensor:
        # The sum formula avoids the arc cosine, whose slope is infinite at 1; the sine's is clipped there.
        sines = (1.0 - cosines.square()).clamp_min(1e-6).sqrt()
        turned = cosines * math.cos(self.margin) - sines * math.sin(self.margin)
        # Beyond 180° the cosine would rise again; from there on the loss continues as a straight line.
        straight = cosines - self.margin * math.sin(self.margin)
        return torch.where(cosines > -math.cos(self.margin), turned, straight)
