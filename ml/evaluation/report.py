"""Tables of results, for a terminal and in Markdown, beside the stored figures of the baseline."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ml.evaluation.over_http import Agreement
from ml.evaluation.protocols.closed_set import ClosedSetFigures
from ml.evaluation.protocols.evidence import EvidencePoint
from ml.evaluation.protocols.figures import POLICY_RATES, RateFigures, Share, VariantFigures
from ml.evaluation.protocols.motion import MotionFigures, MotionRate
from ml.evaluation.protocols.open_set import OpenSetFigures
from ml.evaluation.runner import ProtocolResult
from ml.evaluation.trials.paired import Difference, PairedFigures
from ml.metrics.intervals import Interval

NOT_RESOLVABLE = "not resolvable"


@dataclass(frozen=True)
class ReportTable:
    """A titled table of texts."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def to_markdown(self) -> str:
        """Return the table in Markdown, under its title."""
        lines = [f"**{self.title}**", "", _row(self.columns), _row(["---"] * len(self.columns))]
        return "\n".join([*lines, *(_row(row) for row in self.rows)]) + "\n"

    def print(self, console: Console) -> None:
        """Show it."""
        table = Table(title=self.title, title_justify="left")
        for column in self.columns:
            table.add_column(column)
        for row in self.rows:
            table.add_row(*row)
        console.print(table)


def protocol_tables(result: ProtocolResult, baseline: Mapping[str, Any] | None) -> list[ReportTable]:
    """Return recognition, false-match and calibration tables of a protocol."""
    protocol, encoder = result.protocol, result.encoder_id
    return [
        ReportTable(
            f"{protocol.name}: {protocol.summary}. {encoder}, 95 % intervals over people",
            (
                "variant",
                "rank-1 errors",
                "rank-1 per person",
                "EER",
                "failures",
                *_baseline_columns(baseline),
            ),
            tuple(_recognition_row(variant, baseline) for variant in result.variants),
        ),
        ReportTable(
            f"{protocol.name}: false matches, measured ÷ nominal (count of comparisons)",
            ("variant", "policy FMR", "own null", "without correction", "own null, galleries of 30"),
            tuple(_false_match_row(v, rate) for v in result.variants for rate in v.rates),
        ),
        ReportTable(
            f"{protocol.name}: false non-matches",
            ("variant", "policy FMR", "preset, own null", "preset, without correction", "oracle threshold"),
            tuple(_false_non_match_row(v, rate) for v in result.variants for rate in v.rates),
        ),
        ReportTable(
            f"{protocol.name}: calibration and the gallery's map",
            (
                "variant",
                "Cllr",
                "min Cllr",
                "ratio",
                "Cllr corrected",
                "slope",
                "offset dB",
                "own ÷ nominal at 1 %",
                "duplicates?",
            ),
            tuple(_calibration_row(variant) for variant in result.variants),
        ),
    ]


def open_set_table(
    figures: Sequence[OpenSetFigures], encoder_id: str, baseline: Mapping[str, Any] | None
) -> ReportTable:
    """Return the table of E12; a baseline without thresholds of its own has only the oracle's."""
    named = () if baseline is None else (f"{baseline['name']}: DIR, oracle",)
    stored = {} if baseline is None else baseline["variants"]
    return ReportTable(
        f"E12: open set. {encoder_id}, default policy; mean over halves (middle 95 % of them)",
        (
            "people",
            "FPIR",
            "measured FPIR",
            "DIR, preset",
            "DIR, oracle",
            "halves within the ceiling",
            *named,
        ),
        tuple(
            (
                f"{found.name} ({found.halves} halves)",
                f"{found.fpir:.0%}",
                _spread(found.policy_fpir, found.policy_fpir_interval),
                _spread(found.policy_dir, found.policy_dir_interval),
                _spread(found.oracle_dir, found.oracle_dir_interval),
                f"{found.reachable:.0%}",
                *(f"{stored[found.name]['oracle_dir']:.1%}" for _ in named),
            )
            for found in figures
        ),
    )


