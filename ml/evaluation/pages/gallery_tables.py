"""Tables of random galleries: whether stated false-match rates are true with 20 to 58 people enrolled."""

from collections.abc import Mapping
from typing import Any

from ml.evaluation.kept_results import KeptResults
from ml.evaluation.pages.cells import markdown_table

Json = Mapping[str, Any]

_PEOPLE = {
    "E2": "ECG: ECG-ID",
    "F4": "face: AR",
    "F3": "face: ORL",
    "F2": "fingerprint: FCJ2020",
    "F1": "fingerprint: FVC, six sensors mixed",
}
_COLUMNS = (
    "people",
    "enrolled",
    "own null",
    "FMR, measured ÷ nominal at 1 %",
    "at 0.1 %",
    "without own null, at 1 %",
    "false non-matches at FMR 1 %",
    "at 0.1 %",
)


def galleries(results: KeptResults) -> str:
    """Every set of test people, by the number of people enrolled."""
    rows = [
        (title, *_cells(one))
        for protocol, title in _PEOPLE.items()
        for one in results.galleries.get(protocol, {}).get("galleries", ())
    ]
    return markdown_table(_COLUMNS, rows)


def ratio_in_galleries(results: KeptResults, protocol: str, enrolled: int) -> Json | None:
    """Return the figures at FMR 1 % of galleries of one size; None if not measured."""
    found = results.galleries.get(protocol, {}).get("galleries", ())
    return next((one["rates"][0] for one in found if one["enrolled"] == enrolled), None)


def _cells(one: Json) -> tuple[str, ...]:
    percent, per_mille = one["rates"]
    return (
        str(one["enrolled"]),
        "yes" if one["corrected"] else "no",
        *(ratio_cell(at) for at in one["rates"]),
        f"{percent['measured_over_nominal_uncorrected']:.2f}",
        *(f"{100 * at['fnmr']:.1f} %" for at in (percent, per_mille)),
    )


def ratio_cell(at: Json) -> str:
    """Write a ratio with its interval, which is wide where few people make the pairs."""
    low, high = at["interval_95"]
    return f"{at['measured_over_nominal']:.2f} ({low:.2f}–{high:.2f})"
