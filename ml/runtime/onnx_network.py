"""An ONNX network opened for serving: one thread, one file, no telemetry."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.runtime.bundle import WEIGHTS_FILE, BundleError
from ml.runtime.preparation import FIXED, FREE, Inputs, Shape

# How a tensor kept outside the file begins: key "location" of an `external_data` entry.
EXTERNAL_DATA_MARK: Final = b"\x0a\x08location"


class OnnxNetwork:
    """A network from named arrays to named arrays, all float32."""

    def __init__(self, weights: bytes, *, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> None:
        """Open a network and check its inputs and outputs.

        Args:
            weights: An ONNX file.
            inputs, outputs: Shapes by name; the first output is the default.

        Raises:
            BundleError: Not such a network, or weights in other files.
        """
        self.sha256 = hashlib.sha256(weights).hexdigest()
        self._session = _open_session(weights)
        _require("inputs", inputs, self._session.get_inputs())
        _require("outputs", outputs, self._session.get_outputs())
        ports = (*self._session.get_inputs(), *self._session.get_outputs())
        self._sizes = {port.name: port.shape[-1] for port in ports}
        self._outputs = tuple(outputs)
        self._first_output = self._outputs[0]

    def output_size(self, output: str | None = None) -> int:
        """Return the last size of an output, which the network fixes."""
        return int(self._sizes[output or self._first_output])

    def input_size(self, name: str) -> int:
        """Return the last size of an input that the network fixes."""
        return int(self._sizes[name])

    def run(self, inputs: Inputs, output: str | None = None) -> NDArray[np.float32]:
        """Run the network; may be called from several threads."""
        wanted = output or self._first_output
        return np.asarray(self._session.run([wanted], dict(inputs))[0], dtype=np.float32)

    def run_all(self, inputs: Inputs) -> dict[str, NDArray[np.float32]]:
        """Run the network once for all outputs, by name; may be called from several threads."""
        found = self._session.run(list(self._outputs), dict(inputs))
        return {
            name: np.asarray(one, dtype=np.float32) for name, one in zip(self._outputs, found, strict=True)
        }


def _require(what: str, expected: Mapping[str, Shape], ports: Sequence[Any]) -> None:
    found = {port.name: port for port in ports}
    matches = found.keys() == expected.keys() and all(
        found[name].type == "tensor(float)" and _fits(shape, found[name].shape)
        for name, shape in expected.items()
    )
    if not matches:
        wanted = ", ".join(f"{name} tensor(float) ({_text(shape)})" for name, shape in expected.items())
        given = ", ".join(f"{port.name} {port.type} ({_text(port.shape)})" for port in ports)
        raise BundleError(f"{WEIGHTS_FILE}: expected the {what} {wanted}; found {given}")


def _fits(expected: Shape, declared: Sequence[object]) -> bool:
    if len(expected) != len(declared):
        return False
    pairs = zip(expected, declared, strict=True)
    return all(_fits_one(size, given) for size, given in pairs)


def _fits_one(expected: int | str, declared: object) -> bool:
    if expected == FREE:
        return not isinstance(declared, int)
    return isinstance(declared, int) and expected in (FIXED, declared)


def _text(shape: Sequence[object]) -> str:
    return ", ".join("?" if size is None else str(size) for size in shape)


def _open_session(weights: bytes) -> Any:
    if EXTERNAL_DATA_MARK in weights:
        raise BundleError(f"{WEIGHTS_FILE}: weights outside the file (external data) are refused")
    import onnxruntime as ort  # 0.1 s; not needed to read a bundle's card.

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class.
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise BundleError(f"{WEIGHTS_FILE}: ONNX Runtime refuses it: {reason}") from error
