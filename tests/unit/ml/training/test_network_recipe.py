from pathlib import Path

import pytest

from ml.training.network_recipe import LossPlan, is_network_recipe, read_network_recipe
from ml.training.recipe import RecipeError

ROOT = Path(__file__).parents[4]
NAMES = '[bundle]\nid = "x"\nversion = "1"\nlicence = "Apache-2.0"\n'
NETWORK = '[network]\nname = "resnet1d"\n'
LOSS = "[losses.sup_con]\n"
SMALLEST = NAMES + NETWORK + LOSS


@pytest.fixture
def recipe(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "recipe.toml"
        path.write_text(text)
        return path

    return write


class TestLossPlan:
    def test_the_margin_grows_between_its_shares(self):
        plan = LossPlan("arc_face", margin=0.4, margin_from=0.25, margin_to=0.75)

        found = [plan.margin_at(progress) for progress in (0.0, 0.25, 0.5, 0.75, 1.0)]

        assert found == pytest.approx([0.0, 0.0, 0.2, 0.4, 0.4])

    def test_without_a_margin_it_is_nothing(self):
        assert LossPlan("sup_con").margin_at(0.9) == 0.0

    def test_counts_from_its_beginning_to_before_its_end(self):
        plan = LossPlan("sup_con", begins=0.25, ends=0.75)

        found = [plan.counts_at(progress) for progress in (0.2, 0.25, 0.5, 0.75, 0.9)]

        assert found == [False, True, True, False, False]

    def test_without_weight_it_never_counts(self):
        assert not LossPlan("sup_con", weight=0.0).counts_at(0.5)

    @pytest.mark.parametrize("shares", [{"margin_from": 0.6}, {"begins": 0.5, "ends": 0.5}])
    def test_shares_that_end_before_they_begin_are_refused(self, shares):
        with pytest.raises(ValueError, match="before"):
            LossPlan("arc_face", margin=0.2, **shares)


class TestReadNetworkRecipe:
    @pytest.mark.parametrize(
        "path", [p for p in sorted((ROOT / "ml/recipes").glob("*.toml")) if is_network_recipe(p)], ids=str
    )
    def test_reads_the_shipped_recipes(self, path):
        found = read_network_recipe(path)

        assert found.losses
        assert len(found.sha256) == 64

    def test_lists_become_tuples(self, recipe):
        text = NAMES + NETWORK + "widths = [4, 8]\n" + LOSS + "[augmentation]\nhigh_pass_hz = [0.1, 2.0]\n"

        found = read_network_recipe(recipe(text))

        assert found.network.parameters == {"widths": (4, 8)}
        assert found.augmentation.high_pass_hz == (0.1, 2.0)

    def test_what_a_plan_does_not_know_is_the_losses_own(self, recipe):
        text = NAMES + NETWORK + "[losses.arc_face]\nweight = 0.5\nmargin = 0.3\nscale = 20.0\n"

        (plan,) = read_network_recipe(recipe(text)).losses

        assert (plan.name, plan.weight, plan.margin) == ("arc_face", 0.5, 0.3)
        assert plan.options == {"scale": 20.0}

    def test_losses_keep_their_order(self, recipe):
        text = NAMES + NETWORK + "[losses.sup_con]\n[losses.arc_face]\n"

        assert [plan.name for plan in read_network_recipe(recipe(text)).losses] == ["sup_con", "arc_face"]

    def test_missing_sections_have_defaults(self, recipe):
        found = read_network_recipe(recipe(SMALLEST))

        assert found.optimisation.people == 128
        assert found.augmentation.swap_share == 0.5
        assert found.distillation is None

    def test_a_teacher_can_take_the_place_of_losses(self, recipe):
        text = NAMES + NETWORK + '[distillation]\nteacher = "t.pt"\n[distillation.terms]\nlogit = 0.5\n'

        found = read_network_recipe(recipe(text))

        assert found.losses == ()
        assert found.distillation.terms == {"logit": 0.5}

    def test_weights_to_go_on_from_are_named(self, recipe):
        found = read_network_recipe(recipe(SMALLEST + '[initial]\nweights = "first"\n'))

        assert found.initial.weights == "first"

    def test_losses_may_take_turns(self, recipe):
        text = NAMES + NETWORK + "[losses.arc_face]\nends = 0.5\n[losses.sup_con]\nbegins = 0.5\n"

        assert len(read_network_recipe(recipe(text)).losses) == 2

    def test_digest_follows_the_bytes(self, recipe):
        first = read_network_recipe(recipe(SMALLEST)).sha256

        assert read_network_recipe(recipe(SMALLEST + "# other\n")).sha256 != first

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (NAMES + NETWORK, "no loss at 0 of the training"),
            (NAMES + NETWORK + "[losses]\n", "no loss at 0 of the training"),
            (NAMES + NETWORK + "[losses.sup_con]\nbegins = 0.2\n", "no loss at 0 of the training"),
            (NAMES + NETWORK + "[losses.sup_con]\nweight = 0.0\n", "no loss at 0 of the training"),
            (
                NAMES + NETWORK + "[losses.arc_face]\nends = 0.5\n[losses.sup_con]\nbegins = 0.6\n",
                r"no loss at 0\.5 of the training",
            ),
            (NAMES + NETWORK + "[losses]\nsup_con = 1.0\n", r"section of its own, \[losses\.sup_con\]"),
            (NAMES + NETWORK + "[[losses]]\n", r"\['losses'\] must be sections"),
            ('network = "resnet1d"\n' + NAMES + LOSS, r"\['network'\] must be sections"),
            (NAMES + LOSS, r"expected a name of \[.*'resnet1d'"),
            (NAMES + LOSS + '[network]\nname = "resnet2d"\n', r"expected a name of \[.*'resnet1d'"),
            (SMALLEST + "[optimiser]\n", r"unknown sections \['optimiser'\]"),
            (SMALLEST + "[optimisation]\nstep = 3\n", r"\[optimisation\]: unknown keys \['step'\]"),
            (SMALLEST + "[optimisation]\nsteps = 0\n", r"\[optimisation\]: steps and people"),
            (SMALLEST + "[optimisation]\npeople = 0\n", r"\[optimisation\]: steps and people"),
            (SMALLEST + "[optimisation]\nwarmup = 1.0\n", r"\[optimisation\]: .*warmup"),
            (SMALLEST + "[augmentation]\nswap = 0.5\n", r"\[augmentation\]: unknown keys \['swap'\]"),
            (SMALLEST + "margin_from = 0.9\n", r"\[losses\.sup_con\]: .*margin_from before"),
            (SMALLEST + '[distillation]\nteacher = "t.pt"\n', r"\[distillation\]: .*terms"),
            (NETWORK + LOSS, r"\[bundle\]: .*id"),
            ("[network\n", r"recipe\.toml: "),
        ],
    )
    def test_what_cannot_be_followed_is_refused(self, recipe, text, message):
        with pytest.raises(RecipeError, match=message):
            read_network_recipe(recipe(text))

    def test_bytes_that_are_no_text_are_refused(self, tmp_path):
        (tmp_path / "recipe.toml").write_bytes(b"\xff\xfe")

        with pytest.raises(RecipeError, match=r"recipe\.toml"):
            read_network_recipe(tmp_path / "recipe.toml")


class TestIsNetworkRecipe:
    @pytest.mark.parametrize(
        ("text", "expected"), [(SMALLEST, True), (NAMES + "[lda]\n", False), ("[network\n", False)]
    )
    def test_tells_by_the_section_network(self, recipe, text, expected):
        assert is_network_recipe(recipe(text)) is expected
