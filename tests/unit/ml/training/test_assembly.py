import numpy as np
import onnxruntime as ort
import pytest

torch = pytest.importorskip("torch")

from ml.models.networks import make_network  # noqa: E402
from ml.models.strip_encoder import StripEncoder, StripParts  # noqa: E402
from ml.training import checkpoints  # noqa: E402
from ml.training.assembly import assemble  # noqa: E402
from ml.training.assembly_recipe import (  # noqa: E402
    AssemblyPlan,
    is_assembly_recipe,
    read_assembly_recipe,
)
from ml.training.checkpoints import Classes, load_network, save_network, weights_path  # noqa: E402
from ml.training.network_recipe import NetworkPlan  # noqa: E402
from ml.training.recipe import RecipeError  # noqa: E402
from tests.networks import N_BEAT, strip_inputs  # noqa: E402

NETWORKS = {
    "windows": NetworkPlan(
        "resnet1d", {"widths": (4, 8), "blocks": (1, 1), "kernels": (3, 3), "embedding_size": 6}
    ),
    "beats": NetworkPlan("beat_net", {"n_samples": N_BEAT, "widths": (4,), "embedding_size": 5}),
}
POLARITY = np.random.default_rng(1).standard_normal(N_BEAT)


@pytest.fixture
def var(tmp_path):
    for name, plan in NETWORKS.items():
        torch.manual_seed(3)
        network = make_network(plan.name, plan.parameters)
        save_network(tmp_path / "train" / name / "network.pt", plan, network.state_dict(), Classes())
    return tmp_path


class TestAssemble:
    @pytest.mark.parametrize("beats", ["", "beats"])
    def test_the_graph_gives_what_the_networks_give(self, var, beats):
        plan = AssemblyPlan("windows", beats, window_weight=0.7 if beats else 1.0)
        windows, beat = strip_inputs(4)

        session = ort.InferenceSession(assemble(plan, POLARITY, var))
        found = session.run(None, {"windows": windows, "beat": beat})[0]

        parts = StripParts(POLARITY, window_weight=plan.window_weight)
        networks = [load_network(weights_path(n, var))[0] for n in ("windows", "beats")]
        encoder = StripEncoder(networks[0], parts, networks[1] if beats else None)
        with torch.no_grad():
            expected = encoder(torch.from_numpy(windows), torch.from_numpy(beat)).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_a_network_that_was_never_trained_is_named(self, var):
        with pytest.raises(FileNotFoundError, match="no weights of nowhere"):
            assemble(AssemblyPlan("nowhere"), POLARITY, var)


class TestWeightsPath:
    def test_what_was_trained_here_comes_before_what_was_kept(self, var, monkeypatch):
        monkeypatch.setattr(checkpoints, "KEPT_WEIGHTS", var / "kept")
        (var / "kept").mkdir()
        for name in ("windows", "old"):
            (var / "kept" / f"{name}.pt").write_bytes(b"")

        assert weights_path("windows", var) == var / "train" / "windows" / "network.pt"
        assert weights_path("old", var) == var / "kept" / "old.pt"


class TestAssemblyRecipe:
    def write(self, tmp_path, text):
        path = tmp_path / "recipe.toml"
        path.write_text(text)
        return path

    HEAD = '[bundle]\nid = "x"\nversion = "1"\nlicence = "Apache-2.0"\n[assembly]\nwindows = "w"\n'

    def test_a_recipe_is_read(self, tmp_path):
        recipe = read_assembly_recipe(
            self.write(tmp_path, self.HEAD + "window_weight = 1.0\n[windows]\nstep_s = 2.0\n")
        )

        assert recipe.assembly == AssemblyPlan("w")
        assert recipe.windows.step_s == 2.0

    @pytest.mark.parametrize("more", ["weight = 1\n", "[beats]\nx = 1\n", "[windows]\nstep = 2.0\n"])
    def test_unknown_keys_and_sections_are_errors(self, tmp_path, more):
        with pytest.raises(RecipeError, match="unknown"):
            read_assembly_recipe(self.write(tmp_path, self.HEAD + more))

    def test_recipes_of_other_kinds_are_told_apart(self, tmp_path):
        assert is_assembly_recipe(self.write(tmp_path, self.HEAD))
        assert not is_assembly_recipe(self.write(tmp_path, "[mean_beat]\n"))
        assert not is_assembly_recipe(self.write(tmp_path, "not TOML"))
