import json
from dataclasses import replace

import numpy as np
import pytest

from ml.evaluation.activity.protocols import shipped_examples
from ml.export.activity.building import fit_correlations, fit_heads
from ml.export.activity.network import input_width
from ml.runtime.ecg.activity.features import FEATURE_NAMES, N_REST
from tests.moving import TRUNK_SIZE, write_moving_bundle

FIGURES = [
    {
        "asked": "whole strips",
        "own_rest": True,
        "windows": 60,
        "accuracy_5": 0.9,
        "accuracy_5_interval_95": [0.81, 0.96],
        "accuracy_3": 0.95,
        "accuracy_3_interval_95": [0.9, 0.99],
        "ece_5": 0.012,
        "ece_3": 0.008,
        "ece_5_if_true": 0.031,
        "ece_3_if_true": 0.027,
    }
]


class TestFitHeads:
    def test_one_without_and_one_with_a_baseline_per_context(self, features):
        without, with_rest = fit_heads(features, (10.0,))

        assert input_width([without.head]) == len(FEATURE_NAMES) + TRUNK_SIZE
        assert input_width([with_rest.head]) == len(FEATURE_NAMES) + TRUNK_SIZE + N_REST

    def test_the_other_sensor_takes_part(self, features):
        other_sensor = {10.0: features.tables[10.0].features[:20] + 1.0}

        [alone, _], [beside, _] = (
            fit_heads(found, (10.0,)) for found in (features, replace(features, other_sensor=other_sensor))
        )

        for one, other in zip(alone.head.parts, beside.head.parts, strict=True):
            assert not np.allclose(one.weights, other.weights)


class TestFitCorrelations:
    def test_windows_that_are_faintly_right_add_up_and_wrong_ones_do_not(self, features):
        faint, loud = fit_heads(features, (10.0,))
        alone, with_rest = (shipped_examples(features, 10.0, own_rest=own_rest) for own_rest in (False, True))
        right = 0.3 * np.eye(5)[alone.classes[alone.evaluated]]
        some_wrong = 4.0 * np.eye(5)[(with_rest.classes + (with_rest.people == 0))[with_rest.evaluated] % 5]
        heads = [replace(faint, left_out_logits=right), replace(loud, left_out_logits=some_wrong)]

        adding_up, of_no_more_use = fit_correlations(features, (10.0,), heads)

        assert adding_up == pytest.approx(0.0, abs=0.01)
        assert of_no_more_use > 1.0


class TestWriteActivityBundle:
    def test_card_and_fields_hold_license_and_figures(self, features, tmp_path):
        heads = fit_heads(features, (10.0,))

        recognizer = write_moving_bundle(tmp_path, heads, FIGURES)

        assert recognizer.info.licence == "GPL-3.0"
        assert (
            "whole strips | yes | 60 | 90.0 % (81–96) | 95.0 % (90–99) | 1.2 % (3.1) | 0.8 % (2.7)"
            in recognizer.info.card
        )
        assert recognizer.info.operating_points[0]["accuracy_3"] == 0.95

    def test_the_same_heads_give_the_same_bytes(self, features, tmp_path):
        heads = fit_heads(features, (10.0,))
        for folder in ("a", "b"):
            write_moving_bundle(tmp_path / folder, heads, FIGURES)

        a, b = (tmp_path / folder / "activity@2026.11" for folder in ("a", "b"))

        assert (a / "model.onnx").read_bytes() == (b / "model.onnx").read_bytes()
        assert json.loads((a / "bundle.json").read_text())["kind"] == "activity"
