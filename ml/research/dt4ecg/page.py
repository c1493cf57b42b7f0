"""`docs/results/dt4ecg.md`: written from kept cells alone, so that anyone can write it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ml.evaluation.activity.splits import PROTOCOLS
from ml.evaluation.kept_results import read_bundle
from ml.evaluation.pages.page import Page
from ml.evaluation.pages.page_sections import code_block
from ml.research.dt4ecg import pictures, tables
from ml.research.dt4ecg.balancing_section import PictureLine, balancing_sections
from ml.research.dt4ecg.claims import answer, attentions_table, over_seeds, sca_table
from ml.research.dt4ecg.estimates import Costs, read_costs
from ml.research.dt4ecg.figures import Grid, Task
from ml.research.dt4ecg.plan import (
    PROPOSED,
    planned_cells,
)
from ml.research.dt4ecg.results import read_all
from ml.research.dt4ecg.shipped import (
    COMPARED,
    SHIPPED,
    comparison_table,
    headline_table,
    read_rows,
    shipped_targets_table,
)
from ml.research.dt4ecg.targets import targets_table

NAME = "dt4ecg"
"""Of the page, and of the folder with its pictures."""
_CONFUSIONS: Sequence[tuple[str, Task]] = (
    ("A1", "activity"),
    ("A2", "activity"),
    ("A2", "identity"),
    ("A2e", "activity"),
    ("A3", "activity"),
    ("A3", "groups"),
)
_CLOSED_SET = ("ecg", "E1")

_INTRODUCTION = """# DT4ECG: identity and activity from one network

A paper proposes one neural network that recognizes a person *and* the person's activity from 3 s of ECG:
You, Gu, Yang, Yu and Guo, *DT4ECG: a dual-task learning framework for ECG-based human identity recognition
and human activity detection*. This page repeats every table of that paper on open data. It shows which
claims hold, and how well such a network works on people it has never seen.

