"""Where a training computes: on a graphics processor if there is one."""

from __future__ import annotations

from itertools import chain

import torch
from torch import nn


class DeviceError(ValueError):
    """A device that cannot be computed on."""


def chosen_device(name: str | None = None) -> torch.device:
    """The device to train on.

    Args:
        name: As torch names it, such as `cpu` or `cuda:1`; None: `cuda` if there is one, `cpu` otherwise.

    Raises:
        DeviceError: An unknown name, or a device that is not there.
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
    """Where the weights of a module are; `cpu` if it has none."""
    first = next(chain(module.parameters(), module.buffers()), None)
    return torch.device("cpu") if first is None else first.device


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """State of the random numbers that networks draw from, by the kind of their device."""
    states = {"cpu": torch.get_rng_state()}
    return states | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else states


def set_random_state(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Go on from a state; a device whose kind is not among them goes on from where it is."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
