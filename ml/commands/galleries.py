"""`python -m ml.cli galleries`: are the stated false-match rates true in small galleries?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from ml.data.fingerprints import (
    F1,
    FCJ_CALIBRATION_PEOPLE,
    FCJ_TEST_PEOPLE,
    FingerprintFile,
    read_fcj,
    read_fvc,
)
from ml.evaluation.fingerprint.people import people_of_prints
from ml.evaluation.kept_results import GALLERIES, RESULTS
from ml.evaluation.looks import log_look
from ml.evaluation.protocols.catalogue import PROTOCOLS
from ml.evaluation.protocols.random_galleries import DRAWS, SIZES, People, gallery_figures
from ml.evaluation.result_lines import keep_lines
from ml.evaluation.runner import DEFAULT_CACHE, Runner
from ml.runtime.bundle import default_bundle
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.training.fingerprint.impressions import extract_files


@dataclass(frozen=True)
class GallerySet:
    """People from whom galleries are drawn.

    Args:
        summary: One line for the report.
        modality: Whose captures are compared.
        development: Whether the figures may be used to choose anything.
        build: From the encoder, the data folder and the cache.
    """

    summary: str
    modality: str
    development: bool
    build: Callable[[BundledEncoder, Path, Path], People]


def _vectors(name: str, variant: str) -> GallerySet:
    def build(encoder: BundledEncoder, data: Path, cache: Path) -> People:
        runner = Runner(encoder, data, cache / "encodings")
        (trials,) = (one for one in runner.trials(name) if one.name == variant)
        return runner.people(name, trials)

    protocol = PROTOCOLS[name]
    return GallerySet(protocol.summary, protocol.modality, protocol.development, build)


def _prints(
    summary: str, *, development: bool, sets: Mapping[str, Callable[[Path], list[FingerprintFile]]]
) -> GallerySet:
    def build(encoder: BundledEncoder, data: Path, cache: Path) -> People:
        comparer = encoder.preparation.comparer()
        assert isinstance(comparer, FingerprintComparer)
        prints = [
            one
            for name, read in sets.items()
            for one in extract_files(name, read(data), cache / "fingerprints")
        ]
        return people_of_prints(prints, encoder.calibration, comparer)

    return GallerySet(summary, "fingerprint", development, build)


def _read_fvc(name: str, data: Path) -> list[FingerprintFile]:
    return read_fvc(data, name)


GALLERY_SETS: Final[Mapping[str, GallerySet]] = {
    "D1-dev": _vectors("D1-dev", "first → last"),
    "D2": _vectors("D2", "probe 10 s"),
    "E2": _vectors("E2", "20 s"),
    "F-cal": _vectors("F-cal", "1 → second session"),
    "F4": _vectors("F4", "1 → second session"),
    "F3": _vectors("F3", "1 → others"),
    "P-cal": _prints(
        "FCJ2020, people 101–125, four fingers each; the calibration was fitted to them",
        development=True,
        sets={"fcj-calibration": lambda data: read_fcj(data, FCJ_CALIBRATION_PEOPLE)},
    ),
    "F2": _prints(
        "FCJ2020, people 126–150, four fingers each",
        development=False,
        sets={"fcj-test": lambda data: read_fcj(data, FCJ_TEST_PEOPLE)},
    ),
    "F1": _prints(
        "FVC2002 and FVC2004, sixty fingers on six sensors in one gallery",
        development=False,
        sets={name: partial(_read_fvc, name) for name in F1},
    ),
}


def register(app: typer.Typer) -> None:
    """Add the command `galleries` to a command line."""
    app.command("galleries")(galleries)


def galleries(
    only: Annotated[
        list[str] | None, typer.Option("--set", help=f"Of {', '.join(GALLERY_SETS)}; else all.")
    ] = None,
    *,
    data: Annotated[Path, typer.Option(help="Folder that holds ecg/, face/, fingerprint/.")] = Path(
        "../shared/data"
    ),
    models: Annotated[Path, typer.Option(help="Where bundles live.")] = Path("models"),
    results: Annotated[Path, typer.Option(help="Where results are kept.")] = RESULTS,
    cache: Annotated[Path, typer.Option(help="Where encodings are kept.")] = DEFAULT_CACHE.parent,
    draws: Annotated[int, typer.Option(help="Galleries of each size.", min=1)] = DRAWS,
) -> None:
    """Draw galleries at random, count false matches by their own rules, and log looks at test people."""
    console = Console(width=160)
    for name in only or GALLERY_SETS:
        if name not in GALLERY_SETS:
            raise typer.BadParameter(f"{name}: expected {', '.join(GALLERY_SETS)}")
        chosen = GALLERY_SETS[name]
        encoder = load_bundle(default_bundle(models, chosen.modality))
        with console.status(f"{name}: encoding and comparing"):
            people = chosen.build(encoder, data, cache)
        enrollable = len(people.comparisons.gallery_people)
        sizes = sorted({min(size, enrollable) for size in (*SIZES, enrollable)})
        found = {
            "protocol": name,
            "summary": chosen.summary,
            "modality": chosen.modality,
            "development": chosen.development,
            "encoder": encoder.encoder_id,
            "weights_sha256": encoder.info.sha256,
            "people": enrollable,
            "galleries": [gallery_figures(people, size, draws) for size in sizes],
        }
        _print(console, found)
        keep_lines(results / GALLERIES, [found], "modality", "protocol")
        if not chosen.development:
            log_look(
                results / "looks.jsonl",
                protocol=f"galleries {name}",
                bundle=f"{encoder.encoder_id} {encoder.info.sha256[:12]}",
                figures=_seen(found),
            )


def _seen(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(one["enrolled"]): {f"{at['fmr']:g}": round(at["measured_over_nominal"], 3) for at in one["rates"]}
        for one in found["galleries"]
    }


def _print(console: Console, found: Mapping[str, Any]) -> None:
    table = Table(title=f"{found['protocol']}: {found['summary']}")
    for column in (
        "enrolled",
        "own null",
        "nominal FMR",
        "measured ÷ nominal",
        "5–95 % of galleries",
        "without own null",
        "FNMR",
    ):
        table.add_column(column)
    for one in found["galleries"]:
        for at in one["rates"]:
            low, high = at["interval_95"]
            least, most = at["spread_of_galleries"]
            ratio = f"{at['measured_over_nominal']:.2f} ({low:.2f}–{high:.2f})"
            table.add_row(
                f"{one['enrolled']} × {one['galleries']}",
                "yes" if one["corrected"] else "no",
                f"{at['fmr']:.1%}",
                ratio if at["resolvable"] else f"[dim]{ratio} not resolvable",
                f"{least:.2f}–{most:.2f}",
                f"{at['measured_over_nominal_uncorrected']:.2f}",
                f"{at['fnmr']:.1%}",
            )
    console.print(table)
