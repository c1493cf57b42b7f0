"""Options and progress that every benchmark receives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from rich.progress import Progress

T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """One run of the benchmarks.

    Args:
        quick: Fewer repetitions and smaller galleries: for trying the code, not for quoting.
        progress: Draws the bars.
    """

    quick: bool
    progress: Progress

    def repeat(self, usual: int) -> int:
        """Return the number of repetitions."""
        return max(3, usual // 10) if self.quick else usual

    def gallery(self, usual: int) -> int:
        """Return the number of subjects to enroll."""
        return min(usual, 1000) if self.quick else usual

    def track(self, items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
        """Iterate with a progress bar that disappears at the end."""
        task = self.progress.add_task(what, total=total)
        if total is None:
            items = list(items)
            self.progress.update(task, total=len(items))
        try:
            for item in items:
                yield item
                self.progress.advance(task)
        finally:
            self.progress.remove_task(task)
