"""A print as in a mirror: what a sensor or a program delivers that flips its pictures."""

from __future__ import annotations

import numpy as np

from ml.runtime.fingerprint.comparison.detail import PX_PER_UNIT, detail_of, open_detail
from ml.runtime.fingerprint.comparison.template import FingerprintTemplate
from ml.runtime.fingerprint.minutiae import Minutiae


def mirrored(template: FingerprintTemplate) -> FingerprintTemplate:
    """Return the template of the mirror image.

    Nobody can tell from one picture whether it is mirrored. Where a probe matches only as its mirror image,
    its pictures are flipped, not its finger another.
    """
    xy = np.stack([template.x.max() - template.x, template.y], axis=1) * PX_PER_UNIT
    minutiae = Minutiae(
        xy.astype(np.float32),
        ((np.pi - template.direction) % (2.0 * np.pi)).astype(np.float32),
        np.ones(len(template), np.float32),
    )
    return open_detail(detail_of(minutiae, dpi=template.dpi, quality=template.quality))
