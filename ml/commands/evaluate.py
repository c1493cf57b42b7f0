"""`python -m ml.cli evaluate`: one protocol, one table, one stored result."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ml.data.records import DataError
from ml.evaluation.kept_results import RESULTS, keep_protocol, keep_training, read_results
from ml.evaluation.looks import log_look
from ml.evaluation.measurements import MEASUREMENTS, known_names
from ml.evaluation.over_http import (
    FMR,
    FPIR,
    HTTP_PROTOCOLS,
    ServiceError,
    compare_with_service,
    service_client,
)
from ml.evaluation.pages.accuracy_pictures import accuracy_pictures, write_accuracy_pictures
from ml.evaluation.pages.marked_tables import fill_pages
from ml.evaluation.pages.page import PAGES, make_page, write_page
from ml.evaluation.pages.summary_tables import summary_tables
from ml.evaluation.pages.table_page import keep_section
from ml.evaluation.protocols.catalogue import PROTOCOLS
from ml.evaluation.report import ReportTable, http_table, markdown_of, protocol_tables, read_baseline
from ml.evaluation.runner import DEFAULT_CACHE, Runner
from ml.runtime.bundle import default_bundle
from ml.runtime.encoder import BundleError, load_bundle

ECG = "ecg"
KNOWN = known_names([*PROTOCOLS])
MODELS = Path("models")


@dataclass(frozen=True)
class _Shelf:
    """Where results are kept for programs and for people."""

    results: Path
    pages: Path

    def keep(self, runner: Runner, figures: Mapping[str, Any], tables: Sequence[ReportTable]) -> None:
        """Save a protocol's results beside those of the bundle, in place of its former version."""
        bundle = runner.encoder_id.partition("@")[0]
        keep_protocol(self.results, bundle, figures)
        keep_section(self.pages / "tables" / f"{bundle}.md", figures["protocol"], markdown_of(tables))

    def log(self, protocol: str, bundle: str, figures: dict[str, Any]) -> None:
        """Log a look at a test set."""
        log_look(self.results / "looks.jsonl", protocol=protocol, bundle=bundle, figures=figures)


def register(app: typer.Typer) -> None:
    """Add the command `evaluate` to a command line."""
    app.command("evaluate")(evaluate)


def register_report(app: typer.Typer) -> None:
    """Add the command `report` to a command line."""
    app.command("report")(report)


def report(
    results: Annotated[Path, typer.Option(help="Where results are kept.", exists=True)] = RESULTS,
    pages: Annotated[Path, typer.Option(help="Where the page is written.")] = PAGES,
    root: Annotated[Path, typer.Option(help="Folder of README.md and docs/.", exists=True)] = Path(),
    training: Annotated[
        list[str] | None, typer.Option(help="Keep the log of this training of --var first; repeatable.")
    ] = None,
    var: Annotated[Path, typer.Option(help="Where trainings keep their files.")] = Path("var"),
) -> None:
    """Write docs/results/ecg-identity.md, and the marked tables and pictures of README and docs."""
    for name in training or ():
        log = var / "train" / name / "training.json"
        if not log.is_file():
            raise typer.BadParameter(f"no {log}; run: python -m ml.cli train")
        keep_training(results, name, json.loads(log.read_text(encoding="utf-8")))
    kept = read_results(results)
    written = [
        *write_page(pages, make_page(kept)),
        *fill_pages(root, summary_tables(kept)),
        *write_accuracy_pictures(root, accuracy_pictures(kept)),
    ]
    for path in written:
        Console().print(str(path))


