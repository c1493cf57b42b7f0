"""`python -m ml.cli face-calibrate`: somebody else's embedding network becomes a calibrated bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ml.data.records import DataError
from ml.export.face_bundle import bundle_fields, face_card, write_constants, write_face_bundle
from ml.runtime.bundle import DETECTOR_FILE, WEIGHTS_FILE, BundleError
from ml.runtime.kinds import PREPARATIONS
from ml.runtime.vector_network import VectorNetwork
from ml.training.face.calibrating import calibrate
from ml.training.face.cohorts import encode_calibration_people
from ml.training.face.recipe import FaceRecipe, read_face_recipe
from ml.training.recipe import RecipeError

CONSTANTS = Path("app/fetching/constants")


def register(app: typer.Typer) -> None:
    """Add the command to a command line."""
    app.command("face-calibrate")(face_calibrate)


def face_calibrate(
    recipe: Annotated[
        Path, typer.Option(help="Names, terms and preprocessing.", exists=True, dir_okay=False)
    ],
    networks: Annotated[
        Path,
        typer.Option(help=f"Folder with {WEIGHTS_FILE} and {DETECTOR_FILE}.", exists=True, file_okay=False),
    ],
    data: Annotated[Path, typer.Option(help="Folder that holds face/.")] = Path("../shared/data"),
    models: Annotated[
        Path | None, typer.Option(help="Write a whole bundle here; else only the constants.")
    ] = None,
    constants: Annotated[
        Path, typer.Option(help="Where constants and card of fetched bundles lie.")
    ] = CONSTANTS,
) -> None:
    """Calibrate an embedding network of faces on the calibration people of AR and ORL.

    The network reads `image` (n, 3, size, size) and gives `vector` (n, d).
    """
    console = Console(stderr=True)
    try:
        wanted = read_face_recipe(recipe)
        found = {path.name: path.read_bytes() for path in sorted(networks.glob("*.onnx"))}
        network = _opened(wanted, found)
        calibration, about, points = calibrate(encode_calibration_people(data, network))
        fields = bundle_fields(wanted, calibration, about, points, network.vector_size)
        card = face_card(fields, wanted)
        if models is None:
            write_constants(constants, fields, card, found)
        else:
            write_face_bundle(models, fields, card, found)
    except (BundleError, DataError, RecipeError, KeyError, ValueError) as error:
        console.print(str(error), style="red", soft_wrap=True)
        raise typer.Exit(code=1) from None
    for point in points:
        console.print(
            f"{point['protocol']}: EER {100 * point['eer']:.2f} %, at FMR {point['fmr']:g} measured "
            f"{point['measured_fmr']:.5f}, FNMR {point['fnmr']:.4f}"
        )


def _opened(recipe: FaceRecipe, networks: dict[str, bytes]) -> VectorNetwork:
    _, preparation = max(PREPARATIONS[recipe.kind].items())
    return VectorNetwork(preparation.opened(recipe.preprocessing, networks), networks[WEIGHTS_FILE])
