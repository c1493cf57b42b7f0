"""The loss of one task: cross-entropy over its classes, or equation 8 as DT4ECG prints it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax, one_hot


def equation_8(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy of each class's softmax probability, added over classes, mean over windows.

    The paper calls its loss cross-entropy and prints the binary one for tasks of 3 and 15 classes. Taken
    literally, a window also pays for the probability of each wrong class.

    Args:
        logits: Float32, shape (B, K), K ≥ 2.
        labels: Int64, shape (B,).

    Returns:
        Float32, shape ().

    Source:
        You et al., DT4ECG, equation 8.
    """
    n_classes = logits.shape[1]
    log_p = log_softmax(logits, dim=1)
    # log(1 − p_k) from the other classes' logits: 1 − p would be rounded to 0 for confident networks.
    itself = torch.eye(n_classes, dtype=torch.bool, device=logits.device)
    others = logits[:, None, :].masked_fill(itself, -torch.inf)  # → (B, K, K)
    log_not_p = others.logsumexp(dim=2) - logits.logsumexp(dim=1, keepdim=True)  # → (B, K)
    y = one_hot(labels, n_classes).to(logits.dtype)
    return -(y * log_p + (1.0 - y) * log_not_p).sum(dim=1).mean()


LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": cross_entropy,
    "equation_8": equation_8,
}
"""By their names in `ml.research.dt4ecg.plan.LOSSES`."""
