import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.balancing.static import Static  # noqa: E402
from tests.unit.ml.research.dt4ecg.balancing.tasks import course, losses_of, step  # noqa: E402


class TestStatic:
    def test_is_the_plain_sum_by_default(self):
        losses, shared = losses_of([1.0, 2.5], [1.0, 9.0])

        assert Static(2)(losses, shared).item() == 3.5

    def test_weights_stay_whatever_happens(self):
        rule = Static(3, task_weights=[1.0, 0.5, 2.0])

        for values, norms in course(10):
            assert step(rule, values, norms).tolist() == [1.0, 0.5, 2.0]

    def test_looks_at_no_gradients(self):
        rule = Static(2)
        losses, _ = losses_of([1.0, 2.0], [1.0, 1.0])

        rule(losses, [])

        assert rule.log is None
