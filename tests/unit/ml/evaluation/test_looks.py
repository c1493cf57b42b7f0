import json
from pathlib import Path

from ml.evaluation.looks import current_commit, log_look


class TestLogLook:
    def test_looks_add_up(self, tmp_path: Path) -> None:
        path = tmp_path / "results" / "looks.jsonl"

        for errors in (3, 2):
            log_look(path, protocol="E2", bundle="ecg-beat@1", figures={"errors": errors})

        first, second = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
        assert (first["protocol"], first["figures"]) == ("E2", {"errors": 3})
        assert second["figures"] == {"errors": 2}
        assert first["date"].endswith("Z")

    def test_commit_is_named(self) -> None:
        assert current_commit()
