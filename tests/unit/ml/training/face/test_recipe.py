"""Recipes of face bundles."""

from pathlib import Path

import pytest

from ml.runtime.face.encoder_input import EncoderInput
from ml.training.face.recipe import read_face_recipe
from ml.training.recipe import RecipeError

RECIPES = Path(__file__).parents[5] / "ml" / "recipes"


class TestReadFaceRecipe:
    @pytest.mark.parametrize("name", ["face", "face-dlib"])
    def test_shipped_recipes_say_what_an_encoder_wants(self, name):
        recipe = read_face_recipe(RECIPES / f"{name}.toml")

        assert recipe.bundle.id == name
        assert EncoderInput.from_dict(recipe.preprocessing).channels == "rgb"
        assert not recipe.one_to_one_only

    def test_the_encoder_without_weights_is_no_encoder_to_search_by(self):
        assert read_face_recipe(RECIPES / "face-lbp.toml").one_to_one_only

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ('kind = "face"', 'kind = "face"\nkinds = 1', "unknown kinds"),
            ("[about]", "[extra]\nx = 1\n[about]", "unknown extra"),
            ('version = "2026.12"', "", "version"),
            ('kind = "face"', "kind = 3", "are texts"),
        ],
    )
    def test_it_is_read_strictly(self, tmp_path, old, new, message):
        text = (RECIPES / "face.toml").read_text().replace(old, new, 1)
        (tmp_path / "r.toml").write_text(text)

        with pytest.raises(RecipeError, match=message):
            read_face_recipe(tmp_path / "r.toml")
