"""Pictures of `docs/accuracy.md`, in `docs/images`: DET curves, and bars of combinations of modalities."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml.evaluation.kept_results import KeptResults
from ml.evaluation.pages.face_tables import F3, F4
from ml.evaluation.pages.pictures import det_picture
from ml.evaluation.pages.svg import bar_chart, linear_axis
from ml.evaluation.pages.virtual_people_tables import CONDITIONS, VIRTUAL_PEOPLE

Json = Mapping[str, Any]

IMAGES = Path("docs/images")


def accuracy_pictures(results: KeptResults) -> dict[str, str]:
    """Draw each picture that has something to show; SVG by file name."""
    drawn = {
        "det-fingerprint.svg": det_picture("Fingerprints: DET curves", _fingerprint_curves(results)),
        "det-face.svg": det_picture("Faces: DET curves", _face_curves(results)),
        VIRTUAL_PEOPLE: _virtual_people(results),
    }
    return {name: svg for name, svg in drawn.items() if svg is not None}


def write_accuracy_pictures(root: Path, pictures: Mapping[str, str]) -> list[Path]:
    """Write the pictures below `root`, and list them."""
    folder = root / IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in pictures.items():
        (folder / name).write_text(svg, encoding="utf-8")
    return [folder / name for name in pictures]


def _fingerprint_curves(results: KeptResults) -> list[tuple[str, Json]]:
    names = {"F1": "F1, six databases under one threshold", "F2": "F2, FCJ2020"}
    return [
        (name, _as_variant(results.fingerprint[protocol]["one_threshold"]))
        for protocol, name in names.items()
        if protocol in results.fingerprint
    ]


def _as_variant(one: Json) -> Json:
    return {**one, "probes": one["mated"], "non_mated_comparisons": one["non_mated"]}


def _face_curves(results: KeptResults) -> list[tuple[str, Json]]:
    names = {F3: "F3, ORL", F4: "F4, AR"}
    found = ((name, results.face.variant(*protocol)) for protocol, name in names.items())
    return [(name, variant) for name, variant in found if variant is not None]


def _virtual_people(results: KeptResults) -> str | None:
    bars = [
        (f"{name.replace('+', ' + ')}, {condition}", one["fnmr"]["share"], tuple(one["fnmr"]["interval_95"]))
        for condition in CONDITIONS
        for name, one in results.virtual_people.get(condition, {}).items()
    ]
    if not bars:
        return None
    highest = max(high for _, _, (_, high) in bars)
    axis = linear_axis("false non-matches at the default policy", 0.0, highest * 1.05 or 1.0, percent=True)
    return bar_chart(
        "Virtual people, by what they send", axis, bars, "Lines are 95 % intervals over pairings."
    )
