"""What a face bundle says of itself: `bundle.json` but for checksums, and the card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any, Final

import numpy as np

from ml.export.bundle_writer import git_revision, rounded
from ml.export.onnx_files import open_session
from ml.runtime.bundle import BUNDLE_FILE, CARD_FILE, SCHEMA
from ml.runtime.calibration.llr import Calibration
from ml.runtime.encoder import BundledEncoder, load_bundle
from ml.runtime.kinds import newest_preparation
from ml.training.face.recipe import FaceRecipe

WIDTH: Final = 110
KNOWN_NUMBERS: Final = 16
_EXPECTED_SIZE: Final = 64  # Of a free side, in the pattern that conversions are compared on.


def bundle_fields(
    recipe: FaceRecipe,
    calibration: Calibration,
    about: Mapping[str, Any],
    points: Sequence[Mapping[str, Any]],
    vector_size: int,
) -> dict[str, Any]:
    """Return the fields of `bundle.json` without `files`."""
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "id": recipe.bundle.id,
        "version": recipe.bundle.version,
        "kind": recipe.kind,
        "modality": "face",
        "preprocessing": dict(recipe.preprocessing),
        **newest_preparation(recipe.kind),
        "vector_size": vector_size,
        "metric": "cosine",
        "licence": recipe.bundle.licence,
        "training_data": list(recipe.training_data),
        "recipe_sha256": recipe.sha256,
        "git_revision": git_revision(),
        "operating_points": list(points),
        "calibration_data": dict(about),
        "calibration": rounded(calibration.to_dict()),
    }
    return fields | ({"one_to_one_only": True} if recipe.one_to_one_only else {})


def known_answers(networks: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the first numbers that each network gives for a fixed pattern, by file name.

    The pattern and the scaling are those of `app.fetching.known_answer`, which compares them after a
    conversion.
    """
    return {name: _answer(content) for name, content in networks.items()}


def _answer(network: bytes) -> dict[str, Any]:
    session = open_session(network)
    port = session.get_inputs()[0]
    free = {0: 1}
    shape = [
        size if isinstance(size, int) else free.get(k, _EXPECTED_SIZE) for k, size in enumerate(port.shape)
    ]
    count = int(np.prod(shape))
    pattern = ((np.arange(count, dtype=np.int64) * 7919) % 251).astype(np.float32).reshape(shape)
    found = np.asarray(session.run(None, {port.name: pattern})[0], dtype=np.float64).reshape(-1)
    vector = (found / np.linalg.norm(found))[:KNOWN_NUMBERS]
    return {"shape": shape, "vector": [round(float(value), 6) for value in vector]}


def face_card(fields: Mapping[str, Any], recipe: FaceRecipe) -> str:
    """Write the card."""
    about = fields["calibration_data"]
    rows = "\n".join(_row(point) for point in fields["operating_points"])
    limits = "\n".join(
        fill(f"- {text}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        for text in (*recipe.limits, *_LIMITS)
    )
    license_line = fill(
        f"- License: {fields['licence']}. Weights were fitted on: {'; '.join(fields['training_data'])}.",
        WIDTH,
        subsequent_indent="  ",
    )
    summary = recipe.summary + " Vectors are compared by cosine, and only with vectors of this version."
    calibration = (
        f"{about['people']} people ({about['set']}) set scores and thresholds; the constants in"
        " `bundle.json` are aggregates, and no picture of them is here."
        f" They make {about['non_mated_pairs']} unordered pairs of different people."
        f" Mated scores: {about['mated_scores']}."
        " A gallery of 30 subjects or more corrects its own null."
    )
    return f"""# {fields["id"]}@{fields["version"]}

{fill(summary, WIDTH, break_on_hyphens=False)}

{license_line}
- Recipe {fields["recipe_sha256"][:12]}, code {fields["git_revision"][:12]}.

## Calibration

{fill(calibration, WIDTH, break_on_hyphens=False)}

The table shows error rates on the calibration people. A failure to acquire counts as a non-match. Intervals
are 95 % (Wilson) and too narrow: pictures of one person are not independent.

| set | policy FMR | threshold dB | measured FMR | FNMR (interval) | EER |
|---|---|---|---|---|---|
{rows}

## Limits

{limits}
"""


def _row(point: Mapping[str, Any]) -> str:
    low, high = (100 * limit for limit in point["fnmr_interval_95"])
    cells = (
        point["protocol"].split()[0],
        f"{point['fmr']:g}",
        f"{point['threshold_db']:.2f}",
        f"{100 * point['measured_fmr']:.3f} %",
        f"{point['non_matches']}/{point['mated']} = {100 * point['fnmr']:.1f} % ({low:.1f}–{high:.1f})",
        f"{100 * point['eer']:.2f} %",
    )
    return f"| {' | '.join(cells)} |"


_LIMITS: Final = (
    "**No presentation-attack detection**: a photograph of a face is a face to it. Never use it as the only"
    " factor where nobody watches the camera.",
    "Calibrated on grey photographs of students and staff, of the 1990s. AR has as many women as men, ORL"
    " mostly men; no set is large or varied enough to say how error rates differ between groups of people.",
    "A face turned aside, one with less than 12 pixels between the eyes, and a second face of like size are"
    " refused. Age, sex, ethnicity and other attributes are never answered.",
)


def write_constants(
    folder: Path, fields: Mapping[str, Any], card: str, networks: Mapping[str, bytes]
) -> None:
    """Write what the repository carries of a bundle whose networks are fetched: `<id>.json` and `<id>.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {**fields, "known_answers": known_answers(networks)}
    lines = (f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in kept.items())
    (folder / f"{fields['id']}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    (folder / f"{fields['id']}.md").write_text(card, encoding="utf-8")


def write_face_bundle(
    models: Path, fields: Mapping[str, Any], card: str, networks: Mapping[str, bytes]
) -> BundledEncoder:
    """Write `models/<id>@<version>/` and load it back.

    Raises:
        BundleError: The written bundle cannot be served.
    """
    directory = models / f"{fields['id']}@{fields['version']}"
    directory.mkdir(parents=True, exist_ok=True)
    contents = {**networks, CARD_FILE: card.encode()}
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    text = json.dumps({**fields, "files": checksums}, ensure_ascii=False)
    (directory / BUNDLE_FILE).write_text(text + "\n", encoding="utf-8")
    return load_bundle(directory)
