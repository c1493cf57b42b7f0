from pathlib import Path

from ml.evaluation.pages.table_page import keep_section


def headings(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]


class TestKeepSection:
    def test_a_page_begins_with_the_name_of_its_bundle(self, tmp_path: Path) -> None:
        keep_section(tmp_path / "tables" / "ecg.md", "E2", "| a |\n")

        assert headings(tmp_path / "tables" / "ecg.md") == ["# All tables of `ecg`", "## E2"]

    def test_sections_stand_in_the_order_of_their_numbers(self, tmp_path: Path) -> None:
        for name in ("E10", "E2", "E3-multi", "E3", "D1"):
            keep_section(tmp_path / "ecg.md", name, "| a |")

        assert headings(tmp_path / "ecg.md")[1:] == ["## D1", "## E2", "## E3", "## E3-multi", "## E10"]

    def test_a_section_takes_the_place_of_its_former_one(self, tmp_path: Path) -> None:
        keep_section(tmp_path / "ecg.md", "E2", "| old |")
        keep_section(tmp_path / "ecg.md", "E3", "| other |")

        keep_section(tmp_path / "ecg.md", "E2", "| new |")

        text = (tmp_path / "ecg.md").read_text(encoding="utf-8")
        assert "| old |" not in text
        assert text.index("| new |") < text.index("| other |")

    def test_the_same_section_again_changes_nothing(self, tmp_path: Path) -> None:
        for name in ("E2", "E3"):
            keep_section(tmp_path / "ecg.md", name, "**title**\n\n| a |\n")
        before = (tmp_path / "ecg.md").read_bytes()

        keep_section(tmp_path / "ecg.md", "E2", "**title**\n\n| a |\n")

        assert (tmp_path / "ecg.md").read_bytes() == before
