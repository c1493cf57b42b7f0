"""The device of a training: a GPU if there is one."""

from __future__ import annotations

from itertools import chain

import torch
from torch import nn


class DeviceError(ValueError):
    """A device that cannot be used."""


def chosen_device(name: str | None = None) -> torch.device:
    """Return the device to train on.

    Args:
        name: As in torch, such as `cpu` or `cuda:1`; None: `cuda` if there is one, `cpu` otherwise.

    Raises:
        DeviceError: An unknown name, or a missing device.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device).cpu()
    except (RuntimeError, NotImplementedError, AssertionError) as error:
        raise DeviceError(f"device {name!r} cannot be used: {str(error).splitlines()[0]}") from error
    return device


def device_of(module: nn.Module) -> torch.device:
    """Return the device of a module's weights; `cpu` if it has none."""
    first = next(chain(module.parameters(), module.buffers()), None)
    return torch.device("cpu") if first is None else first.device


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """Return the state of the random numbers that networks draw from, by kind of device."""
    states = {"cpu": torch.get_rng_state()}
    return states | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else states


def set_random_state(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Restore a state; a device whose kind is missing keeps its own."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
