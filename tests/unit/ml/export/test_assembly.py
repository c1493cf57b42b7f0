import numpy as np
import onnx
import onnxruntime as ort
import pytest

torch = pytest.importorskip("torch")

from ml.export.assembly import assemble, assemble_for_serving  # noqa: E402
from ml.export.assembly_recipe import (  # noqa: E402
    AssemblyPlan,
    AssemblyRecipe,
    is_assembly_recipe,
    read_assembly_recipe,
)
from ml.export.onnx_files import cosine_distance  # noqa: E402
from ml.models.networks import make_network  # noqa: E402
from ml.models.strip_encoder import StripEncoder, StripParts  # noqa: E402
from ml.runtime.ecg.signal.conditioning import condition  # noqa: E402
from ml.synthetic.ecg import SyntheticPerson  # noqa: E402
from ml.training import checkpoints  # noqa: E402
from ml.training.checkpoints import Classes, load_network, save_network, weights_path  # noqa: E402
from ml.training.network_recipe import NetworkPlan  # noqa: E402
from ml.training.recipe import BundleNames, RecipeError  # noqa: E402
from ml.training.strips import Strip  # noqa: E402
from tests.bundles import MEAN_BEAT  # noqa: E402
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


BUNDLE = BundleNames("x", "1", "Apache-2.0")


def strip(person):
    conditioned = condition(SyntheticPerson.draw(person).record(10.0, 250.0, session=0), 250.0)
    return Strip(
        str(person), 0, conditioned.ecg, conditioned.accepted_r_peaks, conditioned.accepted, 10.0, 1.0
    )


STRIPS = [strip(person) for person in range(4)]


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


class TestAssembleForServing:
    def recipe(self, **changes):
        return AssemblyRecipe(BUNDLE, AssemblyPlan("windows", "beats", 0.7, **changes))

    def test_floats_are_what_the_networks_give(self, var):
        found = assemble_for_serving(self.recipe(), POLARITY, MEAN_BEAT, STRIPS, var)

        assert found == assemble(self.recipe().assembly, POLARITY, var)

    def test_8_bit_integers_keep_vectors_close_and_are_smaller(self, var):
        floats = assemble(self.recipe().assembly, POLARITY, var)
        found = assemble_for_serving(self.recipe(int8_strips=4), POLARITY, MEAN_BEAT, STRIPS, var)

        vectors = [
            ort.InferenceSession(weights).run(
                None, dict(zip(("windows", "beat"), strip_inputs(4), strict=True))
            )[0]
            for weights in (floats, found)
        ]
        assert 0.0 < cosine_distance(*vectors)[0] < 0.02
        assert any(
            tensor.data_type == onnx.TensorProto.INT8
            for tensor in onnx.load_from_string(found).graph.initializer
        )

    def test_strips_without_a_beat_set_no_range(self, var):
        empty = Strip("p", 0, STRIPS[0].ecg, np.empty(0, dtype=np.int64), STRIPS[0].accepted, 0.0, 0.0)
        recipe = self.recipe(int8_strips=4)

        with_empty = assemble_for_serving(recipe, POLARITY, MEAN_BEAT, [empty, *STRIPS, empty], var)

        assert with_empty == assemble_for_serving(recipe, POLARITY, MEAN_BEAT, STRIPS, var)


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

    def test_fewer_than_no_strips_are_refused(self, tmp_path):
        with pytest.raises(RecipeError, match="int8_strips"):
            read_assembly_recipe(self.write(tmp_path, self.HEAD + "int8_strips = -1\n"))

    def test_recipes_of_other_kinds_are_distinguished(self, tmp_path):
        assert is_assembly_recipe(self.write(tmp_path, self.HEAD))
        assert not is_assembly_recipe(self.write(tmp_path, "[mean_beat]\n"))
        assert not is_assembly_recipe(self.write(tmp_path, "not TOML"))
