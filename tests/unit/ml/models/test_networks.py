import pytest

torch = pytest.importorskip("torch")

from ml.models.networks import NETWORKS, make_network  # noqa: E402


class TestMakeNetwork:
    def test_every_name_is_tested_here(self):
        assert set(NETWORKS) == {"beat_net", "deit1d", "resnet1d"}

    @pytest.mark.parametrize(("name", "n_samples"), [("beat_net", 88), ("deit1d", 368), ("resnet1d", 368)])
    def test_every_name_gives_a_network(self, name, n_samples):
        network = make_network(name, {"embedding_size": 24}).eval()

        features = network(torch.zeros(2, n_samples))

        assert features.embedding.shape == (2, 24)
        assert network.embedding_size == 24

    def test_parameters_reach_the_config(self):
        network = make_network("deit1d", {"width": 64, "blocks": 6, "heads": 2})

        assert len(network.blocks) == 6

    def test_an_unknown_name_lists_the_known_ones(self):
        with pytest.raises(ValueError, match=r"'deit1d', 'resnet1d'\], got 'resnet2d'"):
            make_network("resnet2d", {})

    def test_an_unknown_parameter_lists_the_known_ones(self):
        with pytest.raises(ValueError, match=r"unknown \['depth'\], known are .*'blocks'"):
            make_network("deit1d", {"depth": 6})