def evidence_table(points: Sequence[EvidencePoint], title: str) -> ReportTable:
    """Return the curve of evidence as a table."""
    return ReportTable(
        title,
        ("probe", "failures", "rank-1 errors", "EER", *(f"FNMR at policy FMR {r:.1%}" for r in POLICY_RATES)),
        tuple(
            (
                f"{point.seconds:g} s",
                f"{point.failures} of {point.probes}",
                share_text(point.rank_1_errors),
                "–"
                if point.eer is None or point.eer_interval is None
                else _spread(point.eer, point.eer_interval),
                *(share_text(share) for share in point.fnmr),
            )
            for point in points
        ),
    )


def motion_table(figures: Sequence[MotionFigures], title: str) -> ReportTable:
    """Return the table of E10."""
    activities = list(figures[0].rank_1.by_activity)
    return ReportTable(
        title,
        (
            "electrodes",
            "rank-1",
            *activities,
            "wrong probes",
            "failures",
            "EER, pooled",
            *(f"FNMR at policy FMR {rate:.1%}" for rate in POLICY_RATES),
            *(f"false matches at {rate:.1%}" for rate in POLICY_RATES),
        ),
        tuple(
            (
                found.name,
                _rate_text(found.rank_1),
                *(f"{found.rank_1.by_activity[activity]:.1%}" for activity in activities),
                f"{found.rank_1_errors} of {found.probes}",
                str(found.failures),
                _spread(found.eer, found.eer_interval),
                *(_rate_text(rate) for rate in found.fnmr),
                *(f"{hits} of {n}" for hits, n in found.false_matches),
            )
            for found in figures
        ),
    )


def closed_set_table(figures: Sequence[ClosedSetFigures], title: str) -> ReportTable:
    """Return the table of E1, with and without a temperature."""
    return ReportTable(
        title,
        (
            "split",
            "head",
            "windows: fit, temperature, test",
            "errors",
            "failures",
            "temperature",
            "NLL, nats",
            "ECE, equal mass",
            "ECE, equal width",
        ),
        tuple(
            (
                found.split,
                found.head,
                ", ".join(str(n) for n in found.windows),
                share_text(found.errors),
                str(found.failures),
                f"{found.temperature:.2f}",
                f"{found.before['nll']:.3f} → {found.after['nll']:.3f}",
                *(
                    f"{found.before[name]:.1%} → {found.after[name]:.1%}"
                    for name in ("ece_equal_mass", "ece_equal_width")
                ),
            )
            for found in figures
        ),
    )


def paired_table(figures: Sequence[PairedFigures], title: str) -> ReportTable:
    """Return the table of two systems on the same trials; differences below 0 favor the first."""
    first = figures[0]
    return ReportTable(
        title,
        (
            "variant",
            f"wrong at rank 1: {first.a}, {first.b}, of probes",
            "only the first wrong, only the second",
            "difference",
            "p",
            f"EER: {first.a}, {first.b}",
            "difference",
            "p",
            "relative",
        ),
        tuple(
            (
                found.variant,
                f"{found.wrong_a}, {found.wrong_b} of {found.probes} ({found.people} people)",
                f"{found.only_a_wrong}, {found.only_b_wrong}",
                _difference_text(found.rank_1),
                f"{found.rank_1.p:.3f}",
                f"{found.eer.a:.2%}, {found.eer.b:.2%}",
                _difference_text(found.eer),
                f"{found.eer.p:.3f}",
                _relative_text(found.eer_ratio, found.eer_ratio_interval),
            )
            for found in figures
        ),
    )


def http_table(agreements: Sequence[Agreement], about: str) -> ReportTable:
    """Return the table of a protocol through the service; `about` names protocol and encoder."""
    return ReportTable(
        f"Through the HTTP API against the same in process: {about}",
        (
            "variant",
            "probes",
            "identical decisions",
            "identical first candidates",
            "rank-1 errors in process",
            "over HTTP",
            "largest |Δ score|",
        ),
        tuple(
            (
                found.variant,
                str(found.probes),
                "yes" if found.identical_decisions else "NO",
                "yes" if found.identical_first_candidates else "NO",
                str(found.rank_1_errors[0]),
                str(found.rank_1_errors[1]),
                f"{found.largest_difference_db:.1e} dB",
            )
            for found in agreements
        ),
    )


