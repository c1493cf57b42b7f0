import re
from xml.etree import ElementTree

import numpy as np
import pytest

from app.pictures.svg import element, round_ticks, text, tip, trace, wrapped

HOSTILE = "</text><script>alert(1)</script>&\"'<!--"


class TestEscaping:
    @pytest.mark.parametrize("made", [text(HOSTILE, 1, 2), tip(HOSTILE), element("g", class_=HOSTILE)])
    def test_no_text_becomes_markup(self, made):
        root = ElementTree.fromstring(made)

        assert "<script" not in made
        assert HOSTILE in [*root.itertext(), *root.attrib.values()]


class TestTrace:
    def test_holds_every_point_to_a_tenth(self):
        rng = np.random.default_rng(0)
        x, y = np.sort(rng.uniform(0, 800, 500)), rng.uniform(-50, 150, 500)

        d = re.search(r'd="([^"]+)"', trace(x, y, "main"))[1]

        start, steps = d[1:].split("l")
        numbers = np.array([int(n) for n in re.findall(r"-?\d+", steps)]).reshape(-1, 2)
        points = np.vstack([[int(n) for n in start.split()], numbers]).cumsum(axis=0) / 10
        assert np.abs(points - np.column_stack([x, y])).max() <= 0.05 + 1e-9

    def test_one_point_is_no_line(self):
        assert trace(np.zeros(1), np.zeros(1), "main") == ""


class TestRoundTicks:
    @pytest.mark.parametrize(
        ("low", "high", "about", "ticks"),
        [
            (0.0, 10.0, 10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
            (-0.4, 1.2, 3, [0.0, 1.0]),
            (15.0, 30.0, 3, [15, 20, 25, 30]),
            (1e-6, 3e-6, 2, [1e-6, 2e-6, 3e-6]),
            (1.0, 1.0, 3, []),
        ],
    )
    def test_are_round_and_inside(self, low, high, about, ticks):
        assert list(round_ticks(low, high, about)) == pytest.approx(ticks)

    def test_never_hold_minus_zero(self):
        assert "-0" not in [f"{tick:g}" for tick in round_ticks(-0.4, 1.0, 3)]


class TestWrapped:
    def test_breaks_between_words_only(self):
        lines = wrapped("one two three four", 60)

        assert lines == ["one two", "three", "four"]
        assert wrapped("", 60) == [""]
