import json
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from ml.losses.ignored_pairs import IgnoredPairs  # noqa: E402
from ml.models.features import Features  # noqa: E402
from ml.training.checkpoints import load_network  # noqa: E402
from ml.training.crop_augmentation import CropAugmentation  # noqa: E402
from ml.training.loop import Teaching, TrainingSet, check_recipe, train_network  # noqa: E402
from ml.training.network_recipe import (  # noqa: E402
    DistillationPlan,
    LossPlan,
    NetworkPlan,
    NetworkRecipe,
    OptimizationConfig,
)
from ml.training.recipe import BundleNames, RecipeError  # noqa: E402
from tests.unit.ml.training.banks import OFF, people_bank  # noqa: E402

NETWORK = NetworkPlan(
    "resnet1d",
    {"widths": (8, 8), "blocks": (1, 1), "kernels": (5, 3), "attention_size": 4, "embedding_size": 8},
)
RECIPE = NetworkRecipe(
    bundle=BundleNames("tiny", "1", "Apache-2.0"),
    network=NETWORK,
    losses=(LossPlan("arc_face", margin=0.2, options={"scale": 10.0}), LossPlan("sup_con", weight=0.5)),
    optimisation=OptimizationConfig(steps=12, people=6, average_steps=4, bfloat16=False, seed=3),
    augmentation=replace(OFF, muscle_share=0.5, warp_share=0.5),
    sha256="of this recipe",
)
BANK = people_bank(6)


class InterruptionError(Exception):
    """As when somebody presses Ctrl-C."""


def training_set(ignored_pairs=None, augmentation=RECIPE.augmentation):
    return TrainingSet(
        BANK.people,
        BANK.names,
        lambda generator: CropAugmentation(BANK, augmentation, None, generator),
        ignored_pairs,
    )


def train(recipe, folder, *, data=None, stop_at=None, evaluate=lambda _network: {}, **options):
    steps = 0

    def report(_progress, _terms, _seconds):
        nonlocal steps
        steps += 1
        if steps == stop_at:
            raise InterruptionError

    options.setdefault("evaluations", 4)
    network = train_network(
        recipe, data or training_set(), folder, evaluate=evaluate, report=report, **options
    )
    return network, steps


def assert_equal_weights(one, other):
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, rtol=0, atol=0, msg=name)


def figures(folder):
    return json.loads((folder / "training.json").read_text())


class Teacher(torch.nn.Module):
    """Wants embeddings that a projector of its own maps to a constant."""

    def __init__(self):
        super().__init__()
        self.projector = torch.nn.Linear(8, 2)

    def forward(self, features: Features, windows, labels, progress):
        return {"guide": (self.projector(features.embedding) - 1.0).pow(2).mean()}


