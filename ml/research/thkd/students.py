"""Teacher and students as bare window networks: `python -m ml.research.thkd.students D1-dev ecg-student …`.

A strip's vector is the mean of the unit embeddings of its windows, upright, as in a bundle without beats.
Scores of single trials are kept in `var/scores/<network>`, for

    python -m ml.cli compare --protocol D1-dev --bundle ecg-student --against ecg-teacher
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from ml.evaluation.looks import log_look
from ml.evaluation.protocols.catalogue import PROTOCOLS
from ml.evaluation.protocols.closed_set import all_closed_sets, ecg_id_windows
from ml.evaluation.report import closed_set_table
from ml.evaluation.trials.trial_scores import cosine_trial_scores, write_trial_scores
from ml.evaluation.trials.trials import Cut
from ml.metrics.error_rates import eer
from ml.research.ablations.network_backend import pooled
from ml.runtime.ecg.mean_beat import MeanBeatConfig
from ml.runtime.ecg.signal.conditioning import condition
from ml.runtime.ecg.signal.errors import SignalError
from ml.runtime.ecg.signal.windows import WindowConfig
from ml.training import beat_lda
from ml.training.checkpoints import load_network, weights_path
from ml.training.material import Polarity, upright_windows
from ml.training.recipe import read_recipe
from ml.training.strips import Strip

SCORES = Path("var/scores")
LOOKS = Path("results/looks.jsonl")
TABLE = Path("results/experiments/closed-set.json")
CLOSED_SET = "E1"


class Strips:
    """Upright windows of cuts, each conditioned once for all networks."""

    def __init__(self, polarity: Polarity, beat: MeanBeatConfig) -> None:
        self._polarity, self._beat = polarity, beat
        self._windows: dict[str, NDArray[np.float32] | None] = {}

    def windows(self, cut: Cut) -> NDArray[np.float32] | None:
        """Return windows, float32, shape (n, n_samples); None if nothing could be acquired."""
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


def measure_closed_set(networks: Sequence[str], strips: Strips, data: Path, var: Path) -> None:
    """Evaluate E1 for each network and keep one table."""
    presented = ecg_id_windows(data)
    rows: list[list[str]] = []
    columns: tuple[str, ...] = ()
    for name in networks:
        vector = vectors_of(name, strips, var)
        found = [vector(one.strips[0]) for one in track(presented, name)]
        size = next(v.size for v in found if v is not None)
        rows_of_windows = np.stack([np.full(size, np.nan) if v is None else v for v in found])
        figures = all_closed_sets(presented, rows_of_windows)
        table = closed_set_table(figures, "")
        columns = table.columns
        rows += [[name, *row] for row in table.rows]
        seen = {f"{f.split}, {f.head}": {"errors": f"{f.errors.count}/{f.errors.n}"} for f in figures}
        log_look(LOOKS, protocol="E1", bundle=f"{name} (windows alone)", figures=seen)
    content = {
        "title": "Teacher and students as classifiers of 90 known people (E1)",
        "question": "Is a student better calibrated than its teacher, as the paper promises?",
        "protocol": "ECG-ID 3-s windows, closed set, frozen vectors of windows alone; the random split is "
        "leaky. Confidence without → with a temperature fitted to training windows.",
        "columns": ["network", *columns],
        "rows": rows,
        "commands": [f"python -m ml.research.thkd.students {CLOSED_SET} {' '.join(networks)}"],
    }
    TABLE.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def measure_trials(protocol: str, networks: Sequence[str], strips: Strips, data: Path, var: Path) -> None:
    """Score the trials of a protocol with each network and keep the scores."""
    variants = PROTOCOLS[protocol].build(data)
    for name in networks:
        vector = vectors_of(name, strips, var)
        found = [cosine_trial_scores(name, trials, vector) for trials in track(variants, name)]
        write_trial_scores(SCORES / name / f"{protocol}.npz", found)
        for one in found:
            own, others = one.scores[one.mated], one.scores[~one.mated]
            rate = eer(np.where(np.isnan(own), -np.inf, own), others[np.isfinite(others)])
            wrong = np.count_nonzero(one.wrong)
            print(f"{name}, {one.variant}: {wrong}/{own.size} rank-1 errors, EER {rate:.2%}")


def vectors_of(name: str, strips: Strips, var: Path) -> Callable[[Cut], NDArray[np.floating] | None]:
    """Return the function from a cut to its vector, unit norm, or None; each is embedded once."""
    network = load_network(weights_path(name, var))[0]
    known: dict[str, NDArray[np.floating] | None] = {}

    def vector(cut: Cut) -> NDArray[np.floating] | None:
        if cut.key not in known:
            windows = strips.windows(cut)
            known[cut.key] = None if windows is None else pooled(network, [windows])[0]
        return known[cut.key]

    return vector


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("protocol", choices=[CLOSED_SET, *PROTOCOLS])
    parser.add_argument("networks", nargs="+", help="ids of trainings")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--var", type=Path, default=Path("var"))
    arguments = parser.parse_args()
    beats = read_recipe(Path("ml/recipes/ecg-beat.toml"))
    training = beat_lda.training_strips(arguments.data, beats, arguments.var / "cache")
    strips = Strips(beat_lda.fit(training, beats).polarity, beats.mean_beat)
    if arguments.protocol == CLOSED_SET:
        measure_closed_set(arguments.networks, strips, arguments.data, arguments.var)
    else:
        measure_trials(arguments.protocol, arguments.networks, strips, arguments.data, arguments.var)


if __name__ == "__main__":
    main()
