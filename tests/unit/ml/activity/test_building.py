import json

from ml.activity.building import fit_heads, write_activity_bundle
from ml.activity.features import FEATURE_NAMES, N_REST
from tests.moving import CHAINING, RECIPE

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
    }
]


class TestFitHeads:
    def test_one_without_and_one_with_own_rest_per_context(self, features):
        without, with_rest = fit_heads(features, (10.0,))

        assert len(without.head.weights) == len(FEATURE_NAMES)
        assert len(with_rest.head.weights) == len(FEATURE_NAMES) + N_REST


class TestWriteActivityBundle:
    def test_card_and_fields_tell_licence_and_figures(self, features, tmp_path):
        heads = fit_heads(features, (10.0,))

        recogniser = write_activity_bundle(tmp_path, RECIPE, heads, CHAINING, people=4, figures=FIGURES)

        assert recogniser.info.licence == "GPL-3.0"
        assert (
            "whole strips | yes | 60 | 90.0 % (81–96) | 95.0 % (90–99) | 1.2 % | 0.8 %"
            in recogniser.info.card
        )
        assert recogniser.info.operating_points[0]["accuracy_3"] == 0.95

    def test_the_same_heads_give_the_same_bytes(self, features, tmp_path):
        heads = fit_heads(features, (10.0,))
        for folder in ("a", "b"):
            write_activity_bundle(tmp_path / folder, RECIPE, heads, CHAINING, people=4, figures=FIGURES)

        a, b = (tmp_path / folder / "activity@2026.11" for folder in ("a", "b"))

        assert (a / "model.onnx").read_bytes() == (b / "model.onnx").read_bytes()
        assert json.loads((a / "bundle.json").read_text())["kind"] == "activity"
