"""Measurements of `evaluate` besides the protocols of plain trials: E1, E10, E12, F4, curves of evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ml.evaluation.protocols.closed_set import all_closed_sets, ecg_id_windows
from ml.evaluation.protocols.evidence import EVIDENCE_SETS, EvidencePoint, EvidenceSet, evidence_point
from ml.evaluation.protocols.faces import within_sex
from ml.evaluation.protocols.motion import PAIRINGS, MotionFigures, motion_figures, motion_trials
from ml.evaluation.report import (
    ReportTable,
    closed_set_table,
    evidence_table,
    motion_table,
    open_set_table,
    protocol_tables,
)
from ml.evaluation.runner import Runner
from ml.evaluation.same_sex import same_sex_figures

Baseline = Mapping[str, Any]


@dataclass(frozen=True)
class Measurement:
    """Results in the forms that a command needs.

    Args:
        development: Whether they may be used to choose anything; otherwise the look is logged.
        figures: JSON kept in `results`.
        tables: The same for people.
        seen: The few figures that a look at a test set reveals.
    """

    development: bool
    figures: dict[str, Any]
    tables: tuple[ReportTable, ...]
    seen: dict[str, Any]


def measure_open_set(runner: Runner, baseline: Baseline | None) -> Measurement:
    """Measure E12."""
    found = runner.run_open_set()
    return Measurement(
        development=False,
        figures=_head(runner, "E12", "half of the people unknown", development=False)
        | {"figures": [one.to_dict() for one in found]},
        tables=(open_set_table(found, runner.encoder_id, baseline),),
        seen={f.name: {"dir": round(f.policy_dir, 4), "fpir": round(f.policy_fpir, 4)} for f in found},
    )


def measure_evidence(chosen: EvidenceSet, runner: Runner, _: Baseline | None) -> Measurement:
    """Measure a curve of evidence."""
    variants = chosen.build(runner.data, chosen.lengths_s)
    points: list[EvidencePoint] = [
        evidence_point(seconds, runner.scored(chosen.data_set, trials))
        for seconds, trials in zip(chosen.lengths_s, variants, strict=True)
    ]
    note = "a probe is refused below 3 s by the service and counts as a failure to acquire"
    title = f"{chosen.name}: {chosen.summary}. {runner.encoder_id}, 95 % intervals over people; {note}"
    return Measurement(
        development=chosen.development,
        figures=_head(runner, chosen.name, chosen.summary, development=chosen.development)
        | {"points": [point.to_dict() for point in points]},
        tables=(evidence_table(points, title),),
        seen={
            f"{p.seconds:g} s": {
                "rank_1_errors": f"{p.rank_1_errors.count}/{p.rank_1_errors.n}",
                "eer": None if p.eer is None else round(p.eer, 5),
            }
            for p in points
        },
    )


def measure_motion(runner: Runner, _: Baseline | None) -> Measurement:
    """Measure E10."""
    by_pairing: dict[str, list[Any]] = {pairing: [] for pairing in PAIRINGS}
    for one in motion_trials(runner.data):
        by_pairing[one.pairing].append((runner.scored("E10", one.trials), one.activities))
    found: list[MotionFigures] = [motion_figures(pairing, parts) for pairing, parts in by_pairing.items()]
    summary = "motion set, whole rest strips enrolled, 10-s probes of four other activities, 10 people"
    title = (
        f"E10: {summary}. {runner.encoder_id}; mean over people, then activities, 95 % intervals over people"
    )
    return Measurement(
        development=False,
        figures=_head(runner, "E10", summary, development=False)
        | {"pairings": [one.to_dict() for one in found]},
        tables=(motion_table(found, title),),
        seen={one.name: {"rank_1": round(one.rank_1.value, 4), "eer": round(one.eer, 5)} for one in found},
    )


def measure_closed_set(runner: Runner, _: Baseline | None) -> Measurement:
    """Measure E1."""
    presented = ecg_id_windows(runner.data)
    found = all_closed_sets(presented, runner.templates("E1", presented).vectors)
    summary = (
        "ECG-ID 3-s windows, closed set, frozen vectors; the random split is leaky: parity with papers only"
    )
    title = f"E1: {summary}. {runner.encoder_id}; NLL and ECE (15 bins) before → after temperature scaling"
    return Measurement(
        development=False,
        figures=_head(runner, "E1", summary, development=False)
        | {"figures": [one.to_dict() for one in found]},
        tables=(closed_set_table(found, title),),
        seen={f"{one.split}, {one.head}": {"errors": f"{one.errors.count}/{one.errors.n}"} for one in found},
    )


def measure_ar(runner: Runner, baseline: Baseline | None) -> Measurement:
    """Measure F4, and its false matches within a sex apart."""
    (trials,) = runner.trials("F4")
    result = runner.run("F4")
    probes = [probe.presentation.subject_id for probe in trials.probes]
    masks = within_sex(probes, [enrolled.subject_id for enrolled in trials.gallery])
    apart = same_sex_figures(runner.scored("F4", trials), masks)
    title = f"F4: false matches within a sex. {runner.encoder_id}, 95 % intervals over people"
    return Measurement(
        development=False,
        figures=result.to_dict() | {"same_sex": apart.to_dict()},
        tables=(*protocol_tables(result, baseline), apart.table(title)),
        seen=result.headline() | {"fmr_within_sex": round(apart.oracle["within"].value, 5)},
    )


MEASUREMENTS: Mapping[str, Callable[[Runner, Baseline | None], Measurement]] = {
    "E1": measure_closed_set,
    "E10": measure_motion,
    "E12": measure_open_set,
    "F4": measure_ar,
    **{name: partial(measure_evidence, chosen) for name, chosen in EVIDENCE_SETS.items()},
}


def _head(runner: Runner, name: str, summary: str, *, development: bool) -> dict[str, Any]:
    return {
        "protocol": name,
        "summary": summary,
        "development": development,
        "encoder": runner.encoder_id,
        "weights_sha256": runner.weights_sha256,
    }


def known_names(protocols: Sequence[str]) -> list[str]:
    """Return all names that `evaluate` accepts, given those of the plain protocols."""
    return list(dict.fromkeys([*protocols, *MEASUREMENTS]))
