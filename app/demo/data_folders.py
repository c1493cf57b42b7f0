"""What the folder of `make demo DATA=` may hold."""

from __future__ import annotations

from pathlib import Path

from app.demo.captured_people import captured_cast, holds_captures
from app.demo.people import Cast
from app.demo.recorded_people import recorded_cast
from app.demo.virtual_people import holds_sets, virtual_cast


def cast_of(folder: Path) -> Cast:
    """The people of a folder: captures by person and modality, research sets to be paired, or one set of ECG.

    Raises:
        DemoError: None of these.
    """
    if holds_sets(folder):
        return virtual_cast(folder)
    return captured_cast(folder) if holds_captures(folder) else recorded_cast(folder)