teach = Teaching("of the teacher", lambda _network, _losses: Teacher())


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A network after 60 steps, and its figures."""
    folder = tmp_path_factory.mktemp("learned")
    config = replace(RECIPE.optimisation, steps=60, learning_rate=0.01)
    network, _ = train(replace(RECIPE, optimisation=config), folder, evaluations=10)
    return network, figures(folder)


@pytest.fixture(scope="module")
def learned_weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    train(RECIPE, folder)
    return folder / "network.pt"


class TestLearning:
    def test_people_are_separated_whatever_the_noise(self, learned):
        network, _ = learned

        crops = CropAugmentation(BANK, RECIPE.augmentation, None, torch.Generator().manual_seed(8))
        strips = torch.arange(6).repeat(8)
        with torch.no_grad():
            embeddings = network(crops.draw(strips, torch.ones_like(strips))).embedding
        units = torch.nn.functional.normalize(embeddings, dim=1)
        cosine = (units @ units.T).fill_diagonal_(-1.0)
        right = strips[cosine.argmax(dim=1)] == strips
        assert right.float().mean() > 0.9

    def test_the_loss_falls(self, learned):
        losses = [epoch["loss"] for epoch in learned[1]["epochs"]]

        assert losses[-1] < 0.7 * losses[0]

    def test_the_network_is_the_average_and_ready_to_embed(self, tmp_path):
        network, _ = train(RECIPE, tmp_path)

        assert not network.training
        kept, classes = load_network(tmp_path / "network.pt")
        torch.testing.assert_close(kept.head[2].weight, network.head[2].weight.half().float())
        assert classes.heads["arc_face"].centers.shape[1:] == (6, 8)
        assert classes.heads["arc_face"].scale == 10.0
        assert "sup_con" not in classes.heads
        assert classes.people_sha256 == training_set().people_sha256

    def test_equal_seeds_give_equal_weights(self, tmp_path):
        recipe = replace(RECIPE, optimisation=replace(RECIPE.optimisation, steps=3))
        other_seed = replace(RECIPE.optimisation, steps=3, seed=4)

        one, _ = train(recipe, tmp_path / "1")
        same, _ = train(recipe, tmp_path / "2")
        other, _ = train(replace(RECIPE, optimisation=other_seed), tmp_path / "3")

        assert_equal_weights(one, same)
        assert not torch.equal(one.head[2].weight, other.head[2].weight)

    def test_bfloat16_trains_too(self, tmp_path):
        recipe = replace(RECIPE, optimisation=replace(RECIPE.optimisation, bfloat16=True, steps=4))

        network, _ = train(recipe, tmp_path)

        assert all(value.isfinite().all() for value in network.state_dict().values())
        assert network.head[2].weight.dtype == torch.float32

    def test_a_loss_without_a_value_ends_it(self, tmp_path):
        data = TrainingSet(BANK.people, BANK.names, lambda _generator: Broken())

        with pytest.raises(FloatingPointError, match="step 0"):
            train(RECIPE, tmp_path, data=data)


class Broken:
    def draw(self, strips, parts):
        return torch.full((len(strips), 368), torch.nan)


class TestBatches:
    def test_each_strip_gives_a_view_of_its_first_and_last_third(self, tmp_path):
        seen = []

        class Recorded(CropAugmentation):
            def draw(self, strips, parts):
                seen.append((strips, parts))
                return super().draw(strips, parts)

        data = TrainingSet(BANK.people, BANK.names, lambda generator: Recorded(BANK, OFF, None, generator))
        recipe = replace(RECIPE, optimisation=replace(RECIPE.optimisation, steps=3, people=4))
        train(recipe, tmp_path, data=data)

        for strips, parts in seen:
            assert parts.tolist() == [0] * 4 + [2] * 4
            assert torch.equal(strips[:4], strips[4:])
            assert len(set(strips.tolist())) == 4
        assert len({tuple(strips.tolist()) for strips, _ in seen}) > 1


class TestTeacher:
    def test_its_terms_are_part_of_the_loss_and_its_projectors_learn(self, tmp_path):
        teachers = []

        def remembered(network, losses):
            assert list(losses) == ["arc_face", "sup_con"]
            assert network.embedding_size == 8
            teachers.append((Teacher(), Teacher()))
            teachers[0][1].load_state_dict(teachers[0][0].state_dict())
            return teachers[0][0]

        train(RECIPE, tmp_path, teach=Teaching("", remembered))

        last = figures(tmp_path)["epochs"][-1]
        assert last["loss"] == pytest.approx(last["arc_face"] + last["sup_con"] + last["guide"], abs=1e-3)
        trained, untrained = teachers[0]
        assert not torch.equal(trained.projector.weight, untrained.projector.weight)

    def test_alone_is_enough(self, tmp_path):
        train(replace(RECIPE, losses=()), tmp_path, teach=teach)

        assert figures(tmp_path)["epochs"][-1].keys() >= {"loss", "guide"}


class TestResuming:
    @pytest.mark.parametrize("stop_at", [4, 8, 12])
    def test_an_interrupted_training_ends_with_the_same_weights(self, tmp_path, stop_at):
        whole, _ = train(RECIPE, tmp_path / "whole")
        with pytest.raises(InterruptionError):
            train(RECIPE, tmp_path / "parts", stop_at=stop_at)

        resumed, steps = train(RECIPE, tmp_path / "parts")

        assert steps < 12
        assert_equal_weights(whole, resumed)
        one, other = figures(tmp_path / "whole"), figures(tmp_path / "parts")
        for epoch in (*one["epochs"], *other["epochs"]):
            del epoch["seconds"]
        assert one["epochs"] == other["epochs"]

    def test_a_teachers_projectors_are_resumed_too(self, tmp_path):
        whole, _ = train(RECIPE, tmp_path / "whole", teach=teach)
        with pytest.raises(InterruptionError):
            train(RECIPE, tmp_path / "parts", teach=teach, stop_at=8)

        resumed, _ = train(RECIPE, tmp_path / "parts", teach=teach)

        assert_equal_weights(whole, resumed)

    def test_a_finished_one_ends_at_once_with_what_it_gave(self, tmp_path):
        first, _ = train(RECIPE, tmp_path)
        written = (tmp_path / "network.pt").stat().st_mtime_ns

        second, steps = train(RECIPE, tmp_path, evaluate=lambda _network: pytest.fail("evaluated again"))

        assert steps == 0
        assert_equal_weights(first, second)
        assert (tmp_path / "network.pt").stat().st_mtime_ns == written

    @pytest.mark.parametrize(
        "changed",
        [
            {"recipe": replace(RECIPE, sha256="another")},
            {"data": replace(training_set(), names=tuple(f"q{i}" for i in range(6)))},
            {"data": training_set(ignored_pairs=IgnoredPairs(6, [(0, 1)]))},
            {"teach": replace(teach, weights_sha256="of another teacher")},
            {"initial": None},
        ],
    )
    def test_the_checkpoint_of_another_training_is_not_gone_on_with(self, tmp_path, changed, learned_weights):
        options = {"recipe": RECIPE, "data": training_set(), "teach": teach, "initial": learned_weights}
        train(folder=tmp_path, **{**options, **changed})

        _, steps = train(folder=tmp_path, **options)

        assert steps == 12

    def test_pairs_of_nobody_are_as_none(self, tmp_path):
        train(RECIPE, tmp_path, data=training_set(ignored_pairs=IgnoredPairs(6)))

        assert train(RECIPE, tmp_path)[1] == 0


ONE_STEP = replace(
    RECIPE, optimisation=OptimizationConfig(steps=1, people=6, learning_rate=0.0, bfloat16=False)
)


class TestGoingOnFromKeptWeights:
    def test_begins_with_weights_and_class_directions(self, tmp_path, learned_weights):
        former, classes = load_network(learned_weights)

        train(ONE_STEP, tmp_path, initial=learned_weights)

        found, found_classes = load_network(tmp_path / "network.pt")
        torch.testing.assert_close(found.head[2].weight, former.head[2].weight)
        torch.testing.assert_close(
            found_classes.heads["arc_face"].centers, classes.heads["arc_face"].centers, rtol=0, atol=0
        )

    def test_directions_of_other_people_are_left(self, tmp_path, learned_weights):
        others = replace(training_set(), names=tuple(f"q{i}" for i in range(6)))
        _, classes = load_network(learned_weights)

        train(ONE_STEP, tmp_path, data=others, initial=learned_weights)

        _, found = load_network(tmp_path / "network.pt")
        assert not torch.allclose(found.heads["arc_face"].centers, classes.heads["arc_face"].centers)

    def test_another_network_is_refused(self, tmp_path, learned_weights):
        wider = replace(NETWORK, parameters={**NETWORK.parameters, "widths": (8, 16)})

        with pytest.raises(RecipeError, match=r"\[initial\] network.pt is not a resnet1d"):
            train(replace(RECIPE, network=wider), tmp_path, initial=learned_weights)


class TestGradients:
    def test_of_all_that_is_trained_they_are_clipped_together(self, tmp_path):
        learning = []

        class Shouting(Teacher):
            def forward(self, features, windows, labels, progress):
                return {"guide": 1e4 * super().forward(features, windows, labels, progress)["guide"]}

        def remembered(network, losses):
            guide = Shouting()
            learning.extend([network, losses, guide])
            return guide

        recipe = replace(RECIPE, optimisation=replace(RECIPE.optimisation, steps=1))
        train(recipe, tmp_path, teach=Teaching("", remembered))

        squares = [
            sum(float(p.grad.pow(2).sum()) for p in module.parameters() if p.grad is not None)
            for module in learning
        ]
        assert min(squares) > 0.0
        assert sum(squares) == pytest.approx(25.0, rel=1e-3)


class TestDevices:
    def test_all_is_computed_on_the_requested_device(self, tmp_path):
        seen = []

        class Watching(Teacher):
            def forward(self, features, windows, labels, progress):
                seen.append({features.embedding.device, windows.device, labels.device})
                return super().forward(features, windows, labels, progress)

        train(RECIPE, tmp_path, teach=Teaching("", lambda _network, _losses: Watching()), device="cpu")

        assert seen == [{torch.device("cpu")}] * 12

    @pytest.mark.gpu
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    @pytest.mark.parametrize(("first", "then"), [("cuda", "cuda"), ("cuda", "cpu"), ("cpu", "cuda")])
    def test_a_training_goes_on_wherever_it_began(self, tmp_path, first, then):
        recipe = replace(RECIPE, optimisation=replace(RECIPE.optimisation, bfloat16=True))
        with pytest.raises(InterruptionError):
            train(recipe, tmp_path, teach=teach, stop_at=8, device=first)

        network, steps = train(recipe, tmp_path, teach=teach, device=then)

        assert steps < 12
        assert {value.device.type for value in network.state_dict().values()} == {then}
        assert all(value.isfinite().all() for value in network.state_dict().values())
        kept, _ = load_network(tmp_path / "network.pt")
        assert {value.device.type for value in kept.state_dict().values()} == {"cpu"}


class TestTimeLimit:
    def test_ends_the_training_well_annealed(self, tmp_path):
        recipe = replace(RECIPE, optimisation=replace(RECIPE.optimisation, steps=10**6, last_rate=0.01))

        train(recipe, tmp_path, limit_s=0.5)

        found = figures(tmp_path)
        assert found["steps"] < 10**4
        assert 0.5 <= found["seconds"] < 5.0
        last = found["epochs"][-1]
        assert last["lr"] == pytest.approx(0.01 * recipe.optimisation.learning_rate)

    def test_progress_follows_whichever_is_further(self, tmp_path):
        shares = []

        train_network(
            RECIPE,
            training_set(),
            tmp_path,
            evaluate=lambda _network: {},
            report=lambda progress, _terms, _seconds: shares.append(progress),
            limit_s=1e6,
        )

        assert shares == pytest.approx([(i + 1) / 12 for i in range(12)])

    @pytest.mark.parametrize("options", [{"limit_s": 0.0}, {"limit_s": -1.0}, {"evaluations": 0}])
    def test_no_time_and_no_evaluation_are_refused(self, tmp_path, options):
        with pytest.raises(ValueError, match="expected an evaluation and some seconds"):
            train(RECIPE, tmp_path, **options)


class TestFigures:
    def test_evaluations_are_noted_with_averaged_weights_in_evaluation_mode(self, tmp_path):
        modes = []

        def evaluate(network):
            modes.append(network.training)
            return {"d1_dev_eer": 1.5}

        train(RECIPE, tmp_path, evaluate=evaluate)

        found = figures(tmp_path)
        assert modes == [False] * 4
        assert [epoch["step"] for epoch in found["epochs"]] == [3, 6, 9, 12]
        assert [epoch["d1_dev_eer"] for epoch in found["epochs"]] == [1.5] * 4
        assert (found["steps"], found["windows"], found["recipe_sha256"]) == (12, 144, "of this recipe")
        assert {"loss", "arc_face", "sup_con", "lr", "seconds"} <= set(found["epochs"][0])

    def test_what_was_learned_from_is_named(self, tmp_path):
        pairs = IgnoredPairs(6, [(0, 1)])
        train(RECIPE, tmp_path, data=training_set(ignored_pairs=pairs), teach=teach)

        found = figures(tmp_path)
        data = training_set(ignored_pairs=IgnoredPairs(6, [(1, 0)]))
        assert found["people_sha256"] == data.people_sha256
        assert found["ignored_pairs_sha256"] == data.ignored_pairs_sha256 != ""
        assert found["teacher_sha256"] == "of the teacher"

    def test_evaluating_does_not_change_the_training(self, tmp_path):
        often, _ = train(RECIPE, tmp_path / "often", evaluations=12)
        once, _ = train(RECIPE, tmp_path / "once", evaluations=1)

        assert_equal_weights(often, once)

    def test_terms_count_in_their_time_only(self, tmp_path):
        losses = (LossPlan("arc_face", ends=0.5), LossPlan("sup_con", begins=0.5))

        train(replace(RECIPE, losses=losses), tmp_path)

        first, *_, last = figures(tmp_path)["epochs"]
        assert "sup_con" not in first
        assert "sup_con" in last


class TestIgnoredPairs:
    def test_reach_the_losses(self, tmp_path):
        everybody = IgnoredPairs.within_groups([0] * 6)
        recipe = replace(RECIPE, losses=(LossPlan("sup_con"),))

        train(recipe, tmp_path, data=training_set(ignored_pairs=everybody))

        # Nobody is left whom anybody could be taken for.
        assert figures(tmp_path)["epochs"][-1]["loss"] == pytest.approx(0.0, abs=1e-5)


class TestCheckRecipe:
    def test_a_sound_one_passes(self):
        check_recipe(RECIPE)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"network": NetworkPlan("resnet2d")}, "resnet1d"),
            ({"network": NetworkPlan("resnet1d", {"depth": 3})}, "depth"),
            ({"network": NetworkPlan("resnet1d", {"stem_kernel": 4})}, "odd"),
            ({"losses": (LossPlan("arcface"),)}, "arc_face"),
            ({"losses": (LossPlan("sup_con", options={"heat": 1.0}),)}, "heat"),
            ({"losses": (LossPlan("sup_con", margin=0.2),)}, "sup_con has no margin"),
            ({"distillation": DistillationPlan("teacher", {"warmth": 1.0})}, "warmth"),
        ],
    )
    def test_what_network_or_losses_do_not_know_is_refused(self, change, message):
        with pytest.raises(RecipeError, match=f"tiny: .*{message}"):
            check_recipe(replace(RECIPE, **change))
