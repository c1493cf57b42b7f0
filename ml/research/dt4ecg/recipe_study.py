"""`python -m ml.research.dt4ecg.recipe_study`: choose a recipe for the network of the DT4ECG paper.

Trains on parts of the training windows and evaluates on other parts, so that no protocol's own test windows
choose: of A2's first 39 s, 0 to 27 against 30 to 39; of A1's seven tenths, four fifths against the rest.
Takes a minute per row and can be resumed. Writes `results/dt4ecg/recipe-trials.json`, which also keeps the
trials behind the choice: equal weights of both tasks, momentum that falls and rises against the rate, same
seed.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from ml.evaluation.activity.splits import splits
from ml.evaluation.activity.windows import ActivityWindows
from ml.export.bundle_writer import git_revision
from ml.research.dt4ecg.cells import IntArray, labeled_windows, training_of
from ml.research.dt4ecg.plan import PROPOSED, RECIPES, Recipe
from ml.research.dt4ecg.run import computing_on_one_thread, motion_windows
from ml.research.dt4ecg.training import predict, train

DATA = Path("../shared/data")
RESULT = Path("results") / "dt4ecg" / "recipe-trials.json"
CYCLE = replace(RECIPES["paper"], rise=0.1)
CANDIDATES = {
    "the paper's": RECIPES["paper"],
    "one cycle": CYCLE,
    "one cycle, crops": replace(CYCLE, crops=True),
    "one cycle, crops, AdamW, batches of 32 (ours)": RECIPES["ours"],
    "one cycle, crops, AdamW, batches of 64": replace(RECIPES["ours"], batch_size=64, learning_rate=4e-3),
}
SEED = 1
HELD_OUT_SHARE = 0.2
LEARNED_S, HELD_OUT_FROM_S = 27.0, 30.0


def parts(protocol: str, windows: ActivityWindows) -> tuple[IntArray, IntArray]:
    """Divide a protocol's training windows into a training and a held-out part."""
    train_rows = splits(protocol, windows, SEED)[0].train  # type: ignore[arg-type]
    if protocol == "A1":
        order = np.random.default_rng(7).permutation(train_rows)
        n_held_out = round(HELD_OUT_SHARE * order.size)
        return np.sort(order[n_held_out:]), np.sort(order[:n_held_out])
    # A millisecond of tolerance: starts are sums of inexact numbers.
    learned = windows.end_s[train_rows] <= LEARNED_S + 1e-3
    held_out = windows.start_s[train_rows] >= HELD_OUT_FROM_S - 1e-3
    return train_rows[learned], train_rows[held_out]


def trial(protocol: str, name: str, recipe: Recipe, windows: ActivityWindows) -> dict[str, Any]:
    """Train ResNet + SCA by a recipe and evaluate it."""
    learned, held_out = parts(protocol, windows)
    cell = replace(PROPOSED, protocol=protocol, seed=SEED)
    training = replace(training_of(cell, windows, identity=""), recipe=recipe)
    with tempfile.TemporaryDirectory() as folder:
        data = labeled_windows(windows, learned)
        found = train(training, data, Path(folder), report=lambda _: None, stop=lambda: False)
    assert found is not None
    data = labeled_windows(windows, held_out)
    log_p = predict(found.network, data.windows)
    right = [float((one.argmax(dim=1) == data.labels[:, k]).double().mean()) for k, one in enumerate(log_p)]
    return {
        "protocol": protocol,
        "recipe": name,
        "windows_asked": len(held_out),
        "identity": round(right[0], 4),
        "activity": round(right[1], 4),
        "code": git_revision(),
    }


@computing_on_one_thread()
def main() -> None:
    """Measure the missing rows."""
    windows = motion_windows(DATA, PROPOSED.scaling)
    kept = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {"rows": []}
    done = {(row["protocol"], row["recipe"]) for row in kept["rows"]}
    todo = [(p, name) for p in ("A2", "A1") for name in CANDIDATES if (p, name) not in done]
    for protocol, name in track(todo, "training"):
        kept["rows"].append(trial(protocol, name, CANDIDATES[name], windows))
        RESULT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(*kept["rows"][-1].values())


if __name__ == "__main__":
    main()
