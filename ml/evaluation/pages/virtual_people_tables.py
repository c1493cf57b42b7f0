"""Tables of several modalities: virtual people, each with the heart, face and finger of three real ones."""

from collections.abc import Mapping
from typing import Any

from ml.evaluation.kept_results import KeptResults
from ml.evaluation.pages import face_tables, fingerprint_tables
from ml.evaluation.pages.cells import NOT_MEASURED, markdown_table, rate_cell

Json = Mapping[str, Any]

CONDITIONS = ("clean", "noisy")
VIRTUAL_PEOPLE = "virtual-people.svg"
"""File name of the picture."""
_ALL = ("ecg", "face", "fingerprint")


def virtual_people(results: KeptResults) -> str:
    """Every combination of modalities, clean and noisy; with a picture where it was measured."""
    columns = (
        "captures",
        "modalities",
        "false non-matches",
        "false matches, measured ÷ 0.1 %",
        "known people identified",
        "strangers named at FPIR 5 %",
        "EER",
        "false non-matches at equal FMR of 0.1 %",
    )
    found = results.virtual_people
    rows = [
        (condition, name.replace("+", " + "), *_cells(one))
        for condition in CONDITIONS
        for name, one in found.get(condition, {}).items()
    ]
    if not rows:
        return markdown_table(columns, [[NOT_MEASURED, *["–"] * (len(columns) - 1)]])
    people, pairings = found["people"], found["pairings"]
    shown = f"![False non-matches of each combination](images/{VIRTUAL_PEOPLE})"
    return f"{markdown_table(columns, rows)}\n{people} people in each of {pairings} pairings.\n\n{shown}\n"


def modality_rows(results: KeptResults) -> list[tuple[str, ...]]:
    """Make the rows of the summary that are about other modalities, of those that were measured."""
    rows = (fingerprint_tables.summary_row(results), face_tables.summary_row(results), _summary_row(results))
    return [row for row in rows if row is not None]


def all_three(results: KeptResults, condition: str) -> Json | None:
    """Return the figures of ECG, face and fingerprint together; None if not measured."""
    by_name = results.virtual_people.get(condition, {})
    return next((one for name, one in by_name.items() if set(name.split("+")) == set(_ALL)), None)


def best_single(results: KeptResults, condition: str) -> tuple[str, float] | None:
    """Return the modality that misses fewest at equal FMR of 0.1 %, and its FNMR there."""
    by_name = results.virtual_people.get(condition, {})
    singles = {name: at_equal_rate(one) for name, one in by_name.items() if "+" not in name}
    return min(singles.items(), key=lambda one: one[1]) if singles else None


def at_equal_rate(one: Json) -> float:
    """Return the FNMR at the threshold where exactly 0.1 % of these strangers match."""
    return float(one["fnmr_at_equal_fmr"]["0.001"])


def _summary_row(results: KeptResults) -> tuple[str, ...] | None:
    title = "All three (virtual people)"
    one = all_three(results, "clean")
    if one is None:
        return None
    return title, "–", f"{100 * one['eer']:.1f} %", f"{one['fnmr']['count']}/{one['mated']}"


def _cells(one: Json) -> tuple[str, ...]:
    shares = (one[key] for key in ("identified", "fpir_at_0.05"))
    return (
        rate_cell(one["fnmr"]["share"], one["fnmr"]["interval_95"]),
        _over_nominal(one["fmr"], 0.001),
        *(rate_cell(share["share"], share["interval_95"]) for share in shares),
        f"{100 * one['eer']:.2f} %",
        f"{100 * at_equal_rate(one):.2f} %",
    )


def _over_nominal(share: Json, nominal: float) -> str:
    low, high = (end / nominal for end in share["interval_95"])
    return f"{share['share'] / nominal:.2f} ({low:.2f}–{high:.2f})"
