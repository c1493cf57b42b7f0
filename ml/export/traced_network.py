"""A torch module as one ONNX file, without traces of the machine; the same weights give the same bytes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ml.export.onnx_files import OPSET, without_origin


def traced_network(
    module: nn.Module, traced: Mapping[str, Tensor], output: str, *, free: Collection[str] = ()
) -> bytes:
    """Trace a module and write what it does.

    Args:
        module: In evaluation mode.
        traced: An example of every input by its name, float32.
        output: What the one output is called.
        free: Inputs of which there may be any number, along their first axis.
    """
    from onnx import checker

    with _quiet_exporter():
        program = torch.onnx.export(
            module,
            kwargs=dict(traced),
            input_names=list(traced),
            output_names=[output],
            dynamic_shapes={
                name: {0: torch.export.Dim("n", min=1)} if name in free else None for name in traced
            },
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    without_origin(model)
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Silences warnings of its own deprecated calls and of torchvision, which is not needed."""
    log = logging.getLogger("torch.onnx._internal.exporter._registration")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning)
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            yield
    finally:
        log.setLevel(before)
