import numpy as np
import pytest

from ml.activity.examples import motion_features
from ml.evaluation.activity_trunk import pooled_over_context, trunk_features
from ml.models.networks import make_network
from ml.training.network_recipe import NetworkPlan
from tests.moving import moving_records

pytest.importorskip("torch", reason="training stack not installed")
RECORDS = moving_records(1, seconds=9.0)[:2]


class TestTrunkFeatures:
    def test_mean_of_every_stage_of_every_window(self, tmp_path):
        from ml.training.checkpoints import Classes, save_network

        parameters = {"widths": (4, 8), "blocks": (1, 1), "kernels": (3, 3), "embedding_size": 8}
        network = make_network("resnet1d", parameters)
        plan = NetworkPlan("resnet1d", parameters)
        save_network(tmp_path / "trunk.pt", plan, network.state_dict(), Classes())
        table = motion_features(RECORDS, (3.0,), 3.0).tables[3.0]

        found = trunk_features(RECORDS, table, tmp_path / "trunk.pt")

        assert found.shape == (6, 4 + 8)
        assert np.isfinite(found).all()
        assert not np.allclose(found[0], found[3])


class TestPooledOverContext:
    def test_windows_inside_are_averaged(self):
        tables = motion_features(RECORDS, (3.0, 6.0), 3.0).tables
        values = np.arange(6.0)[:, None]

        found = pooled_over_context(values, tables[3.0], tables[6.0], 6.0)

        assert found.tolist() == [[0.5], [1.5], [3.5], [4.5]]
