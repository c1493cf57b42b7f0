from pathlib import Path

import pytest

from ml.training.recipe import RecipeError, read_recipe

ROOT = Path(__file__).parents[4]
NAMES = '[bundle]\nid = "x"\nversion = "1"\nlicence = "Apache-2.0"\n'


@pytest.fixture
def recipe(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "recipe.toml"
        path.write_text(text)
        return path

    return write


class TestReadRecipe:
    def test_reads_the_shipped_recipe(self):
        found = read_recipe(ROOT / "ml/recipes/ecg-beat.toml")

        assert found.bundle.id == "ecg-beat"
        assert found.calibration.seconds == (3.0, 5.0, 10.0, 15.0)

    def test_missing_sections_have_defaults(self, recipe):
        assert read_recipe(recipe(NAMES)).mean_beat.fs_hz == 125.0

    def test_digest_follows_the_bytes(self, recipe):
        first = read_recipe(recipe(NAMES)).sha256

        assert read_recipe(recipe(NAMES + "# other\n")).sha256 != first

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (NAMES + "[ldaa]\n", r"unknown sections \['ldaa'\]"),
            (NAMES + "[lda]\ndimension = 3\n", r"\[lda\]: unknown keys \['dimension'\]"),
            ('[bundle]\nid = "x"\n', r"\[bundle\]: .*version"),
            ("[bundle\n", r"recipe\.toml: "),
        ],
    )
    def test_what_it_does_not_know_is_refused(self, recipe, text, message):
        with pytest.raises(RecipeError, match=message):
            read_recipe(recipe(text))
