"""Capture → unit vector in three steps: prepare (pure processing), infer (network), finish (unit norm)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml.runtime.encoding import Encoding
from ml.runtime.errors import CaptureError, NoVectorError
from ml.runtime.onnx_network import OnnxNetwork
from ml.runtime.preparation import LOCAL, Inputs, Preparation, Prepared


class Outputs(NamedTuple):
    """What a network gives before it is scaled; float32, shapes (n, d) and (m, l)."""

    vectors: NDArray[np.float32]
    local: NDArray[np.float32] | None


class VectorNetwork:
    """A network behind its preparation: all of an encoder but calibration and card."""

    def __init__(self, preparation: Preparation[Any], weights: bytes) -> None:
        """Open a network and check that it reads what the preparation makes.

        Raises:
            BundleError: Not such a network.
        """
        self.preparation = preparation
        self._network = OnnxNetwork(weights, inputs=preparation.reads, outputs=preparation.gives)

    @property
    def sha256(self) -> str:
        """Of the weights."""
        return self._network.sha256

    @property
    def vector_size(self) -> int:
        """Length of the vectors."""
        return self._network.output_size()

    @property
    def local_size(self) -> int:
        """Length of the local vectors; 0 if there are none."""
        return self._network.output_size(LOCAL) if LOCAL in self.preparation.gives else 0

    def encode(self, capture: Any) -> Encoding:
        """Turn a capture into a vector.

        Args:
            capture: What the preparation reads, such as `ml.runtime.ecg.raw_ecg.RawEcg`.

        Raises:
            CaptureError: One of its subclasses says what is wrong.
        """
        prepared = self.prepare(capture)
        outputs = self.infer(prepared.inputs)
        return Encoding(
            vector=self.finish(outputs.vectors)[0],  # (1, d) → (d,)
            evidence=prepared.evidence,
            reasons=prepared.reasons,
            facts=prepared.facts,
            local=None if outputs.local is None else self.finish(_with_direction(outputs.local)),
            detail=prepared.detail,
        )

    def vector(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return the unit vector of one prepared capture, float32, shape (d,).

        Raises:
            NoVectorError: The network finds nothing in it.
        """
        found: NDArray[np.float32] = self.finish(self.infer(inputs).vectors)[0]  # (1, d) → (d,)
        return found

    def prepare(self, capture: Any) -> Prepared:
        """Make of a capture what the network reads; arguments and errors as of `encode`."""
        return self.preparation.prepare(capture)

    def infer(self, inputs: Inputs) -> Outputs:
        """Run the network once."""
        found = self._network.run_all(inputs)
        local = found.pop(LOCAL, None)
        (vectors,) = found.values()
        return Outputs(vectors, local)

    def finish(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale vectors of the network to unit norm in full precision.

        Args:
            raw: float32, shape (n, d).

        Raises:
            NoVectorError: It has no direction.
        """
        wide = raw.astype(np.float64)
        norm = np.linalg.norm(wide, axis=1, keepdims=True)
        if not (np.isfinite(norm) & (norm > 0.0)).all():
            raise NoVectorError("the network finds nothing in the capture")
        return np.asarray(wide / norm, dtype=np.float32)

    def warm_up(self) -> None:
        """Load what loads at first use, so that the first capture does not wait for it."""
        with suppress(CaptureError):
            self.encode(self.preparation.example())


def _with_direction(local: NDArray[np.float32]) -> NDArray[np.float32]:
    """A part of a capture in which there is nothing has no vector."""
    return np.asarray(local[np.any(local != 0.0, axis=1)])
