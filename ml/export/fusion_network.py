"""Fitted fusion layers → ONNX network."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from ml.export.onnx_files import IR_VERSION, OPSET
from ml.models.fusion_net import FusionNet
from ml.runtime.fusion.fusion_bundle import MASK, OUTPUT


def fusion_network(network: FusionNet) -> bytes:
    """Write the layers as one ONNX file: a vector (n, d) per modality and `mask` (n, m) → `vector` (n, e).

    Vectors of absent modalities are zeros. Same weights, same bytes.
    """
    from onnx import TensorProto, checker, helper

    sizes = network.config.vector_sizes
    first, _, second = network.layers
    inputs = {**sizes, MASK: len(sizes)}
    model = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Concat", list(inputs), ["features"], axis=1),
                helper.make_node("Gemm", ["features", "w1", "b1"], ["hidden"], transB=1),
                helper.make_node("Relu", ["hidden"], ["active"]),
                helper.make_node("Gemm", ["active", "w2", "b2"], [OUTPUT], transB=1),
            ],
            "fusion",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", n]) for name, n in inputs.items()],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", network.config.embedding_size])],
            [*_constants(first, "1"), *_constants(second, "2")],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="pulseprint",
    )
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _constants(layer: nn.Module, number: str) -> list[Any]:
    from onnx import numpy_helper

    assert isinstance(layer, nn.Linear)
    values = {"w": layer.weight, "b": layer.bias}
    return [
        numpy_helper.from_array(np.ascontiguousarray(value.detach().numpy()), name + number)
        for name, value in values.items()
    ]
