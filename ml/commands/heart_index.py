"""`python -m ml.cli heart-index`: fit and judge what tells hearts from everything else that repeats."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ml import synthetic
from ml.data.readers import read_cinc2017, read_ludb, read_qtdb
from ml.data.splits import cinc_split
from ml.evaluation.looks import log_look
from ml.runtime.bundle import default_bundle
from ml.runtime.calibration.nulls import EVIDENCE_CLASSES
from ml.runtime.ecg import signal as runtime_signal
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.ecg.signal import heart_index
from ml.runtime.encoder import load_bundle
from ml.runtime.errors import CaptureError
from ml.runtime.evidence import EvidenceArray
from ml.synthetic.no_heart.species import SPECIES
from ml.training.heart_index import strips
from ml.training.heart_index.fitting import exported, fit, index_of
from ml.training.heart_index.material import Material, joined, material
from ml.training.heart_index.strips import (
    NOISY,
    NamedStrip,
    beginnings,
    computed_hearts,
    others,
    real_hearts,
    varied_hearts,
)

app = typer.Typer(no_args_is_help=True, add_completion=False)
console = Console(width=120)

DATA, MODELS, CACHE = Path("../shared/data"), Path("models"), Path("var/train/heart-index")
WEIGHTS: Final = Path(heart_index.__file__).parent / heart_index.NETWORK
EXPERIMENTS, LOOKS = Path("results/experiments"), Path("results/looks.jsonl")
N_PARTS: Final = 8
"""Of what is gathered: each is kept when it is done."""
PARTS: Final = [(kind, n) for kind in ("others", "computed", "varied", "plain") for n in range(N_PARTS)]
FIT_OTHERS, FIT_HEARTS = range(20_000, 24_000), range(100_000, 130_000)
JUDGED_OTHERS, JUDGED_HEARTS = range(400, 800), range(1000)
"""Others of the seeds before, 0 to 399, chose the threshold."""
FMR: Final = 1e-3
HELD_OUT_EPOCHS, HELD_OUT_SHARE = 6, 4

DataOption = Annotated[Path, typer.Option("--data", help="The folder that holds ecg/.", file_okay=False)]
ModelsOption = Annotated[Path, typer.Option("--models", help="Where bundles live.", file_okay=False)]
CacheOption = Annotated[Path, typer.Option("--cache", help="Where features are kept.", file_okay=False)]
ProcessesOption = Annotated[int, typer.Option(min=1, help="How many gather strips at once.")]


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    cli.add_typer(app, name="heart-index", help="What tells hearts from everything else that repeats.")


@app.command("fit")
def fit_command(data: DataOption = DATA, cache: CacheOption = CACHE, processes: ProcessesOption = 2) -> None:
    """Fit the network to CinC train people, computed hearts and computed signals of everything else."""
    hearts, rest = _gathered(data, cache, processes)
    console.print(f"{len(hearts.numbers)} strips of hearts, {len(rest.numbers)} of everything else")
    WEIGHTS.write_bytes(exported(fit(hearts, rest)))
    console.print(f"wrote {WEIGHTS.name}, {WEIGHTS.stat().st_size / 1000:.0f} kB")


@app.command("judge")
def judge_command(data: DataOption = DATA, models: ModelsOption = MODELS) -> None:
    """Count what is accepted with and without the index, of other seeds and other people."""
    columns = ["strips", "sent", "accepted without the index", "accepted with it"]
    table = Table(*columns)
    rows = [row for judged in _judged(data) for row in _counted(judged)]
    for row in rows:
        table.add_row(*row)
    console.print(table)
    note = _told_of_pairs(models)
    console.print(note)
    _keep("heart-index", JUDGED, columns, rows, note)
    log_look(LOOKS, protocol="heart-index", bundle=heart_index.NETWORK, figures={r[0]: r[3] for r in rows})


@app.command("hold-out")
def hold_out_command(
    data: DataOption = DATA, cache: CacheOption = CACHE, processes: ProcessesOption = 2
) -> None:
    """Fit once without each species, and count which of its members are then taken for hearts."""
    hearts, rest = (part.every(HELD_OUT_SHARE) for part in _gathered(data, cache, processes))
    judged = material(others(JUDGED_OTHERS))
    rows = []
    for species in (name for name in SPECIES if name != "mixture"):
        known = rest.without([species, "mixture"])
        network = fit(hearts, known, epochs=HELD_OUT_EPOCHS)
        held_out = judged.only([species])
        passed = int((index_of(network, held_out) >= heart_index.LEAST).sum())
        rows.append([species, str(len(JUDGED_OTHERS)), str(len(held_out.numbers)), str(passed)])
        console.print(*rows[-1])
    columns = ["species that the network never saw", "sent", "accepted without the index", "accepted with it"]
    _keep("heart-index-held-out", HELD_OUT, columns, rows, "")


def _gathered(data: Path, cache: Path, processes: int) -> tuple[Material, Material]:
    """Hearts, and everything else; what was gathered before is read from the cache."""
    cache /= _code()
    cache.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes) as pool:
        tasks = pool.map(_gather, PARTS, repeat(data), repeat(cache))
        parts = list(track(tasks, "gathering strips", total=len(PARTS)))
    named = [(kind == "others", part) for (kind, _), part in zip(PARTS, parts, strict=True)]
    hearts = joined([part for is_other, part in named if not is_other])
    return hearts, joined([part for is_other, part in named if is_other])


def _code() -> str:
    """A digest of what features are made by, so that none are kept beyond a change of it."""
    folders = (Path(runtime_signal.__path__[0]), Path(synthetic.__path__[0]), Path(strips.__file__).parent)
    sources = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def _gather(named: tuple[str, int], data: Path, cache: Path) -> Material:
    kind, part = named
    kept = cache / f"{kind}-{part}.npz"
    if not kept.exists():
        material(_strips(kind, part, data)).write(kept)
    return Material.read(kept)


def _strips(kind: str, part: int, data: Path) -> Iterator[NamedStrip]:
    if kind == "others":
        return others(FIT_OTHERS[part::N_PARTS])
    if kind == "computed":
        return computed_hearts(FIT_HEARTS[part::N_PARTS])
    records = read_cinc2017(data / "ecg" / "cinc2017_af", set(cinc_split()["train"]))
    people = [record for record in records if record.labels["rhythm"] != NOISY][part::N_PARTS]
    if kind == "varied":
        return varied_hearts("CinC train", people, 4)
    return real_hearts("CinC train", people, 2)


def _judged(data: Path) -> Iterator[Material]:
    """Of other seeds and people: what must not be lost, then what must not be taken for a heart."""
    ecg = data / "ecg"
    sets = {
        "CinC dev": read_cinc2017(ecg / "cinc2017_af", set(cinc_split()["dev"])),
        "QTDB": read_qtdb(ecg / "qtdb"),
        "LUDB, lead I": read_ludb(ecg / "ludb"),
        "LUDB, lead II": read_ludb(ecg / "ludb", "ii"),
    }
    for name, records in sets.items():
        for seconds in (10.0, 5.0):
            yield material(beginnings(f"{name}, {seconds:g} s", records, seconds))
    yield material(computed_hearts(JUDGED_HEARTS))
    yield material(others(JUDGED_OTHERS))


def _told_of_pairs(models: Path) -> str:
    """How many pairs of accepted signals without a heart match, by the shipped encoder and no correction."""
    encoder = load_bundle(default_bundle(models, "ecg"))
    encodings = []
    for strip in others(JUDGED_OTHERS):
        with contextlib.suppress(CaptureError):
            encodings.append(encoder.encode(RawEcg(strip.ecg, strip.fs_hz)))
    vectors = np.array([one.vector for one in encodings])
    evidence = EvidenceArray.of([one.evidence for one in encodings])
    one, other = np.triu_indices(len(encodings), k=1)
    cosine = np.einsum("nd,nd->n", vectors[one], vectors[other])
    scores = encoder.calibration.compare(cosine, evidence[one], evidence[other])
    thresholds_db = np.array([encoder.calibration.null(c).threshold(FMR) for c in range(EVIDENCE_CLASSES)])
    matching = encoder.calibration.soften_db(scores.llr_db) >= thresholds_db[scores.classes]
    return (
        f"Of the {one.size} pairs of the {len(encodings)} accepted signals without a heart,"
        f" {np.count_nonzero(matching)} match at FMR 0.1 %, without a gallery's correction."
    )


def _counted(judged: Material) -> list[list[str]]:
    """Source, strips, accepted without the index, accepted with it."""
    taken = heart_index.log_odds(judged.shape, judged.spread, judged.figures) >= heart_index.LEAST
    rows = []
    for source, n in judged.asked.items():
        here = judged.sources == source
        rows.append([source, str(n), str(int(here.sum())), str(int(taken[here].sum()))])
    return rows


QUESTION: Final = "Of strips that hold a heart, and of signals that hold none, how many are accepted?"
JUDGED: Final = {
    "title": "Is this a heart?",
    "protocol": (
        "Beginnings of recordings of people whom the network was not fitted to, and computed signals of other"
        " seeds: 3 to 20 s, 100 to 1 000 Hz. Signals of seeds 0 to 399 chose the"
        " threshold; these are 400 to 799."
    ),
    "command": "python -m ml.cli heart-index judge",
}
HELD_OUT: Final = {
    "title": "Is an unknown signal a heart?",
    "protocol": (
        "The network is fitted again to every fourth strip, in six rounds instead of 16, without one species"
        " and without mixtures. Members of that species are then compared with the threshold of the network"
        " that ships."
    ),
    "command": "python -m ml.cli heart-index hold-out",
}


def _keep(name: str, told: dict[str, str], columns: list[str], rows: list[list[str]], note: str) -> None:
    """Write what a report shows."""
    document = {
        "title": told["title"],
        "question": QUESTION,
        "protocol": told["protocol"],
        "columns": columns,
        "rows": rows,
        "note": note,
        "commands": [told["command"]],
    }
    path = EXPERIMENTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
