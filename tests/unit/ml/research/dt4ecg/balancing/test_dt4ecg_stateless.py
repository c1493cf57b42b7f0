import math

import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.balancing.dt4ecg_stateless import Dt4ecgStateless  # noqa: E402
from tests.unit.ml.research.dt4ecg.balancing.tasks import course, step  # noqa: E402


class TestDt4ecgStateless:
    def test_is_the_first_step_of_the_printed_rule_each_time(self):
        rule = Dt4ecgStateless(3, step_size=0.5)

        for values, norms in course(10):
            expected = [math.exp(0.5 * (g / sum(norms) - 1.0)) for g in norms]
            assert step(rule, values, norms).tolist() == pytest.approx(expected, rel=1e-5)

    def test_the_larger_gradient_has_the_larger_weight(self):
        found = step(Dt4ecgStateless(2), [1.0, 1.0], [3.0, 1.0])

        assert found.tolist() == pytest.approx([math.exp(-0.5), math.exp(-1.5)])

    def test_no_two_weights_differ_by_more_than_the_step_size_allows(self):
        rule = Dt4ecgStateless(2)

        extreme = step(rule, [1.0, 1.0], [1e6, 1e-6])

        assert (extreme[0] / extreme[1]).item() == pytest.approx(math.exp(2.0))

    def test_remembers_nothing(self):
        rule = Dt4ecgStateless(2)

        first = step(rule, [1.0, 1.0], [3.0, 1.0])
        for _ in range(300):
            step(rule, [1.0, 1.0], [1.0, 5.0])

        assert torch.equal(step(rule, [0.1, 0.1], [3.0, 1.0]), first)
        assert rule.state_dict() == {}
