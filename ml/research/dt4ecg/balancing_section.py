"""Table IV, figures 6 and 7 and what the balancing does, as sections of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ml.research.dt4ecg import pictures, tables
from ml.research.dt4ecg.figures import Grid, Task
from ml.research.dt4ecg.pictures import Named
from ml.research.dt4ecg.plan import BALANCINGS, EARLY_EPOCHS, PROPOSED, Cell, figure_6, table_4

PictureLine = Callable[[str, str, str | None], str]
"""From file name, alternative text and SVG of a picture to the line that shows it; empty for None."""

_FINDINGS = """\
- **The rule as printed cannot work.** Algorithm 1 multiplies each weight by exp(2·(p − 1)) at each step,
  where p is the task's share of the gradient norms. Shares add up to 1, so the product of both weights is
  exp(−2t) after t steps. In single precision, with denormal numbers set to zero, {literal}. Adam divides by
  the size of gradients and hides this for some steps; then nothing moves. Figure 6 and table IV of the
  paper cannot come from the rule as printed.
- **It is not GradNorm's rule.** Chen et al. 2018 give the *slower* task the larger target. Here the task
  with the *larger* gradient gains.
- **Variants.** `gradnorm` is Chen's rule. `dt4ecg_stateless` is the paper's rule without memory.
  `dt4ecg_renorm` is the paper's rule with weights of constant sum. `grad_equalise` makes weighted gradients
  equal.
- **α** stands for two numbers: Chen's asymmetry (1.5 here) and the paper's step size (2).
"""


def balancing_sections(grid: Grid, picture: PictureLine) -> list[str]:
    """Give table IV, figures 6 and 7, and what the weights do."""
    early, late = _named(grid, table_4()), _named(grid, figure_6())
    rules = [
        _named(grid, [cell])[0] for cell in table_4() if grid.trained(cell) and cell.balancing != "static"
    ]
    return [
        "## Table IV: with and without GradNorm\n",
        tables.table_four(grid).to_markdown(),
        "## Figure 6: training accuracy over 50 epochs\n",
        *(
            picture(
                f"figure-6-{name}", f"Training accuracy with {name}", pictures.accuracy_picture(name, [one])
            )
            for one in late
            for name in [one[0]]
        ),
        *_unless(late),
        f"## Figure 7: training accuracy over {EARLY_EPOCHS} epochs\n",
        *(
            picture(
                f"figure-7-{task}",
                f"Training accuracy of {task}",
                pictures.accuracy_picture(f"{task}, by balancing", early, [task]) if early else None,
            )
            for task in pictures.TASKS
        ),
        *_unless(early),
        "## What GradNorm does\n",
        _findings(grid),
        picture(
            "first-weights",
            "Weights at each step of the first epoch",
            pictures.weights_picture("Weights in the first epoch", rules),
        ),
        picture("weights", "Share of activity's weight", pictures.share_picture("Share of each task", rules)),
        picture(
            "gradients",
            "Norms of the gradients",
            pictures.gradient_picture("Gradients at the trunk's last layer", late),
        ),
    ]


def _unless(trainings: Named) -> list[str]:
    return [] if trainings else ["Not measured.\n"]


def _findings(grid: Grid) -> str:
    return _FINDINGS.format(literal=_literal_weights(grid)) + _gain_of_balancing(grid)


def _literal_weights(grid: Grid) -> str:
    """Say when the printed rule's weights were gone."""
    found = grid.trained(replace(PROPOSED, balancing="dt4ecg_literal", epochs=EARLY_EPOCHS))
    if found is None:
        return "their geometric mean is zero after 104 steps (not measured yet)"
    gone = next(
        (step for step, weights in enumerate(found.first_weights, start=1) if max(weights) == 0.0), None
    )
    of = f"of the {len(found.first_weights)} steps of the first epoch"
    return f"neither is zero within any {of}" if gone is None else f"both are zero from step {gone} {of} on"


def _gain_of_balancing(grid: Grid) -> str:
    """Compare the rules with equal weights, beside what seeds alone change; empty where there is no pair."""
    return _gain(grid, "activity", "+5.89") + _gain(grid, "identity", "+3.62")


def _gain(grid: Grid, task: Task, printed: str) -> str:
    spreads = {
        name: spread
        for name in BALANCINGS
        if (spread := grid.spread(replace(PROPOSED, balancing=name, epochs=EARLY_EPOCHS), task))
    }
    if "static" not in spreads or len(spreads) < 2:
        return ""
    static = spreads.pop("static")
    texts = ", ".join(
        f"`{name}` {100 * (one.mean - static.mean):+.2f}"
        for name, one in sorted(spreads.items(), key=lambda item: -item[1].mean)
    )
    text = (
        f"- {task.capitalize()} under A1 after {EARLY_EPOCHS} epochs against equal weights, in points: "
        f"{texts}. The paper: {printed}."
    )
    if static.seeds > 1:
        width = 100 * (static.high - static.low)
        text += f" Equal weights alone differ by {width:.2f} over {static.seeds} seeds."
    else:
        text += " One seed."
    return text + "\n"


def _named(grid: Grid, cells: Sequence[Cell]) -> Named:
    found = ((cell.balancing, grid.trained(cell)) for cell in cells)
    return [(name, result) for name, result in found if result is not None]
