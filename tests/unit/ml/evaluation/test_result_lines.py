import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from ml.evaluation.result_lines import keep_lines, read_lines


def cell(name: str, value: int = 0, seed: str = "1") -> dict[str, Any]:
    return {"id": name, "seed": seed, "value": value}


class TestReadLines:
    def test_without_a_file_there_are_none(self, tmp_path: Path) -> None:
        assert read_lines(tmp_path / "grid.jsonl") == []


class TestKeepLines:
    def test_a_line_comes_back_as_it_was(self, tmp_path: Path) -> None:
        line = {"id": "a", "rate": 0.1 + 0.2, "what": "ä\u2028 line", "none": None, "list": [1, [2.0]]}

        keep_lines(tmp_path / "grid.jsonl", [line], "id")

        assert read_lines(tmp_path / "grid.jsonl") == [line]

    def test_lines_are_sorted_by_key_whatever_their_order(self, tmp_path: Path) -> None:
        for name in ("b", "c", "a"):
            keep_lines(tmp_path / "grid.jsonl", [cell(name)], "id")

        assert [line["id"] for line in read_lines(tmp_path / "grid.jsonl")] == ["a", "b", "c"]

    def test_a_line_of_the_same_key_is_replaced(self, tmp_path: Path) -> None:
        keep_lines(tmp_path / "grid.jsonl", [cell("a", 1), cell("b", 1)], "id")

        keep_lines(tmp_path / "grid.jsonl", [cell("a", 2)], "id")

        assert [line["value"] for line in read_lines(tmp_path / "grid.jsonl")] == [2, 1]

    def test_all_fields_of_a_key_count(self, tmp_path: Path) -> None:
        keep_lines(tmp_path / "grid.jsonl", [cell("a", seed="1"), cell("a", seed="2")], "id", "seed")

        assert len(read_lines(tmp_path / "grid.jsonl")) == 2

    def test_what_cannot_be_written_leaves_the_former_file(self, tmp_path: Path) -> None:
        keep_lines(tmp_path / "grid.jsonl", [cell("a")], "id")

        with pytest.raises(TypeError):
            keep_lines(tmp_path / "grid.jsonl", [{"id": "b", "value": object()}], "id")

        assert read_lines(tmp_path / "grid.jsonl") == [cell("a")]

    def test_only_the_file_stays(self, tmp_path: Path) -> None:
        keep_lines(tmp_path / "grid.jsonl", [cell("a")], "id")

        assert list(tmp_path.iterdir()) == [tmp_path / "grid.jsonl"]

    def test_processes_lose_no_line_of_each_other(self, tmp_path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        writers = [
            context.Process(target=keep_one_by_one, args=(tmp_path / "grid.jsonl", name)) for name in "ab"
        ]

        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

        assert len(read_lines(tmp_path / "grid.jsonl")) == 2 * N_LINES


N_LINES = 100


def keep_one_by_one(path: Path, name: str) -> None:
    for number in range(N_LINES):
        keep_lines(path, [cell(f"{name}{number}")], "id")
