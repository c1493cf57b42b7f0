import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.network.attentions import ATTENTIONS, make_attention  # noqa: E402


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class TestMakeAttention:
    @pytest.mark.parametrize("name", ATTENTIONS)
    def test_the_map_keeps_its_shape(self, name):
        x = random(2, 16, 9)

        assert make_attention(name, 16, 9, {})(x).shape == x.shape

    def test_none_changes_nothing(self):
        x = random(2, 16, 9)

        assert torch.equal(make_attention("none", 16, 9, {})(x), x)

    @pytest.mark.parametrize("name", [name for name in ATTENTIONS if name != "none"])
    def test_others_change_the_map(self, name):
        x = random(2, 16, 9)

        assert not torch.allclose(make_attention(name, 16, 9, {})(x), x, atol=1e-3)

    @pytest.mark.parametrize("name", ATTENTIONS)
    def test_unknown_options_are_refused_by_name(self, name):
        with pytest.raises(ValueError, match=rf"options of attention {name}: unknown \['color'\], known are"):
            make_attention(name, 16, 9, {"color": 1})
