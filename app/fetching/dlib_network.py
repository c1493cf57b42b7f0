"""dlib's face ResNet as an ONNX file: `image` (n, 3, 150, 150), RGB 0–255 → `vector` (n, 128).

Source: King, "Dlib-ml: A Machine Learning Toolkit", JMLR 10, 2009; the network of 2017, public domain by its
author.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.fetching.dlib_file import DlibLayer, DlibNetwork, read_dlib_network
from app.fetching.onnx_graphs import Graph

_PIXEL_SCALE: Final = 1.0 / 256.0
Shape = tuple[int, int, int]


def embedding_network(content: bytes) -> bytes:
    """Convert dlib's file."""
    network = read_dlib_network(content)
    return _Builder(network).build()


class _Builder:
    """Writes one layer after the other; `x` is the value so far, with its shape (channels, rows, columns)."""

    def __init__(self, network: DlibNetwork) -> None:
        self._network = network
        self._graph = Graph([], {})
        self._shapes: dict[str, Shape] = {}
        self._marked: dict[str, str] = {}

    def build(self) -> bytes:
        rows, columns = self._network.size
        mean = np.asarray(self._network.mean_rgb, dtype=np.float32).reshape(1, 3, 1, 1)
        centered = self._node("Sub", ["image", self._constant(mean)], (3, rows, columns))
        scale = self._constant(np.float32(_PIXEL_SCALE))
        x = self._node("Mul", [centered, scale], (3, rows, columns))
        layers = self._network.layers
        for layer, following in zip(layers, (*layers[1:], layers[-1]), strict=True):
            x = self._add(layer, following, x)
        self._graph.rename({x: "vector"})
        return self._graph.to_bytes({"image": ("n", 3, rows, columns)}, {"vector": ("n", 128)})

    def _add(self, layer: DlibLayer, following: DlibLayer, x: str) -> str:
        if layer.name in ("tag1", "tag2"):
            self._marked[layer.name] = x
        # A mark does nothing; an affine layer is in the convolution before it.
        if layer.kind in ("", "affine"):
            return self._marked["tag1"] if layer.name == "skip1" else x
        writers: Mapping[str, Callable[[], str]] = {
            "con": lambda: self._convolution(layer, following, x),
            "relu": lambda: self._node("Relu", [x], self._shapes[x]),
            "add": lambda: self._sum(x, self._marked["tag1" if layer.name == "add1" else "tag2"]),
            "fc": lambda: self._product(layer, x),
        }
        return writers[layer.kind]() if layer.kind in writers else self._pool(layer, x)

    def _product(self, layer: DlibLayer, x: str) -> str:
        weights = layer.parameters.reshape(-1, layer.shape["outputs"])[: layer.shape["inputs"]]
        flat = self._node("Flatten", [x], self._shapes[x], axis=1)
        return self._node("MatMul", [flat, self._constant(weights)], (128, 1, 1))

    def _convolution(self, layer: DlibLayer, affine: DlibLayer, x: str) -> str:
        shape, count = layer.shape, layer.shape["filters"]
        stored, biases = np.split(layer.parameters.astype(np.float64), [-count])
        weights = stored.reshape(count, -1, shape["rows"], shape["columns"])
        gain, offset = np.split(affine.parameters.astype(np.float64), 2)
        window = {
            "kernel_shape": [shape["rows"], shape["columns"]],
            "strides": [shape["stride"], shape["stride_x"]],
            "pads": [shape["pad"], shape["pad_x"]] * 2,
        }
        folded = weights * gain.reshape(-1, 1, 1, 1), biases * gain + offset
        constants = [self._constant(value.astype(np.float32)) for value in folded]
        rows, columns = self._after(layer, x)
        return self._node("Conv", [x, *constants], (count, rows, columns), **window)

    def _pool(self, layer: DlibLayer, x: str) -> str:
        shape, channels = layer.shape, self._shapes[x][0]
        if shape["rows"] == 0:
            return self._node("GlobalAveragePool", [x], (channels, 1, 1))
        rows, columns = self._after(layer, x)
        return self._node(
            "MaxPool" if layer.kind == "max_pool" else "AveragePool",
            [x],
            (channels, rows, columns),
            kernel_shape=[shape["rows"], shape["columns"]],
            strides=[shape["stride"], shape["stride_x"]],
            pads=[shape["pad"], shape["pad_x"]] * 2,
        )

    def _sum(self, x: str, other: str) -> str:
        """Add two maps; the smaller is continued with zeros, in rows, columns and channels."""
        one, two = self._shapes[x], self._shapes[other]
        largest = (max(one[0], two[0]), max(one[1], two[1]), max(one[2], two[2]))
        return self._node("Add", [self._padded(x, largest), self._padded(other, largest)], largest)

    def _padded(self, x: str, wanted: Shape) -> str:
        missing = [target - size for target, size in zip(wanted, self._shapes[x], strict=True)]
        if not any(missing):
            return x
        pads = np.array([0, 0, 0, 0, 0, *missing], dtype=np.int64)
        return self._node("Pad", [x, self._constant(pads)], wanted)

    def _after(self, layer: DlibLayer, x: str) -> tuple[int, int]:
        _, rows, columns = self._shapes[x]
        shape = layer.shape
        return (
            (rows + 2 * shape["pad"] - shape["rows"]) // shape["stride"] + 1,
            (columns + 2 * shape["pad_x"] - shape["columns"]) // shape["stride_x"] + 1,
        )

    def _constant(self, value: NDArray[Any] | np.float32) -> str:
        name = f"constant_{len(self._graph.constants)}"
        self._graph.constants[name] = np.ascontiguousarray(value) if np.ndim(value) else np.asarray(value)
        return name

    def _node(self, operator: str, inputs: list[str], shape: Shape, **attributes: Any) -> str:
        from onnx import helper

        name = f"value_{len(self._graph.nodes)}"
        self._graph.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        self._shapes[name] = shape
        return name
