from pathlib import Path

import pytest

from ml.evaluation.pages.marked_tables import UnknownTableError, fill, fill_pages, table_names

PAGE = "before\n<!-- generated: speed -->\nold\n<!-- end generated -->\nafter\n"


class TestFill:
    def test_only_what_stands_between_markers_changes(self) -> None:
        filled = fill(PAGE, {"speed": "| a |\n"})

        assert filled == "before\n<!-- generated: speed -->\n\n| a |\n\n<!-- end generated -->\nafter\n"

    def test_it_is_safe_to_repeat(self) -> None:
        once = fill(PAGE, {"speed": "| a |\n"})

        assert fill(once, {"speed": "| a |\n"}) == once

    def test_tables_without_markers_are_ignored(self) -> None:
        assert fill("text\n", {"speed": "| a |\n"}) == "text\n"

    def test_a_marker_without_a_table_is_an_error(self) -> None:
        with pytest.raises(UnknownTableError, match=r"'speed'; known: accuracy"):
            fill(PAGE, {"accuracy": ""})


class TestTableNames:
    def test_they_are_those_of_the_markers(self) -> None:
        assert table_names(PAGE + PAGE.replace("speed", "r-peaks")) == ["speed", "r-peaks"]


class TestFillPages:
    def test_pages_that_are_absent_are_left_out(self, tmp_path: Path) -> None:
        (tmp_path / "README.md").write_text(PAGE, encoding="utf-8")

        written = fill_pages(tmp_path, {"speed": "| a |\n"})

        assert written == [tmp_path / "README.md"]
        assert "| a |" in written[0].read_text(encoding="utf-8")
