"""Measures of the targets: figures from kept results, written with counts and intervals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ml.evaluation.kept_results import BundleResults, KeptResults

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Measured:
    """A figure, and its text with counts and interval."""

    value: float
    text: str


Measure = Callable[[KeptResults, BundleResults], Measured | None]


def rank_1_errors(protocol: str, variant: str) -> Measure:
    """Count of rank-1 errors."""

    def measure(_: KeptResults, bundle: BundleResults) -> Measured | None:
        found = bundle.variant(protocol, variant)
        return None if found is None else _count(found["rank_1_errors"])

    return measure


def rank_1_rate(protocol: str, variant: str) -> Measure:
    """Share of probes at rank 1."""

    def measure(_: KeptResults, bundle: BundleResults) -> Measured | None:
        found = bundle.variant(protocol, variant)
        if found is None:
            return None
        errors = found["rank_1_errors"]
        low, high = (1.0 - end for end in reversed(errors["interval"]))
        right = errors["n"] - errors["count"]
        value = right / errors["n"]
        return Measured(value, f"{right}/{errors['n']} = {percent(value)} ({span(low, high)})")

    return measure


def equal_error_rate(protocol: str, variant: str) -> Measure:
    """EER."""

    def measure(_: KeptResults, bundle: BundleResults) -> Measured | None:
        found = bundle.variant(protocol, variant)
        if found is None:
            return None
        return Measured(found["eer"], f"{percent(found['eer'])} ({span(*found['eer_interval'])})")

    return measure


def rate_figure(protocol: str, variant: str, fmr: float, figure: str, *, counted: bool = True) -> Measure:
    """Share at a policy's rate: `fnmr`, `fnmr_oracle`, `measured`; as a count, or as a value."""

    def measure(_: KeptResults, bundle: BundleResults) -> Measured | None:
        found = bundle.variant(protocol, variant)
        rates = [] if found is None else [rate for rate in found["rates"] if rate["fmr"] == fmr]
        if not rates or rates[0][figure] is None:
            return None
        share = _count(rates[0][figure])
        return share if counted else Measured(rates[0][figure]["value"], share.text)

    return measure


def measured_over_nominal(protocol: str, variant: str, fmr: float) -> Measure:
    """False matches relative to the policy's rate, with the gallery's own null."""

    def measure(_: KeptResults, bundle: BundleResults) -> Measured | None:
        found = bundle.variant(protocol, variant)
        rates = [] if found is None else [rate for rate in found["rates"] if rate["fmr"] == fmr]
        if not rates:
            return None
        share, ratio = rates[0]["measured"], rates[0]["measured_over_nominal"]
        low, high = (end / fmr for end in share["interval"])
        return Measured(ratio, f"{ratio:.2f} ({low:.2f}–{high:.2f}; {share['count']} of {share['n']})")

    return measure


def open_set_dir(name: str) -> Measure:
    """DIR of E12 at the policy's own threshold."""

    def measure(_: KeptResults, bundle: BundleResults) -> Measured | None:
        parts = bundle.protocols.get("E12", {}).get("figures", ())
        found = next((one for one in parts if one["name"] == name), None)
        if found is None:
            return None
        text = f"{percent(found['policy_dir'])} ({span(*found['policy_dir_interval'])} of the halves)"
        return Measured(found["policy_dir"], f"{text}; oracle {percent(found['oracle_dir'])}")

    return measure


def motion_rank_1(pairing: str) -> Measure:
    """Rank-1 rate of E10."""

    def measure(_: KeptResults, bundle: BundleResults) -> Measured | None:
        parts = bundle.protocols.get("E10", {}).get("pairings", ())
        found = next((one for one in parts if one["name"] == pairing), None)
        if found is None:
            return None
        rate = found["rank_1"]
        wrong = f"{found['rank_1_errors']} of {found['probes']} probes wrong"
        return Measured(rate["value"], f"{percent(rate['value'])} ({span(*rate['interval'])}; {wrong})")

    return measure


def better_than(protocol: str, other: str) -> Measure:
    """Upper end of the interval of the EER difference: below 0 means better for certain."""

    def measure(results: KeptResults, bundle: BundleResults) -> Measured | None:
        found = results.comparison(protocol, bundle.bundle, other)
        if found is None:
            return None
        one = found["variants"][0]
        eer, rank_1 = one["eer"], one["rank_1"]
        return Measured(
            eer["interval"][1],
            f"EER {points(eer['difference'])} points ({points(eer['interval'][0])} to "
            f"{points(eer['interval'][1])}, p {eer['p']:.3f}); wrong {one['wrong_a']} against "
            f"{one['wrong_b']} of {one['probes']} (p {rank_1['p']:.3f})",
        )

    return measure


def student_ratio(against: str, protocol: str) -> Measure:
    """EER of the slim student relative to its "teacher" or its "twin" without a teacher, −1."""

    def measure(results: KeptResults, _: BundleResults) -> Measured | None:
        names = results.students
        if not names:
            return None
        found = results.comparison(protocol, names["student"], names[against])
        if found is None or found["variants"][0]["eer_ratio"] is None:
            return None
        one = found["variants"][0]
        low, high = one["eer_ratio_interval"]
        return Measured(
            one["eer_ratio"],
            f"{one['eer_ratio']:+.1%} ({low:+.1%} to {high:+.1%}); EER {percent(one['eer']['a'])} against "
            f"{percent(one['eer']['b'])}, p {one['eer']['p']:.3f}",
        )

    return measure


def speed_figure(name: str, unit: str, scale: float = 1.0) -> Measure:
    """Figure of the benchmark of bundles."""

    def measure(results: KeptResults, bundle: BundleResults) -> Measured | None:
        found = results.speed(bundle.encoder_id)
        if name not in found:
            return None
        value = float(found[name]) * scale
        more = f" (p95 {found['p95_ms']:.2f})" if name == "p50_ms" and "p95_ms" in found else ""
        return Measured(value, f"{value:.2f} {unit}{more}")

    return measure


def percent(share: float) -> str:
    """Write a share with as many digits as it supports."""
    return f"{share:.2%}" if 0.0 < share < 0.1 else f"{share:.1%}"


def span(low: float, high: float) -> str:
    """Write an interval of shares."""
    return f"{100 * low:.1f}–{high:.1%}"


def points(share: float) -> str:
    """Write a difference of shares in percentage points."""
    return f"{100 * share:+.2f}"


def _count(share: Json) -> Measured:
    text = f"{share['count']}/{share['n']} = {percent(share['value'])} ({span(*share['interval'])})"
    return Measured(float(share["count"]), text)
