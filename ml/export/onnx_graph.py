"""Classical networks, written node by node as ONNX files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Read by every ONNX Runtime since 1.15.
OPSET: Final = 17
IR_VERSION: Final = 8

Shapes = Mapping[str, tuple[int | str, ...]]
"""Of values by name; a size that is not fixed has a name."""


class OnnxGraph:
    """Nodes and constants of a network, named by number."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def node(self, operator: str, inputs: Sequence[str], *, name: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of what it gives."""
        from onnx import helper

        output = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, value: NDArray[np.floating] | NDArray[np.int64]) -> str:
        """Add a constant, int64 or else as float32; returns its name."""
        from onnx import numpy_helper

        kept = value if value.dtype == np.int64 else value.astype(np.float32)
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(kept), name))
        return name

    def written(self, name: str, inputs: Shapes, outputs: Shapes) -> bytes:
        """Return the network as a checked ONNX file; inputs and outputs are float32."""
        from onnx import TensorProto, checker, helper

        given, found = (
            [helper.make_tensor_value_info(one, TensorProto.FLOAT, shape) for one, shape in shapes.items()]
            for shapes in (inputs, outputs)
        )
        model = helper.make_model(
            helper.make_graph(self.nodes, name, given, found, self.initializers),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="pulseprint",
        )
        checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))
