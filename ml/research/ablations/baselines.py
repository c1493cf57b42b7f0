"""The best known open library on the same trials: BioSPPy's segmentation, mean beat, cosine.

Runs in its own environment, because BioSPPy brings a GUI OpenCV along:

    python -m venv .venv-baselines && .venv-baselines/bin/pip install biosppy peakutils
    .venv-baselines/bin/python -m ml.research.ablations.baselines --data ../shared/data

Scores of single trials are kept in var/scores/biosppy, for `python -m ml.cli compare --against biosppy`.

Trials, readers and metrics are the project's own (numpy only). `python -m ml.cli evaluate` prints
results/baselines/biosppy.json beside a bundle.
"""

import argparse
import json
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.protocols.catalogue import PROTOCOLS, cinc_first_against_last, ecg_id_same_day
from ml.evaluation.trials.trial_scores import TrialScores, cosine_trial_scores, write_trial_scores
from ml.evaluation.trials.trials import Cut, Trials, seeded_halves
from ml.metrics.error_rates import eer, open_set_rates, oracle_threshold, ranks

FloatArray = NDArray[np.float64]
RESULTS = {
    "mean": Path("results/baselines/biosppy.json"),
    "median": Path("results/baselines/biosppy-median.json"),
}
SCORES = {"mean": Path("var/scores/biosppy"), "median": Path("var/scores/biosppy-median")}
NAMES = {"mean": "BioSPPy", "median": "BioSPPy, median beat"}
METHOD = "stages of BioSPPy ecg(): FIR 0.67-45 Hz, Hamilton, -0.2...+0.4 s; beats z-scored, {average}, cosine"
Average = Callable[..., FloatArray]
AVERAGES: dict[str, Average] = {"mean": np.mean, "median": np.median}
OPEN_SETS = (
    ("ECG-ID, 44 known", lambda data: ecg_id_same_day(data)[0], 0.05, 200),
    ("CinC test, 400 known", lambda data: cinc_first_against_last(data, "test")[0], 0.01, 20),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--protocol", action="append", choices=[*PROTOCOLS, "E12"])
    parser.add_argument("--average", choices=RESULTS, default="mean")
    arguments = parser.parse_args()
    result = RESULTS[arguments.average]
    average = AVERAGES[arguments.average]
    # PTB (E4) is not kept here; name it where it exists.
    chosen = arguments.protocol or [*(name for name in PROTOCOLS if name != "E4"), "E12"]
    protocols = json.loads(result.read_text())["protocols"] if result.is_file() else {}
    for name in chosen:
        protocols[name] = (
            measure_e12(arguments.data, average)
            if name == "E12"
            else measure(name, arguments.data, arguments.average)
        )
        print(name, json.dumps(protocols[name]))
    stored = {
        "name": NAMES[arguments.average],
        "method": METHOD.format(average=arguments.average),
        "versions": {package: version(package) for package in ("biosppy", "numpy", "scipy")},
        "protocols": {name: protocols[name] for name in [*PROTOCOLS, "E12"] if name in protocols},
    }
    result.write_text(json.dumps(stored, indent=1) + "\n")


def measure(protocol: str, data: Path, average: str) -> dict[str, dict[str, float]]:
    """Return rank-1 errors and EER of every variant of a protocol, and save the scores behind them."""
    beats = Beats(AVERAGES[average])
    found = [
        cosine_trial_scores(NAMES[average], trials, beats.of) for trials in PROTOCOLS[protocol].build(data)
    ]
    write_trial_scores(SCORES[average] / f"{protocol}.npz", found)
    return {one.variant: recognize(one) for one in found}


def measure_e12(data: Path, average: Average) -> dict[str, dict[str, float]]:
    """Return DIR at the oracle threshold only: cosine distances have no threshold of their own."""
    found = {}
    for name, build, fpir, halves in OPEN_SETS:
        found[name] = open_set(build(data), Beats(average), fpir, halves)  # type: ignore[no-untyped-call]
    return found


def recognize(found: TrialScores) -> dict[str, float]:
    own = found.scores[found.mated]
    others = found.scores[~found.mated]
    return {
        "probes": own.size,
        "rank_1_errors": int(np.count_nonzero(found.wrong)),
        "eer": eer(np.where(np.isnan(own), -np.inf, own), others[np.isfinite(others)]),
        "failures": int(np.count_nonzero(np.isnan(own))),
    }


def open_set(trials: Trials, beats: "Beats", fpir: float, halves: int) -> dict[str, float]:
    scores = cosine_trial_scores("", trials, beats.of).scores
    scores = np.where(np.isnan(scores), -np.inf, scores)
    found = []
    for known in seeded_halves(len(scores), halves):
        strangers = np.setdiff1d(np.arange(len(scores)), known)
        own = scores[known, known]
        others = scores[np.ix_(known, known)]
        np.fill_diagonal(others, np.nan)
        best = scores[np.ix_(strangers, known)].max(axis=1)
        found.append(open_set_rates(own, ranks(own, others), best, oracle_threshold(best, fpir)).dir)
    return {"fpir": fpir, "halves": halves, "oracle_dir": float(np.mean(found))}


class Beats:
    """Average heartbeats by cut, each computed once."""

    def __init__(self, average: Average) -> None:
        self._average = average
        self._known: dict[str, NDArray[np.float32] | None] = {}

    def of(self, cut: Cut) -> NDArray[np.float32] | None:
        """Return the mean beat, unit norm; None if the library finds no heartbeat."""
        if cut.key not in self._known:
            self._known[cut.key] = self._compute(cut)
        return self._known[cut.key]

    def _compute(self, cut: Cut) -> NDArray[np.float32] | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                beats = segment(np.asarray(cut.signal, dtype=np.float64), cut.record.fs_hz)
        except Exception:  # The library raises errors of any kind; each is a failure to acquire.
            return None
        if beats.ndim != 2 or not len(beats):
            return None
        spread = np.maximum(beats.std(axis=1, keepdims=True), 1e-12)
        beat = self._average((beats - beats.mean(axis=1, keepdims=True)) / spread, axis=0)
        norm = float(np.linalg.norm(beat))
        return (beat / norm).astype(np.float32) if np.isfinite(norm) and norm > 0.0 else None


def segment(signal: FloatArray, fs_hz: float) -> FloatArray:
    """Run the stages of `biosppy.signals.ecg.ecg`, with a shorter filter for strips that are too short."""
    from biosppy.signals import ecg, tools

    order = min(int(1.5 * fs_hz), signal.size // 3 - 2)
    filtered = tools.filter_signal(
        signal=signal,
        ftype="FIR",
        band="bandpass",
        order=order,
        frequency=[0.67, 45],
        sampling_rate=fs_hz,
    )["signal"]
    filtered = filtered - filtered.mean()
    peaks = ecg.hamilton_segmenter(signal=filtered, sampling_rate=fs_hz)["rpeaks"]
    peaks = ecg.correct_rpeaks(signal=filtered, rpeaks=peaks, sampling_rate=fs_hz, tol=0.05)["rpeaks"]
    return np.asarray(
        ecg.extract_heartbeats(signal=filtered, rpeaks=peaks, sampling_rate=fs_hz, before=0.2, after=0.4)[
            "templates"
        ]
    )


if __name__ == "__main__":
    main()
