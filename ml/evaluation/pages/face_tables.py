"""Tables of faces: one picture enrolled, others compared with everybody."""

from collections.abc import Mapping
from typing import Any

from ml.evaluation.kept_results import KeptResults
from ml.evaluation.pages.cells import (
    count_cell,
    markdown_table,
    over_nominal_cell,
    rate_cell,
)

Json = Mapping[str, Any]

F3, F4 = ("F3", "1 → others"), ("F4", "1 → second session")
LBP_EER = {"F3": 0.18, "F4": 0.235}
"""Local binary patterns on the same people, run by us."""
_TITLES = {
    "F3": "**F3**, ORL, 20 people, picture 1 against the nine others",
    "F4": "**F4**, AR, 58 people, picture 1 against seven of another session",
}
_PAIRS = {"all": "all", "within": "same sex", "men": "two men", "women": "two women"}


def faces(results: KeptResults) -> str:
    """F3 and F4, and whether the stated rates are true."""
    columns = (
        "protocol",
        "first candidate wrong",
        "EER",
        "false non-matches at policy FMR 1 %",
        "at 0.1 %",
        "FMR, measured ÷ nominal at 1 %",
        "at 0.1 %",
        "LBP: EER",
    )
    rows = []
    for protocol, variant in (F3, F4):
        one = results.face.variant(protocol, variant)
        if one is None:
            continue
        rows.append(
            (
                _TITLES[protocol],
                count_cell(one["rank_1_errors"]),
                rate_cell(one["eer"], one["eer_interval"]),
                *(count_cell(rate["fnmr"]) for rate in one["rates"]),
                *(over_nominal_cell(rate["measured"], rate["fmr"]) for rate in one["rates"]),
                f"{100 * LBP_EER[protocol]:.1f} %",
            )
        )
    return markdown_table(columns, rows)


def faces_same_sex(results: KeptResults) -> str:
    """F4: false matches between people of the same sex, beside all."""
    found = results.face.protocols.get("F4", {}).get("same_sex", {})
    rows = [
        (title, *(_false_matches(found[at][pairs]) for at in ("at_overall_1_percent", "at_policy_1_percent")))
        for pairs, title in _PAIRS.items()
        if found
    ]
    columns = ("pairs of different people", "FMR where that of all is 1 %", "FMR at policy FMR 1 %")
    return markdown_table(columns, rows)


def summary_row(results: KeptResults) -> tuple[str, ...] | None:
    """Make the row of the summary: the harder protocol; None if not measured."""
    title = "Face (AR)"
    one = results.face.variant(*F4)
    if one is None:
        return None
    return (
        title,
        count_cell(one["rank_1_errors"]),
        rate_cell(one["eer"], one["eer_interval"]),
        count_cell(one["rates"][1]["fnmr"]),
    )


def _false_matches(share: Json) -> str:
    return f"{count_cell(share)} = {rate_cell(share['value'], share['interval'], digits=2)}"
