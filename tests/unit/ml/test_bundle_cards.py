"""The cards that ship say what the bundles beside them hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from ml.export.activity.card import activity_card
from ml.export.assembly_recipe import read_assembly_recipe
from ml.export.bundle_writer import card, describe_mean_beat, describe_network
from ml.export.fingerprint_bundle import fingerprint_card
from ml.runtime.ecg.mean_beat import MeanBeatConfig
from ml.training.recipe import read_recipe

ROOT = Path(__file__).parents[3]
RECIPES = ROOT / "ml" / "recipes"


def fields(bundle: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "models" / bundle / "bundle.json").read_text("utf-8"))
    return found


def shipped(bundle: str) -> str:
    return (ROOT / "models" / bundle / "card.md").read_text(encoding="utf-8")


class TestShippedCards:
    @pytest.mark.parametrize("bundle", ["ecg@2026.11.1", "ecg-edge@2026.11"])
    def test_of_networks_are_those_of_fields_and_recipe(self, bundle: str) -> None:
        about = fields(bundle)
        recipe = read_assembly_recipe(RECIPES / f"{about['id']}.toml")

        summary = describe_network(recipe, MeanBeatConfig(), about["vector_size"]).summary

        assert shipped(bundle) == card(about, summary)

    def test_of_the_mean_beat_is_that_of_fields_and_recipe(self) -> None:
        about = fields("ecg-beat@2026.11")

        summary = describe_mean_beat(read_recipe(RECIPES / "ecg-beat.toml"), about["vector_size"]).summary

        assert shipped("ecg-beat@2026.11") == card(about, summary)

    def test_of_activities_is_that_of_the_fields(self) -> None:
        assert shipped("activity@2026.11.3") == activity_card(fields("activity@2026.11.3"))

    def test_of_fingerprints_is_that_of_the_fields(self) -> None:
        assert shipped("fingerprint@2026.12") == fingerprint_card(fields("fingerprint@2026.12"))
