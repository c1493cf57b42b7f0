import math
import warnings

import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.balancing.dt4ecg_literal import (  # noqa: E402
    Dt4ecgLiteral,
    TaskWeightUnderflowWarning,
)
from tests.unit.ml.research.dt4ecg.balancing.tasks import course, step  # noqa: E402

# An epoch of A2: 1 948 windows in batches of 16.
STEPS_PER_EPOCH = 122


def repeat(rule: Dt4ecgLiteral, n_steps: int) -> None:
    """Steps with gradients of one size."""
    for _ in range(n_steps):
        step(rule, [1.0, 1.0], [1.0, 1.0])


def steps_until_warnings(norms: list[float], n_steps: int) -> list[int]:
    rule, found = Dt4ecgLiteral(2), []
    for t in range(1, n_steps + 1):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            step(rule, [1.0, 1.0], norms)
        found += [t] * len(caught)
    return found


class TestDt4ecgLiteral:
    def test_equals_the_algorithm_written_out(self):
        rule, weights = Dt4ecgLiteral(3, step_size=0.5), [1.0] * 3

        for values, norms in course(10):
            found = step(rule, values, norms)
            # Lines 6 and 7 come before line 8: the loss of a step has its new weights.
            weights = [
                w * math.exp(0.5 * (g / sum(norms) - 1.0)) for w, g in zip(weights, norms, strict=True)
            ]
            assert found.tolist() == pytest.approx(weights, rel=1e-5)

    @pytest.mark.parametrize("n_tasks", [2, 3, 5])
    def test_the_product_of_the_weights_falls_by_the_same_factor_each_step(self, n_tasks):
        step_size = 0.3
        rule = Dt4ecgLiteral(n_tasks, step_size=step_size)

        for t, (values, norms) in enumerate(course(20, n_tasks), start=1):
            step(rule, values, norms)
            product = torch.exp(rule.log_weights).prod().item()
            assert product == pytest.approx(math.exp(-step_size * (n_tasks - 1) * t), rel=1e-9)

    def test_the_larger_gradient_keeps_more(self):
        rule = Dt4ecgLiteral(2)

        found = step(rule, [1.0, 1.0], [3.0, 1.0])

        assert found[0] > found[1]

    def test_nearly_alike_gradients_leave_all_the_weight_to_one(self):
        rule = Dt4ecgLiteral(2)

        for _ in range(20):
            step(rule, [1.0, 1.0], [1.2, 1.0])

        assert torch.softmax(rule.log_weights, dim=0)[0].item() == pytest.approx(0.974, abs=1e-3)

    def test_as_printed_both_weights_underflow_within_an_epoch_and_it_warns(self):
        rule = Dt4ecgLiteral(2)

        with pytest.warns(TaskWeightUnderflowWarning, match=r"after 104 steps the weights of tasks \[0, 1\]"):
            repeat(rule, STEPS_PER_EPOCH)

        assert rule.weights.tolist() == [0.0, 0.0]

    def test_it_warns_once_per_task_when_that_is_lost(self):
        assert steps_until_warnings([1.0, 1.0], 110) == [104]
        assert steps_until_warnings([3.0, 2.0], 131) == [87, 130]
        assert steps_until_warnings([3.0, 1.0], 100) == [70]

    def test_logarithms_do_not_underflow(self):
        rule = Dt4ecgLiteral(2)

        with pytest.warns(TaskWeightUnderflowWarning):
            repeat(rule, 800)  # Double precision has its 0 at 745.

        torch.testing.assert_close(rule.log_weights, torch.full((2,), -800.0, dtype=torch.float64))

    def test_small_steps_do_not_warn(self):
        assert steps_until_warnings([1.0, 1.0], 100) == []
