import json

import pytest

from benchmarks.results import _compact_numbers, at_least, at_most


class TestLine:
    @pytest.mark.parametrize(("value", "kept"), [(1.24, True), (1.25, True), (1.26, False)])
    def test_at_most_keeps_values_up_to_the_limit(self, value: float, kept: bool) -> None:
        assert at_most("a ratio", value, 1.25, "×", {}).kept is kept

    @pytest.mark.parametrize(("value", "kept"), [(0.79, False), (0.8, True), (0.81, True)])
    def test_at_least_keeps_values_from_the_limit_on(self, value: float, kept: bool) -> None:
        assert at_least("a ratio", value, 0.8, "×", {}).kept is kept


class TestCompactNumbers:
    def test_changes_nothing_but_white_space(self) -> None:
        content = {"each_ms": [1.5, -2, 3e-05, 4], "names": ["a", "b"], "none": [], "nested": [[1, 2], [3]]}

        text = _compact_numbers(json.dumps(content, indent=1))

        assert json.loads(text) == content

    def test_puts_numbers_on_one_line(self) -> None:
        text = _compact_numbers(json.dumps({"each_ms": list(range(100))}, indent=1))

        assert len(text.splitlines()) == 3
