"""Pictures of the results: DET curves, curves of evidence, training curves, bars of students.

Each function takes JSON as kept in `results` and returns one SVG, or None if there is nothing to draw.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ml.evaluation.pages.svg import (
    Axis,
    Series,
    bar_chart,
    line_chart,
    linear_axis,
    log_axis,
    probit_axis,
)

Json = Mapping[str, Any]

_DET_LOW, _DET_HIGH = 1e-4, 0.5
_BOOKKEEPING = frozenset({"epoch", "step", "seconds", "lr"})
_DEVELOPMENT = ("d1_dev", "d2")


def det_picture(title: str, curves: Sequence[tuple[str, Json]]) -> str | None:
    """Draw DET curves over each other.

    Args:
        title: Of the picture.
        curves: Name of the system, and a variant's JSON with `det`, `probes`, `non_mated_comparisons`.
    """
    series = []
    for name, variant in curves:
        if "det" in variant:
            rates = zip(*(_numbers(variant["det"][axis]) for axis in ("fmr", "fnmr")), strict=True)
            # Points beyond the axes would be drawn along them, as if they were there.
            shown = tuple((x, y) for x, y in rates if x >= _DET_LOW and y <= _DET_HIGH)
            counts = f"{variant['probes']} mated, {variant['non_mated_comparisons']} non-mated comparisons"
            series.append(Series(f"{name} ({counts})", shown))
    if not series:
        return None
    # Below half an error among the probes a curve has no meaning.
    low = min(0.5 / variant["probes"] for _, variant in curves if "det" in variant)
    return line_chart(
        title,
        probit_axis("FMR", _DET_LOW, _DET_HIGH),
        probit_axis("FNMR", max(low, _DET_LOW), _DET_HIGH),
        series,
        "Probit axes. A curve on the bottom line has no false non-match there.",
    )


def evidence_picture(title: str, curves: Sequence[tuple[str, Json]]) -> str | None:
    """Draw EER by length of the probe.

    Args:
        title: Of the picture.
        curves: Name of the line, and JSON of a curve of evidence.
    """
    series = []
    for name, curve in curves:
        points = [point for point in curve["points"] if point["eer"] is not None]
        if points:
            series.append(
                Series(
                    f"{name} ({points[0]['probes']} people)",
                    tuple((point["seconds"], point["eer"]) for point in points),
                    marked=True,
                    bars=tuple(tuple(point["eer_interval"]) for point in points),
                )
            )
    if not series:
        return None
    seconds = [x for one in series for x, _ in one.points]
    highest = max(high for one in series for _, high in one.bars)
    return line_chart(
        title,
        log_axis("length of the probe, s", min(seconds) / 1.15, max(seconds) * 1.15, (1, 3, 5, 10, 20, 60)),
        linear_axis("EER", 0.0, highest * 1.05, percent=True),
        series,
        "Failures to acquire are errors; bars are 95 % intervals over people.",
    )


def training_pictures(name: str, log: Json) -> dict[str, str]:
    """Draw the log of a training: losses in one picture, errors on development people in another.

    Args:
        name: Of the training.
        log: `training.json`: `epochs`, each with `epoch`, `step`, `seconds`, `lr`, losses, and sometimes
            figures in percent whose names begin with `d1_dev` or `d2`.

    Returns:
        SVG by `loss` and `errors`; only those with something to draw.
    """
    epochs = log["epochs"]
    names = dict.fromkeys(key for epoch in epochs for key in epoch if key not in _BOOKKEEPING)
    labels = {"loss": "loss, smoothed", "errors": "errors on development people, %"}
    found: dict[str, str] = {}
    for kind, label in labels.items():
        series = [
            Series(key, points, marked=True)
            for key in names
            if key.startswith(_DEVELOPMENT) == (kind == "errors") and (points := _logged(epochs, key))
        ]
        if series:
            highest = max(value for one in series for _, value in one.points)
            y = linear_axis(label, 0.0, highest * 1.05 or 1.0)
            note = "A margin that grows while it is warmed up raises its loss." if kind == "loss" else ""
            found[kind] = line_chart(f"{name}: {label}", _epoch_axis(epochs), y, series, note)
    return found


def student_picture(title: str, bars: Sequence[tuple[str, float, tuple[float, float] | None]]) -> str | None:
    """Draw the EER of teacher and students (K1).

    Args:
        title: Of the picture.
        bars: Name, EER and its 95 % interval where known.
    """
    if not bars:
        return None
    highest = max(max(value, interval[1] if interval else value) for _, value, interval in bars)
    return bar_chart(title, linear_axis("EER", 0.0, highest * 1.05 or 1.0, percent=True), bars)


def _epoch_axis(epochs: Sequence[Json]) -> Axis:
    last = max(float(epoch["epoch"]) for epoch in epochs)
    return linear_axis("epoch", 0.0, max(last, 1.0))


def _logged(epochs: Sequence[Json], key: str) -> tuple[tuple[float, float], ...]:
    values = [(float(epoch["epoch"]), epoch.get(key)) for epoch in epochs]
    return tuple(
        (at, float(value))
        for at, value in values
        if isinstance(value, int | float) and math.isfinite(float(value))
    )


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split()]
