"""dlib's serialized face ResNet, read without dlib.

The format, as the file shows it: a whole number is one byte (bits 0–3 its length, bit 7 the sign) and so many
bytes, little-endian; a float is a mantissa and an exponent of 2; a text is its length and its bytes; a tensor
is version 2, four sizes and raw float32. Versions of the layers come first, those of the outermost first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.fetching.errors import WrongBytesError

FloatArray = NDArray[np.float32]

_STAGES: Final = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Filters, residual units, and whether the first of them halves the map."""
_MARKS: Final = ("tag1", "tag2", "skip1")
_VERSIONS: Final = {"con0": 3, **dict.fromkeys(_MARKS, 1)}


@dataclass(frozen=True)
class DlibLayer:
    """One layer.

    Args:
        name: Its place in the network, such as `con` or `tag1`.
        kind: What it does: `con affine relu max_pool avg_pool add fc`, or "" for a mark.
        parameters: Weights, then biases, as stored.
        shape: Whole numbers of the layer by name.
    """

    name: str
    kind: str = ""
    parameters: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    shape: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DlibNetwork:
    """The face network.

    Args:
        layers: From the input to the output.
        mean_rgb: What is subtracted from a pixel; it is then divided by 256.
        size: Height and width of the input.
    """

    layers: tuple[DlibLayer, ...]
    mean_rgb: tuple[float, float, float]
    size: tuple[int, int]


def layer_names() -> tuple[str, ...]:
    """Return the layers of the face network from the input to the output."""
    unit = ("con", "affine", "relu", "con", "affine")
    names = ["con0", "affine", "relu", "max"]
    for _, units, halved in _STAGES:
        for number in range(units):
            down = halved and number == 0
            names += ["tag1", *unit, *(("tag2", "skip1", "avg", "add2") if down else ("add1",)), "relu"]
    return (*names, "avgall", "fc")


def read_dlib_network(content: bytes) -> DlibNetwork:
    """Read the file `dlib_face_recognition_resnet_model_v1.dat`.

    Raises:
        WrongBytesError: Another network, or not dlib's format.
    """
    reader = _Reader(content)
    names = layer_names()
    reader.require("version of the network", reader.whole(), 1)
    reader.require("loss", reader.text(), "loss_metric_2")
    reader.real(), reader.real()  # Margin and distance of the loss.
    for name in reversed(names):
        reader.require(f"version of {name}", reader.whole(), _VERSIONS.get(name, 2))
    reader.require("input", reader.text(), "input_rgb_image_sized")
    mean = (reader.real(), reader.real(), reader.real())
    size = (reader.whole(), reader.whole())
    layers = tuple(reader.layer(name) for name in names)
    reader.require("bytes that remain", reader.remaining, 0)
    return DlibNetwork(layers, mean, size)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content, self._position = content, 0

    @property
    def remaining(self) -> int:
        return len(self._content) - self._position

    def require(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            raise WrongBytesError(f"dlib's file: {what}: expected {expected!r}, found {found!r}.")

    def take(self, count: int) -> bytes:
        if not 0 <= count <= self.remaining:
            raise WrongBytesError(f"dlib's file ends early: {count} bytes wanted, {self.remaining} left.")
        start, self._position = self._position, self._position + count
        return self._content[start : self._position]

    def whole(self) -> int:
        head = self.take(1)[0]
        value = int.from_bytes(self.take(head & 15), "little")
        return -value if head & 128 else value

    def real(self) -> float:
        mantissa, exponent = self.whole(), self.whole()
        return math.ldexp(float(mantissa), exponent)

    def truth(self) -> bool:
        return self.take(1) == b"1"

    def text(self) -> str:
        return self.take(self.whole()).decode("ascii", "replace")

    def tensor(self) -> FloatArray:
        self.require("version of a tensor", self.whole(), 2)
        sizes = [self.whole() for _ in range(4)]
        return np.frombuffer(self.take(4 * math.prod(sizes)), "<f4").reshape(sizes)

    def view(self) -> int:
        """A view into the parameters: its version and four sizes; their product."""
        self.require("version of a view", self.whole(), 1)
        return math.prod(self.whole() for _ in range(4))

    def layer(self, name: str) -> DlibLayer:
        """A layer with what surrounds it: three flags, and tensors that are empty in a trained network."""
        if name in _MARKS:
            return DlibLayer(name)
        found = self._details(name)
        for _ in range(3):
            self.truth()
        for _ in range(3):
            self.tensor()
        if name == "con0":
            self.whole()  # How many samples one image stands for.
        return found

    def _details(self, name: str) -> DlibLayer:
        stored = self.text()
        kind, _, version = stored.rpartition("_")
        readers: Mapping[str, Any] = {
            "con": self._convolution,
            "affine": self._affine,
            "fc": self._fully_connected,
            "max_pool": self._pool,
            "avg_pool": self._pool,
            "relu": lambda _: (None, {}),
            "add_prev": lambda _: (None, {}),
        }
        if kind not in readers:
            raise WrongBytesError(f"dlib's file: an unknown layer {stored!r}.")
        parameters, shape = readers[kind](version)
        if kind == "relu" and version == "2":
            self.truth()
        kind = "add" if kind == "add_prev" else kind
        return DlibLayer(name, kind, np.empty(0, np.float32) if parameters is None else parameters, shape)

    def _convolution(self, version: str) -> tuple[FloatArray, dict[str, int]]:
        parameters = self.tensor().ravel()
        shape = self._shape("filters", "rows", "columns", "stride", "stride_x", "pad", "pad_x")
        self.view(), self.view()
        self._rates()
        if version == "5":
            self.truth()
        return parameters, shape

    def _affine(self, version: str) -> tuple[FloatArray, dict[str, int]]:
        parameters = self.tensor().ravel()
        self.view(), self.view(), self.whole()
        if version == "2":
            self.truth()
        return parameters, {}

    def _fully_connected(self, version: str) -> tuple[FloatArray, dict[str, int]]:
        shape = self._shape("outputs", "inputs")
        parameters = self.tensor().ravel()
        self.view(), self.view(), self.whole()
        self._rates()
        if version == "3":
            self.truth()
        return parameters, shape

    def _pool(self, _: str) -> tuple[None, dict[str, int]]:
        return None, self._shape("rows", "columns", "stride", "stride_x", "pad", "pad_x")

    def _shape(self, *names: str) -> dict[str, int]:
        return {name: self.whole() for name in names}

    def _rates(self) -> None:
        """Rates of learning and of weight decay, of weights and biases."""
        for _ in range(4):
            self.real()