def markdown_of(tables: Sequence[ReportTable]) -> str:
    """Return tables below each other."""
    return "\n".join(table.to_markdown() for table in tables)


def read_baseline(folder: Path, baseline: str | None, protocol: str) -> Mapping[str, Any] | None:
    """Return a baseline's stored figures of a protocol by variant; None if there are none."""
    path = folder / "baselines" / f"{baseline}.json"
    if baseline is None or not path.is_file():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    variants = stored["protocols"].get(protocol)
    return None if variants is None else {"name": stored["name"], "variants": variants}


def share_text(share: Share) -> str:
    """Write a count, its rate and the interval."""
    return f"{share.count}/{share.n} = {_spread(share.value, share.interval)}"


def _rate_text(rate: MotionRate) -> str:
    return _spread(rate.value, rate.interval)


def _difference_text(found: Difference) -> str:
    low, high = (100.0 * end for end in found.interval.to_list())
    return f"{100.0 * found.difference:+.1f} ({low:+.1f} to {high:+.1f}) points"


def _relative_text(ratio: float | None, interval: Interval | None) -> str:
    if ratio is None or interval is None:
        return "–"
    return f"{ratio:+.0%} ({interval.low:+.0%} to {interval.high:+.0%})"


def _recognition_row(variant: VariantFigures, baseline: Mapping[str, Any] | None) -> tuple[str, ...]:
    return (
        variant.name,
        share_text(variant.rank_1_errors),
        f"{variant.rank_1_error_per_subject:.1%}",
        _spread(variant.eer, variant.eer_interval),
        str(variant.failures),
        *_baseline_cells(variant.name, baseline),
    )


def _baseline_columns(baseline: Mapping[str, Any] | None) -> tuple[str, ...]:
    return () if baseline is None else (f"{baseline['name']}: rank-1 errors", f"{baseline['name']}: EER")


def _baseline_cells(variant: str, baseline: Mapping[str, Any] | None) -> tuple[str, ...]:
    if baseline is None:
        return ()
    stored = baseline["variants"].get(variant)
    if stored is None:
        return ("–", "–")
    errors, probes = stored["rank_1_errors"], stored["probes"]
    return (f"{errors}/{probes} = {errors / probes:.1%}", f"{stored['eer']:.1%}")


def _false_match_row(variant: VariantFigures, rate: RateFigures) -> tuple[str, ...]:
    small = "–" if rate.small_galleries is None else f"{rate.small_galleries:.2f}"
    return (
        variant.name,
        f"{rate.fmr:.1%}",
        _ratio(rate.measured, rate.fmr),
        _ratio(rate.measured_uncorrected, rate.fmr),
        small,
    )


def _false_non_match_row(variant: VariantFigures, rate: RateFigures) -> tuple[str, ...]:
    oracle = NOT_RESOLVABLE if rate.fnmr_oracle is None else share_text(rate.fnmr_oracle)
    return (variant.name, f"{rate.fmr:.1%}", share_text(rate.fnmr), share_text(rate.fnmr_uncorrected), oracle)


def _calibration_row(variant: VariantFigures) -> tuple[str, ...]:
    correction = variant.correction
    nominal = correction.measured_over_nominal
    return (
        variant.name,
        f"{variant.cllr:.4f}",
        f"{variant.min_cllr:.4f}",
        f"{variant.cllr / variant.min_cllr:.2f}" if variant.min_cllr else "–",
        f"{variant.cllr_corrected:.4f}",
        f"{correction.slope:.2f}",
        f"{correction.offset_db:+.1f}",
        "–" if nominal is None else f"{nominal:.2f}",
        str(len(correction.possible_duplicates.groups)),
    )


def _ratio(share: Share, nominal: float) -> str:
    counted = f"{share.count} of {share.n}"
    if not share.resolvable:
        return f"{share.value / nominal:.2f} ({NOT_RESOLVABLE}: {counted})"
    low, high = share.interval.low / nominal, share.interval.high / nominal
    return f"{share.value / nominal:.2f} ({low:.2f}–{high:.2f}; {counted})"


def _spread(value: float, interval: Interval) -> str:
    return f"{value:.1%} ({interval.low:.1%}–{interval.high:.1%})"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
