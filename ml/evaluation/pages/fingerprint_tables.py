"""Tables of fingerprints: every pair of impressions, and searches."""

from collections.abc import Mapping
from typing import Any

from ml.evaluation.kept_results import KeptResults
from ml.evaluation.pages.cells import markdown_table, rate_cell

Json = Mapping[str, Any]

NBIS_MEAN_EER, NBIS_WORST_EER = 0.089, 0.2
"""MINDTCT and Bozorth3 on the same six databases, run by us."""
_FMRS = (0.01, 0.001, 0.0001)
_COLUMNS = (
    "prints",
    "refused",
    "comparisons, same and different fingers",
    "EER",
    "false non-matches at FMR 1 %",
    "at 0.1 %",
    "at 0.01 %",
    "NBIS: EER",
)


def fingerprints(results: KeptResults) -> str:
    """F1 by database, their mean, all under one threshold; F2."""
    rows = []
    six = results.fingerprint.get("F1")
    if six:
        rows += [(_title(name), *_cells(one), "–") for name, one in six["sets"].items()]
        empty = ["–"] * 2, ["–"] * len(_FMRS)
        for title, eer, nbis in (
            ("**F1, mean of the six**", six["mean_eer"], NBIS_MEAN_EER),
            ("F1, worst of the six", six["worst_eer"], NBIS_WORST_EER),
        ):
            rows.append((title, *empty[0], f"{100 * eer:.1f} %", *empty[1], f"{100 * nbis:.1f} %"))
        rows.append(("**F1, all six, one threshold**", *_cells(six["one_threshold"]), "–"))
    if "F2" in results.fingerprint:
        title = "**F2**, FCJ2020, people 126–150"
        rows.append((title, *_cells(results.fingerprint["F2"]["one_threshold"]), "–"))
    return markdown_table(_COLUMNS, rows)


def fingerprint_search(results: KeptResults) -> str:
    """F2-1:N: how much of what the comparer accepts lies in the shortlist, a row for each N."""
    searches = [(name, found) for name, found in results.fingerprint.items() if name.startswith("F2-1:")]
    columns = (
        "fingers enrolled",
        "probes",
        "accepted by the comparer at FMR 0.1 %",
        "shortlist",
        "of the accepted, in the shortlist",
        "first in the shortlist",
        "99.8 % within the first",
    )
    searches.sort(key=lambda search: (search[1]["enrolled"], search[0]))
    rows = [_search_row(name, found) for name, found in searches]
    return markdown_table(columns, rows)


def _search_row(name: str, found: Json) -> tuple[str, ...]:
    share = f"{found['within']}/{found['accepted']} = {rate_cell(found['share'], found['interval_95'])}"
    numbers = (f"{found[key]:,}" for key in ("probes", "accepted", "shortlist"))
    enrolled = f"{found['enrolled']:,}" + (", strangers computed" if name.endswith("-computed") else "")
    return enrolled, *numbers, share, f"{found['rank_1']:.1%}", str(found["rank_of_99_8_percent"])


def summary_row(results: KeptResults) -> tuple[str, ...] | None:
    """Make the row of the summary: the harder protocol, under one threshold; None if not measured."""
    title = "Fingerprint (FVC)"
    if "F1" not in results.fingerprint:
        return None
    one = results.fingerprint["F1"]["one_threshold"]
    missed = at_rate(one, 0.001)["non_matches"]
    return title, "–", rate_cell(one["eer"], one["eer_interval_95"]), f"{missed}/{one['mated']}"


def at_rate(found: Json, fmr: float) -> Json:
    """Return the false non-matches of a set at one FMR; empty where its pairs do not resolve it."""
    return next((one for one in found["fnmr"] if one["fmr"] == fmr), {})


def _cells(one: Json) -> tuple[str, ...]:
    missed = (at_rate(one, fmr) for fmr in _FMRS)
    return (
        f"{one['refused']}/{one['pictures']}",
        f"{one['mated']:,} / {one['non_mated']:,}",
        rate_cell(one["eer"], one["eer_interval_95"]),
        *(rate_cell(at["fnmr"], at["interval_95"]) if at else "not resolvable" for at in missed),
    )


def _title(name: str) -> str:
    """fvc2002/DB1_B → FVC2002 DB1."""
    return name.upper().replace("/", " ").removesuffix("_B")
