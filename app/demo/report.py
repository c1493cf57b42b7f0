"""What the demo shows: one table of comparisons and a summary of rates.

Rates are counted here from what the service answered, not taken from the service.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import groupby
from statistics import median

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

CAPTION = (
    "Every row is one HTTP request. dB: decibans, 10·log10 of the likelihood ratio same person : different "
    "persons. missing: from score to threshold. Of every step the wrong answers come first, in red."
)
# A step shows its surprises first, then examples; the rest is counted in one line.
ROWS_PER_STEP = 4
SURPRISES_PER_STEP = 6


@dataclass(frozen=True)
class Line:
    """One question to the service and its answer. Scores and what is missing are in decibans."""

    step: str
    probe: str
    claim: str | None
    answer: str
    as_expected: bool
    _: KW_ONLY
    client_ms: float
    score: float | None = None
    threshold: float | None = None
    shortfall_db: float | None = None
    further_seconds: float | None = None
    processing_ms: float | None = None


@dataclass(frozen=True)
class Column:
    """A column of numbers."""

    header: str
    of: Callable[[Line], float | None]
    digits: int = 1

    def text(self, line: Line) -> str:
        """The number as shown; nothing where there is none."""
        value = self.of(line)
        return "" if value is None else f"{value:.{self.digits}f}"


NUMBERS = (
    Column("score\ndB", lambda line: line.score),
    Column("thresh.\ndB", lambda line: line.threshold),
    Column("missing\ndB", lambda line: line.shortfall_db),
    Column("more\nECG s", lambda line: line.further_seconds, digits=0),
    Column("client\nms", lambda line: line.client_ms),
    Column("service\nms", lambda line: line.processing_ms),
)


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


def comparison_table(lines: Sequence[Line]) -> Table:
    """The table of comparisons, a section per step; a number that no answer has gets no column."""
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), caption=CAPTION, caption_justify="left"
    )
    numbers = [column for column in NUMBERS if any(column.of(line) is not None for line in lines)]
    for name in ("step", "probe of", "claim", "answer"):
        table.add_column(name)
    for column in numbers:
        table.add_column(column.header, justify="right", no_wrap=True)
    for step, group in groupby(lines, key=lambda line: line.step):
        of_step = list(group)
        shown = _chosen(of_step)
        for title, line in zip(_spread(step, len(shown)), shown, strict=True):
            table.add_row(title, *_names(line), *(column.text(line) for column in numbers))
        if rest := len(of_step) - len(shown):
            right = expected(of_step, step)
            table.add_row("", f"… {rest} more", "", f"{right.count}/{right.of} right", style="dim")
        table.add_section()
    return table


def _spread(title: str, n_rows: int) -> list[str]:
    """The lines of a title on as many rows, so that none of them gets higher."""
    parts = title.split("\n")
    return [*parts[: n_rows - 1], "\n".join(parts[n_rows - 1 :]), *[""] * (n_rows - len(parts))][:n_rows]


def _chosen(lines: Sequence[Line]) -> list[Line]:
    surprises = [line for line in lines if not line.as_expected][:SURPRISES_PER_STEP]
    usual = [line for line in lines if line.as_expected]
    return surprises + usual[: max(1, ROWS_PER_STEP - len(surprises))]


def _names(line: Line) -> tuple[str, str, Text]:
    claim = "own" if line.claim == line.probe else line.claim or ""
    return line.probe, claim, Text(line.answer, style="green" if line.as_expected else "bold red")


def percent(rate: float) -> str:
    """A rate with two significant digits."""
    return f"{100 * rate:.2g} %"
