"""Code that would leave tensors on the CPU while its input is not, found without another device."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

MAKERS = {
    torch.arange, torch.empty, torch.eye, torch.full, torch.linspace, torch.normal, torch.ones, torch.rand,
    torch.randint, torch.randn, torch.randperm, torch.tensor, torch.tril_indices, torch.triu_indices,
    torch.zeros,
}  # fmt: skip


class HomelessTensorError(AssertionError):
    """A tensor was made without saying where."""


class NoHomelessTensors(TorchFunctionMode):
    """Within it, whatever makes a tensor must name a device.

    Scalars are let pass: they mix with tensors of any device.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        if func in MAKERS and (kwargs or {}).get("device") is None and made.ndim > 0:
            raise HomelessTensorError(f"{func.__name__} without a device")
        return made
