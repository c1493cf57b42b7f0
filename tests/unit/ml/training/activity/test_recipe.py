from pathlib import Path

import pytest

from ml.training.activity.recipe import read_activity_recipe
from ml.training.recipe import RecipeError

SHIPPED = Path(__file__).parents[5] / "ml/recipes/activity.toml"


def changed(folder: Path, old: str, new: str) -> Path:
    path = folder / "activity.toml"
    text = SHIPPED.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


class TestReadActivityRecipe:
    def test_the_shipped_one_is_under_the_license_of_its_data(self):
        recipe = read_activity_recipe(SHIPPED)

        assert recipe.bundle.licence == "GPL-3.0"
        assert recipe.timeline.context_s in recipe.heads.contexts_s

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("step_s = 3.0", "stride_s = 3.0", "unknown keys"),
            (
                'network = "ecg-student"\nstep_s = 3.0',
                'network = "ecg-student"\nstep_s = 0',
                "step_s must be",
            ),
            ("dwell_s = 60.0", "dwell_s = 0.0", "dwell_s must be positive"),
            ("context_s = 10.0", "context_s = 11.0", "no head for context_s 11"),
            ("[3.0, 10.0", "[10.0, 3.0", "contexts_s ascending"),
        ],
    )
    def test_what_cannot_be_is_refused(self, tmp_path, old, new, message):
        with pytest.raises(RecipeError, match=message):
            read_activity_recipe(changed(tmp_path, old, new))
