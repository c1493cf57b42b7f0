import copy

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ml.research.dt4ecg.balancing import BALANCERS, make_balancer
from ml.research.dt4ecg.balancing.balancer import TaskBalancer
from ml.research.dt4ecg.gradients import BalancedGradients, weighed_parameters
from ml.research.dt4ecg.network.backbones import BACKBONES
from ml.research.dt4ecg.network.network import DualTaskConfig, DualTaskNetwork

N_SAMPLES = 48


def network(backbone: str = "cnn", attention: str = "none") -> DualTaskNetwork:
    torch.manual_seed(1)
    config = DualTaskConfig(backbone, attention, n_people=3, n_activities=5, n_samples=N_SAMPLES)
    return DualTaskNetwork(config).train()


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    labels = torch.stack([torch.randint(0, n, (8,), generator=generator) for n in (3, 5)], dim=1)
    return torch.rand(8, N_SAMPLES, generator=generator), labels


def added_plainly(net: DualTaskNetwork, balancer: TaskBalancer, gradient_of: str) -> Tensor:
    """Each task's gradient by itself, then that of the weighted sum: the way of the balancer itself."""
    windows, labels = batch()
    losses = torch.stack([cross_entropy(one, labels[:, k]) for k, one in enumerate(net(windows))])
    total = balancer(losses, weighed_parameters(net, gradient_of))
    total.backward()
    return losses.detach()


def check_alike(net: DualTaskNetwork, balancing: str, gradient_of: str) -> None:
    plain = copy.deepcopy(net)
    slow, quick = make_balancer(balancing, 2), make_balancer(balancing, 2)

    expected = added_plainly(plain, slow, gradient_of)
    found = BalancedGradients(net, quick, cross_entropy, gradient_of, "float32").added(*batch())

    torch.testing.assert_close(found.losses, expected)
    torch.testing.assert_close(quick.weights, slow.weights, rtol=1e-4, atol=0.0)
    largest = max(float(p.grad.abs().max()) for p in plain.parameters() if p.grad is not None)
    for (name, one), other in zip(net.named_parameters(), plain.parameters(), strict=True):
        assert other.grad is not None, name
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5 * largest, msg=name)
    for one, other in zip(net.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(one, other)


class TestBalancedGradients:
    @pytest.mark.parametrize("backbone", BACKBONES)
    def test_are_those_of_the_weighted_sum_for_every_backbone(self, backbone: str) -> None:
        check_alike(network(backbone), "dt4ecg_stateless", "last_shared")

    @pytest.mark.parametrize("attention", ["sca", "mha"])
    def test_are_those_of_the_weighted_sum_with_an_attention(self, attention: str) -> None:
        check_alike(network("resnet", attention), "dt4ecg_stateless", "last_shared")

    @pytest.mark.parametrize("balancing", BALANCERS)
    def test_are_those_of_the_weighted_sum_for_every_rule(self, balancing: str) -> None:
        check_alike(network(), balancing, "last_shared")

    @pytest.mark.parametrize("gradient_of", ["shared", "all"])
    def test_are_those_of_the_weighted_sum_wherever_gradients_are_weighed(self, gradient_of: str) -> None:
        check_alike(network("cnn", "sca"), "dt4ecg_stateless", gradient_of)

    def test_come_on_top_of_what_was_there(self) -> None:
        net = network()
        gradients = BalancedGradients(net, make_balancer("static", 2), cross_entropy, "all", "float32")
        gradients.added(*batch())
        once = [parameter.grad.clone() for parameter in net.parameters()]

        gradients.added(*batch())

        for one, parameter in zip(once, net.parameters(), strict=True):
            torch.testing.assert_close(parameter.grad, 2.0 * one, rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize("backbone", ["resnet", "efficientnet"])
    def test_rounded_to_bfloat16_they_point_the_same_way(self, backbone: str) -> None:
        exact, rounded = network(backbone, "sca"), network(backbone, "sca")
        for net, precision in ((exact, "float32"), (rounded, "bfloat16")):
            balancer = make_balancer("dt4ecg_stateless", 2)
            BalancedGradients(net, balancer, cross_entropy, "last_shared", precision).added(*batch())

        one, other = (torch.cat([p.grad.flatten() for p in net.parameters()]) for net in (exact, rounded))

        assert one.dtype == other.dtype == torch.float32
        assert not torch.equal(one, other)
        assert float(torch.cosine_similarity(one, other, dim=0)) > 0.95

    def test_a_loss_that_is_no_number_adds_nothing(self) -> None:
        net, (windows, labels) = network(), batch()
        windows[0, 0] = torch.nan
        gradients = BalancedGradients(
            net, make_balancer("gradnorm", 2), cross_entropy, "last_shared", "float32"
        )

        with pytest.raises(FloatingPointError, match="losses"):
            gradients.added(windows, labels)

        assert all(parameter.grad is None for parameter in net.parameters())


class TestWeighedParameters:
    def test_last_layer_is_of_the_shared_and_those_are_of_all(self) -> None:
        net = network("cnn", "sca")

        last, shared, every = (
            {id(p) for p in weighed_parameters(net, name)} for name in ("last_shared", "shared", "all")
        )

        assert last < shared < every
        assert every == {id(p) for p in net.parameters()}

    def test_an_unknown_name_lists_the_known(self) -> None:
        with pytest.raises(ValueError, match="last_shared"):
            weighed_parameters(network(), "some")
