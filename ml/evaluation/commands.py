"""`python -m ml.cli evaluate`: one protocol, one table, one stored result."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ml.bundle import default_bundle
from ml.data.records import DataError
from ml.encoder import BundleError, load_bundle
from ml.evaluation.kept_results import read_results
from ml.evaluation.looks import log_look
from ml.evaluation.marked_tables import fill_pages
from ml.evaluation.measurements import MEASUREMENTS, known_names
from ml.evaluation.over_http import (
    FMR,
    FPIR,
    HTTP_PROTOCOLS,
    ServiceError,
    compare_with_service,
    service_client,
)
from ml.evaluation.page import make_page, write_page
from ml.evaluation.protocols import PROTOCOLS
from ml.evaluation.report import http_table, protocol_tables, read_baseline, write_results
from ml.evaluation.runner import DEFAULT_CACHE, Runner
from ml.evaluation.summary_tables import summary_tables

ECG = "ecg"
KNOWN = known_names([*PROTOCOLS])
MODELS = Path("models")
RESULTS = Path("docs/results")


def register(app: typer.Typer) -> None:
    """Add the command `evaluate` to a command line."""
    app.command("evaluate")(evaluate)


def register_report(app: typer.Typer) -> None:
    """Add the command `report` to a command line."""
    app.command("report")(report)


def report(
    results: Annotated[Path, typer.Option(help="Where results are kept.", exists=True)] = RESULTS,
    root: Annotated[Path, typer.Option(help="Folder of README.md and docs/.", exists=True)] = Path(),
) -> None:
    """Write docs/results/ecg-identity.md and the marked tables of README and docs."""
    kept = read_results(results)
    for path in [*write_page(results, make_page(kept)), *fill_pages(root, summary_tables(kept))]:
        Console().print(str(path))


def evaluate(  # noqa: PLR0917 – typer declares options as parameters.
    protocol: Annotated[list[str], typer.Option(help=f"One or more of {', '.join(KNOWN)}.")],
    bundle: Annotated[
        Path | None,
        typer.Option(help="Directory of the bundle; the default ECG encoder of models/ if not given."),
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder that holds ecg/.")] = Path("../shared/data"),
    results: Annotated[Path, typer.Option(help="Where results are kept, by bundle.")] = RESULTS,
    cache: Annotated[Path, typer.Option(help="Where encodings are kept between runs.")] = DEFAULT_CACHE,
    baseline: Annotated[str | None, typer.Option(help="Stored baseline to print beside.")] = "biosppy",
    url: Annotated[str | None, typer.Option(help="Run E2, E3 or E3-multi through this service.")] = None,
    api_key: Annotated[str, typer.Option(help="Its key, with all scopes.", envvar="PULSEPRINT_API_KEY")] = "",
) -> None:
    """Measure a bundle on a protocol of DESIGN §9 and log the look, if it is at a test set."""
    unknown = [name for name in protocol if name not in KNOWN]
    if unknown:
        raise typer.BadParameter(f"{unknown}: expected {', '.join(KNOWN)}")
    console = Console(width=200)
    try:
        encoder = load_bundle(bundle or default_bundle(MODELS, ECG))
    except BundleError as error:
        console.print(str(error), style="red", soft_wrap=True)
        raise typer.Exit(code=1) from None
    runner = Runner(encoder, data, cache)
    for name in protocol:
        try:
            if url is not None:
                _evaluate_over_http(runner, name, results, (url, api_key), console)
            elif name in MEASUREMENTS:
                _measure(runner, name, results, baseline, console)
            else:
                _evaluate_protocol(runner, name, results, baseline, console)
        except (DataError, ServiceError) as error:
            console.print(str(error), style="red", soft_wrap=True)
            raise typer.Exit(code=1) from None


def _evaluate_protocol(
    runner: Runner, name: str, results: Path, baseline: str | None, console: Console
) -> None:
    result = runner.run(name)
    tables = protocol_tables(result, read_baseline(results, baseline, name))
    for table in tables:
        table.print(console)
    for variant, difference_db in result.inverted_max_db.items():
        console.print(f"{variant} inverted: largest |Δ score| {difference_db:.2g} dB")
    write_results(_folder(results, runner), name, result.to_dict(), tables)
    if not result.protocol.development:
        label = f"{result.encoder_id} {result.weights_sha256[:12]}"
        log_look(results / "looks.jsonl", protocol=name, bundle=label, figures=result.headline())


def _measure(runner: Runner, name: str, results: Path, baseline: str | None, console: Console) -> None:
    found = MEASUREMENTS[name](runner, read_baseline(results, baseline, name))
    for table in found.tables:
        table.print(console)
    write_results(_folder(results, runner), name, found.figures, found.tables)
    if not found.development:
        label = f"{runner.encoder_id} {runner.weights_sha256[:12]}"
        log_look(results / "looks.jsonl", protocol=name, bundle=label, figures=found.seen)


def _evaluate_over_http(
    runner: Runner, name: str, results: Path, service: tuple[str, str], console: Console
) -> None:
    if name not in HTTP_PROTOCOLS:
        raise typer.BadParameter(f"{name}: through the service run {', '.join(HTTP_PROTOCOLS)}")
    with service_client(*service) as client:
        agreements = compare_with_service(runner, client, name)
    table = http_table(agreements, f"{name}, {runner.encoder_id}")
    table.print(console)
    stored = {
        "protocol": f"{name} over HTTP",
        "encoder": runner.encoder_id,
        "policy": {"fmr": FMR, "fpir": FPIR},
    }
    write_results(
        _folder(results, runner),
        f"{name}-http",
        stored | {"variants": [a.to_dict() for a in agreements]},
        [table],
    )
    seen = {a.variant: {"rank_1_errors": f"{a.rank_1_errors[1]}/{a.probes}"} for a in agreements}
    log_look(results / "looks.jsonl", protocol=f"{name} over HTTP", bundle=runner.encoder_id, figures=seen)


def _folder(results: Path, runner: Runner) -> Path:
    """Results of one bundle lie together; those of its next version take their place."""
    return results / runner.encoder_id.partition("@")[0]
