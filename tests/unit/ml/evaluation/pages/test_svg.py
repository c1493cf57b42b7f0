import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from ml.evaluation.pages.svg import (
    Series,
    bar_chart,
    line_chart,
    linear_axis,
    log_axis,
    matrix_chart,
    probit_axis,
)

NAMESPACE = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{NAMESPACE}text")]


def lines(svg: str) -> list[list[tuple[float, float]]]:
    """The places along every drawn curve."""
    found = []
    for path in ET.fromstring(svg).iter(f"{NAMESPACE}path"):
        if re.fullmatch(r"line\d", path.get("class", "")) and "L" in path.get("d", ""):
            steps = path.get("d", "")[1:].split("L")
            found.append([(float(x), float(y)) for x, y in (step.split() for step in steps)])
    return found


class TestAxes:
    def test_ends_are_at_the_ends_and_values_beyond_too(self) -> None:
        for axis in (
            linear_axis("a", 2.0, 4.0),
            log_axis("a", 2.0, 4.0, (2, 3)),
            probit_axis("a", 0.01, 0.4),
        ):
            assert axis.place(axis.low) == 0.0
            assert axis.place(axis.high) == 1.0
            assert axis.place(axis.high * 2) == 1.0

    def test_equal_factors_are_equal_steps_on_a_logarithmic_axis(self) -> None:
        axis = log_axis("s", 1.0, 100.0, (1, 10, 100))

        assert axis.place(10.0) == pytest.approx(0.5)

    def test_a_probit_axis_is_even_in_standard_deviations(self) -> None:
        axis = probit_axis("FMR", 0.0227501319, 0.5)  # −2 and 0 standard deviations

        assert axis.place(0.1586552539) == pytest.approx(0.5)

    @pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 0.0737), (0.0, 14.0), (3.0, 9.0)])
    def test_linear_ticks_are_few_even_and_within(self, low: float, high: float) -> None:
        ticks = [value for value, _ in linear_axis("a", low, high).ticks]

        steps = {round(b - a, 9) for a, b in pairwise(ticks)}
        assert len(steps) == 1
        assert 4 <= len(ticks) <= 9
        assert low <= ticks[0]
        assert ticks[-1] <= high + 1e-9


class TestLineChart:
    def draw(self) -> str:
        series = [
            Series("up & <away>", ((0.0, 0.1), (1.0, 0.2), (3.0, 0.4))),
            Series("b", ((0.0, 0.5), (3.0, 0.1))),
        ]
        return line_chart(
            "Title", linear_axis("x label", 0.0, 3.0), linear_axis("y label", 0.0, 0.5), series, "note"
        )

    def test_it_is_xml_with_title_labels_legend_and_note(self) -> None:
        found = texts(self.draw())

        for text in ("Title", "x label", "y label", "up & <away>", "b", "note"):
            assert text in found

    def test_curves_keep_their_order(self) -> None:
        rising, falling = lines(self.draw())

        assert [x for x, _ in rising] == sorted(x for x, _ in rising)
        assert [y for _, y in rising] == sorted((y for _, y in rising), reverse=True)  # Up on paper.
        assert falling[0][1] < falling[1][1]

    def test_every_curve_stays_inside_the_picture(self) -> None:
        _, _, width, height = map(float, (ET.fromstring(self.draw()).get("viewBox") or "").split())

        assert all(0 <= x <= width and 0 <= y <= height for line in lines(self.draw()) for x, y in line)

    def test_it_has_colors_for_light_and_dark(self) -> None:
        assert "prefers-color-scheme:dark" in self.draw()

    def test_a_single_point_is_a_dot(self) -> None:
        svg = line_chart("T", linear_axis("x", 0, 1), linear_axis("y", 0, 1), [Series("one", ((0.5, 0.5),))])

        assert len(list(ET.fromstring(svg).iter(f"{NAMESPACE}circle"))) == 1


class TestBarChart:
    def test_longer_bars_are_larger_values_and_all_are_named(self) -> None:
        svg = bar_chart(
            "T", linear_axis("EER", 0.0, 0.04, percent=True), [("a", 0.01, None), ("b", 0.03, (0.02, 0.04))]
        )

        widths = [float(r.get("width") or 0) for r in ET.fromstring(svg).iter(f"{NAMESPACE}rect")][1:]
        assert widths[1] == pytest.approx(3 * widths[0], abs=0.2)
        assert {"a", "b", "EER", "1.00 %", "3.00 %"} <= set(texts(svg))


class TestMatrixChart:
    def squares(self, counts: list[list[int]]) -> list[ET.Element]:
        svg = matrix_chart("t", ("rest", "run"), counts, rows="did", columns="called")
        return [e for e in ET.fromstring(svg).iter(f"{NAMESPACE}rect") if e.get("class") == "fill0"]

    def test_names_stand_at_rows_and_columns_and_counts_are_written(self) -> None:
        shown = texts(matrix_chart("t", ("rest", "<run>"), [[7, 1], [0, 4]], rows="did", columns="called"))

        assert [shown.count(text) for text in ("rest", "<run>", "did", "called")] == [2, 2, 1, 1]
        assert [shown.count(text) for text in ("7", "1", "0", "4")] == [1, 1, 1, 1]

    def test_shades_are_shares_of_the_row(self) -> None:
        shades = [float(one.get("fill-opacity", "")) for one in self.squares([[30, 10], [0, 2]])]

        assert shades == pytest.approx([0.75 * 0.75, 0.75 * 0.25, 0.0, 0.75], abs=0.006)

    def test_rows_go_down_and_columns_to_the_right(self) -> None:
        squares = self.squares([[1, 1], [1, 1]])

        x, y = ([float(one.get(axis, "")) for one in squares] for axis in "xy")
        assert x[0] == x[2] < x[1] == x[3]
        assert y[0] == y[1] < y[2] == y[3]

    def test_a_class_that_never_occurs_is_blank(self) -> None:
        assert [one.get("fill-opacity") for one in self.squares([[0, 0], [0, 2]])][:2] == ["0.00", "0.00"]
