import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from ml.research.dt4ecg.network.backbone_resnet import ResidualModule, ResNetOptions, ResNetTrunk  # noqa: E402

SMALL = {"stem_width": 4, "widths": (4, 6, 8), "strides": (1, 2, 2)}


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def trunk(**changes):
    torch.manual_seed(0)
    return ResNetTrunk(ResNetOptions(**(SMALL | changes)))


class TestTrunk:
    def test_is_a_convolution_and_three_residual_modules(self):
        net = ResNetTrunk(ResNetOptions())

        assert len(net.residual_modules) == 3
        assert [type(child).__name__ for child in net.children()] == ["ConvolutionBlock", "Sequential"]

    @pytest.mark.parametrize("n_samples", [1, 299, 300, 301, 1000])
    @pytest.mark.parametrize(
        "changes",
        [{}, {"strides": (1, 1, 1)}, {"strides": (2, 2, 2)}, {"stem_stride": 2}, {"stem_stride": 3}],
    )
    def test_tells_width_and_steps_of_its_map(self, n_samples, changes):
        net = trunk(**changes).eval()

        mapped = net(random(2, n_samples))

        assert mapped.shape == (2, net.width, net.n_steps(n_samples))

    def test_without_strides_the_map_has_a_step_per_sample(self):
        assert trunk(strides=(1, 1, 1)).n_steps(300) == 300

    def test_the_last_layer_is_the_last_convolution(self):
        net = trunk()

        assert net.last_layer is net.residual_modules[-1].second

    def test_every_weight_has_a_gradient(self):
        net = trunk()

        net(random(8, 60)).pow(3).sum().backward()

        assert all(p.grad.abs().sum() > 0 for p in net.parameters())

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"widths": (4, 4)}, "same modules"),
            ({"widths": (), "strides": ()}, "same modules"),
            ({"addition": "never"}, "before_relu.*after_relu"),
        ],
    )
    def test_options_that_make_no_trunk_are_refused(self, changes, message):
        with pytest.raises(ValueError, match=message):
            ResNetOptions(**(SMALL | changes))

    def test_an_even_kernel_is_refused(self):
        with pytest.raises(ValueError, match="odd"):
            trunk(kernel=4)


class TestResidualModule:
    @pytest.mark.parametrize("addition", ["before_relu", "after_relu"])
    def test_adds_its_input_to_the_second_convolution(self, addition):
        torch.manual_seed(0)
        module = ResidualModule(3, 3, 3, stride=1, addition=addition).eval()
        x = random(2, 3, 1, 11)

        first = torch.relu(module.first[1](functional.conv2d(x, module.first[0].weight, padding=(0, 1))))
        second = module.second_norm(functional.conv2d(first, module.second.weight, padding=(0, 1)))

        expected = torch.relu(second + x) if addition == "before_relu" else torch.relu(second) + x
        torch.testing.assert_close(module(x), expected)

    def test_a_module_that_keeps_its_shape_adds_the_input_itself(self):
        module = ResidualModule(3, 3, 3, stride=1, addition="before_relu")

        assert list(module.shortcut.parameters()) == []

    @pytest.mark.parametrize(("width", "stride"), [(5, 1), (3, 2)])
    def test_where_the_shape_changes_the_input_is_projected(self, width, stride):
        module = ResidualModule(3, width, 3, stride=stride, addition="before_relu")

        assert module(random(2, 3, 1, 11)).shape == (2, width, 1, -(-11 // stride))
        assert module.shortcut[0].kernel_size == (1, 1)
