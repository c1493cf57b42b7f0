import io
import json
import re
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from rich.console import Console  # noqa: E402

from ml.models.beat_lda import BeatLdaConfig  # noqa: E402
from ml.training.checkpoints import load_network  # noqa: E402
from ml.training.network_recipe import (  # noqa: E402
    DistillationPlan,
    InitialPlan,
    LossPlan,
    NetworkPlan,
    NetworkRecipe,
    OptimizationConfig,
)
from ml.training.networks import train  # noqa: E402
from ml.training.recipe import BundleNames, Recipe, RecipeError  # noqa: E402
from tests.unit.ml.training.cinc_folder import write_cinc  # noqa: E402

BUNDLE = BundleNames("tiny", "1", "Apache-2.0")
BEATS = Recipe(BUNDLE, lda=BeatLdaConfig(dimensions=3))
RECIPE = NetworkRecipe(
    bundle=BUNDLE,
    network=NetworkPlan(
        "resnet1d",
        {"widths": (8,), "blocks": (1,), "kernels": (3,), "attention_size": 4, "embedding_size": 8},
    ),
    losses=(LossPlan("additive_margin", margin=0.2), LossPlan("sup_con")),
    optimisation=OptimizationConfig(steps=6, people=4, bfloat16=False),
    sha256="of this recipe",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_cinc(folder, {"train": 7, "dev": 3})
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("var")


def trained(data, var, recipe=RECIPE):
    """Folder, and what a log that is a file reads."""
    log = io.StringIO()
    folder = train(recipe, BEATS, data, var, Console(file=log, width=60))
    return folder, log.getvalue()


class TestTrain:
    def test_leaves_weights_figures_and_a_checkpoint(self, data, cache):
        folder, _ = trained(data, cache)

        assert folder == cache / "train" / "tiny"
        assert {path.name for path in folder.iterdir()} == {"checkpoint.pt", "network.pt", "training.json"}
        assert load_network(folder / "network.pt")[0].embedding_size == 8
        last = json.loads((folder / "training.json").read_text())["epochs"][-1]
        assert last["step"] == 6
        assert 0.0 <= last["d1_dev_eer"] <= 100.0

    def test_a_log_has_one_line_per_share_done(self, data, cache):
        _, text = trained(data, cache, replace(RECIPE, bundle=replace(BUNDLE, id="logged")))

        lines = [line for line in text.splitlines() if "left" in line]
        assert [line.split()[0] for line in lines] == ["17", "33", "50", "67", "83", "100"]
        # However long they are.
        assert all(re.search(r"loss \d.*additive_margin \d.*sup_con \d.* s, \d+ s left$", x) for x in lines)
        assert lines[-1].endswith(" 0 s left")
        assert "6 people" in text  # The noisy one is not one of them.

    def test_the_second_time_ends_at_once(self, data, cache):
        recipe = replace(RECIPE, bundle=replace(BUNDLE, id="twice"))
        folder, _ = trained(data, cache, recipe)
        written = (folder / "network.pt").stat().st_mtime_ns

        _, text = trained(data, cache, recipe)

        assert "left" not in text
        assert (folder / "network.pt").stat().st_mtime_ns == written

    @pytest.mark.parametrize(
        "needs",
        [
            {"distillation": DistillationPlan("nobody", {"kd_embedding": 1.0})},
            {"initial": InitialPlan("nobody")},
        ],
    )
    def test_missing_weights_show_before_any_data_are_read(self, tmp_path, needs):
        recipe = replace(RECIPE, **needs)

        with pytest.raises(RecipeError, match="no weights of nobody"):
            trained(tmp_path / "nowhere", tmp_path, recipe)

    def test_a_slip_in_the_recipe_shows_before_any_data_are_read(self, tmp_path):
        recipe = replace(RECIPE, losses=(LossPlan("sup_con", options={"heat": 1.0}),))

        with pytest.raises(RecipeError, match="heat"):
            trained(tmp_path / "nowhere", tmp_path, recipe)

        assert list(tmp_path.iterdir()) == []
