import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.balancing.gradnorm import GradNorm  # noqa: E402
from tests.unit.ml.research.dt4ecg.balancing.tasks import TwoHeads, batch, course, losses_of, step  # noqa: E402


class TestGradNorm:
    def test_the_first_step_takes_the_losses_as_they_are(self):
        assert step(GradNorm(2), [2.0, 1.0], [3.0, 1.0]).tolist() == [1.0, 1.0]

    def test_equals_the_algorithm_written_out(self):
        rule = GradNorm(3, asymmetry=0.7, learning_rate=0.004, optimizer="sgd")
        weights, first = [1.0] * 3, None

        for values, norms in course(30):
            found = step(rule, values, norms)
            assert found.tolist() == pytest.approx(weights, rel=1e-5)
            first = first or values
            g = [w * n for w, n in zip(weights, norms, strict=True)]
            ratios = [now / then for now, then in zip(values, first, strict=True)]
            mean_ratio, mean_g = sum(ratios) / 3, sum(g) / 3
            for i in range(3):
                target = mean_g * (ratios[i] / mean_ratio) ** 0.7
                sign = 1.0 if g[i] > target else -1.0 if g[i] < target else 0.0
                weights[i] -= 0.004 * sign * norms[i]
            weights = [3.0 * w / sum(weights) for w in weights]

    def test_moves_as_autograd_says_of_the_sources_loss(self):
        network, rule = TwoHeads(), GradNorm(2, optimizer="sgd", learning_rate=0.1, asymmetry=1.5)
        shared = list(network.trunk.parameters())
        rule(network.losses(*batch(1)), shared)
        rule.after_backward()
        w = rule.task_weights.detach().float().clone().requires_grad_()

        rule(network.losses(*batch(2)), shared)
        rule.after_backward()

        losses, initial = network.losses(*batch(2)), network.losses(*batch(1)).detach()
        g = torch.stack(
            [
                torch.cat(
                    [p.flatten() for p in torch.autograd.grad(w[i] * losses[i], shared, create_graph=True)]
                ).norm()
                for i in range(2)
            ]
        )
        learned = losses.detach() / initial
        target = (g.mean() * (learned / learned.mean()) ** 1.5).detach()
        (slope,) = torch.autograd.grad((g - target).abs().sum(), w)
        moved = w.detach() - 0.1 * slope
        torch.testing.assert_close(rule.task_weights.detach().float(), 2.0 * moved / moved.sum())

    @pytest.mark.parametrize("optimizer", ["adam", "sgd"])
    def test_weights_add_up_to_the_number_of_tasks_and_stay_positive(self, optimizer):
        rule = GradNorm(3, optimizer=optimizer, learning_rate=0.3)

        for values, norms in course(60):
            found = step(rule, values, norms)
            assert found.sum().item() == pytest.approx(3.0)
            assert bool((found > 0.0).all())

    def test_the_slower_task_gains(self):
        rule = GradNorm(2)

        for t in range(20):
            found = step(rule, [2.0, 2.0 * 0.9**t], [1.0, 1.0])

        assert found[0] > 1.1
        assert found[1] < 0.9

    def test_without_asymmetry_the_slower_task_does_not(self):
        rule = GradNorm(2, asymmetry=0.0)

        for t in range(20):
            found = step(rule, [2.0, 2.0 * 0.9**t], [1.0, 1.0])

        assert found.tolist() == [1.0, 1.0]

    def test_the_larger_gradient_loses(self):
        rule = GradNorm(2)

        for _ in range(10):
            found = step(rule, [1.0, 1.0], [3.0, 1.0])

        assert found[0] < found[1]

    def test_without_asymmetry_weighted_norms_become_alike(self):
        rule = GradNorm(2, asymmetry=0.0, learning_rate=0.01)

        for _ in range(200):
            found = step(rule, [1.0, 1.0], [3.0, 1.0])

        assert (3.0 * found[0] / found[1]).item() == pytest.approx(1.0, abs=0.1)

    def test_first_losses_are_those_of_the_first_call_or_those_given(self):
        from_calls, given = GradNorm(2), GradNorm(2, initial_losses=[2.0, 1.0])

        for rule in (from_calls, given):
            step(rule, [1.5, 1.25], [1.0, 1.0])
            step(rule, [0.5, 0.25], [1.0, 1.0])

        assert from_calls.initial_losses.tolist() == [1.5, 1.25]
        assert given.initial_losses.tolist() == [2.0, 1.0]

    def test_a_resumed_training_keeps_its_first_losses(self):
        before, after = GradNorm(2), GradNorm(2)
        step(before, [2.0, 1.0], [1.0, 1.0])

        after.load_state_dict(before.state_dict())
        step(after, [0.5, 0.5], [1.0, 1.0])

        assert after.initial_losses.tolist() == [2.0, 1.0]

    def test_weights_move_after_backward_only(self):
        rule = GradNorm(2)
        losses, shared = losses_of([1.0, 1.0], [3.0, 1.0])

        rule(losses, shared)
        assert rule.task_weights.tolist() == [1.0, 1.0]
        rule.after_backward()
        moved = rule.task_weights.tolist()
        rule.after_backward()

        assert moved != [1.0, 1.0]
        assert rule.task_weights.tolist() == moved
