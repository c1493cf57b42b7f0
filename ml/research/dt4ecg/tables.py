"""The paper's tables beside ours; a cell that was not measured says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ml.evaluation.activity.splits import PROTOCOLS
from ml.evaluation.pages.target_figures import span
from ml.evaluation.report import ReportTable
from ml.research.dt4ecg import published
from ml.research.dt4ecg.estimates import Costs, net_name
from ml.research.dt4ecg.figures import WINDOW, Grid, Spread, Task, TaskFigures
from ml.research.dt4ecg.plan import (
    BALANCINGS,
    EARLY_EPOCHS,
    OPTIONS,
    OURS,
    PLAIN,
    PROPOSED,
    SEEDS,
    UNSEEN,
    Cell,
    folds,
    seeds,
    table_1,
    table_3,
)

Json = Mapping[str, Any]

NOT_MEASURED = "not measured"
_BACKBONE_NAMES = {
    "lstm": "LSTM",
    "mlp": "MLP",
    "cnn": "1D-CNN",
    "mobilenet": "1D-MobileNet",
    "efficientnet": "1D-EfficientNet",
    "resnet": "1D-ResNet",
    "densenet": "1D-DenseNet",
}
_ATTENTION_NAMES = {"none": "–", "sca_length_free": "SCA, length-free"}
_TASKS: tuple[Task, ...] = ("identity", "activity", "groups")


def net_title(cell: Cell) -> str:
    """Name a network as the paper does, and whose recipe it is trained by where that is not the paper's."""
    backbone = _BACKBONE_NAMES[cell.backbone]
    title = backbone if cell.attention == "none" else f"{backbone} + {attention_title(cell)}"
    return title if cell.recipe == PROPOSED.recipe else f"{title}, our recipe"


def attention_title(cell: Cell) -> str:
    """Name an attention as the paper does."""
    return _ATTENTION_NAMES.get(cell.attention, cell.attention.upper())


def table_one(grid: Grid, protocol: str) -> ReportTable:
    """Table I under one protocol; accuracy / precision / recall / F1 in percent."""
    rows = []
    for cell in table_1(protocol):
        identity, activity = published.TABLE_1[cell.backbone, cell.attention]
        ours = [_four(grid, cell, task) for task in _TASKS]
        rows.append(
            (net_title(cell), _published_four(identity), ours[0], _published_four(activity), *ours[1:])
        )
    return ReportTable(
        f"Table I under {protocol}: accuracy / weighted precision / recall / F1, %",
        (
            "network",
            "identity, paper (15 people)",
            "identity, ours (10)",
            "activity, paper (3 of its own)",
            "activity, ours (5)",
            "the same predictions merged (3)",
        ),
        tuple(rows),
    )


def table_two(grid: Grid, closed_set: Json | None) -> ReportTable:
    """Table II: what others reported on other data, the paper, and ours.

    Args:
        grid: Of this reproduction.
        closed_set: Kept result of E1; None where it was not measured.
    """
    rows: list[tuple[str, ...]] = []
    rows += [(*line[:4], f"{line[4]:.2f}", "the authors'") for line in published.TABLE_2_IDENTITY]
    rows += _closed_set_rows(closed_set)
    for protocol, meaning in (("A1", "random windows, leaky"), ("A2", "later seconds")):
        found = grid.figures(replace(PROPOSED, protocol=protocol), "identity")
        rows.append((*_OURS, "motion set", "10", _accuracy(found), f"{protocol}: {meaning}"))
    rows += [(*line[:4], f"{line[4]:.2f}", "the authors'") for line in published.TABLE_2_ACTIVITY]
    for protocol, meaning in (("A1", "random windows, leaky"), ("A3", "held-out people")):
        cell = replace(PROPOSED, protocol=protocol)
        for task, classes in (("activity", "5"), ("groups", "3")):
            found = grid.figures(cell, task)  # type: ignore[arg-type]
            rows.append((*_OURS, "motion set", classes, _accuracy(found), f"{protocol}: {meaning}"))
    return ReportTable(
        "Table II: identity, then activity; no two rows share data and protocol unless they say so",
        ("work", "method", "data", "people or activities", "accuracy, %", "protocol"),
        tuple(rows),
    )


_OURS = ("Pulseprint", "1-D ResNet + SCA as in the paper")


