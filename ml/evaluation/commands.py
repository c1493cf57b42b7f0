"""`python -m ml.cli evaluate`: one protocol, one table, one stored result."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ml.encoder import BundleError, load_bundle
from ml.evaluation.looks import log_look
from ml.evaluation.over_http import FMR, FPIR, compare_with_service, service_client
from ml.evaluation.protocols import PROTOCOLS
from ml.evaluation.report import http_table, open_set_table, protocol_tables, read_baseline, write_results
from ml.evaluation.runner import DEFAULT_CACHE, Runner

OPEN_SET = "E12"
RESULTS = Path("docs/results")


def register(app: typer.Typer) -> None:
    """Add the command `evaluate` to a command line."""
    app.command("evaluate")(evaluate)


def evaluate(  # noqa: PLR0917 – typer declares options as parameters.
    protocol: Annotated[list[str], typer.Option(help=f"One or more of {', '.join([*PROTOCOLS, OPEN_SET])}.")],
    bundle: Annotated[Path, typer.Option(help="Directory of the bundle.")] = Path("models/ecg-beat@2026.11"),
    data: Annotated[Path, typer.Option(help="Folder that holds ecg/.")] = Path("../shared/data"),
    results: Annotated[Path, typer.Option(help="Where results are kept.")] = RESULTS,
    cache: Annotated[Path, typer.Option(help="Where encodings are kept between runs.")] = DEFAULT_CACHE,
    baseline: Annotated[str | None, typer.Option(help="Stored baseline to print beside.")] = "biosppy",
    url: Annotated[str | None, typer.Option(help="Run E2 through this service as well.")] = None,
    api_key: Annotated[str, typer.Option(help="Its key, with all scopes.", envvar="PULSEPRINT_API_KEY")] = "",
) -> None:
    """Measure a bundle on a protocol of DESIGN §9 and log the look, if it is at a test set."""
    unknown = [name for name in protocol if name not in (*PROTOCOLS, OPEN_SET)]
    if unknown:
        raise typer.BadParameter(f"{unknown}: expected {', '.join([*PROTOCOLS, OPEN_SET])}")
    console = Console(width=200)
    try:
        encoder = load_bundle(bundle)
    except BundleError as error:
        console.print(str(error), style="red", soft_wrap=True)
        raise typer.Exit(code=1) from None
    runner = Runner(encoder, data, cache)
    for name in protocol:
        if url is not None:
            _evaluate_over_http(runner, name, results, (url, api_key), console)
        elif name == OPEN_SET:
            _evaluate_open_set(runner, results, baseline, console)
        else:
            _evaluate_protocol(runner, name, results, baseline, console)


def _evaluate_protocol(
    runner: Runner, name: str, results: Path, baseline: str | None, console: Console
) -> None:
    result = runner.run(name)
    tables = protocol_tables(result, read_baseline(results, baseline, name))
    for table in tables:
        table.print(console)
    for variant, difference_db in result.inverted_max_db.items():
        console.print(f"{variant} inverted: largest |Δ score| {difference_db:.2g} dB")
    write_results(results, name, result.to_dict(), tables)
    if not result.protocol.development:
        label = f"{result.encoder_id} {result.weights_sha256[:12]}"
        log_look(results / "looks.jsonl", protocol=name, bundle=label, figures=result.headline())


def _evaluate_open_set(runner: Runner, results: Path, baseline: str | None, console: Console) -> None:
    figures = runner.run_open_set()
    table = open_set_table(figures, runner.encoder_id, read_baseline(results, baseline, OPEN_SET))
    table.print(console)
    stored = {"protocol": OPEN_SET, "encoder": runner.encoder_id, "figures": [f.to_dict() for f in figures]}
    write_results(results, OPEN_SET, stored, [table])
    seen = {f.name: {"dir": round(f.policy_dir, 4), "fpir": round(f.policy_fpir, 4)} for f in figures}
    log_look(results / "looks.jsonl", protocol=OPEN_SET, bundle=runner.encoder_id, figures=seen)


def _evaluate_over_http(
    runner: Runner, name: str, results: Path, service: tuple[str, str], console: Console
) -> None:
    if name != "E2":
        raise typer.BadParameter("only E2 runs through the service")
    with service_client(*service) as client:
        agreements = compare_with_service(runner, client)
    table = http_table(agreements, runner.encoder_id)
    table.print(console)
    stored = {"protocol": "E2 over HTTP", "encoder": runner.encoder_id, "policy": {"fmr": FMR, "fpir": FPIR}}
    write_results(results, "E2-http", stored | {"variants": [a.to_dict() for a in agreements]}, [table])
    seen = {a.variant: {"rank_1_errors": f"{a.rank_1_errors[1]}/{a.probes}"} for a in agreements}
    log_look(results / "looks.jsonl", protocol="E2 over HTTP", bundle=runner.encoder_id, figures=seen)
