"""What every benchmark is given."""

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
        quick: Fewer repetitions and smaller galleries: to try the code, not to quote.
        progress: Where bars are drawn.
    """

    quick: bool
    progress: Progress

    def repeat(self, usual: int) -> int:
        """How often to do something."""
        return max(3, usual // 10) if self.quick else usual

    def gallery(self, usual: int) -> int:
        """How many subjects to enroll."""
        return min(usual, 1000) if self.quick else usual

    def track(self, items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
        """Go through items with a bar that goes away at the end."""
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
