from pathlib import Path

import pytest

from ml.export.activity.building import fit_heads
from ml.runtime.ecg.activity.bundle import BundledRecognizer
from ml.training.activity.examples import MotionFeatures
from tests.moving import RECIPE, moving_features, write_moving_bundle


@pytest.fixture(scope="session")
def features() -> MotionFeatures:
    """Of four made-up people."""
    return moving_features(4)


@pytest.fixture(scope="session")
def recognizer(features: MotionFeatures, tmp_path_factory: pytest.TempPathFactory) -> BundledRecognizer:
    """Made of them by way of a bundle on disk."""
    models: Path = tmp_path_factory.mktemp("models")
    heads = fit_heads(features, RECIPE.heads.contexts_s)
    return write_moving_bundle(models, heads)
