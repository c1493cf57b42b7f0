from dataclasses import replace

import numpy as np
import pytest

from ml.evaluation.activity.timelines import JoinedStrip
from ml.export.activity.stages import FEATURES_FILE, TRUNK_FILE, load_features, load_trunk, save_features


class TestStages:
    def test_what_was_kept_is_read(self, features, tmp_path):
        strip = JoinedStrip(np.ones((4, 3)), np.zeros(4, bool), np.arange(4), 1, 2)
        save_features(tmp_path, b"weights", replace(features, other_sensor={10.0: np.ones((2, 52))}), [strip])

        found, strips = load_features(tmp_path)

        assert load_trunk(tmp_path) == b"weights"
        assert found.people == features.people
        np.testing.assert_array_equal(found.rest, features.rest)
        assert {s: rows.shape for s, rows in found.other_sensor.items()} == {10.0: (2, 52)}
        np.testing.assert_array_equal(found.tables[10.0].features, features.tables[10.0].features)
        np.testing.assert_array_equal(found.tables[10.0].start_s, features.tables[10.0].start_s)
        assert (strips[0].person, strips[0].electrode, strips[0].truth.tolist()) == (1, 2, [0, 1, 2, 3])

    def test_features_of_other_code_are_refused(self, tmp_path):
        (tmp_path / TRUNK_FILE).write_bytes(b"weights")
        np.savez(tmp_path / FEATURES_FILE, names=np.array(["heart rate"]))

        with pytest.raises(ValueError, match="other features"):
            load_features(tmp_path)

    def test_features_of_another_trunk_are_refused(self, features, tmp_path):
        save_features(tmp_path, b"weights", features, [])
        (tmp_path / TRUNK_FILE).write_bytes(b"others")

        with pytest.raises(ValueError, match="other features"):
            load_features(tmp_path)
