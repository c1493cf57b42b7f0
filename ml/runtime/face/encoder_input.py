"""What an encoder wants of an aligned crop: `preprocessing` of a face bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.face.alignment import AlignmentTemplate

_CHANNELS: Final = {"rgb": (2, 1, 0), "bgr": (0, 1, 2)}
_FIELDS: Final = frozenset({"size", "points", "channels", "mean", "scale"})


@dataclass(frozen=True, eq=False)
class EncoderInput:
    """How a crop becomes the input of an encoder: (pixel − mean)·scale.

    Args:
        template: Where the landmarks lie in the crop.
        channels: Order of the colors, `rgb` or `bgr`.
        mean, scale: Of pixels from 0 to 255.
    """

    template: AlignmentTemplate
    channels: str
    mean: float
    scale: float

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> EncoderInput:
        """Read the JSON form.

        Raises:
            ValueError: Missing, unknown or impossible parameters.
        """
        if odd := sorted(_FIELDS ^ fields.keys()):
            raise ValueError(f"preprocessing: missing or unknown {odd}")
        if fields["channels"] not in _CHANNELS:
            raise ValueError(
                f"channels: expected one of {', '.join(_CHANNELS)}, found {fields['channels']!r}"
            )
        mean, scale = float(fields["mean"]), float(fields["scale"])
        if not (np.isfinite(mean) and np.isfinite(scale) and scale > 0.0):
            raise ValueError(f"expected a finite mean and a scale above 0, found {mean} and {scale}")
        points = np.asarray(fields["points"], dtype=np.float64)
        return cls(AlignmentTemplate(int(fields["size"]), points), fields["channels"], mean, scale)

    def of(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the input for one crop.

        Args:
            crop: Blue, green, red; uint8, shape (size, size, 3).

        Returns:
            float32, shape (1, 3, size, size).
        """
        ordered = crop[:, :, _CHANNELS[self.channels]].transpose(2, 0, 1)[None]
        return np.ascontiguousarray((ordered.astype(np.float32) - self.mean) * self.scale, dtype=np.float32)
