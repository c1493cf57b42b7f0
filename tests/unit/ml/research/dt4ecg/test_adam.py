import pytest
import torch
from torch import Tensor, nn

from ml.research.dt4ecg.adam import FlatAdam
from ml.research.dt4ecg.network.convolution import ConvolutionBlock

RATE = 0.01


def network() -> nn.Sequential:
    torch.manual_seed(1)
    layers = nn.Sequential(ConvolutionBlock(1, 3, 3), ConvolutionBlock(3, 5, 5))
    return layers.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def go_back(net: nn.Sequential, seed: int) -> None:
    x: Tensor = torch.rand(4, 1, 1, 12, generator=torch.Generator().manual_seed(seed))
    net(x).pow(2).sum().backward()


def train(net: nn.Sequential, optimizer: FlatAdam, seeds: range) -> None:
    for seed in seeds:
        optimizer.zero_grad()
        go_back(net, seed)
        optimizer.step(RATE)


class TestFlatAdam:
    @pytest.mark.parametrize(
        ("usual", "weight_decay"),
        [(torch.optim.Adam, 0.0), (torch.optim.AdamW, 0.1)],
    )
    def test_moves_weights_as_torch_does(
        self, usual: type[torch.optim.Optimizer], weight_decay: float
    ) -> None:
        net, same = network(), network()
        theirs = usual(same.parameters(), lr=RATE, weight_decay=weight_decay)  # type: ignore[call-arg]

        train(net, FlatAdam(net.parameters(), weight_decay=weight_decay), range(5))
        for seed in range(5):
            theirs.zero_grad()
            go_back(same, seed)
            theirs.step()

        for one, other in zip(net.parameters(), same.parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)

    def test_each_step_has_its_rate(self) -> None:
        net, same = network(), network()
        optimizer = FlatAdam(net.parameters())
        go_back(net, 1)

        optimizer.step(0.0)

        for one, other in zip(net.parameters(), same.parameters(), strict=True):
            assert torch.equal(one, other)

    def test_weights_keep_values_and_memory_order(self) -> None:
        net, same = network(), network()

        FlatAdam(net.parameters())

        for one, other in zip(net.parameters(), same.parameters(), strict=True):
            assert torch.equal(one, other)
            assert one.stride() == other.stride()

    def test_gradients_begin_at_nothing_each_time(self) -> None:
        net = network()
        optimizer = FlatAdam(net.parameters())
        go_back(net, 1)

        optimizer.zero_grad()

        assert all(bool((parameter.grad == 0.0).all()) for parameter in net.parameters())

    def test_it_goes_on_from_what_was_kept(self) -> None:
        through, before, after = network(), network(), network()
        optimizer = FlatAdam(through.parameters())
        train(through, optimizer, range(4))
        first = FlatAdam(before.parameters())
        train(before, first, range(2))

        second = FlatAdam(after.parameters())
        after.load_state_dict(before.state_dict())
        second.load_state_dict(first.state_dict())
        train(after, second, range(2, 4))

        for one, other in zip(through.parameters(), after.parameters(), strict=True):
            assert torch.equal(one, other)
