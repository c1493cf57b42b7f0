import io

import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.balancing import BALANCERS, make_balancer  # noqa: E402
from ml.research.dt4ecg.balancing.balancer import gradient_norms, shares  # noqa: E402
from tests.unit.ml.research.dt4ecg.balancing.tasks import TwoHeads, batch, course, losses_of, step  # noqa: E402

LOOKING_AT_GRADIENTS = sorted(set(BALANCERS) - {"static", "uncertainty"})


@pytest.mark.parametrize("name", sorted(BALANCERS))
class TestEveryRule:
    def test_no_gradient_flows_from_the_weights_into_the_network(self, name):
        balancer = make_balancer(name, 2)
        for seed in range(3):  # So that weights are no longer those of the start.
            network = TwoHeads()
            balancer(network.losses(*batch(seed)), list(network.trunk.parameters())).backward()
            balancer.after_backward()
        network, same = TwoHeads(), TwoHeads()

        balancer(network.losses(*batch()), list(network.trunk.parameters())).backward()

        (balancer.weights.float() * same.losses(*batch())).sum().backward()
        for found, expected in zip(network.parameters(), same.parameters(), strict=True):
            torch.testing.assert_close(found.grad, expected.grad, rtol=1e-6, atol=0.0)

    def test_weights_are_numbers_without_a_graph(self, name):
        balancer = make_balancer(name, 3)

        found = step(balancer, [1.0, 2.0, 3.0], [1.0, 1.0, 2.0])

        assert (found.dtype, found.shape, found.requires_grad) == (torch.float64, (3,), False)

    def test_backward_gives_nothing_to_the_rule_itself(self, name):
        balancer = make_balancer(name, 2)
        network = TwoHeads()

        balancer(network.losses(*batch()), list(network.trunk.parameters())).backward()

        assert all(parameter.grad is None for parameter in balancer.parameters())

    def test_the_sum_that_is_given_back_is_that_of_the_weights_used(self, name):
        balancer = make_balancer(name, 2)
        step(balancer, [2.0, 1.0], [3.0, 1.0])
        losses, shared = losses_of([1.5, 1.0], [3.0, 1.0])

        total = balancer(losses, shared)

        assert total.item() == pytest.approx(balancer.weights @ torch.tensor([1.5, 1.0]).double())

    def test_tasks_in_another_order_get_the_same_weights(self, name):
        order = [2, 0, 1]
        straight, turned = make_balancer(name, 3), make_balancer(name, 3)

        for values, norms in course(20):
            expected = step(straight, values, norms)[order]
            found = step(turned, [values[i] for i in order], [norms[i] for i in order])
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-12)

    def test_a_resumed_training_goes_on_to_the_bit(self, name):
        through, before = make_balancer(name, 3), make_balancer(name, 3)
        steps = course(24)
        for values, norms in steps[:12]:
            step(through, values, norms)
            step(before, values, norms)
        kept = io.BytesIO()
        torch.save(before.state_dict(), kept)
        kept.seek(0)

        after = make_balancer(name, 3)
        after.load_state_dict(torch.load(kept, weights_only=True))

        for values, norms in steps[12:]:
            assert torch.equal(step(after, values, norms), step(through, values, norms))

    def test_norms_at_hand_give_the_weights_it_would_have_measured(self, name):
        given, measuring = make_balancer(name, 3), make_balancer(name, 3)

        for values, norms in course(8):
            expected = step(measuring, values, norms)
            at_hand = torch.tensor(norms).double() if given.looks_at_gradients else None
            found = given.weigh(torch.tensor(values), at_hand)
            given.after_backward()
            torch.testing.assert_close(found, expected)

    def test_another_number_of_losses_is_refused(self, name):
        with pytest.raises(ValueError, match=r"expected 3 losses, got shape \(2,\)"):
            make_balancer(name, 3)(*losses_of([1.0, 2.0], [1.0, 1.0]))

    def test_the_sum_has_the_type_of_the_losses(self, name):
        losses, shared = losses_of([1.0, 2.0], [1.0, 1.0])

        total = make_balancer(name, 2)(losses.double(), shared)

        assert total.dtype == torch.float64


