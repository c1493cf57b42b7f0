"""A bundle appears whole or not at all."""

import json

import pytest

from app.fetching.bundle_folder import is_current, put_bundle
from app.fetching.catalogue import CATALOGUE
from app.fetching.errors import FetchError
from app.fetching.fetching import Recipe

RECIPE = Recipe(CATALOGUE["face-lbp"])
FOLDER = "face-lbp@2026.12"


def put(models, *, networks=None, fields=None, check=lambda encoder: None):
    made = RECIPE.bundle.networks({}) if networks is None else networks
    put_bundle(models / FOLDER, fields or RECIPE.constants, RECIPE.card, made, check)


class TestPutBundle:
    def test_it_can_be_served(self, tmp_path):
        put(tmp_path)

        assert is_current(tmp_path / FOLDER, RECIPE.constants)
        assert [path.name for path in tmp_path.iterdir()] == [FOLDER]

    def test_a_network_that_is_none_leaves_nothing(self, tmp_path):
        with pytest.raises(FetchError, match="make no bundle"):
            put(tmp_path, networks={"model.onnx": b"no network"})

        assert list(tmp_path.iterdir()) == []

    def test_a_check_that_fails_leaves_the_former_bundle(self, tmp_path):
        put(tmp_path)
        before = (tmp_path / FOLDER / "bundle.json").read_bytes()

        def refuse(_):
            raise FetchError("other numbers")

        with pytest.raises(FetchError, match="other numbers"):
            put(tmp_path, check=refuse)
        assert (tmp_path / FOLDER / "bundle.json").read_bytes() == before

    def test_a_damaged_bundle_is_replaced(self, tmp_path):
        put(tmp_path)
        (tmp_path / FOLDER / "model.onnx").write_bytes(b"damaged")
        assert not is_current(tmp_path / FOLDER, RECIPE.constants)

        put(tmp_path)

        assert is_current(tmp_path / FOLDER, RECIPE.constants)

    def test_a_folder_that_cannot_be_written_is_one_line(self, tmp_path):
        (tmp_path / "models").write_text("a file")

        with pytest.raises(FetchError, match="cannot be written"):
            put(tmp_path / "models")

    def test_checksums_are_those_of_the_files(self, tmp_path):
        put(tmp_path)

        written = json.loads((tmp_path / FOLDER / "bundle.json").read_text())
        assert set(written["files"]) == {"model.onnx", "card.md"}

    def test_one_with_other_constants_is_not_current(self, tmp_path):
        put(tmp_path)

        assert not is_current(tmp_path / FOLDER, {**RECIPE.constants, "licence": "another"})