**On whom.** The paper's data are private: 15 people, three minutes each of rest, of the minute *after* a
run, and of deep breathing. This page uses the open motion set (Kalouskova 2024, GPL-3.0): 10 people, about
a minute each of rest, arm movements, walk, run and squats, recorded *during* the exercise with three kinds
of electrode. The data differ, so none of the paper's figures can be checked. Its claims can: that the
attention [SCA](#table-iii-attentions) helps, and that [balancing the two tasks](#what-gradnorm-does) helps.

**How to read the tables.** The protocol decides what a figure means:

{protocols}
Three classes are rest, light (arm movements, walk) and vigorous (run, squats). *Merged* means that the
network predicts five activities, and that the probabilities of the activities in a class are added up.
Intervals are 95 % over people. With ten people they are wide.

{headline}
The same network loses much of its accuracy when it meets new people. The method that ships in Pulseprint is
simpler, and it is more accurate on them: see [the method that ships](#the-method-that-ships).

"""
_DETAILS = """## How the trainings were run

`python -m ml.research.dt4ecg` writes this page from the [cells](../../results/dt4ecg/cells.jsonl).

**As in the paper.** Windows of 3 s at 100 Hz, batches of 16, Adam at 0.001, 50 epochs, and GradNorm as the
paper seems to mean it. The last epoch is evaluated, never the best one, so test windows select nothing.
With a constant rate, a training may end in a bad epoch.

**Where the paper is silent.** One choice was made beforehand for all tables; others are
[compared](#what-the-paper-leaves-open). Filters work at the native rate, because at 100 Hz there is no 60
Hz to remove. Equation 8 is the cross-entropy over classes. Balancing weighs the gradients of the trunk's
last layer. Algorithm 1 begins from 1 at each step (`dt4ecg_stateless`), because its weights
[vanish](#what-gradnorm-does) within an epoch as printed. Residual modules halve the time axis; `modules` =
`full_length` keeps all 300 steps, 64 channels wide.

**Our recipe** makes no claim about the paper. It trains the same network as we would: windows start
anywhere between neighboring training windows, batches have 32 windows, and AdamW uses a weight decay of
0.01 and a rate that rises to 0.003 and falls like a half cosine. It was selected on parts of the training
windows ([trials](../../results/dt4ecg/recipe-trials.json), by `python -m ml.research.dt4ecg.recipe_study`).
Test windows of no protocol took part. Training windows of all people and electrodes did, so under A2e and
A3 our recipe has seen more than it should.

**Scaling to 0 … 1 spans a record**, as in the paper. A window therefore knows two numbers of its whole
minute: the smallest and the largest value. Under A2, training windows thus carry a trace of the test
windows and vice versa. `scaling` = `window` avoids that.

**Precision.** To save time, training rounds the inputs and outputs of convolutions and matrix products in
trunk and attention to bfloat16. `precision` = `float32` does not. Weights, updates, heads and losses are
float32, and so is evaluation.
"""


_SHIPPED = """The method that ships predicts activities of people it has never seen, from 3 to 30 s of
ECG. `python -m ml.cli activity evaluate` measures it.

It combines two views by adding their log probabilities. One view is features made by hand: rhythm, shape of
the beats, and the noise that movement leaves. The other is what the stages of an identity network compute;
that network was never trained on these people. Each view is a linear discriminant. The network's view has a
weight of 0.4.

- Weights fitted for each head lose under A3, and one covariance for both views loses at 30 s
  ([fusion.json](../../results/activity/fusion.json), by `python -m ml.research.ablations.activity_fusion`).
- Shrinkage, calibration and the combination of windows are selected without the held-out person. Two
  choices saw everyone: the features made by hand, and the weight of 0.4.
- Unreadable windows count as wrong.
- *Resting strip*: the first 20 s of the wearer at rest are available to the method and are not evaluated.
- A constant share of windows is assumed to carry no information, however certain they look. This makes
  probabilities more truthful than a temperature alone. Without a resting strip, and up to 20 s, they remain
  less truthful than those of the features made by hand
  ([calibration.json](../../results/activity/calibration.json), by `python -m
  ml.research.ablations.activity_calibration`).
"""


@dataclass(frozen=True, eq=False)
class Kept:
    """All that the page is made from."""

    grid: Grid
    costs: Costs
    closed_set: Mapping[str, Any] | None
    shipped: Sequence[Mapping[str, Any]]
    compared: Sequence[Mapping[str, Any]]


def read_kept(results: Path) -> Kept:
    """Read it; what is absent is empty.

    Args:
        results: `results`.
    """
    bundle, protocol = _CLOSED_SET
    return Kept(
        grid=Grid(read_all(results, planned_cells())),
        costs=read_costs(results),
        closed_set=read_bundle(results, bundle).protocols.get(protocol),
        shipped=read_rows(results, SHIPPED),
        compared=read_rows(results, COMPARED),
    )


def make_page(kept: Kept) -> Page:
    """Write the page."""
    shown: dict[str, str] = {}

    def picture(file: str, alternative: str, svg: str | None) -> str:
        if svg is None:
            return ""
        shown[f"{file}.svg"] = svg
        return f"![{alternative}]({NAME}/{file}.svg)\n"

    grid = kept.grid
    sections = [
        _introduction(kept),
        "## Targets\n",
        targets_table(grid).to_markdown(),
        shipped_targets_table(kept.shipped).to_markdown(),
        _DETAILS,
        _state(grid),
        "## Table I: networks\n",
        *(tables.table_one(grid, protocol).to_markdown() for protocol in ("A1", "A2")),
        "## Table II: others\n",
        tables.table_two(grid, kept.closed_set).to_markdown(),
        "## Table III: attentions\n",
        tables.table_three(grid).to_markdown(),
        "One seed each. The next table shows how much another seed changes ResNet.\n",
        tables.seeds_table(grid).to_markdown(),
        "Intervals of the next two tables are over people; they do not cover a change of seed.\n",
        sca_table(grid).to_markdown(),
        attentions_table(grid).to_markdown(),
        answer(grid),
        over_seeds(grid),
        *balancing_sections(grid, picture),
        "## Three classes\n",
        tables.three_classes_table(grid).to_markdown(),
        "## What the paper leaves open\n",
        tables.options_table(grid).to_markdown(),
        "## Another electrode, other people\n",
        tables.unseen_table(grid).to_markdown(),
        "30 s and the whole strip: means of the windows' log-probabilities.\n",
        "## The method that ships\n",
        _SHIPPED,
        comparison_table(grid, kept.shipped, kept.compared).to_markdown(),
        *_confusions(grid, picture),
        "## Costs\n",
        tables.costs_table(kept.costs).to_markdown(),
        "## Commands\n",
        code_block(_COMMANDS),
    ]
    text = "\n".join(section for section in sections if section)
    return Page(text.rstrip("\n") + "\n", shown, NAME)


_COMMANDS = (
    "python -m ml.cli reproduce dt4ecg --plan                  # list the trainings and estimate their time",
    "python -m ml.cli reproduce dt4ecg --jobs 2 --minutes 60   # run them; call again to resume",
    "python -m ml.cli reproduce dt4ecg --only table-1          # run a part",
    "python -m ml.cli reproduce dt4ecg --costs                 # parameters, MACs, latency, time of a step",
    "python -m ml.cli reproduce dt4ecg --page                  # write this page from kept results",
    "python -m ml.cli activity evaluate                        # the method that ships, A3",
    "python -m ml.cli activity compare                         # its alternatives",
)


def _introduction(kept: Kept) -> str:
    lines = [f"- **{name}**, {protocol.title}. {protocol.meaning}" for name, protocol in PROTOCOLS.items()]
    headline = headline_table(kept.grid, kept.shipped).to_markdown()
    return _INTRODUCTION.format(protocols="\n".join([*lines, ""]), headline=headline)


def _state(grid: Grid) -> str:
    cells = planned_cells()
    failed = [result.cell.id for result in grid.results.values() if result.failed]
    text = f"{len(grid.results)} of {len(cells)} trainings are done; the others say “not measured”.\n"
    return text + (f"Failed: {', '.join(failed)}.\n" if failed else "")


def _confusions(grid: Grid, picture: PictureLine) -> list[str]:
    shown = []
    for protocol, task in _CONFUSIONS:
        found = grid.figures(replace(PROPOSED, protocol=protocol), task)
        if found is not None:
            title = f"{protocol}, ResNet + SCA: {task}"
            svg = pictures.confusion_picture(title, found)
            shown.append(picture(f"confusion-{protocol}-{task}", f"Confusion matrix: {title}", svg))
    return ["## Confusion matrices\n", *shown] if shown else []