@pytest.mark.parametrize("name", LOOKING_AT_GRADIENTS)
class TestRulesThatLookAtGradients:
    def test_the_log_holds_the_norms_of_the_unweighted_losses(self, name):
        balancer = make_balancer(name, 2)
        assert balancer.log is None

        for _ in range(3):
            step(balancer, [1.0, 1.0], [3.0, 0.5])

        assert balancer.log.tolist() == [3.0, 0.5]

    def test_without_parameters_to_look_at_they_refuse(self, name):
        losses, _ = losses_of([1.0, 1.0], [1.0, 1.0])

        with pytest.raises(ValueError, match="parameters at which to compare"):
            make_balancer(name, 2)(losses, [])

    def test_gradients_that_are_no_numbers_stop_the_training(self, name):
        with pytest.raises(FloatingPointError, match="nan"):
            make_balancer(name, 2)(*losses_of([1.0, 1.0], [1.0, float("nan")]))

    def test_tasks_without_any_gradient_leave_finite_weights(self, name):
        balancer = make_balancer(name, 2)

        for _ in range(3):
            assert bool(step(balancer, [1.0, 1.0], [0.0, 0.0]).isfinite().all())


class TestGradientNorms:
    def test_equal_the_norms_of_each_backward_alone(self):
        network = TwoHeads()
        shared = list(network.trunk.parameters())

        found = gradient_norms(network.losses(*batch()), shared)

        for i in range(2):
            network.zero_grad()
            network.losses(*batch())[i].backward()
            squares = sum(float((p.grad.double() ** 2).sum()) for p in shared)
            assert found[i].item() == pytest.approx(squares**0.5, rel=1e-5)

    def test_leave_the_gradients_of_the_network_alone(self):
        network = TwoHeads()

        gradient_norms(network.losses(*batch()), list(network.parameters()))

        assert all(parameter.grad is None for parameter in network.parameters())

    def test_a_head_adds_only_to_its_own_task(self):
        network = TwoHeads()

        found = gradient_norms(network.losses(*batch()), list(network.heads[0].parameters()))

        assert found[0] > 0.0
        assert found[1] == 0.0


class TestShares:
    def test_add_up_to_one(self):
        torch.testing.assert_close(shares(torch.tensor([1.0, 3.0])), torch.tensor([0.25, 0.75]))

    def test_of_nothing_are_alike(self):
        torch.testing.assert_close(shares(torch.zeros(4)), torch.full((4,), 0.25))


class TestMakeBalancer:
    def test_an_unknown_name_lists_the_known_ones(self):
        with pytest.raises(ValueError, match=r"expected one of .*'gradnorm', 'static'.* got 'pcgrad'"):
            make_balancer("pcgrad", 2)

    def test_an_unknown_option_lists_the_known_ones(self):
        with pytest.raises(
            ValueError, match=r"gradnorm: unknown options \['alpha'\], known are \['asymmetry'"
        ):
            make_balancer("gradnorm", 2, alpha=1.5)
        with pytest.raises(ValueError, match=r"known are \['step_size'\]"):
            make_balancer("dt4ecg_literal", 2, asymmetry=2.0)

    def test_no_rule_calls_an_option_alpha(self):
        for name in BALANCERS:
            with pytest.raises(ValueError, match="alpha"):
                make_balancer(name, 2, alpha=1.0)

    def test_options_out_of_range_are_named(self):
        for name, option, value in (
            ("gradnorm", "asymmetry", -0.1),
            ("gradnorm", "learning_rate", 0.0),
            ("gradnorm", "optimizer", "lion"),
            ("gradnorm", "initial_losses", [1.0]),
            ("gradnorm", "initial_losses", [1.0, 0.0]),
            ("uncertainty", "learning_rate", -1.0),
            ("dt4ecg_literal", "step_size", 0.0),
            ("dt4ecg_stateless", "step_size", float("nan")),
            ("dt4ecg_renorm", "decay", 1.0),
            ("dt4ecg_renorm", "smallest_weight", 1.0),
            ("dt4ecg_renorm", "steps_per_epoch", 0),
            ("grad_equalise", "step_size", -1.0),
            ("static", "task_weights", [1.0]),
            ("static", "task_weights", [1.0, -1.0]),
        ):
            with pytest.raises(ValueError, match=option):
                make_balancer(name, 2, **{option: value})

    def test_there_must_be_a_task(self):
        with pytest.raises(ValueError, match="n_tasks"):
            make_balancer("static", 0)
