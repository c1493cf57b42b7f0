"""Cost of a network: weights, multiplications, and time on one thread of a CPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ml.research.dt4ecg.network.attention_mha import MultiHeadSelfAttention


@dataclass(frozen=True)
class Latency:
    """Time of one window.

    Args:
        median_ms: Milliseconds of the middle call.
        p95_ms: Milliseconds that 19 of 20 calls did not exceed.
    """

    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Cost:
    """Cost of one window.

    Args:
        parameters: Numbers that training changes.
        macs: Multiplications with addition.
        latency: On one thread of a CPU.
    """

    parameters: int
    macs: int
    latency: Latency


def measured_cost(network: nn.Module, n_samples: int) -> Cost:
    """Return the cost of one window of `n_samples` in evaluation mode; the network's mode is restored."""
    return Cost(
        parameters=count_parameters(network),
        macs=multiply_accumulates(network, n_samples),
        latency=one_thread_latency(network, n_samples),
    )


def count_parameters(network: nn.Module) -> int:
    """Count trainable numbers, without running statistics."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def multiply_accumulates(network: nn.Module, n_samples: int) -> int:
    """Count multiplications with addition for one window, in a forward pass.

    Convolutions, linear layers, recurrent gates and the two products of self-attention count. Biases,
    normalization, activations, means and the products of attention weights do not: papers leave them out.
    """
    counted = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        nonlocal counted
        counted += _macs_of(layer, inputs[0], output[0] if isinstance(output, tuple) else output)

    hooks = [layer.register_forward_hook(count) for layer in network.modules()]
    try:
        with _evaluated(network):
            network(torch.zeros(1, n_samples))
    finally:
        for hook in hooks:
            hook.remove()
    return counted


def one_thread_latency(
    network: nn.Module,
    n_samples: int,
    *,
    n_calls: int = 200,
    n_warm_up: int = 20,
    now_s: Callable[[], float] = time.perf_counter,
) -> Latency:
    """Time the forward pass of one window, in eager PyTorch on one thread.

    Args:
        network: On the CPU.
        n_samples: Length of the window.
        n_calls: Calls that are timed.
        n_warm_up: Calls before them.
        now_s: A clock, in seconds; `time.thread_time` on a busy machine, since it stands still while other
            programs run.
    """
    window = torch.zeros(1, n_samples)
    taken_s = []
    with _evaluated(network), _one_thread():
        for _ in range(n_warm_up):
            network(window)
        for _ in range(n_calls):
            started_s = now_s()
            network(window)
            taken_s.append(now_s() - started_s)
    median_s, p95_s = np.quantile(taken_s, (0.5, 0.95))
    return Latency(median_ms=1e3 * float(median_s), p95_ms=1e3 * float(p95_s))


def _macs_of(layer: nn.Module, given: Tensor, output: Tensor) -> int:
    """Products in one pass of one window; containers of other modules count 0."""
    if isinstance(layer, nn.Conv1d | nn.Conv2d):
        return output.numel() * layer.weight[0].numel()
    if isinstance(layer, nn.Linear):
        return output.numel() * layer.in_features
    if isinstance(layer, nn.LSTM):
        n_steps = given.shape[1]
        return n_steps * 4 * layer.hidden_size * (layer.input_size + layer.hidden_size)
    if isinstance(layer, MultiHeadSelfAttention):
        _, n_steps, width = given.shape
        return 2 * n_steps * n_steps * width  # Queries with keys, and shares with values.
    return 0


@contextmanager
def _evaluated(network: nn.Module) -> Iterator[None]:
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        network.train(was_training)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
