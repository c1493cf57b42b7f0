import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.balancing.uncertainty import Uncertainty  # noqa: E402
from tests.unit.ml.research.dt4ecg.balancing.tasks import step  # noqa: E402


class TestUncertainty:
    def test_begins_with_the_plain_sum(self):
        assert step(Uncertainty(2), [3.0, 1.0], [1.0, 1.0]).tolist() == [1.0, 1.0]

    def test_weights_come_to_rest_at_half_the_inverse_losses(self):
        rule = Uncertainty(2, learning_rate=0.05)

        for _ in range(400):
            found = step(rule, [2.0, 0.25], [1.0, 1.0])

        torch.testing.assert_close(found, torch.tensor([0.25, 2.0]).double(), rtol=1e-3, atol=0.0)

    def test_moves_as_autograd_says_of_kendalls_sum(self):
        rule = Uncertainty(2, learning_rate=0.01)
        s = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
        adam = torch.optim.Adam([s], lr=0.01)

        for t in range(8):
            values = [2.0 / (t + 1), 1.0 + t]
            found = step(rule, values, [1.0, 1.0])
            # Equation 10 of the source: loss / σ² + log σ, with s = log σ².
            torch.testing.assert_close(found, torch.exp(-s.detach()), rtol=1e-6, atol=0.0)
            adam.zero_grad()
            (torch.exp(-s) * torch.tensor(values).double() + s / 2).sum().backward()
            adam.step()

    def test_without_a_step_nothing_is_learned(self):
        rule = Uncertainty(2)

        rule.after_backward()

        assert rule.log_variances.tolist() == [0.0, 0.0]