def evaluate(  # noqa: PLR0917 – typer declares options as parameters.
    protocol: Annotated[list[str], typer.Option(help=f"One or more of {', '.join(KNOWN)}.")],
    bundle: Annotated[
        Path | None,
        typer.Option(help="Directory of the bundle; of models/ the modality's default if not given."),
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder that holds ecg/ and face/.")] = Path("../shared/data"),
    results: Annotated[Path, typer.Option(help="Where results are kept, by bundle.")] = RESULTS,
    pages: Annotated[Path, typer.Option(help="Where tables are kept, by bundle.")] = PAGES,
    cache: Annotated[Path, typer.Option(help="Where encodings are kept between runs.")] = DEFAULT_CACHE,
    baseline: Annotated[str | None, typer.Option(help="Stored baseline to print beside.")] = "biosppy",
    url: Annotated[str | None, typer.Option(help="Run E2, E3 or E3-multi through this service.")] = None,
    api_key: Annotated[str, typer.Option(help="Its key, with all scopes.", envvar="PULSEPRINT_API_KEY")] = "",
) -> None:
    """Evaluate a bundle on a protocol of DESIGN §9; log the look if it is at a test set."""
    unknown = [name for name in protocol if name not in KNOWN]
    if unknown:
        raise typer.BadParameter(f"{unknown}: expected {', '.join(KNOWN)}")
    console = Console(width=200)
    try:
        encoder = load_bundle(bundle or default_bundle(MODELS, _modality_of(protocol)))
    except BundleError as error:
        console.print(str(error), style="red", soft_wrap=True)
        raise typer.Exit(code=1) from None
    runner, shelf = Runner(encoder, data, cache), _Shelf(results, pages)
    for name in protocol:
        try:
            if url is not None:
                _evaluate_over_http(runner, name, shelf, (url, api_key), console)
            elif name in MEASUREMENTS:
                _measure(runner, name, shelf, baseline, console)
            else:
                _evaluate_protocol(runner, name, shelf, baseline, console)
        except (DataError, ServiceError) as error:
            console.print(str(error), style="red", soft_wrap=True)
            raise typer.Exit(code=1) from None


def _modality_of(protocols: Sequence[str]) -> str:
    found = {PROTOCOLS[name].modality if name in PROTOCOLS else ECG for name in protocols}
    if len(found) > 1:
        raise typer.BadParameter(f"protocols of {' and '.join(sorted(found))} need a bundle each")
    return found.pop()


def _evaluate_protocol(
    runner: Runner, name: str, shelf: _Shelf, baseline: str | None, console: Console
) -> None:
    result = runner.run(name)
    tables = protocol_tables(result, read_baseline(shelf.results, baseline, name))
    for table in tables:
        table.print(console)
    for variant, difference_db in result.inverted_max_db.items():
        console.print(f"{variant} inverted: largest |Δ score| {difference_db:.2g} dB")
    shelf.keep(runner, result.to_dict(), tables)
    if not result.protocol.development:
        label = f"{result.encoder_id} {result.weights_sha256[:12]}"
        shelf.log(name, label, result.headline())


def _measure(runner: Runner, name: str, shelf: _Shelf, baseline: str | None, console: Console) -> None:
    found = MEASUREMENTS[name](runner, read_baseline(shelf.results, baseline, name))
    for table in found.tables:
        table.print(console)
    shelf.keep(runner, found.figures, found.tables)
    if not found.development:
        label = f"{runner.encoder_id} {runner.weights_sha256[:12]}"
        shelf.log(name, label, found.seen)


def _evaluate_over_http(
    runner: Runner, name: str, shelf: _Shelf, service: tuple[str, str], console: Console
) -> None:
    if name not in HTTP_PROTOCOLS:
        raise typer.BadParameter(f"{name}: through the service run {', '.join(HTTP_PROTOCOLS)}")
    with service_client(*service) as client:
        agreements = compare_with_service(runner, client, name)
    table = http_table(agreements, f"{name}, {runner.encoder_id}")
    table.print(console)
    title = f"{name} over HTTP"
    stored = {
        "protocol": title,
        "encoder": runner.encoder_id,
        "policy": {"fmr": FMR, "fpir": FPIR},
    }
    shelf.keep(runner, stored | {"variants": [a.to_dict() for a in agreements]}, [table])
    seen = {a.variant: {"rank_1_errors": f"{a.rank_1_errors[1]}/{a.probes}"} for a in agreements}
    shelf.log(title, runner.encoder_id, seen)