def _closed_set_rows(closed_set: Json | None) -> list[tuple[str, ...]]:
    if closed_set is None:
        return [("Pulseprint", "E1", "ECG-ID", "90", NOT_MEASURED, "E1")]
    return [
        (
            "Pulseprint",
            f"`{closed_set['encoder']}`, never trained on ECG-ID; {found['head']}",
            "ECG-ID",
            str(found["people"]),
            f"{100 * found['accuracy']:.2f}",
            f"E1, {found['split']}",
        )
        for found in closed_set["figures"]
    ]


def table_three(grid: Grid) -> ReportTable:
    """Table III under A1 and A2: accuracy of identity / activity."""
    rows = []
    for cell in table_3():
        printed = published.TABLE_3[cell.backbone, cell.attention]
        later = replace(cell, protocol="A2")
        rows.append(
            (
                _BACKBONE_NAMES[cell.backbone],
                attention_title(cell),
                f"{printed[0]:.2f} / {printed[1]:.2f}",
                *(_three(grid, one) for one in (cell, later)),
            )
        )
    return ReportTable(
        "Table III: accuracy of identity / activity, %; ours: identity (10) / activity (5) / merged (3)",
        ("backbone", "attention", "paper (15 / 3 of its own)", "A1", "A2"),
        tuple(rows),
    )


def table_four(grid: Grid) -> ReportTable:
    """Table IV: each balancing after 20 epochs, over seeds, and what became of the weights."""
    rows = []
    for name in BALANCINGS:
        cell = replace(PROPOSED, balancing=name, epochs=EARLY_EPOCHS)
        printed = {"static": False, PROPOSED.balancing: True}.get(name)
        pair = "–" if printed is None else "{:.2f} / {:.2f}".format(*published.TABLE_4[printed])
        rows.append(
            (f"`{name}`", pair, *(_spread_text(grid.spread(cell, t)) for t in _TASKS), *_weights(grid, cell))
        )
    return ReportTable(
        f"Table IV under A1: ResNet + SCA after {EARLY_EPOCHS} epochs, %; mean over seeds (range)",
        (
            "balancing",
            "paper, identity / activity",
            "identity",
            "activity (5)",
            "merged (3)",
            "weights (identity, activity) after epoch 1",
            f"mean in epoch {EARLY_EPOCHS}",
        ),
        tuple(rows),
    )


def _weights(grid: Grid, cell: Cell) -> tuple[str, str]:
    found = grid.trained(cell)
    if found is None:
        return NOT_MEASURED, NOT_MEASURED
    return _pair(found.first_weights[-1]), _pair(found.epochs[-1]["weights"])


