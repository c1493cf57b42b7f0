from pathlib import Path

import pytest
from typer.testing import CliRunner

from ml.cli import app
from ml.evaluation.kept_results import read_results
from ml.evaluation.trials.trial_scores import write_trial_scores
from tests.unit.ml.evaluation.trials.test_paired import scores

BUNDLE = Path(__file__).parents[4] / "models" / "ecg-beat@2026.11"


def compare(tmp_path: Path, protocol: str, a: str, b: str) -> tuple[int, str]:
    folders = {"results": "", "scores": "scores", "cache": "cache"}
    options = [text for name, path in folders.items() for text in (f"--{name}", str(tmp_path / path))]
    command = ["compare", "--protocol", protocol, "--bundle", a, "--against", b, "--replicates", "100"]
    outcome = CliRunner().invoke(app, [*command, *options])
    return outcome.exit_code, outcome.output


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    for name, separation, seed in (("one", 4.0, 1), ("other", 2.0, 2)):
        for protocol in ("D1-dev", "E3b"):
            write_trial_scores(
                tmp_path / "scores" / name / f"{protocol}.npz", [scores(name, separation, seed=seed)]
            )
    return tmp_path


class TestCompare:
    def test_it_prints_and_keeps_counts_difference_interval_and_p(self, kept: Path) -> None:
        code, output = compare(kept, "D1-dev", "one", "other")

        (stored,) = read_results(kept).comparisons
        found = stored["variants"][0]
        assert code == 0
        assert f"{found['wrong_a']}, {found['wrong_b']} of 40" in output
        assert f"{found['eer']['p']:.3f}" in output
        assert found["eer"]["interval"][0] <= found["eer"]["difference"] <= found["eer"]["interval"][1]
        assert stored["command"].startswith("python -m ml.cli compare --protocol D1-dev")

    @pytest.mark.parametrize(("protocol", "looks"), [("D1-dev", 0), ("E3b", 1)])
    def test_a_comparison_on_a_test_set_is_a_look(self, kept: Path, protocol: str, looks: int) -> None:
        compare(kept, protocol, "one", "other")

        log = kept / "looks.jsonl"
        assert len(log.read_text(encoding="utf-8").splitlines() if log.is_file() else []) == looks

    def test_scores_that_are_not_there_are_one_line(self, kept: Path) -> None:
        code, output = compare(kept, "D1-dev", "one", "nobody")

        assert code == 1
        assert output.count("\n") == 1
        assert "no such file of trial scores" in output

    def test_unknown_protocol_lists_the_known_ones(self, kept: Path) -> None:
        code, output = compare(kept, "E99", "one", "other")

        assert code == 2
        assert "E3b" in output

    @pytest.mark.real_data
    def test_a_bundle_is_measured_and_its_scores_kept(self, tmp_path: Path, data_dir: Path) -> None:
        code, output = compare(tmp_path, "D2", str(BUNDLE), str(BUNDLE))

        assert code == 0, output
        assert (tmp_path / "scores" / "ecg-beat@2026.11" / "D2.npz").is_file()
        assert data_dir.is_dir()
