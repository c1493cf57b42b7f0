import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.network.attentions import ATTENTIONS  # noqa: E402
from ml.research.dt4ecg.network.backbones import BACKBONES, WITHOUT_ATTENTION  # noqa: E402
from ml.research.dt4ecg.network.network import DualTaskConfig, DualTaskNetwork  # noqa: E402

PAIRS = [(b, a) for b in BACKBONES for a in ATTENTIONS if a == "none" or b not in WITHOUT_ATTENTION]
# Each backbone and each attention once; what they do together is in `PAIRS`.
EACH = [(b, "none") for b in BACKBONES] + [("resnet", a) for a in ATTENTIONS if a != "none"]
OF_ANY_LENGTH = [(b, a) for b, a in EACH if b != "mlp" and a != "sca"]


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def network(backbone="resnet", attention="sca", **changes):
    torch.manual_seed(0)
    return DualTaskNetwork(DualTaskConfig(backbone, attention, n_people=10, n_activities=5, **changes))


class TestConfig:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"backbone": "vgg"}, "backbone: expected one of .*'resnet'.*'vgg'"),
            ({"attention": "eca"}, "attention: expected one of .*'sca'.*'eca'"),
            ({"n_samples": 0}, "at least 1"),
        ],
    )
    def test_what_is_no_network_is_refused(self, changes, message):
        with pytest.raises(ValueError, match=message):
            network(**changes)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"backbone_options": {"depth": 3}}, r"backbone resnet: unknown \['depth'\].*stem_width"),
            ({"attention_options": {"heads": 3}}, r"attention sca: unknown \['heads'\].*reduction"),
        ],
    )
    def test_unknown_options_are_refused_by_name(self, changes, message):
        with pytest.raises(ValueError, match=message):
            network(**changes)

    def test_lists_as_json_has_them_are_taken(self):
        net = network(backbone_options={"widths": [4, 4, 4], "strides": [1, 1, 1]})

        assert net.trunk.width == 4


class TestNetwork:
    @pytest.mark.parametrize(("backbone", "attention"), PAIRS)
    def test_answers_both_tasks(self, backbone, attention):
        logits = network(backbone, attention)(random(3, 300))

        assert logits.identity.shape == (3, 10)
        assert logits.activity.shape == (3, 5)
        assert logits.identity.dtype == logits.activity.dtype == torch.float32

    @pytest.mark.parametrize(("backbone", "attention"), PAIRS)
    def test_every_shared_weight_hears_of_both_tasks(self, backbone, attention):
        net = network(backbone, attention)
        logits = net(random(8, 300))

        for task in logits:
            gradients = torch.autograd.grad(task.pow(3).sum(), net.shared_parameters(), retain_graph=True)
            assert all(g.isfinite().all() for g in gradients)
            assert all(g.abs().sum() > 0 for g in gradients)

    @pytest.mark.parametrize(("backbone", "attention"), EACH)
    def test_a_head_is_not_shared(self, backbone, attention):
        net = network(backbone, attention)

        shared = {id(p) for p in net.shared_parameters()}

        others = {name for name, p in net.named_parameters() if id(p) not in shared}
        assert others == {
            f"{task}_head.{part}" for task in ("identity", "activity") for part in ("weight", "bias")
        }

    @pytest.mark.parametrize("backbone", BACKBONES)
    def test_the_last_shared_layer_is_one_of_the_trunk(self, backbone):
        net = network(backbone, "none")

        shared = {id(p) for p in net.shared_parameters()}

        last = net.last_shared_parameters()
        assert 0 < len(last) < len(shared)
        assert {id(p) for p in last} < shared
        assert max(p.ndim for p in last) >= 2

    @pytest.mark.parametrize(("backbone", "attention"), OF_ANY_LENGTH)
    @pytest.mark.parametrize("n_samples", [250, 301, 1000])
    def test_without_a_full_connection_over_time_any_length_fits(self, backbone, attention, n_samples):
        net = network(backbone, attention).eval()

        assert net(random(2, n_samples)).identity.shape == (2, 10)

    @pytest.mark.parametrize("n_samples", [250, 1000])
    def test_sca_refuses_another_length(self, n_samples):
        with pytest.raises(ValueError, match="SCA is made for"):
            network("resnet", "sca")(random(2, n_samples))

    def test_sca_is_made_for_the_given_length(self):
        assert network("resnet", "sca", n_samples=500).eval()(random(2, 500)).activity.shape == (2, 5)

    def test_other_shapes_are_refused(self):
        with pytest.raises(ValueError, match=r"shape \(B, n_samples\)"):
            network()(random(2, 1, 300))

    @pytest.mark.parametrize(("backbone", "attention"), EACH)
    def test_at_inference_a_window_does_not_depend_on_its_neighbors(self, backbone, attention):
        net = network(backbone, attention)
        net(random(16, 300, seed=2))
        net.eval()
        windows = random(5, 300)

        together, alone = net(windows), net(windows[3:4])

        torch.testing.assert_close(together.activity[3:4], alone.activity, rtol=1e-4, atol=1e-5)

    def test_equal_seeds_give_equal_networks(self):
        windows = random(2, 300)

        torch.testing.assert_close(network().eval()(windows), network().eval()(windows), rtol=0, atol=0)

    def test_features_are_what_the_heads_read(self):
        net, windows = network().eval(), random(2, 300)

        features = net.features(windows)

        assert features.shape == (2, net.trunk.width)
        torch.testing.assert_close(net.identity_head(features), net(windows).identity)


class TestPlace:
    @pytest.mark.parametrize("backbone", [name for name in BACKBONES if name not in WITHOUT_ATTENTION])
    def test_attention_weighs_the_last_map_once(self, backbone):
        net, windows = network(backbone, "sca").eval(), random(2, 300)

        mapped = net.trunk(windows)

        assert net.attention.n_steps == mapped.shape[2] == net.trunk.n_steps(300)
        torch.testing.assert_close(net.features(windows), net.attention(mapped).mean(dim=2))

    @pytest.mark.parametrize("backbone", WITHOUT_ATTENTION)
    def test_baselines_take_none(self, backbone):
        with pytest.raises(ValueError, match=f"{backbone} is a baseline without attention, got 'se'"):
            network(backbone, "se")
