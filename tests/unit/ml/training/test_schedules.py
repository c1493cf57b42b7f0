import math

import pytest

torch = pytest.importorskip("torch")

from ml.training.network_recipe import OptimizationConfig  # noqa: E402
from ml.training.schedules import WeightAverage, learning_rate  # noqa: E402

CONFIG = OptimizationConfig(learning_rate=0.01, last_rate=0.1, warmup=0.2)


class TestLearningRate:
    @pytest.mark.parametrize(
        ("progress", "rate"),
        [
            (0.0, 0.0001),  # A hundredth rather than nothing.
            (0.001, 0.0001),
            (0.1, 0.005),
            (0.2, 0.01),
            (0.4, 0.001 + 0.009 * (1 + math.cos(math.pi / 4)) / 2),
            (0.6, 0.0055),
            (1.0, 0.001),
            (1.3, 0.001),  # A time limit may be overstepped.
        ],
    )
    def test_a_straight_rise_and_half_a_cosine(self, progress, rate):
        assert learning_rate(progress, CONFIG) == pytest.approx(rate)

    def test_without_warm_up_it_begins_at_the_top(self):
        assert learning_rate(0.0, OptimizationConfig(learning_rate=0.01, warmup=0.0)) == 0.01

    def test_it_only_falls_after_the_warm_up(self):
        rates = [learning_rate(0.2 + 0.8 * i / 100, CONFIG) for i in range(101)]

        assert rates == sorted(rates, reverse=True)


class TestWeightAverage:
    def network(self):
        return torch.nn.BatchNorm1d(3)

    def set_to(self, network, value):
        with torch.no_grad():
            network.weight.fill_(value)
            network.running_mean.fill_(2.0 * value)
            network.num_batches_tracked.fill_(int(value))

    def test_the_first_steps_give_their_mean(self):
        network = self.network()
        average = WeightAverage(network, steps=10)

        for value in (3.0, 5.0, 10.0):
            self.set_to(network, value)
            average.update(network)

        torch.testing.assert_close(average.state["weight"], torch.full((3,), 6.0))
        torch.testing.assert_close(average.state["running_mean"], torch.full((3,), 12.0))
        assert average.state["num_batches_tracked"] == 10  # Counts are taken as they are.

    def test_later_ones_forget(self):
        network = self.network()
        average = WeightAverage(network, steps=4)
        expected = 0.0

        for step in range(1, 31):
            value = math.sin(step) * 10
            self.set_to(network, value)
            average.update(network)
            expected += (value - expected) / min(step, 4)

        torch.testing.assert_close(average.state["weight"], torch.full((3,), expected))

    @pytest.mark.parametrize("steps", [0, 1])
    def test_over_one_step_it_is_the_weights(self, steps):
        network = self.network()
        average = WeightAverage(network, steps=steps)

        for value in (3.0, 5.0):
            self.set_to(network, value)
            average.update(network)

        torch.testing.assert_close(average.state["weight"], torch.full((3,), 5.0), rtol=0, atol=0)

    def test_it_does_not_follow_the_network_by_itself(self):
        network = self.network()
        average = WeightAverage(network, steps=4)

        self.set_to(network, 7.0)

        assert average.state["weight"].tolist() == [1.0, 1.0, 1.0]

    def test_goes_on_from_what_was_kept(self):
        network = self.network()
        one, other = WeightAverage(network, steps=4), WeightAverage(network, steps=4)
        for value in (3.0, 5.0):
            self.set_to(network, value)
            one.update(network)

        other.load_state_dict(one.state_dict())
        self.set_to(network, 10.0)
        other.update(network)

        torch.testing.assert_close(other.state["weight"], torch.full((3,), 6.0))
