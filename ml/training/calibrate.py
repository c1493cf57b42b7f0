"""Comparisons of calibration people, and what a fitted calibration makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.data.readers import read_cinc2017
from ml.data.records import EcgRecord
from ml.data.splits import Part, cinc_split, digest
from ml.metrics.intervals import wilson
from ml.runtime.calibration.llr import Calibration
from ml.runtime.ecg.preparation import EcgPreparation
from ml.runtime.errors import CaptureError
from ml.runtime.evidence import SECONDS, Evidence, EvidenceArray
from ml.runtime.matching.comparisons import llr_where_compared
from ml.runtime.matching.demand import Demand
from ml.runtime.matching.fitted_null import FittedNull
from ml.runtime.matching.gallery_null import GalleryNull
from ml.runtime.matching.scoreboard import Scoreboard
from ml.runtime.matching.scored_part import ScoredPart
from ml.runtime.vector_network import VectorNetwork
from ml.training.calibration_fit import CohortScores, fit_calibration
from ml.training.strips import RawStrip, Strip, condition_strips

MATED_SCORES = "same recording: first against last seconds, at most half the recording each"
OPERATING_FMRS = (1e-2, 1e-3)
MATED_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Cohort:
    """First and last seconds of the recordings of some people, encoded; NaN where acquisition failed.

    Args:
        seconds: Nominal seconds of either side.
        subjects: One per row.
        vectors: Reference and probe, float32, shape (2, n, d).
        evidence: What they rest on, shape (2, n).
    """

    seconds: float
    subjects: tuple[str, ...]
    vectors: NDArray[np.float32]
    evidence: EvidenceArray

    @property
    def failures(self) -> int:
        """People of whom reference or probe could not be acquired."""
        return int(np.isnan(self.vectors[:, :, 0]).any(axis=0).sum())

    def scores(self) -> CohortScores:
        """Compare every reference with every probe."""
        return CohortScores(
            cosine=self.vectors[0] @ self.vectors[1].T,
            references=self.evidence[0],
            probes=self.evidence[1],
            subjects=self.subjects,
        )


def first_and_last(record: EcgRecord, seconds: float) -> Iterator[RawStrip]:
    """Cut the first and the last seconds of a recording, at most half of it each."""
    n_samples = min(round(seconds * record.fs_hz), record.signal.size // 2)
    yield RawStrip(record.subject_id, 0, record.fs_hz, record.signal[:n_samples])
    yield RawStrip(record.subject_id, 1, record.fs_hz, record.signal[-n_samples:])


def cinc_strips(data: Path, part: Part, seconds: float, cache: Path) -> list[Strip]:
    """Condition the first and last seconds of every person of one part of CinC 2017, first recordings only.

    Args:
        data: The folder that holds `ecg/`.
        part: Whose recordings.
        seconds: Length of either side.
        cache: Folder for conditioned strips.
    """
    people = cinc_split()[part]

    def raw() -> Iterator[RawStrip]:
        seen: set[str] = set()
        for record in read_cinc2017(data / "ecg" / "cinc2017_af", people):
            if record.subject_id not in seen:
                seen.add(record.subject_id)
                yield from first_and_last(record, seconds)

    return condition_strips(raw(), cache / f"cinc-{part}-{seconds:g}s-{digest(people)[:12]}")


def encode_cohort(strips: Sequence[Strip], network: VectorNetwork, seconds: float) -> Cohort:
    """Encode references (part 0) and probes (part 1), in pairs, by a network that reads ECG."""
    preparation = network.preparation
    if not isinstance(preparation, EcgPreparation):
        raise TypeError(f"expected a network that reads ECG, got one of {preparation.modality}")
    references, probes = strips[0::2], strips[1::2]
    subjects = tuple(s.subject_id for s in references)
    if subjects != tuple(s.subject_id for s in probes):
        raise ValueError("strips must come in pairs of reference and probe")
    sides = (references, probes)
    return Cohort(
        seconds=seconds,
        subjects=subjects,
        vectors=np.array(
            [[_vector(s, preparation, network) for s in side] for side in sides], dtype=np.float32
        ),
        evidence=EvidenceArray(
            np.array([[s.seconds for s in side] for side in sides]),
            SECONDS,
            np.array([[s.quality for s in side] for side in sides]),
        ),
    )


def _vector(strip: Strip, preparation: EcgPreparation, network: VectorNetwork) -> NDArray[np.float32]:
    """Encode a strip; NaN where that fails, as acquisition did or the network does."""
    try:
        return network.vector(preparation.inputs(strip.ecg, strip.r_peaks, strip.accepted))
    except CaptureError:
        return np.full(network.vector_size, np.nan, dtype=np.float32)


def calibrate(cohorts: Sequence[Cohort]) -> tuple[Calibration, dict[str, Any], list[dict[str, Any]]]:
    """Fit a calibration, and measure on the same people what it decides.

    Returns:
        The calibration, `calibration_data` and `operating_points` of `bundle.json`.
    """
    calibration = fit_calibration([cohort.scores() for cohort in cohorts])
    people = sorted({subject for cohort in cohorts for subject in cohort.subjects})
    about = {
        "set": "CinC 2017, calibration people, all classes",
        "people": len(people),
        "people_sha256": digest(people),
        "non_mated_pairs": len(people) * (len(people) - 1) // 2,
        "mated_scores": MATED_SCORES,
        "evidence": [_summary(cohort, calibration) for cohort in cohorts],
    }
    points = [_operating_point(cohort, calibration, fmr) for cohort in cohorts for fmr in OPERATING_FMRS]
    return calibration, about, points


def _summary(cohort: Cohort, calibration: Calibration) -> dict[str, Any]:
    llr_db = np.diag(_compared(cohort, calibration)[0])
    mated = llr_db[np.isfinite(llr_db)]
    quantiles = {f"{q:g}": round(float(np.quantile(mated, q)), 2) for q in MATED_QUANTILES}
    return {
        "seconds": cohort.seconds,
        "mated": int(mated.size),
        "failures_to_acquire": cohort.failures,
        "mated_llr_db_quantiles": quantiles,
    }


def _compared(cohort: Cohort, calibration: Calibration) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Unsoftened scores, NaN where a side was not acquired, and evidence classes; shape (n, n) each."""
    scores = cohort.scores()
    return llr_where_compared(calibration, scores.cosine, scores.references[:, None], scores.probes)


