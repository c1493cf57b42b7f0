import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from ml.research.dt4ecg.losses import equation_8


class TestEquation8:
    def test_it_is_the_printed_sum(self) -> None:
        logits = torch.tensor([[0.3, -1.0, 2.0], [1.5, 0.2, 0.1]], dtype=torch.float64)
        labels = [2, 1]

        expected = 0.0
        for row, label in zip(logits.softmax(dim=1).tolist(), labels, strict=True):
            for k, p in enumerate(row):
                y = float(k == label)
                expected -= (y * math.log(p) + (1 - y) * math.log(1 - p)) / len(labels)

        assert equation_8(logits, torch.tensor(labels)).item() == pytest.approx(expected)

    def test_of_two_classes_it_is_twice_the_cross_entropy(self) -> None:
        logits, labels = torch.tensor([[0.3, -1.0], [1.5, 2.0]]), torch.tensor([0, 0])

        assert equation_8(logits, labels).item() == pytest.approx(2 * cross_entropy(logits, labels).item())

    @pytest.mark.parametrize("label", [0, 1])
    def test_a_sure_network_has_a_finite_loss_and_gradient(self, label: int) -> None:
        logits = torch.tensor([[200.0, 0.0, 0.0]], requires_grad=True)

        equation_8(logits, torch.tensor([label])).backward()

        assert logits.grad is not None
        assert bool(logits.grad.isfinite().all())
