"""Targets of fingerprints, faces and several modalities, set in advance; a missed target stays."""

import math
from collections.abc import Callable
from functools import partial

from ml.evaluation.kept_results import BundleResults, KeptResults
from ml.evaluation.pages.cells import NOT_MEASURED, markdown_table
from ml.evaluation.pages.face_tables import F3, F4, LBP_EER
from ml.evaluation.pages.fingerprint_tables import NBIS_MEAN_EER, NBIS_WORST_EER, at_rate
from ml.evaluation.pages.gallery_tables import ratio_cell, ratio_in_galleries
from ml.evaluation.pages.target_figures import (
    Measure,
    Measured,
    equal_error_rate,
    percent,
    span,
)
from ml.evaluation.pages.targets import Target
from ml.evaluation.pages.virtual_people_tables import CONDITIONS, all_three, at_equal_rate, best_single

_SHARE = "{:.1%}"


def recognition_targets(results: KeptResults) -> str:
    """Make the table of targets with what was reached."""
    rows = []
    for target in TARGETS:
        found = target.measure(results, results.face)
        rows.append(
            (
                target.protocol,
                target.figure,
                target.published,
                target.limit_text(target.must),
                target.limit_text(target.aim),
                found.text if found else NOT_MEASURED,
                f"**{target.verdict(found.value)}**" if found else "–",
            )
        )
    columns = ("protocol", "figure", "measured before", "must", "aim", "reached", "verdict")
    return markdown_table(columns, rows)


def _fingerprint_eer(key: str) -> Measure:
    def measure(results: KeptResults, _: BundleResults) -> Measured | None:
        found = results.fingerprint.get("F1")
        return Measured(found[key], percent(found[key])) if found else None

    return measure


def _one_threshold(protocol: str, fmr: float | None) -> Measure:
    """EER, or FNMR at `fmr`."""

    def measure(results: KeptResults, _: BundleResults) -> Measured | None:
        found = results.fingerprint.get(protocol)
        if not found:
            return None
        one = found["one_threshold"]
        at = at_rate(one, fmr) if fmr else {"fnmr": one["eer"], "interval_95": one["eer_interval_95"]}
        return Measured(at["fnmr"], f"{percent(at['fnmr'])} ({span(*at['interval_95'])})")

    return measure


def _distance_from_nominal(protocol: str, enrolled: int) -> Measure:
    """How far the measured FMR lies from the stated one, on either side."""

    def measure(results: KeptResults, _: BundleResults) -> Measured | None:
        found = ratio_in_galleries(results, protocol, enrolled)
        if found is None:
            return None
        return Measured(abs(found["measured_over_nominal"] - 1.0), f"measured ÷ nominal {ratio_cell(found)}")

    return measure


def _shortlist(results: KeptResults, _: BundleResults) -> Measured | None:
    found = results.fingerprint.get("F2-1:N")
    if not found:
        return None
    text = (
        f"{found['within']}/{found['accepted']} = {percent(found['share'])} ({span(*found['interval_95'])})"
    )
    return Measured(found["share"], text)


def _together(condition: str, key: str) -> Measure:
    def measure(results: KeptResults, _: BundleResults) -> Measured | None:
        found = all_three(results, condition)
        if found is None:
            return None
        share = found[key]
        return Measured(share["share"], f"{percent(share['share'])} ({span(*share['interval_95'])})")

    return measure


def _gain(condition: str) -> Measure:
    """FNMR of the best single modality relative to that of all three, both at FMR 0.1 %."""

    def measure(results: KeptResults, _: BundleResults) -> Measured | None:
        together, single = all_three(results, condition), best_single(results, condition)
        if together is None or single is None:
            return None
        (name, alone), fused = single, at_equal_rate(together)
        ratio = alone / fused if fused else math.inf
        told = f"{ratio:.1f}" if fused else "no false non-match left"
        return Measured(ratio, f"{told}; {name} alone {percent(alone)}, all three {percent(fused)}")

    return measure


_at_most: Callable[..., Target] = partial(Target, sense="at most", written=_SHARE)
_at_least: Callable[..., Target] = partial(Target, sense="at least", written=_SHARE)

TARGETS: tuple[Target, ...] = (
    _at_most(
        "F1",
        "mean EER of six databases",
        f"NBIS {NBIS_MEAN_EER:.1%}",
        must=0.03,
        aim=0.018,
        measure=_fingerprint_eer("mean_eer"),
    ),
    _at_most(
        "F1",
        "EER of the worst",
        f"NBIS {NBIS_WORST_EER:.1%}",
        must=0.06,
        aim=0.035,
        measure=_fingerprint_eer("worst_eer"),
    ),
    _at_most(
        "F1",
        "one threshold for all: FNMR at FMR 0.1 %",
        "prototype 6.6%",
        must=0.07,
        aim=0.04,
        measure=_one_threshold("F1", 0.001),
    ),
    _at_most("F2", "EER", "–", must=0.012, aim=0.005, measure=_one_threshold("F2", None)),
    _at_most("F2", "FNMR at FMR 0.1 %", "–", must=0.02, aim=0.008, measure=_one_threshold("F2", 0.001)),
    _at_least(
        "F2-1:N, 200 fingers",
        "accepted mates in the shortlist",
        "–",
        must=0.99,
        aim=0.998,
        measure=_shortlist,
    ),
    *(
        _at_most(
            protocol,
            "EER",
            f"LBP {LBP_EER[protocol]:.1%}",
            must=must,
            aim=aim,
            measure=equal_error_rate(protocol, variant),
        )
        for (protocol, variant), must, aim in ((F3, 0.005, 0.0), (F4, 0.018, 0.008))
    ),
    *(
        Target(
            f"{protocol}, galleries of {enrolled}",
            "FMR, measured ÷ nominal at 1 %: distance from 1",
            "–",
            0.5,
            0.2,
            "at most",
            _distance_from_nominal(protocol, enrolled),
        )
        for protocol in ("E2", "F4", "F2")
        for enrolled in (20, 30, 58)
    ),
    *(
        limit(
            f"virtual people, {condition}",
            figure,
            "–",
            must=must,
            aim=aim,
            measure=_together(condition, key),
        )
        for limit, figure, key, of in (
            (_at_most, "all three: FNMR at policy FMR 0.1 %", "fnmr", ((0.005, 0.0), (0.03, 0.01))),
            (_at_least, "all three: identified at FPIR 1 %", "identified", ((0.99, 1.0), (0.96, 0.99))),
        )
        for condition, (must, aim) in zip(CONDITIONS, of, strict=True)
    ),
    *(
        Target(
            f"virtual people, {condition}",
            "FNMR at equal FMR: best single ÷ all three",
            "–",
            3,
            10,
            "at least",
            _gain(condition),
        )
        for condition in CONDITIONS
    ),
)