def _operating_point(cohort: Cohort, calibration: Calibration, fmr: float) -> dict[str, Any]:
    llr_db, classes = _compared(cohort, calibration)
    part = ScoredPart.of_matrix(llr_db, classes, FittedNull(calibration, GalleryNull.identity()))
    demand = Demand(fmr)
    matches = np.zeros(llr_db.shape, dtype=np.bool_)
    matches.flat[part.slots] = Scoreboard([part]).decide(demand).passes
    compared = np.isfinite(llr_db) & ~np.eye(len(llr_db), dtype=bool)
    non_matches, mated = int((~np.diag(matches)).sum()), len(matches)
    usual = Evidence(cohort.seconds, SECONDS, calibration.llr_map.quality_mean)
    return {
        "protocol": "CinC 2017 calibration people (the calibration was fitted to them), same recording",
        "seconds": cohort.seconds,
        "fmr": fmr,
        "threshold_db": demand.threshold_db(calibration.null(int(calibration.evidence_classes(usual)))),
        "measured_fmr": round(float(matches[compared].mean()), 6),
        "fnmr": round(non_matches / mated, 4),
        "fnmr_interval_95": [round(limit, 4) for limit in wilson(non_matches, mated).to_list()],
        "non_matches": non_matches,
        "mated": mated,
        "failures_to_acquire": cohort.failures,
    }
