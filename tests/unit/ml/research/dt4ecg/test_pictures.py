from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from ml.research.dt4ecg import pictures
from ml.research.dt4ecg.figures import figures_of
from ml.research.dt4ecg.pictures import Named
from ml.research.dt4ecg.plan import PROPOSED
from tests.unit.ml.research.dt4ecg.grids import result

NAMESPACE = "{http://www.w3.org/2000/svg}"
STATIC = ("static", result(replace(PROPOSED, balancing="static")))
LITERAL = ("literal", result(replace(PROPOSED, balancing="dt4ecg_literal")))
STATELESS = ("stateless", result(PROPOSED))


def texts(svg: str | None) -> list[str]:
    assert svg is not None
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{NAMESPACE}text")]


class TestCurves:
    @pytest.mark.parametrize(
        "draw",
        [
            pictures.accuracy_picture,
            pictures.weights_picture,
            pictures.share_picture,
            pictures.gradient_picture,
        ],
    )
    def test_without_a_training_there_is_no_picture(self, draw: Callable[[str, Named], str | None]) -> None:
        assert draw("t", []) is None

    def test_accuracy_has_a_line_per_training_and_task(self) -> None:
        shown = texts(pictures.accuracy_picture("t", [STATIC, STATELESS]))

        for name in ("static", "stateless"):
            assert {f"{name}: identity", f"{name}: activity"} <= set(shown)

    def test_of_one_task_the_legend_names_trainings_alone(self) -> None:
        shown = texts(pictures.accuracy_picture("t", [STATIC], ["activity"]))

        assert "static" in shown
        assert "static: activity" not in shown

    def test_weights_that_are_gone_lie_at_the_bottom(self) -> None:
        shown = texts(pictures.weights_picture("t", [LITERAL, STATELESS]))

        assert {"1e-48", "On the bottom line: zero."} <= set(shown)

    def test_a_rule_without_weight_left_has_no_share(self) -> None:
        shown = texts(pictures.share_picture("t", [LITERAL, STATELESS]))

        assert "stateless" in shown
        assert "literal" not in shown

    def test_rules_that_measure_no_gradient_have_no_line(self) -> None:
        assert pictures.gradient_picture("t", [STATIC]) is None


class TestConfusionPicture:
    def test_classes_are_named_in_words_and_windows_counted(self) -> None:
        found = figures_of([result(PROPOSED)], "activity")
        assert found is not None

        shown = texts(pictures.confusion_picture("t", found))

        assert shown.count("arm movements") == 2
        assert any(text.startswith("500 test windows") for text in shown)
