"""What pages state in figures holds; sentences are free."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.adapters.encoders import LoadedEncoders, load_encoders
from app.domain.policies import CalibratedPolicy
from app.domain.references import Modality
from app.services.limits import max_subjects
from ml.evaluation.kept_results import read_results
from ml.evaluation.pages.accuracy_pictures import IMAGES, accuracy_pictures
from ml.evaluation.pages.marked_tables import PAGES, fill, table_names
from ml.evaluation.pages.summary_tables import summary_tables

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def kept(encoder: str, protocol: str, variant: str) -> dict[str, Any]:
    lines = (RESULTS / "protocols" / f"{encoder}.jsonl").read_text(encoding="utf-8").splitlines()
    found = next(one for one in map(json.loads, lines) if one["protocol"] == protocol)["variants"]
    return next(one for one in found if one["name"] == variant)


def rows(text: str, table: str) -> list[list[str]]:
    """Cells of a marked table, without its head."""
    marked = text.split(f"<!-- generated: {table} -->")[1].split("<!-- end generated -->", maxsplit=1)[0]
    lines = [line for line in marked.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


class TestMarkedTables:
    @pytest.mark.parametrize("page", PAGES)
    def test_pages_hold_the_tables_of_the_kept_results(self, page: str) -> None:
        text = (ROOT / page).read_text(encoding="utf-8")

        assert table_names(text)
        assert text == fill(text, summary_tables(read_results(RESULTS))), "run python -m ml.cli report"

    def test_every_table_stands_on_a_page(self) -> None:
        shown = {name for page in PAGES for name in table_names((ROOT / page).read_text(encoding="utf-8"))}

        assert shown == set(summary_tables(read_results(RESULTS)))


class TestPictures:
    @pytest.mark.parametrize("name", accuracy_pictures(read_results(RESULTS)))
    def test_they_are_those_of_the_kept_results_and_shown(self, name: str) -> None:
        drawn = accuracy_pictures(read_results(RESULTS))[name]

        assert (ROOT / IMAGES / name).read_text(encoding="utf-8") == drawn, "run python -m ml.cli report"
        assert f"(images/{name})" in (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")


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

        assert len(shown) >= len(protocols)
        for (_, errors, eer, missed), protocol in zip(shown, protocols, strict=False):
            found = kept("ecg", *protocol)
            assert errors == "{count}/{n}".format(**found["rank_1_errors"])
            assert eer.startswith(f"{100 * found['eer']:.1f} % (")
            assert missed == "{count}/{n}".format(**found["rates"][1]["fnmr"])

    def test_other_modalities_have_their_rows(self) -> None:
        text = (RESULTS / "fingerprint" / "protocols.jsonl").read_text(encoding="utf-8")
        prints = next(one for one in map(json.loads, text.splitlines()) if one["protocol"] == "F1")
        face = kept("face", "F4", "1 → second session")

        shown = {name: cells for name, *cells in rows(README, "accuracy-summary")}

        one = prints["one_threshold"]
        (missed,) = (at["non_matches"] for at in one["fnmr"] if at["fmr"] == 1e-3)
        assert shown["Fingerprint (FVC)"][2] == f"{missed}/{one['mated']}"
        assert shown["Face (AR)"][0] == "{count}/{n}".format(**face["rank_1_errors"])

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

        limit = most_subjects(ROOT / "models", Modality.ECG, fpir)

        assert int(stated.replace(" ", "")) == pytest.approx(limit, rel=0.01)
        assert most_subjects(ROOT / "models", Modality.FINGERPRINT, fpir) >= limit

    @pytest.mark.parametrize("fpir", [0.01, 0.05])
    def test_a_face_alone_reaches_a_fifth(self, fpir: float, face_bundle: Path) -> None:
        by_ecg = most_subjects(ROOT / "models", Modality.ECG, fpir)
        by_face = most_subjects(face_bundle.parent, Modality.FACE, fpir)

        assert "A face alone reaches a fifth" in README
        assert by_face / by_ecg == pytest.approx(0.2, abs=0.05)


def most_subjects(models: Path, modality: Modality, fpir: float) -> int:
    """With the default bundle of one modality alone, whatever else has been fetched."""
    loaded = load_encoders(models, {}).of(modality)
    limit = max_subjects(CalibratedPolicy(fmr=1e-3, fpir=fpir), LoadedEncoders(loaded, {}))
    assert limit is not None
    return limit
