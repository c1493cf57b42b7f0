"""Recognition by length of the probe: the same people and start, several lengths."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ml.data.readers import EcgRecord, read_cinc2017, read_ecg_id, read_qtdb
from ml.data.splits import cinc_split
from ml.evaluation.protocols.figures import (
    POLICY_RATES,
    Share,
    mated_misses,
    mated_scores,
    people_of,
    share_of_probes,
)
from ml.evaluation.trials.scoring import Scored
from ml.evaluation.trials.trials import Cut, Presentation, Trials, trials_of
from ml.metrics.error_rates import eer
from ml.metrics.intervals import Interval, eer_bootstrap

_CINC_ENROLLED_S, _CINC_PROBE_S = 10.0, 20.0


@dataclass(frozen=True)
class EvidenceSet:
    """Trials of one data set by length of the probe.

    Args:
        name: As given to `evaluate`.
        data_set: Name of the cache of encodings; shared with the protocol of the same cuts.
        summary: One line for the report.
        development: Whether the figures may be used to choose anything.
        lengths_s: Of the probes. Lengths that the encoder refuses are reported as failures to acquire.
        build: Data folder, lengths → one `Trials` per length.
    """

    name: str
    data_set: str
    summary: str
    development: bool
    lengths_s: tuple[float, ...]
    build: Callable[[Path, Sequence[float]], list[Trials]]


def cinc_dev(data: Path, lengths_s: Sequence[float]) -> list[Trials]:
    """First 10 s against the start of the last 20 s; only people with 30 s, the same at every length."""
    found = read_cinc2017(data / "ecg" / "cinc2017_af", subjects=set(cinc_split()["dev"]))
    longest = {r.subject_id: r for r in found if r.duration_s >= _CINC_ENROLLED_S + _CINC_PROBE_S}
    records = [record for _, record in sorted(longest.items())]
    gallery = [Presentation.of(Cut(record, 0.0, _CINC_ENROLLED_S)) for record in records]
    starts_s = [record.duration_s - _CINC_PROBE_S for record in records]
    return _lengths(gallery, records, starts_s, lengths_s)


def qtdb(data: Path, lengths_s: Sequence[float]) -> list[Trials]:
    """Minute 0–1 against the start of minute 13–14."""
    records = [r for r in read_qtdb(data / "ecg" / "qtdb") if r.labels["distinct_person"]]
    gallery = [Presentation.of(Cut(record, 0.0, 60.0)) for record in records]
    return _lengths(gallery, records, [780.0] * len(records), lengths_s)


def ecg_id_same_day(data: Path, lengths_s: Sequence[float]) -> list[Trials]:
    """rec_1 against the start of rec_2 (E2)."""
    records = {record.record_id: record for record in read_ecg_id(data / "ecg" / "ecg_id")}
    second = [record for name, record in records.items() if name.endswith("/rec_2")]
    gallery = [Presentation.of(Cut(records[f"{record.subject_id}/rec_1"])) for record in second]
    return _lengths(gallery, second, [0.0] * len(second), lengths_s)


def _lengths(
    gallery: Sequence[Presentation],
    records: Sequence[EcgRecord],
    starts_s: Sequence[float],
    lengths_s: Sequence[float],
) -> list[Trials]:
    return [
        trials_of(
            f"{length_s:g} s",
            gallery,
            [Presentation.of(Cut(r, s, s + length_s)) for r, s in zip(records, starts_s, strict=True)],
        )
        for length_s in lengths_s
    ]


EVIDENCE_SETS: Mapping[str, EvidenceSet] = {
    found.name: found
    for found in (
        EvidenceSet(
            "evidence-D1-dev",
            "D1-dev",
            "CinC 2017 dev people with 30 s: first 10 s → beginning of the last 20 s",
            True,
            (1.0, 3.0, 5.0, 10.0, 20.0),
            cinc_dev,
        ),
        EvidenceSet(
            "evidence-D2",
            "D2",
            "QTDB, minute 0–1 → beginning of minute 13–14",
            True,
            (1.0, 3.0, 5.0, 10.0, 20.0, 60.0),
            qtdb,
        ),
        EvidenceSet(
            "evidence-E2",
            "E2",
            "ECG-ID, rec_1 → beginning of rec_2, same day",
            False,
            (1.0, 3.0, 5.0, 10.0, 20.0),
            ecg_id_same_day,
        ),
    )
}


@dataclass(frozen=True)
class EvidencePoint:
    """Recognition at one length of the probe.

    Args:
        seconds: Length of the probe as presented.
        probes, failures: Number of probes, and of those that could not be acquired or enrolled.
        rank_1_errors: Failures count.
        eer, eer_interval: None if nothing could be compared.
        fnmr: At the policy's rates, preset thresholds with the gallery's own null; order of `POLICY_RATES`.
    """

    seconds: float
    probes: int
    failures: int
    rank_1_errors: Share
    eer: float | None
    eer_interval: Interval | None
    fnmr: tuple[Share, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "seconds": self.seconds,
            "probes": self.probes,
            "failures_to_enroll_or_acquire": self.failures,
            "rank_1_errors": self.rank_1_errors.to_dict(),
            "eer": self.eer,
            "eer_interval": self.eer_interval.to_list() if self.eer_interval else None,
            "fnmr": {f"{rate:g}": s.to_dict() for rate, s in zip(POLICY_RATES, self.fnmr, strict=True)},
        }


def evidence_point(seconds: float, scored: Scored) -> EvidencePoint:
    """Measure one length.

    Args:
        seconds: Of the probes.
        scored: Every probe against the whole gallery, with the gallery's own null.
    """
    comparisons = scored.comparisons
    mated, people = mated_scores(comparisons.llr_db, comparisons)
    others = comparisons.compared_non_mated
    non_mated = comparisons.llr_db[others]
    compared = bool(non_mated.size)
    return EvidencePoint(
        seconds=seconds,
        probes=mated.size,
        failures=int(np.count_nonzero(np.isneginf(mated))),
        rank_1_errors=share_of_probes(scored.ranks() > 1, people),
        eer=eer(mated, non_mated) if compared else None,
        eer_interval=(
            eer_bootstrap((mated, people), (non_mated, *people_of(comparisons, others))) if compared else None
        ),
        fnmr=tuple(share_of_probes(mated_misses(scored, rate), people) for rate in POLICY_RATES),
    )
