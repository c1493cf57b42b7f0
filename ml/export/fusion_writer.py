"""Write a fusion bundle: network, calibrations and card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.export.bundle_writer import git_revision
from ml.runtime.bundle import BUNDLE_FILE, CARD_FILE, FUSION_KIND, SCHEMA, WEIGHTS_FILE
from ml.runtime.calibration.llr import Calibration
from ml.runtime.fusion.fusion_bundle import FusionBundle, combination_name, load_fusion_bundle
from ml.training.fusion.calibrating import CombinationFigures


@dataclass(frozen=True)
class Naming:
    """Args:
    version: Of `fusion@<version>`.
    encoders: Encoder ids by modality, in the order of the mask.
    licence: Of the weights.
    """

    version: str
    encoders: Mapping[str, str]
    licence: str


@dataclass(frozen=True)
class FusionDescription:
    """What a fusion bundle says of itself.

    Args:
        naming: What it is and whose vectors it reads.
        fitted, calibrated: Names of the people on either side of the split; their numbers and a hash are
            kept.
        plan: How the network was fitted.
    """

    naming: Naming
    fitted: Sequence[str]
    calibrated: Sequence[str]
    plan: Mapping[str, Any]


def write_fusion_bundle(
    models: Path,
    description: FusionDescription,
    weights: bytes,
    *,
    vector_size: int,
    calibrations: Mapping[tuple[str, ...], Calibration],
    figures: Sequence[CombinationFigures],
) -> FusionBundle:
    """Write `models/fusion@<version>/` and load it back.

    Raises:
        BundleError: The written bundle cannot be served.
    """
    directory = models / f"fusion@{description.naming.version}"
    directory.mkdir(parents=True, exist_ok=True)
    plan = json.dumps(dict(description.plan), sort_keys=True).encode()
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "id": "fusion",
        "version": description.naming.version,
        "kind": FUSION_KIND,
        "modality": "fusion",
        "preprocessing": {"encoders": dict(description.naming.encoders), "fitted_by": dict(description.plan)},
        "preparation_version": 1,
        "preparation_constants": {},
        "vector_size": vector_size,
        "metric": "cosine",
        "licence": description.naming.licence,
        "training_data": [f"{len(description.fitted)} people of the operator's own"],
        "recipe_sha256": hashlib.sha256(plan).hexdigest(),
        "git_revision": git_revision(),
        "operating_points": [_point(one) for one in figures],
        "calibration_data": _about(description),
        "calibration": {combination_name(names): one.to_dict() for names, one in calibrations.items()},
    }
    contents = {WEIGHTS_FILE: weights, CARD_FILE: _card(description, figures).encode()}
    fields["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    (directory / BUNDLE_FILE).write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")
    return load_fusion_bundle(directory)


def _about(description: FusionDescription) -> dict[str, Any]:
    people = sorted(description.calibrated)
    return {
        "set": "the operator's own captures",
        "people": len(people),
        "people_sha256": hashlib.sha256("\n".join(people).encode()).hexdigest(),
        "non_mated_pairs": len(people) * (len(people) - 1) // 2,
        "mated_scores": "first capture of each modality against the last",
    }


def _point(one: CombinationFigures) -> dict[str, Any]:
    return {
        "protocol": "calibration people, first capture against the last",
        "modalities": list(one.modalities),
        "eer": round(one.eer, 6),
        "concatenated_eer": round(one.concatenated_eer, 6),
        "mated": one.mated,
        "non_mated": one.non_mated,
    }


def _card(description: FusionDescription, figures: Sequence[CombinationFigures]) -> str:
    encoders = "\n".join(f"- {modality}: `{name}`" for modality, name in description.naming.encoders.items())
    rows = "\n".join(
        f"| {' + '.join(one.modalities)} | {100 * one.eer:.2f} % | {100 * one.concatenated_eer:.2f} %"
        f" | {one.mated} | {one.non_mated} |"
        for one in figures
    )
    return f"""# fusion@{description.naming.version}

Two fully connected layers read the vectors of several modalities side by side and give one vector. A mask
says which modalities are there. Fused vectors are compared by cosine. Each combination of modalities has its
own calibration.

It reads the vectors of these encoders and of no others:

{encoders}

Fitted to {len(description.fitted)} people, calibrated on {len(description.calibrated)} others. All of them
are the operator's own. License: {description.naming.licence}.

Equal error rates on the calibration people, beside those of the same vectors without a network:

| modalities | fused | side by side | mated | non-mated |
|---|---|---|---|---|
{rows}

## Limits

- Few people make wide intervals. The table describes these people and not others.
- A gallery does not correct the scores of fused vectors for its own sensors, as it does for single
  modalities.
"""
