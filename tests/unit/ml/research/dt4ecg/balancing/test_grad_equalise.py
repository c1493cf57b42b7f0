import math

import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.balancing.grad_equalise import GradEqualise  # noqa: E402
from ml.research.dt4ecg.balancing.gradnorm import GradNorm  # noqa: E402
from tests.unit.ml.research.dt4ecg.balancing.tasks import course, step  # noqa: E402


class TestGradEqualise:
    def test_equals_the_rule_written_out(self):
        rule, weights = GradEqualise(3, step_size=0.2), [1.0] * 3

        for values, norms in course(10):
            weighted = [w * g for w, g in zip(weights, norms, strict=True)]
            weights = [
                w * math.exp(0.2 * (1 / 3 - g / sum(weighted)))
                for w, g in zip(weights, weighted, strict=True)
            ]
            assert step(rule, values, norms).tolist() == pytest.approx(weights, rel=1e-5)

    def test_the_product_of_the_weights_stays_one(self):
        rule = GradEqualise(4)

        for values, norms in course(50, 4):
            assert step(rule, values, norms).prod().item() == pytest.approx(1.0, rel=1e-5)

    def test_the_larger_weighted_gradient_loses_until_all_are_alike(self):
        rule = GradEqualise(2)

        first = step(rule, [1.0, 1.0], [3.0, 1.0])
        for _ in range(300):
            last = step(rule, [1.0, 1.0], [3.0, 1.0])

        assert first[0] < 1.0 < first[1]
        assert (3.0 * last[0] / last[1]).item() == pytest.approx(1.0, abs=1e-3)

    def test_comes_to_rest_where_gradnorm_without_asymmetry_does(self):
        ours, published = GradEqualise(2), GradNorm(2, asymmetry=0.0, learning_rate=0.004)

        for _ in range(300):
            found = step(ours, [1.0, 1.0], [3.0, 1.0])
            expected = step(published, [1.0, 1.0], [3.0, 1.0])

        assert (found[0] / found[1]).item() == pytest.approx((expected[0] / expected[1]).item(), rel=0.02)
