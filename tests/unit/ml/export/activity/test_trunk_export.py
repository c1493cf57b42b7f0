from pathlib import Path

import numpy as np
import pytest

from ml.data.records import EcgRecord
from ml.runtime.ecg.activity.trunk import Trunk, TrunkWindows, context_windows
from ml.runtime.ecg.signal.conditioning import examine
from tests.moving import FS_HZ, moving_signal

torch = pytest.importorskip("torch", reason="in the extra train only")
WEIGHTS = Path(__file__).parents[5] / "ml/weights/ecg-student.pt"


class TestExportTrunk:
    def test_the_integers_equal_the_network(self):
        from ml.export.activity.trunk_export import export_trunk
        from ml.training.checkpoints import load_network

        config = TrunkWindows()
        signals = [moving_signal(activity, 12.0, seed=activity) for activity in (0, 1, 2, 3, 0)]
        flat = np.zeros(3000, np.float32)
        records = [
            EcgRecord(f"r{i}", f"p{i}", FS_HZ, x, "I", "mV") for i, x in enumerate([*signals[:4], flat])
        ]

        trunk = Trunk(export_trunk(WEIGHTS, records, config), config)

        strip = examine(signals[4], FS_HZ)
        [found] = trunk.features(strip, np.zeros(1), 12.0)
        windows = torch.from_numpy(context_windows(strip, np.zeros(1), 12.0, config).windows)
        with torch.inference_mode():
            stages = load_network(WEIGHTS)[0](windows).stages
        expected = torch.cat([stage.mean(dim=(0, 2)) for stage in stages]).numpy()
        assert found.shape == (trunk.size,) == (sum(stage.shape[1] for stage in stages),)
        assert np.corrcoef(found, expected)[0, 1] > 0.99
