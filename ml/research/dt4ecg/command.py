"""`python -m ml.research.dt4ecg`: plan, train, write the page."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console

from ml.data.records import DataError
from ml.evaluation.kept_results import RESULTS
from ml.evaluation.looks import log_look
from ml.evaluation.pages.page import PAGES, write_page
from ml.evaluation.report import ReportTable
from ml.research.dt4ecg.estimates import Costs, read_costs
from ml.research.dt4ecg.figures import Task, figures_of
from ml.research.dt4ecg.page import make_page, read_kept
from ml.research.dt4ecg.plan import Cell, parts, planned_cells
from ml.research.dt4ecg.progress import GridProgress
from ml.research.dt4ecg.results import CellResult, read_all

_LOOKS = "looks.jsonl"


def dt4ecg(  # noqa: PLR0917 – typer declares options as parameters.
    only: Annotated[
        list[str] | None, typer.Option(help=f"A part of it; one or more of {', '.join(parts())}.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show the open trainings and how long they take.")
    ] = False,
    page: Annotated[
        bool, typer.Option("--page", help="Write the page from kept results; no training.")
    ] = False,
    costs: Annotated[bool, typer.Option("--costs", help="Measure each network's cost; minutes.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes, of one thread each.")] = 1,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Start no epoch after this long; call again to resume.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder that holds ecg/.")] = Path("../shared/data"),
    results: Annotated[Path, typer.Option(help="Where results are kept.")] = RESULTS,
    pages: Annotated[Path, typer.Option(help="Where the page is written.")] = PAGES,
    var: Annotated[Path, typer.Option(help="Where interrupted trainings are kept.")] = Path("var"),
) -> None:
    """Train the networks of the DT4ECG paper on the motion set and write docs/results/dt4ecg.md."""
    console = Console(stderr=True)
    try:
        cells = planned_cells(only or ())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if plan:
        plan_table(results, read_costs(results), only or list(parts())).print(Console(width=140))
        return
    try:
        if costs:
            _measure_costs(data, results, console)
        elif not page:
            _train(cells, data, results, var, console, jobs=jobs, minutes=minutes)
    except DataError as error:
        console.print(str(error), style="red", soft_wrap=True)
        raise typer.Exit(code=1) from None
    for path in write_page(pages, make_page(read_kept(results))):
        console.print(str(path))


def plan_table(results: Path, costs: Costs, names: Sequence[str]) -> ReportTable:
    """Return the parts of the plan: trainings, how many are done, and core-minutes of the others.

    Args:
        results: `results`.
        costs: Expected time of trainings.
        names: Parts, in the order shown; the last row counts shared trainings once.
    """
    known = parts()
    kept = read_all(results, planned_cells())
    pace = costs.pace({cell: result.cpu_s for cell, result in kept.items() if not result.failed})
    rows = [(name, *_counted(known[name], kept, costs, pace)) for name in names]
    rows.append(("together, each training once", *_counted(planned_cells(names), kept, costs, pace)))
    basis = f"steps measured {costs.measured}" if costs.measured else "no step measured, try --costs"
    basis += f"; what is done took × {pace:.2f}" if kept else ""
    return ReportTable(
        f"dt4ecg: what there is to do ({basis})",
        ("part (--only)", "trainings", "done", "core-minutes", "of them open"),
        tuple(rows),
    )


def _counted(cells: Sequence[Cell], kept: Container[Cell], costs: Costs, pace: float) -> tuple[str, ...]:
    todo = [cell for cell in cells if cell not in kept]
    minutes = (f"{pace * costs.total_s(some) / 60.0:.0f}" for some in (cells, todo))
    return (str(len(cells)), str(len(cells) - len(todo)), *minutes)


def _train(
    cells: Sequence[Cell],
    data: Path,
    results: Path,
    var: Path,
    console: Console,
    *,
    jobs: int,
    minutes: float | None,
) -> None:
    from ml.research.dt4ecg.run import Places, open_cells, run  # Only this needs torch.

    costs = read_costs(results)
    expected_s = {cell: costs.cell_s(cell) for cell in open_cells(cells, results)}
    if not expected_s:
        console.print("all of it is kept; nothing to train")
        return
    console.print(
        f"{len(expected_s)} of {len(cells)} trainings open, about {costs.total_s(expected_s) / 60.0:.0f} "
        f"core-minutes in {jobs} process(es)"
    )
    limit_s = None if minutes is None else 60.0 * minutes
    added: list[CellResult] = []
    try:
        with GridProgress(expected_s, console) as progress:
            places = Places(data, results, var)
            for result in run(cells, places, progress.report, jobs=jobs, limit_s=limit_s):
                added.append(result)
                console.print(f"{result.cell.id}: {_headline(result)}", soft_wrap=True)
    finally:
        if added:
            seen = {result.cell.id: _headline(result) for result in added}
            log_look(results / _LOOKS, protocol="dt4ecg", bundle="networks of the paper", figures=seen)
    console.print(f"{len(added)} added, {len(expected_s) - len(added)} still open")


def _headline(result: CellResult) -> str:
    """Accuracy of one fold, in percent."""
    if result.failed:
        return f"failed: {result.failed}"
    figures = ((task, figures_of([result], task)) for task in get_args(Task))
    return ", ".join(f"{task} {100 * found.accuracy:.2f}" for task, found in figures if found)


def _measure_costs(data: Path, results: Path, console: Console) -> None:
    from ml.research.dt4ecg.costs import measure_costs  # Only this needs torch.
    from ml.research.dt4ecg.estimates import write_costs

    console.print(str(write_costs(results, measure_costs(data, console))))
