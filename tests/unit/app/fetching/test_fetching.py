"""A whole fetch, of the bundle that needs no file of others, and of one whose files are wrong."""

import hashlib
from dataclasses import replace

import pytest

from app.cli import main
from app.fetching.catalogue import CATALOGUE
from app.fetching.errors import FetchError, UnreachableError
from app.fetching.fetching import Recipe, fetch, recipe_of
from app.fetching.known_answer import require_answers
from app.fetching.obtaining import Sources
from ml.runtime.encoder import load_bundle

LBP = recipe_of("face-lbp")


class TestFetch:
    def test_it_makes_the_bundle_once(self, tmp_path):
        sources = Sources(tmp_path / "cache")

        assert fetch(LBP, tmp_path / "models", sources)
        assert not fetch(LBP, tmp_path / "models", sources)
        assert load_bundle(tmp_path / "models" / "face-lbp@2026.12").info.one_to_one_only

    def test_it_is_the_same_bundle_everywhere(self, tmp_path):
        digests = []
        for models in (tmp_path / "one", tmp_path / "two"):
            fetch(LBP, models, Sources(tmp_path / "cache"))
            digests.append(load_bundle(models / "face-lbp@2026.12").info.sha256)

        assert digests[0] == digests[1]

    def test_an_unreachable_source_leaves_no_folder(self, tmp_path, monkeypatch):
        def unreachable(*_):
            raise UnreachableError("nobody answers.")

        monkeypatch.setattr(Sources, "_fetch", unreachable)

        with pytest.raises(UnreachableError):
            fetch(recipe_of("face"), tmp_path / "models", Sources(tmp_path / "cache"))
        assert not (tmp_path / "models").exists()

    def test_a_conversion_that_gives_other_numbers_is_refused(self, tmp_path):
        made = CATALOGUE["face-lbp"].made["model.onnx"]()
        expected = {"model.onnx": {"shape": [1, 2891], "vector": [0.5]}}

        with pytest.raises(FetchError, match=r"model\.onnx: the conversion gives other numbers"):
            require_answers({"model.onnx": made}, expected)

    def test_names_that_are_none_are_listed(self):
        with pytest.raises(FetchError, match="known: face, face-fp32, face-dlib, face-lbp"):
            recipe_of("faces")


class TestCatalogue:
    @pytest.mark.parametrize("name", CATALOGUE)
    def test_every_bundle_has_constants_and_a_card(self, name):
        recipe = recipe_of(name)

        assert recipe.constants["id"] == name
        assert recipe.card.startswith(f"# {recipe.encoder_id}\n")
        assert "files" not in recipe.constants

    @pytest.mark.parametrize("name", ["face", "face-dlib", "face-fp32"])
    def test_cards_name_what_is_not_known_and_not_done(self, name):
        card = recipe_of(name).card

        assert "Weights by others" in card
        assert "No presentation-attack detection" in card

    def test_no_landmark_file_of_dlib_is_ever_taken(self):
        """Its training data exclude commercial use."""
        members = [file.member for bundle in CATALOGUE.values() for file in bundle.wanted]

        assert not any("shape_predictor" in member for member in members)


class TestCommand:
    def run(self, monkeypatch, tmp_path, *arguments):
        monkeypatch.setenv("PULSEPRINT_MODELS_DIR", str(tmp_path / "models"))
        monkeypatch.setattr("sys.argv", ["pulseprint", "models", "fetch", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    def test_it_prints_the_terms(self, monkeypatch, tmp_path, capsys):
        assert self.run(monkeypatch, tmp_path, "face-lbp") == 0

        said = capsys.readouterr().err.strip()
        assert said.startswith("pulseprint: face-lbp@2026.12 is made: local binary patterns, Apache-2.0")

    def test_a_failure_is_one_line_that_says_what_follows(self, monkeypatch, tmp_path, capsys):
        (tmp_path / "other").write_bytes(b"other bytes")

        code = self.run(monkeypatch, tmp_path, "face", "--from", str(tmp_path / "other"))

        said = capsys.readouterr().err
        assert code == 1
        assert said.count("\n") == 1
        assert said.startswith("pulseprint: face was not fetched. other: expected face_recognition_sface")
        assert "faces are modality_unavailable" in said

    def test_networks_alone_are_written_for_calibration(self, monkeypatch, tmp_path):
        assert self.run(monkeypatch, tmp_path, "face-lbp", "--networks", str(tmp_path / "out")) == 0

        assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.onnx"]
        assert not (tmp_path / "models").exists()


def test_pins_are_checked_against_content():
    file = replace(CATALOGUE["face"].wanted[0], sha256=hashlib.sha256(b"x").hexdigest())

    assert file.require(b"x", "here") == b"x"


def test_recipes_name_the_encoder_they_make():
    assert Recipe(CATALOGUE["face"]).encoder_id == "face@2026.12"
