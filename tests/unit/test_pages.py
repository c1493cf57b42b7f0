"""What pages state in figures, links and commands holds; sentences are free."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from app.adapters.encoders import load_encoders
from app.domain.policies import CalibratedPolicy
from app.services.limits import max_subjects
from ml.evaluation.kept_results import read_results
from ml.evaluation.marked_tables import PAGES, fill, table_names
from ml.evaluation.summary_tables import summary_tables

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINKED = [
    ROOT / "README.md",
    ROOT / "migrations" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(RESULTS.glob("*.md")),
]


def kept(encoder: str, protocol: str, variant: str) -> dict[str, Any]:
    found = json.loads((RESULTS / encoder / f"{protocol}.json").read_text(encoding="utf-8"))["variants"]
    return next(one for one in found if one["name"] == variant)


def rows(text: str, table: str) -> list[list[str]]:
    """Cells of a marked table, without its head."""
    marked = text.split(f"<!-- generated: {table} -->")[1].split("<!-- end generated -->", maxsplit=1)[0]
    lines = [line for line in marked.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


class TestMarkedTables:
    @pytest.mark.parametrize("page", PAGES)
    def test_pages_hold_the_tables_of_the_kept_results(self, page: str) -> None:
        text = (ROOT / page).read_text(encoding="utf-8")

        assert table_names(text)
        assert text == fill(text, summary_tables(read_results(RESULTS))), "run python -m ml.cli report"

    def test_every_table_stands_on_a_page(self) -> None:
        shown = {name for page in PAGES for name in table_names((ROOT / page).read_text(encoding="utf-8"))}

        assert shown == set(summary_tables(read_results(RESULTS)))


class TestReadme:
    def test_it_is_short(self) -> None:
        assert len(README.split()) <= 1000

    def test_accuracy_is_that_of_the_results(self) -> None:
        protocols = (
            ("E2", "20 s"),
            ("E3-multi", "earlier days → last day"),
            ("D1", "first → last"),
        )
        shown = rows(README, "accuracy-summary")

        assert len(shown) == len(protocols)
        for (_, errors, eer, missed), protocol in zip(shown, protocols, strict=True):
            found = kept("ecg", *protocol)
            assert errors == "{count}/{n}".format(**found["rank_1_errors"])
            assert eer.startswith(f"{100 * found['eer']:.1f} % (")
            assert missed == "{count}/{n}".format(**found["rates"][1]["fnmr"])

    def test_speed_is_that_of_the_benchmarks(self) -> None:
        lines = json.loads((RESULTS / "benchmarks.json").read_text(encoding="utf-8"))["verbs"]["lines"]
        ((subjects, *times, _),) = rows(README, "speed-summary")

        for verb, shown in zip(("verify", "identify", "enroll"), times, strict=True):
            start = f"POST /{verb}, {subjects} subjects"
            (line,) = [line for line in lines if line["what"].startswith(start)]
            assert shown == f"{line['raw']['p50_ms']:.1f} ms"

    @pytest.mark.parametrize("fpir", [0.01, 0.05])
    def test_sizes_of_galleries_are_what_policies_can_carry(self, fpir: float) -> None:
        (stated,) = re.findall(rf"up to about ([\d ]+) \|[^|]*`?fpir`? 0?{fpir}", README.replace("`", ""))

        limit = max_subjects(CalibratedPolicy(fmr=1e-3, fpir=fpir), load_encoders(ROOT / "models", {}))

        assert limit is not None
        assert int(stated.replace(" ", "")) == pytest.approx(limit, rel=0.01)


class TestLinks:
    @pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
    def test_they_lead_to_files_and_headings(self, page: Path) -> None:
        links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))

        for link in links:
            if not link.startswith(("http://", "https://")):
                file, _, anchor = link.partition("#")
                target = page.parent / file if file else page
                assert target.exists(), f"{page.name}: {link}"
                assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


class TestCommands:
    @pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
    def test_targets_of_make_exist(self, page: Path) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
        named = re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", page.read_text(), flags=re.MULTILINE)

        assert {one or other for one, other in named} <= targets

    @pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
    def test_modules_that_are_run_exist(self, page: Path) -> None:
        for module in re.findall(r"python -m ((?:app|ml|benchmarks)[\w.]*)", page.read_text()):
            assert find_spec(module.rstrip(".")) is not None, module
