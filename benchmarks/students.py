"""Scores of bare window networks, to be compared: `python -m benchmarks.students D1-dev ecg-student …`.

A strip's vector is the mean of the unit embeddings of its windows, upright, as in a bundle without beats.
Scores of single trials are kept in `var/scores/<network>`, for

    python -m ml.cli compare --protocol D1-dev --bundle ecg-student --against ecg-teacher
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.network_backend import pooled
from ml.evaluation.metrics import eer
from ml.evaluation.protocols import PROTOCOLS
from ml.evaluation.trial_scores import TrialScores, cosine_trial_scores, write_trial_scores
from ml.evaluation.trials import Cut, Trials
from ml.models.mean_beat import MeanBeatConfig
from ml.signal.conditioning import condition
from ml.signal.errors import SignalError
from ml.signal.windows import WindowConfig
from ml.training import beat_lda
from ml.training.checkpoints import load_network, weights_path
from ml.training.material import Polarity, upright_windows
from ml.training.recipe import read_recipe
from ml.training.strips import Strip

SCORES = Path("var/scores")


class Strips:
    """Upright windows of cuts, each conditioned once for all networks."""

    def __init__(self, polarity: Polarity, beat: MeanBeatConfig) -> None:
        self._polarity, self._beat = polarity, beat
        self._windows: dict[str, NDArray[np.float32] | None] = {}

    def windows(self, cut: Cut) -> NDArray[np.float32] | None:
        """float32, shape (n, n_samples); None where nothing could be acquired."""
        if cut.key not in self._windows:
            self._windows[cut.key] = self._read(cut)
        return self._windows[cut.key]

    def _read(self, cut: Cut) -> NDArray[np.float32] | None:
        try:
            ecg = condition(np.asarray(cut.signal, dtype=np.float64), cut.record.fs_hz)
        except SignalError:
            return None
        strip = Strip(
            cut.record.subject_id, 0, ecg.ecg, ecg.accepted_r_peaks, ecg.accepted, 1.0, ecg.quality.score
        )
        return upright_windows(strip, self._polarity, self._beat, WindowConfig())


def measure(name: str, variants: Sequence[Trials], strips: Strips, var: Path) -> list[TrialScores]:
    """Score all variants of a protocol with one network."""
    network = load_network(weights_path(name, var))[0]
    vectors: dict[str, NDArray[np.floating] | None] = {}

    def vector(cut: Cut) -> NDArray[np.floating] | None:
        if cut.key not in vectors:
            windows = strips.windows(cut)
            vectors[cut.key] = None if windows is None else pooled(network, [windows])[0]
        return vectors[cut.key]

    return [cosine_trial_scores(name, trials, vector) for trials in track(variants, name)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("protocol", choices=[*PROTOCOLS])
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--var", type=Path, default=Path("var"))
    arguments = parser.parse_args()
    beats = read_recipe(Path("ml/recipes/ecg-beat.toml"))
    training = beat_lda.training_strips(arguments.data, beats, arguments.var / "cache")
    strips = Strips(beat_lda.fit(training, beats).polarity, beats.mean_beat)
    variants = PROTOCOLS[arguments.protocol].build(arguments.data)
    for name in arguments.networks:
        found = measure(name, variants, strips, arguments.var)
        write_trial_scores(SCORES / name / f"{arguments.protocol}.npz", found)
        for one in found:
            own, others = one.scores[one.mated], one.scores[~one.mated]
            rate = eer(np.where(np.isnan(own), -np.inf, own), others[np.isfinite(others)])
            wrong = np.count_nonzero(one.wrong)
            print(f"{name}, {one.variant}: {wrong}/{own.size} rank-1 errors, EER {rate:.2%}")


if __name__ == "__main__":
    main()
