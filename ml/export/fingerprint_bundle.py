"""Write a fingerprint bundle with its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import Any, Final

from ml.export.bundle_writer import BundleDescription, bundle_fields, put_bundle
from ml.runtime.calibration.llr import Calibration
from ml.runtime.encoder import BundledEncoder
from ml.runtime.fingerprint.comparison.combiner import Combiner
from ml.runtime.fingerprint.preparation import COMBINER
from ml.runtime.kinds import FINGERPRINT_KIND
from ml.training.fingerprint.calibrate import rows_of
from ml.training.fingerprint.recipe import FingerprintRecipe

TRAINING_DATA: Final = (
    "FVC2000 DB1_B to DB3_B (research use; no picture is part of the bundle)",
    "computed fingers of ml.synthetic (Apache-2.0)",
)
COMPARES: Final = (
    "Minutiae are phase residues of the enhanced ridges. Two prints are compared by cylinders of bits around"
    " their minutiae, by relaxation and by a rigid alignment, and a logistic regression makes one number of"
    " what these find. Details are compared only with details of this version."
)
SUMMARY: Final = "Fingerprints by their minutiae, classical throughout: no network was trained."
_WIDTH = 110


def write_fingerprint_bundle(
    models: Path,
    recipe: FingerprintRecipe,
    weights: bytes,
    combiner: Combiner,
    calibration: Calibration,
    *,
    calibration_data: Mapping[str, Any],
    operating_points: Sequence[Mapping[str, Any]],
    vector_size: int,
) -> BundledEncoder:
    """Write `models/<id>@<version>/` and load it back.

    Raises:
        BundleError: The written bundle cannot be served.
    """
    preprocessing = {COMBINER: asdict(combiner)}
    description = BundleDescription(recipe.bundle, FINGERPRINT_KIND, preprocessing, SUMMARY, recipe.sha256)
    fields = bundle_fields(
        description,
        calibration,
        modality="fingerprint",
        vector_size=vector_size,
        training_data=TRAINING_DATA,
        calibration_data=calibration_data,
        operating_points=operating_points,
    )
    return put_bundle(models, fields, weights, fingerprint_card(fields))


def fingerprint_card(fields: Mapping[str, Any]) -> str:
    """Write the model card from the fields of `bundle.json`."""
    about = fields["calibration_data"]
    fitted = "; ".join(fields["training_data"])
    licence = f"- License: {fields['licence']}. Axes, code words and the regression were fitted on: {fitted}."
    people = (
        f"{about['people']} fingers ({about['set']}) set scores and thresholds. None of them was used for"
        f" fitting or choosing anything else. They make {about['non_mated_pairs']} unordered pairs of"
        " different fingers."
    )
    mated = (
        f"**Mated scores are of {about['mated_scores']}.** They do not cover other days and other sensors."
        " Expect more false non-matches there. A gallery of 30 subjects or more corrects its own null."
    )
    return f"""# {fields["id"]}@{fields["version"]}

{fill(SUMMARY + " " + COMPARES, _WIDTH)}

{fill(licence, _WIDTH, subsequent_indent="  ")}
- The network makes vectors of cylinders, for shortlists, and one vector of the whole print, for distance
  rules, feature fusion and research. **The default decision never rests on the one vector**, which tells
  fingers apart far worse than the minutiae do.
- Recipe {fields["recipe_sha256"][:12]}, code {fields["git_revision"][:12]}.

## Calibration

{fill(people, _WIDTH)}

{fill(mated, _WIDTH)}

The largest similarity of several comparisons counts, so there is a null for each number of comparisons. The
table shows error rates on the calibration fingers. Intervals are 95 % (Wilson).

| comparisons | policy FMR | threshold dB | measured FMR | FNMR (interval) |
|---|---|---|---|---|
{chr(10).join(rows_of(fields["operating_points"]))}

## Protection

- **The minutiae in the sealed detail are the fingerprint.** Whoever opens a detail can draw a print that this
  and other systems accept. Details are encrypted at rest and opened only to compare.
- A gallery rotates the vectors of cylinders by its secret matrix. That revokes them and keeps galleries from
  being linked. It is no irreversibility.

## Limits

- **No presentation-attack detection**: a cast or a picture of a finger is compared like a finger.
- The resolution has to be right and is never guessed: 5 % off takes a quarter of a mated score, 10 % half of
  it or more (ten pairs of FVC2000 DB1).
- Rotations of up to 60° do no harm; beyond 90° nothing matches. A mirrored picture is a stranger's.
- The sets hold adults' flat prints from optical, capacitive and thermal sensors. There are no labels of age,
  sex or ethnicity, so differences between groups are unknown. Latent prints and contactless pictures were
  not part of anything.
"""
