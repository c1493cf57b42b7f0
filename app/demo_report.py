"""What the demo shows: one table of comparisons and a summary of rates.

Rates are counted here from what the service answered, not taken from the service.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import median

import numpy as np
from rich.table import Table
from rich.text import Text

# A step shows its surprises first, then examples; the rest is counted in one line.
ROWS_PER_STEP = 4
SURPRISES_PER_STEP = 6


@dataclass(frozen=True)
class Line:
    """One question to the service and its answer. Scores and what is missing are in decibans."""

    step: str
    question: str
    answer: str
    as_expected: bool
    client_ms: float
    score: float | None = None
    threshold: float | None = None
    shortfall_db: float | None = None
    further_seconds: float | None = None
    processing_ms: float | None = None


@dataclass(frozen=True)
class Tally:
    """How many of how many."""

    count: int = 0
    of: int = 0

    def __str__(self) -> str:
        return f"{self.count} of {self.of}"


@dataclass
class Scores:
    """Comparison scores in decibans, gathered from the candidate lists."""

    mated: list[float] = field(default_factory=list)
    non_mated: list[float] = field(default_factory=list)
    false_matches: int = 0

    def add(self, scores: dict[str, float], own_id: str | None, threshold: float) -> None:
        """Count one probe's candidates; `own_id` is who it is, if enrolled; `threshold` that of 1:1."""
        for subject_id, score in scores.items():
            if subject_id == own_id:
                self.mated.append(score)
            else:
                self.non_mated.append(score)
                self.false_matches += score >= threshold

    def add_failure(self) -> None:
        """Count a probe from which nothing could be acquired: it will never match its owner."""
        self.mated.append(-math.inf)

    @property
    def eer(self) -> float | None:
        """Equal error rate, or None without both kinds of scores."""
        return equal_error_rate(self.mated, self.non_mated) if self.mated and self.non_mated else None


def equal_error_rate(mated: Sequence[float], non_mated: Sequence[float]) -> float:
    """Where FNMR (mated below the threshold) meets FMR (non-mated at or above), interpolated linearly."""
    accepted, rejected = np.sort(np.asarray(mated)), np.sort(np.asarray(non_mated))
    # +inf closes the curve: there nothing matches.
    thresholds = np.append(np.unique(np.concatenate([accepted, rejected])), np.inf)
    fnmr = np.searchsorted(accepted, thresholds, side="left") / accepted.size
    fmr = 1.0 - np.searchsorted(rejected, thresholds, side="left") / rejected.size
    after = int(np.argmax(fnmr >= fmr))
    if after == 0:
        return float(fnmr[0])
    gap_before, gap_after = fmr[after - 1] - fnmr[after - 1], fnmr[after] - fmr[after]
    weight = gap_before / (gap_before + gap_after)
    return float(fnmr[after - 1] + weight * (fnmr[after] - fnmr[after - 1]))


def expected(lines: Iterable[Line], *steps: str) -> Tally:
    """How many lines of these steps came out as expected."""
    chosen = [line for line in lines if line.step in steps]
    return Tally(sum(line.as_expected for line in chosen), len(chosen))


def typical_ms(lines: Sequence[Line]) -> tuple[float, float]:
    """Median milliseconds of a request: seen by the client, spent by the service."""
    served = [line.processing_ms for line in lines if line.processing_ms is not None]
    return median(line.client_ms for line in lines), median(served) if served else math.nan


def comparison_table(lines: Sequence[Line], title: str) -> Table:
    """The table of comparisons, a section per step."""
    table = Table(title=title, title_justify="left", caption_justify="left", header_style="bold")
    table.caption = "dB: decibans, 10·log10 of the likelihood ratio same person : different persons"
    for name in ("step", "question", "answer"):
        table.add_column(name)
    for name in ("score\ndB", "threshold\ndB", "missing\ndB", "further\nECG s", "client\nms", "service\nms"):
        table.add_column(name, justify="right", no_wrap=True)
    for step, group in groupby(lines, key=lambda line: line.step):
        of_step = list(group)
        shown = _chosen(of_step)
        for index, line in enumerate(shown):
            table.add_row(step if index == 0 else "", *_cells(line))
        if rest := len(of_step) - len(shown):
            outcome = expected(of_step, step)
            table.add_row("", Text(f"… and {rest} more; as expected: {outcome}", style="dim"))
        table.add_section()
    return table


def _chosen(lines: Sequence[Line]) -> list[Line]:
    surprises = [line for line in lines if not line.as_expected][:SURPRISES_PER_STEP]
    usual = [line for line in lines if line.as_expected]
    return surprises + usual[: max(1, ROWS_PER_STEP - len(surprises))]


def _cells(line: Line) -> list[str | Text]:
    answer = Text(line.answer, style="green" if line.as_expected else "bold red")
    numbers = (line.score, line.threshold, line.shortfall_db)
    milliseconds = (line.client_ms, line.processing_ms)
    return [
        line.question,
        answer,
        *(_number(value, 1) for value in numbers),
        _number(line.further_seconds, 0),
        *(_number(value, 1) for value in milliseconds),
    ]


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def percent(rate: float) -> str:
    """A rate with two significant digits."""
    return f"{100 * rate:.2g} %"
