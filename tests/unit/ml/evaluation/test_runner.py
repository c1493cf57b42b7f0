"""The shipped bundle on real recordings: figures kept in docs/results, minus one probe (issue 2)."""

import json
from pathlib import Path

import pytest

from ml.encoder import load_bundle
from ml.evaluation.runner import ProtocolResult, Runner

pytestmark = pytest.mark.real_data

ROOT = Path(__file__).parents[4]
BUNDLE = ROOT / "models" / "ecg-beat@2026.11"
SHIPPED = json.loads((ROOT / "docs" / "results" / "E2.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def runner(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(load_bundle(BUNDLE), data_dir, tmp_path_factory.mktemp("encodings"))


@pytest.fixture(scope="module")
def result(runner: Runner) -> ProtocolResult:
    return runner.run("E2")


class TestShippedBundleOnE2:
    def test_results_are_of_the_shipped_weights(self, result: ProtocolResult) -> None:
        assert result.weights_sha256 == SHIPPED["weights_sha256"]

    def test_accuracy_is_the_shipped_figure_or_at_most_one_probe_worse(self, result: ProtocolResult) -> None:
        for found, shipped in zip(result.variants, SHIPPED["variants"], strict=True):
            one_probe = 1.0 / found.probes
            assert found.name == shipped["name"]
            assert found.rank_1_errors.count <= shipped["rank_1_errors"]["count"] + 1
            assert found.eer <= shipped["eer"] + one_probe

    def test_polarity_changes_no_score(self, result: ProtocolResult) -> None:
        assert result.inverted_max_db["20 s"] <= 1e-4

    def test_false_matches_stay_near_the_policy(self, result: ProtocolResult) -> None:
        for variant, limit in zip(result.variants, (1.5, 2.0, 2.0, 2.0), strict=True):
            rate = variant.rates[0]
            assert rate.measured.value / rate.fmr <= limit


class TestRunner:
    def test_day_pairs_compare_with_their_own_enrollment(self, runner: Runner) -> None:
        (trials,) = runner.trials("E3b")

        scored = runner.scored("E3b", trials)

        enrolled_otherwise = [k for k, p in enumerate(trials.probes) if p.own_enrollment is not None]
        assert scored.comparisons.mated_probes.tolist() == enrolled_otherwise

    def test_unknown_protocol_is_an_error(self, runner: Runner) -> None:
        with pytest.raises(KeyError):
            runner.run("E99")
