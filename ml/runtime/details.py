"""Comparing what vectors cannot hold: an encoder's own detail, such as the minutiae of a fingerprint.

Some encoders give beside their vector a `detail` that the service seals and stores without reading it, and
local vectors from which an index draws a shortlist. Two details are compared by the encoder that made them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class DetailComparer(ABC):
    """Opens and compares the details of one encoder; holds no state, and may be called from several threads.

    Attributes:
        best: How many products of local vectors add up to an id's score in a shortlist (see
            `app.domain.ports.index.TemplateIndex.shortlist`).
    """

    best: ClassVar[int]

    @abstractmethod
    def shortlist_size(self, enrolled: int) -> int:
        """Return how many of so many enrolled subjects a shortlist has to hold."""

    @abstractmethod
    def open(self, detail: bytes) -> Any:
        """Parse a detail into what `compare` reads; it is immutable and may be kept.

        Raises:
            ValueError: Not a detail of this encoder.
        """

    def mirrored(self, _opened: Any) -> Any:
        """Return an opened detail as a mirror shows it; None if the encoder cannot say.

        Whoever matches in the mirror only has sent an image that was flipped.
        """
        return None

    @abstractmethod
    def compare(self, probe: Sequence[Any], enrolled: Sequence[Sequence[Any]]) -> FloatArray:
        """Compare one probe with many subjects.

        Args:
            probe: The opened details of its recordings, at least one.
            enrolled: The opened details of each subject's references, at least one each.

        Returns:
            The similarity with each subject, within [−1, 1], 1 for equal details; float64, shape (n,). It is
            the encoder's own rule over all pairs of a recording and a reference. Single details compare alike
            in both orders, to the bit.
        """
