from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ml.evaluation.kept_results import RESULTS, keep_protocol
from ml.evaluation.pages.page import PAGES, write_page
from ml.research.dt4ecg.estimates import Costs, NetCost, write_costs
from ml.research.dt4ecg.page import NAME, make_page, read_kept
from ml.research.dt4ecg.plan import PROPOSED, folds, planned_cells, table_4
from ml.research.dt4ecg.results import CELLS, CellResult, keep_results
from tests.unit.ml.research.dt4ecg.grids import keep

FAILED = replace(PROPOSED, loss="equation_8", protocol="A2")


def page_text(results: Path) -> str:
    return make_page(read_kept(results)).text


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of the whole plan."""
    results = tmp_path_factory.mktemp("results")
    keep(results, *planned_cells())
    keep_results(results, CellResult(FAILED, failed="epoch 2: losses [nan, nan]"))
    write_costs(results, Costs({"resnet+sca": NetCost(233377, 11_500_000, 1.9, 22.0)}, {}, "today"))
    found = {"split": "random", "head": "logistic", "people": 90, "accuracy": 0.9912}
    keep_protocol(results, "ecg", {"protocol": "E1", "encoder": "ecg@1", "figures": [found]})
    return results


class TestEmptyPage:
    def test_every_table_is_there_and_says_what_is_missing(self, tmp_path: Path) -> None:
        text = page_text(tmp_path)

        for title in ("Table I under A1", "Table I under A2", "Table II", "Table III", "Table IV"):
            assert title in text
        assert "| 1D-ResNet + SCA | 99.12 / 99.14 / 99.12 / 99.12 | not measured |" in text
        assert f"0 of {len(planned_cells())} trainings are done" in text
        assert text.count("Not measured.") == 2  # Figures 6 and 7.

    def test_scaling_by_the_record_is_compared_with_scaling_by_the_window(self, tmp_path: Path) -> None:
        assert "| scaling = `window` | not measured |" in page_text(tmp_path)

    def test_it_has_no_pictures(self, tmp_path: Path) -> None:
        page = make_page(read_kept(tmp_path))

        assert not page.pictures
        assert "](dt4ecg/" not in page.text


class TestPage:
    def test_the_papers_figures_stand_beside_ours(self, whole: Path) -> None:
        text = page_text(whole)

        assert "| 1D-CNN | CBAM | 98.87 / 73.47 | 90.00 / 90.00 / 94.00 | 90.00 / 90.00 / 94.00 |" in text
        assert "| `static` | 95.13 / 78.22 | 90.00 (90.00–90.00) |" in text

    def test_targets_are_judged(self, whole: Path) -> None:
        text = page_text(whole)

        assert "| A1 | identity, 10 people (leaky) | 99.12 % (15 people) | ≥ 99.5% | ≥ 99.8% | 90.00%" in text
        assert "**missed**" in text

    def test_the_set_that_others_share_is_there(self, whole: Path) -> None:
        assert (
            "| Pulseprint | `ecg@1`, never trained on ECG-ID; logistic | ECG-ID | 90 | 99.12 |"
            in page_text(whole)
        )

    def test_a_failed_training_is_named(self, whole: Path) -> None:
        text = page_text(whole)

        assert f"Failed: {FAILED.id}." in text

    def test_the_printed_rule_is_said_to_vanish(self, whole: Path) -> None:
        assert "both are zero from step 2 of the 2 steps of the first epoch on" in page_text(whole)

    def test_costs_are_those_measured(self, whole: Path) -> None:
        assert "| 1D-ResNet + SCA | 233,377 | 11.50 | 1.90 | 22.0 |" in page_text(whole)

    def test_every_picture_is_shown_and_drawn(self, whole: Path) -> None:
        page = make_page(read_kept(whole))

        assert {"figure-6-static.svg", "figure-7-activity.svg", "confusion-A3-groups.svg"} <= set(
            page.pictures
        )
        for name, svg in page.pictures.items():
            assert f"]({NAME}/{name})" in page.text
            ET.fromstring(svg)

    def test_people_never_seen_have_no_identity(self, whole: Path) -> None:
        lines = [
            line for line in page_text(whole).splitlines() if line.startswith("| A3 | 1D-ResNet + SCA | 3 s")
        ]

        assert len(lines) == 1
        assert "| – | 90.0 (" in lines[0]
        assert lines[0].endswith("| 5.0 | 10 of 10 |")

    def test_one_rule_alone_makes_no_comparison(self, tmp_path: Path) -> None:
        keep(tmp_path, table_4()[0])

        assert "against equal weights" not in page_text(tmp_path)

    def test_rules_are_compared_with_equal_weights(self, tmp_path: Path) -> None:
        keep(tmp_path, table_4()[0], right=0.8)
        keep(tmp_path, table_4()[2], right=0.9)

        assert (
            "against equal weights, in points: `gradnorm` +10.00. The paper: +5.89. One seed."
            in page_text(tmp_path)
        )

    def test_what_seeds_alone_change_stands_beside(self, tmp_path: Path) -> None:
        keep(tmp_path, *table_4()[::2])
        keep(tmp_path, table_4(seed=2)[0], right=0.7)

        assert "Equal weights alone differ by 20.00 over 2 seeds." in page_text(tmp_path)

    def test_folds_under_way_are_counted(self, tmp_path: Path) -> None:
        keep(tmp_path, *folds(replace(PROPOSED, protocol="A2e"))[:2])

        assert "| not measured | not measured | not measured | – | 2 of 3 |" in page_text(tmp_path)

    def test_writing_leaves_the_cells_alone(self, tmp_path: Path) -> None:
        keep(tmp_path, PROPOSED)

        written = write_page(tmp_path, make_page(read_kept(tmp_path)))

        assert tmp_path / "dt4ecg.md" in written
        assert (tmp_path / CELLS).is_file()


class TestKeptPage:
    def test_it_is_what_the_kept_results_give(self) -> None:
        root = Path(__file__).parents[5]

        page = make_page(read_kept(root / RESULTS))

        for name, text in page.files().items():
            assert (root / PAGES / name).read_text(encoding="utf-8") == text, (
                f"{name}: run python -m ml.research.dt4ecg --page"
            )
        assert {path.name for path in (root / PAGES / NAME).glob("*.svg")} == set(page.pictures)
