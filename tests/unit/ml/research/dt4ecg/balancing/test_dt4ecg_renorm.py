import math

import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.balancing.dt4ecg_renorm import Dt4ecgRenorm, with_floor  # noqa: E402
from tests.unit.ml.research.dt4ecg.balancing.tasks import course, step  # noqa: E402


class TestDt4ecgRenorm:
    @pytest.mark.parametrize("n_tasks", [2, 3, 5])
    def test_weights_add_up_to_the_number_of_tasks(self, n_tasks):
        rule = Dt4ecgRenorm(n_tasks, steps_per_epoch=4)

        for values, norms in course(60, n_tasks):
            assert step(rule, values, norms).sum().item() == pytest.approx(n_tasks)

    def test_two_weights_stay_within_a_tenth_and_nineteen_tenths(self):
        rule = Dt4ecgRenorm(2)

        for _ in range(5 * 122):
            found = step(rule, [1.0, 1.0], [5.0, 1.0])

        assert found.tolist() == pytest.approx([1.9, 0.1])

    def test_at_its_bound_it_winds_nothing_up(self):
        rule = Dt4ecgRenorm(2, steps_per_epoch=10, decay=0.0)
        for _ in range(100):
            step(rule, [1.0, 1.0], [5.0, 1.0])

        found = step(rule, [1.0, 1.0], [1.0, 5.0])

        assert found[1] > 0.1

    def test_the_larger_gradient_gains(self):
        found = step(Dt4ecgRenorm(2), [1.0, 1.0], [3.0, 1.0])

        assert found[0] > 1.0 > found[1]

    def test_an_epoch_moves_as_far_as_one_printed_step(self):
        rule = Dt4ecgRenorm(2, steps_per_epoch=50)

        for _ in range(50):
            found = step(rule, [1.0, 1.0], [1.5, 1.0])

        # Line 7 changes the ratio of two weights by exp(2 · (p₁ − p₂)), here p₁ − p₂ = 0.2.
        assert (found[0] / found[1]).item() == pytest.approx(math.exp(0.4), rel=1e-5)

    def test_one_wild_batch_counts_a_tenth(self):
        rule, calm = Dt4ecgRenorm(2, steps_per_epoch=1), Dt4ecgRenorm(2, steps_per_epoch=1)
        for one in (rule, calm):
            step(one, [1.0, 1.0], [1.0, 1.0])

        wild = step(rule, [1.0, 1.0], [11.0, 1.0])
        # The running mean of 1 and 11 is 0.9 · 1 + 0.1 · 11 = 2.
        usual = step(calm, [1.0, 1.0], [1.0, 1.0])

        assert (usual[0] / usual[1]).item() == pytest.approx(1.0)
        assert (wild[0] / wild[1]).item() == pytest.approx(math.exp(2.0 * (2.0 / 3.0 - 1.0 / 3.0)), rel=1e-5)

    def test_where_the_printed_rule_underflows_weights_stay(self):
        rule = Dt4ecgRenorm(2)

        for _ in range(3 * 122):
            found = step(rule, [1.0, 1.0], [1.0, 1.0])

        assert found.tolist() == pytest.approx([1.0, 1.0])


class TestWithFloor:
    def test_what_is_above_keeps_its_ratios(self):
        found = with_floor(torch.tensor([8.0, 4.0, 0.001]).double(), 0.1)

        assert found[2].item() == 0.1
        assert (found[0] / found[1]).item() == pytest.approx(2.0)
        assert found.sum().item() == pytest.approx(3.0)

    def test_lifting_one_may_press_another_to_the_floor(self):
        # Scaled to 3, the second is just above 0.4; what the third takes to reach it brings it below.
        found = with_floor(torch.tensor([2.55, 0.42, 0.03]).double(), 0.4)

        assert found.tolist() == pytest.approx([2.2, 0.4, 0.4])

    def test_what_is_above_already_is_only_scaled(self):
        assert with_floor(torch.tensor([2.0, 4.0]).double(), 0.1).tolist() == pytest.approx([2 / 3, 4 / 3])
