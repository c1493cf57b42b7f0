"""E10: enrolled at rest, recognized while moving (motion set, GPL-3.0: for measurement, not for training).

Ten people wore three kinds of electrode. A gallery holds the whole rest strips of one kind. Probes are 10-s
pieces of the four other activities, with the same kind or the other two. Signals have the rate measured from
their time stamps, about 497.5 Hz, not the nominal 500.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ml.data.readers import EcgRecord, read_motion
from ml.evaluation.protocols.figures import POLICY_RATES, mated_misses, mated_scores, people_of
from ml.evaluation.trials.scoring import Scored
from ml.evaluation.trials.trials import Cut, Presentation, Trials, trials_of
from ml.metrics.error_rates import eer
from ml.metrics.intervals import Interval, eer_bootstrap, subject_bootstrap

FloatArray = NDArray[np.float64]

REST = "rest"
PROBE_S = 10.0
Pairing = Literal["same electrode", "cross electrode"]
PAIRINGS: tuple[Pairing, ...] = ("same electrode", "cross electrode")


@dataclass(frozen=True)
class MotionTrials:
    """Trials of one gallery, and the activity of each probe."""

    pairing: Pairing
    trials: Trials
    activities: tuple[str, ...]


def motion_trials(data: Path) -> list[MotionTrials]:
    """Return one gallery per kind of electrode, with probes of its own kind and of the others."""
    return trials_of_records(read_motion(data / "ecg" / "kalouskova_motion"))


def trials_of_records(records: Sequence[EcgRecord]) -> list[MotionTrials]:
    """Build the trials from the records of the motion set."""
    found = []
    for electrode in sorted({str(record.labels["electrode"]) for record in records}):
        at_rest = [r for r in records if r.labels["activity"] == REST and r.labels["electrode"] == electrode]
        gallery = [Presentation.of(Cut(record)) for record in at_rest]
        for pairing in PAIRINGS:
            same = pairing == "same electrode"
            moving = [
                record
                for record in records
                if record.labels["activity"] != REST and (record.labels["electrode"] == electrode) == same
            ]
            cuts = [cut for record in moving for cut in _pieces(record)]
            found.append(
                MotionTrials(
                    pairing,
                    trials_of(f"{pairing}, {electrode}", gallery, [Presentation.of(cut) for cut in cuts]),
                    tuple(str(cut.record.labels["activity"]) for cut in cuts),
                )
            )
    return found


def _pieces(record: EcgRecord) -> Iterator[Cut]:
    """Consecutive pieces; those that span lost data are left out."""
    gaps = np.asarray(record.labels["gap_samples"])
    for k in range(int(record.duration_s // PROBE_S)):
        start_s, end_s = k * PROBE_S, (k + 1) * PROBE_S
        if not np.any((gaps > start_s * record.fs_hz) & (gaps < end_s * record.fs_hz)):
            yield Cut(record, start_s, end_s)


@dataclass(frozen=True)
class MotionRate:
    """Rate of right predictions: mean over people, then activities.

    Args:
        value, interval: The interval is over people, each with all own probes.
        by_activity: Mean over people, per activity.
    """

    value: float
    interval: Interval
    by_activity: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"value": self.value, "interval": self.interval.to_list(), "by_activity": self.by_activity}


@dataclass(frozen=True)
class MotionFigures:
    """One pairing of electrodes, all galleries together.

    Args:
        name: Of the pairing.
        people, galleries, probes, failures: Counts; a probe counts once per gallery.
        rank_1: Rate of probes whose subject came first.
        rank_1_errors: Their number over all probes, unweighted.
        eer, eer_interval: Of all comparisons pooled, failures counted.
        fnmr: 1 − share of mated matches, per policy rate; ten people are too few for a gallery's own null.
        false_matches: Count and number of non-mated comparisons, per policy rate.
    """

    name: str
    people: int
    galleries: int
    probes: int
    failures: int
    rank_1: MotionRate
    rank_1_errors: int
    eer: float
    eer_interval: Interval
    fnmr: tuple[MotionRate, ...]
    false_matches: tuple[tuple[int, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "people": self.people,
            "galleries": self.galleries,
            "probes": self.probes,
            "failures_to_enroll_or_acquire": self.failures,
            "rank_1": self.rank_1.to_dict(),
            "rank_1_errors": self.rank_1_errors,
            "eer": self.eer,
            "eer_interval": self.eer_interval.to_list(),
            "rates": [
                {"fmr": rate, "fnmr": fnmr.to_dict(), "false_matches": hits[0], "non_mated": hits[1]}
                for rate, fnmr, hits in zip(POLICY_RATES, self.fnmr, self.false_matches, strict=True)
            ],
        }


def motion_figures(name: str, galleries: Sequence[tuple[Scored, Sequence[str]]]) -> MotionFigures:
    """Measure one pairing of electrodes.

    Args:
        name: Of the pairing.
        galleries: Scores and the activity of each probe; people have the same indices in every gallery.
    """
    mated = [mated_scores(scored.comparisons.llr_db, scored.comparisons) for scored, _ in galleries]
    chosen = [scored.comparisons.compared_non_mated for scored, _ in galleries]
    pairs = [people_of(s.comparisons, others) for (s, _), others in zip(galleries, chosen, strict=True)]
    scores = np.concatenate([found for found, _ in mated])
    people = np.concatenate([found for _, found in mated])
    activities = np.concatenate([np.asarray(names) for _, names in galleries])
    non_mated = np.concatenate(
        [s.comparisons.llr_db[others] for (s, _), others in zip(galleries, chosen, strict=True)]
    )
    first, second = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    errors = np.concatenate([scored.ranks() > 1 for scored, _ in galleries])
    misses = [np.concatenate([mated_misses(s, rate) for s, _ in galleries]) for rate in POLICY_RATES]
    hits = [
        sum(int(s.matches(rate)[o].sum()) for (s, _), o in zip(galleries, chosen, strict=True))
        for rate in POLICY_RATES
    ]
    return MotionFigures(
        name=name,
        people=int(np.unique(people).size),
        galleries=len(galleries),
        probes=int(scores.size),
        failures=int(np.count_nonzero(np.isneginf(scores))),
        rank_1=motion_rate(~errors, people, activities),
        rank_1_errors=int(np.count_nonzero(errors)),
        eer=eer(scores, non_mated),
        eer_interval=eer_bootstrap((scores, people), (non_mated, first, second)),
        fnmr=tuple(motion_rate(missed, people, activities) for missed in misses),
        false_matches=tuple((hit, int(non_mated.size)) for hit in hits),
    )


def motion_rate(
    hits: NDArray[np.bool_], people: NDArray[np.int64], activities: NDArray[np.str_]
) -> MotionRate:
    """Average over the probes of a person, then people, then activities.

    Args:
        hits: Of probes; bool, shape (n,).
        people: Index of the person of each, int64, shape (n,).
        activities: Of each, shape (n,).
    """
    names = sorted(set(activities.tolist()))
    n_people = int(people.max()) + 1
    shares = np.full((len(names), n_people), np.nan)  # (activities, people)
    for row, activity in enumerate(names):
        here = activities == activity
        probes = np.bincount(people[here], minlength=n_people)
        right = np.bincount(people[here], weights=hits[here].astype(np.float64), minlength=n_people)
        shares[row, probes > 0] = right[probes > 0] / probes[probes > 0]
    seen = ~np.isnan(shares)
    filled = np.where(seen, shares, 0.0)

    def mean(weights: FloatArray) -> float:
        totals = seen @ weights
        return float(np.mean(filled @ weights / totals)) if np.all(totals > 0.0) else float("nan")

    by_activity = filled.sum(axis=1) / seen.sum(axis=1)
    return MotionRate(
        value=float(by_activity.mean()),
        interval=subject_bootstrap(mean, n_people),
        by_activity={name: float(value) for name, value in zip(names, by_activity, strict=True)},
    )
