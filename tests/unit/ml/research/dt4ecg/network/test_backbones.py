import pytest

torch = pytest.importorskip("torch")

from ml.research.dt4ecg.network.backbones import BACKBONES, make_trunk  # noqa: E402


class TestMakeTrunk:
    @pytest.mark.parametrize(
        ("name", "n_steps"),
        [
            ("cnn", 38),
            ("resnet", 38),
            ("mobilenet", 38),
            ("efficientnet", 19),
            ("densenet", 19),
            ("lstm", 1),
            ("mlp", 1),
        ],
    )
    def test_a_window_of_3_s_becomes_a_map(self, name, n_steps):
        trunk = make_trunk(name, 300, {})

        mapped = trunk(torch.zeros(2, 300))

        assert mapped.shape == (2, trunk.width, n_steps)

    @pytest.mark.parametrize("name", BACKBONES)
    def test_unknown_options_are_refused_by_name(self, name):
        with pytest.raises(ValueError, match=rf"options of backbone {name}: unknown \['color'\], known are"):
            make_trunk(name, 300, {"color": 1})
