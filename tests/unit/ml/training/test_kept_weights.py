"""Weights in the repository are those that something shipped or shown goes back to."""

import json
import tomllib
from pathlib import Path

from ml.training.repeat_mining import NETWORKS

ROOT = Path(__file__).parents[4]
RECIPES = {path.stem: tomllib.loads(path.read_text()) for path in (ROOT / "ml" / "recipes").glob("*.toml")}
REFERENCES = (
    ("assembly", "windows"),
    ("assembly", "beats"),
    ("trunk", "network"),
    ("initial", "weights"),
    ("distillation", "teacher"),
)


def named_by(recipe: str) -> set[str]:
    """The networks that a recipe begins from."""
    tables = RECIPES[recipe]
    found = {tables.get(table, {}).get(key) for table, key in REFERENCES}
    return found - {None}


def with_all_they_go_back_to(recipes: set[str]) -> set[str]:
    found: set[str] = set()
    while recipes:
        found |= recipes
        recipes = set().union(*map(named_by, recipes)) - found
    return found


class TestKeptWeights:
    def test_each_leads_to_a_bundle_or_to_the_table_of_students(self) -> None:
        bundles = {path.name.partition("@")[0] for path in (ROOT / "models").iterdir()}
        students = json.loads((ROOT / "results" / "students.json").read_text()).values()
        needed = with_all_they_go_back_to(bundles | set(students) | set(NETWORKS))

        kept = {path.stem for path in (ROOT / "ml" / "weights").glob("*.pt")}

        assert kept
        assert kept <= needed
