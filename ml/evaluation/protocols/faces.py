"""F-dev, F3 and F4: one picture enrolled, others of the same people as probes.

Pictures go the way of the service, detection included: those of AR come cropped to 43×60 pixels, and enter as
they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.data.face_splits import FacePart, ar_split, orl_split
from ml.data.faces import FaceRecord, read_ar, read_orl, read_yale
from ml.evaluation.trials.trials import Presentation, Still, Trials, trials_of

FIRST = "1"


def yale_normal_against_others(data: Path) -> list[Trials]:
    """Enroll `normal`; every other condition is a probe."""
    records = read_yale(data / "face" / "yalefaces")
    return [
        _trials(
            "normal → others",
            records,
            lambda r: r.labels["condition"] == "normal",
            lambda r: r.labels["condition"] != "normal",
        )
    ]


def orl_first_against_others(data: Path) -> list[Trials]:
    """Enroll picture 1 of each test person; the nine others are probes."""
    records = [r for r in read_orl(data / "face" / "orl") if r.subject_id in orl_split()["test"]]
    return [
        _trials(
            "1 → others",
            records,
            lambda r: r.labels["number"] == FIRST,
            lambda r: r.labels["number"] != FIRST,
        )
    ]


def ar_sessions(data: Path, part: FacePart = "test") -> list[Trials]:
    """Enroll picture 1 of each person; the seven pictures of two weeks later are probes."""
    records = [r for r in read_ar(data / "face" / "ar_99") if r.subject_id in ar_split()[part]]
    return [
        _trials(
            "1 → second session",
            records,
            lambda r: r.labels["number"] == FIRST,
            lambda r: r.labels["session"] == "2",
        )
    ]


def within_sex(probes: Sequence[str], enrolled: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Return which comparisons are of two people of one sex, by AR's names of them.

    Args:
        probes, enrolled: Subject ids, `m…` and `w…`.

    Returns:
        Masks of shape (n_probes, n_enrolled): `men`, `women`, and `within` for both.
    """
    rows, columns = ([name[0] for name in names] for names in (probes, enrolled))
    masks = {
        word: np.logical_and.outer([sex == letter for sex in rows], [sex == letter for sex in columns])
        for word, letter in (("men", "m"), ("women", "w"))
    }
    return {"within": masks["men"] | masks["women"], **masks}


def _trials(
    name: str,
    records: Sequence[FaceRecord],
    enrolls: Callable[[FaceRecord], bool],
    probes: Callable[[FaceRecord], bool],
) -> Trials:
    return trials_of(
        name,
        [Presentation.of(Still(record)) for record in records if enrolls(record)],
        [Presentation.of(Still(record)) for record in records if probes(record)],
    )