def _pair(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


def seeds_table(grid: Grid) -> ReportTable:
    """ResNet with and without SCA over seeds: what a difference of table III is worth."""
    rows = []
    for protocol in ("A1", "A2"):
        for cell in (PLAIN, PROPOSED, OURS):
            at = replace(cell, protocol=protocol)
            measured = sum(grid.trained(one) is not None for one in seeds(at))
            texts = (_spread_text(grid.spread(at, task)) for task in _TASKS)
            rows.append((protocol, net_title(cell), f"{measured} of {len(SEEDS)}", *texts))
    return ReportTable(
        "Accuracy over seeds, %: mean (range); a seed draws weights, batches and, under A1, the windows",
        ("protocol", "network", "seeds", "identity", "activity (5)", "merged (3)"),
        tuple(rows),
    )


def three_classes_table(grid: Grid) -> ReportTable:
    """Three activities trained as such, and merged from five."""
    rows = []
    for protocol in ("A1", "A2"):
        cell = replace(PROPOSED, protocol=protocol)
        trained = replace(cell, n_activities=3)
        rows.append(
            (
                protocol,
                *(_accuracy(grid.figures(one, "groups")) for one in (trained, cell)),
                *(_accuracy(grid.figures(one, "identity")) for one in (trained, cell)),
            )
        )
    return ReportTable(
        "Rest, light and vigorous, accuracy in %",
        ("protocol", "trained on 3", "trained on 5, merged", "identity beside 3", "identity beside 5"),
        tuple(rows),
    )


def options_table(grid: Grid) -> ReportTable:
    """The proposed network with one choice made otherwise."""
    reference = replace(PROPOSED, protocol="A2")
    rows = [("as in all tables", *_option_cells(grid, reference))]
    rows += [(_option_title(cell), *_option_cells(grid, replace(cell, protocol="A2"))) for cell in OPTIONS]
    return ReportTable(
        "What the paper leaves open, under A2, one seed, %",
        ("choice", "identity", "activity (5)", "merged (3)", "parameters"),
        tuple(rows),
    )


def _option_cells(grid: Grid, cell: Cell) -> tuple[str, ...]:
    found = grid.trained(cell)
    size = f"{found.parameters:,}" if found else NOT_MEASURED
    return (*(_accuracy(grid.figures(cell, task)) for task in _TASKS), size)


def _option_title(cell: Cell) -> str:
    """Say what differs from the proposed network."""
    usual = PROPOSED.to_dict()
    different = {name: value for name, value in cell.to_dict().items() if value != usual[name]}
    return ", ".join(f"{name} = `{value}`" for name, value in different.items())


def unseen_table(grid: Grid) -> ReportTable:
    """End-to-end networks on another electrode and on other people, by context."""
    rows = []
    for protocol in ("A2e", "A3"):
        for net in UNSEEN:
            cell = replace(net, protocol=protocol)
            done, of = grid.folds_done(cell), len(folds(cell))
            ece = grid.calibration_error(cell)
            rows += [
                (
                    protocol,
                    net_title(net),
                    context,
                    *(
                        "–"
                        if task == "identity" and not PROTOCOLS[cell.protocol].asks_identity  # type: ignore[index]
                        else _with_interval(grid.figures(cell, task, context))
                        for task in _TASKS
                    ),
                    "–" if ece is None or context != WINDOW else f"{100 * ece:.1f}",
                    f"{done} of {of}",
                )
                for context in (WINDOW, "30 s", "strip")
            ]
    return ReportTable(
        "The dual-task networks end to end, accuracy in % (95 % over people)",
        ("protocol", "network", "context", "identity", "activity (5)", "merged (3)", "ECE, %", "folds"),
        tuple(rows),
    )


def costs_table(costs: Costs) -> ReportTable:
    """Parameters, multiplications and time of each network."""
    rows = []
    for cell in dict.fromkeys([*table_1(), *table_3(), OPTIONS[0]]):
        cost = costs.nets.get(net_name(cell))
        cells = (
            [NOT_MEASURED] * 4
            if cost is None
            else [
                f"{cost.parameters:,}",
                f"{cost.macs / 1e6:.2f}",
                f"{cost.latency_ms:.2f}",
                f"{cost.step_ms:.1f}",
            ]
        )
        rows.append((net_title(cell), *cells))
    return ReportTable(
        "What a network costs; one thread" + (f" ({costs.measured})" if costs.measured else ""),
        ("network", "parameters", "million MACs per window", "latency of a window, ms", "training step, ms"),
        tuple(rows),
    )


def _four(grid: Grid, cell: Cell, task: Task) -> str:
    found = grid.figures(cell, task)
    if found is None:
        return _missing(grid, cell)
    return " / ".join(f"{100 * v:.2f}" for v in (found.accuracy, found.precision, found.recall, found.f1))


def _published_four(row: published.Row) -> str:
    return f"{row.accuracy:.2f} / {row.precision:.2f} / {row.recall:.2f} / {row.f1:.2f}"


def _three(grid: Grid, cell: Cell) -> str:
    found = [grid.figures(cell, task) for task in _TASKS]
    values = [f"{100 * one.accuracy:.2f}" for one in found if one is not None]
    return " / ".join(values) if len(values) == len(found) else _missing(grid, cell)


def _missing(grid: Grid, cell: Cell) -> str:
    kept = grid.results.get(cell)
    return f"failed: {kept.failed}" if kept and kept.failed else NOT_MEASURED


def _accuracy(found: TaskFigures | None) -> str:
    return NOT_MEASURED if found is None else f"{100 * found.accuracy:.2f}"


def _with_interval(found: TaskFigures | None) -> str:
    if found is None:
        return NOT_MEASURED
    interval = found.interval()
    return f"{100 * found.accuracy:.1f} ({span(interval.low, interval.high)})"


def _spread_text(found: Spread | None) -> str:
    if found is None:
        return NOT_MEASURED
    if found.seeds == 1:
        return f"{100 * found.mean:.2f} (one seed)"
    return f"{100 * found.mean:.2f} ({100 * found.low:.2f}–{100 * found.high:.2f})"
