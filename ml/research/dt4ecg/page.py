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

Every table of You, Gu, Yang, Yu and Guo, *DT4ECG: a dual-task learning framework for ECG-based human
identity recognition and human activity detection*, beside what the same networks reach here. Written by
`python -m ml.research.dt4ecg` from the [cells](../../results/dt4ecg/cells.jsonl).

**The data differ.** Theirs are private: 15 people; rest, one minute *after* a run, and deep breathing;
three minutes each at 100 Hz. Here it is the open motion set (Kalouskova 2024, GPL-3.0): 10 people; rest,
arm movements, walk, run and squats, recorded *during* the exercise; about a minute each with three kinds of
electrode; nothing like deep breathing. Close in size, and movement leaves its mark in the signal. None of
their figures can be checked with it. What can be is whether the claims hold: that
[SCA](#table-iii-attentions) helps, that [balancing](#what-gradnorm-does) helps.

**The protocol decides.** The paper deals 3-s windows at random, and so does A1:

{protocols}
Three classes here are rest, light (arm movements, walk) and vigorous (run, squats); *merged*: the calls
among five, with the probabilities of the activities in a class added up.

**As in the paper**: 3-s windows at 100 Hz, batches of 16, Adam at 0.001, 50 epochs, GradNorm as the paper
seems to mean it. The last epoch is asked, never the best one; test windows are looked at once, so nothing
is chosen by them. At a constant rate a training may end in a bad epoch, and nothing averages it out.
**Where the paper is silent or cannot be followed**, one choice was made beforehand for all tables, and
others are [compared](#what-the-paper-leaves-open): filters work at the native rate (at 100 Hz there is no
60 Hz to notch); 0 to 1 spans a record; equation 8 is the cross-entropy over classes; the gradients that
balancing weighs are those of the trunk's last layer; Algorithm 1 begins from 1 at each step
(`dt4ecg_stateless`), since as printed its weights [vanish](#what-gradnorm-does) within an epoch; residual
modules halve the time, and `modules` = `full_length` keeps all 300 steps, 64 channels wide.

**Our recipe** is no claim about the paper: the same network, learned as we would. Windows begin anywhere
between one that is trained on and the next that is, batches are of 32, AdamW decays weights by 0.01 at a
rate that rises to 0.003 and falls like a half cosine. Trials on parts of the training windows chose it
(A2's first 27 s asked about 30 to 39 s, A1's seven tenths divided once more;
[trials](../../results/dt4ecg/recipe-trials.json), again by `python -m ml.research.dt4ecg.recipe_study`). No
protocol's own test windows did, but windows of everybody, with every electrode: under A2e and A3 it has seen
more than it should.

**0 to 1 spans a record** as in the paper, which normalises before it segments. A window then knows two
numbers of its whole minute, the smallest and the largest, and so do A2's: windows trained on know them of the
later ones that are tested, and the other way round. `scaling` = `window` takes both from the window alone.

**To save time**, training rounds what convolutions and matrix products of trunk and attention read and write
to bfloat16; `precision` = `float32` does not. Weights, their updates, heads and losses are float32, and
so is everything when windows are asked.
"""


_SHIPPED = """Heads for 3 to 30 s of ECG of people they never saw: `python -m ml.cli activity`. One view is
features made by hand (rhythm, shape of the beats, what movement leaves beside them), the other what the
stages of an identity network say that never met these people; each is a linear discriminant, and their log
probabilities add up, the network's with a weight of 0.4. Fitted for each head instead, weights lose under A3;
one covariance for both loses at 30 s ([fusion.json](../../results/activity/fusion.json), by
`python -m ml.research.ablations.activity_fusion`). Shrinkage, calibration and how windows are put together
are chosen without the person who is asked; the features made by hand were chosen among some by looking at
these people, and that one weight by the loss of people left out, everybody having had a say. Windows that
allow no call count as wrong. *Own rest*: the first 20 s of the wearer's rest are known and not asked. A
share of windows that say nothing, however sure they sound, makes probabilities truer than a temperature
alone; without own rest, up to 20 s, they are less true than those by hand alone, since the network is sure
and wrong about some ([calibration.json](../../results/activity/calibration.json), by `python -m
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
        _introduction(),
        _state(grid),
        "## Targets\n",
        targets_table(grid).to_markdown(),
        shipped_targets_table(kept.shipped).to_markdown(),
        "## Table I: networks\n",
        *(tables.table_one(grid, protocol).to_markdown() for protocol in ("A1", "A2")),
        "## Table II: others\n",
        tables.table_two(grid, kept.closed_set).to_markdown(),
        "## Table III: attentions\n",
        tables.table_three(grid).to_markdown(),
        "One seed each; by how much another one moves ResNet, the next table says.\n",
        tables.seeds_table(grid).to_markdown(),
        "What attention adds; intervals are over people, and say nothing of another seed:\n",
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
    "python -m ml.research.dt4ecg --plan                  # what there is to do, and how long it takes",
    "python -m ml.research.dt4ecg --jobs 2 --minutes 60   # do it; go on another time",
    "python -m ml.research.dt4ecg --only table-1          # a part of it",
    "python -m ml.research.dt4ecg --costs                 # parameters, MACs, latency, time of a step",
    "python -m ml.research.dt4ecg --page                  # this page, from what is kept",
    "python -m ml.cli activity evaluate                        # the method that ships, A3",
    "python -m ml.cli activity compare                         # what it was chosen among",
)


def _introduction() -> str:
    lines = [f"- **{name}**, {protocol.title}. {protocol.meaning}" for name, protocol in PROTOCOLS.items()]
    return _INTRODUCTION.format(protocols="\n".join([*lines, ""]))


def _state(grid: Grid) -> str:
    cells = planned_cells()
    failed = [result.cell.id for result in grid.results.values() if result.failed]
    text = f"{len(grid.results)} of {len(cells)} trainings are done; what is open says “not measured”.\n"
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
