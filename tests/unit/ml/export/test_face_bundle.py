"""What a face bundle says of itself."""

import json

from app.fetching.known_answer import require_answers
from app.fetching.lbp_network import histogram_network
from ml.export.face_bundle import bundle_fields, face_card, known_answers, write_constants, write_face_bundle
from ml.training.face.calibrating import calibrate
from ml.training.face.recipe import read_face_recipe
from tests.unit.ml.training.face.test_cohorts import pictures
from tests.unit.ml.training.face.test_recipe import RECIPES

LBP = read_face_recipe(RECIPES / "face-lbp.toml")


def made():
    calibration, about, points = calibrate({"AR": pictures(16, 14, seed=1), "ORL": pictures(12, 10, seed=2)})
    fields = bundle_fields(LBP, calibration, about, points, 256)
    return fields, face_card(fields, LBP)


class TestFaceBundle:
    def test_it_can_be_served(self, tmp_path):
        fields, card = made()

        encoder = write_face_bundle(tmp_path, fields, card, {"model.onnx": histogram_network()})

        assert encoder.encoder_id == "face-lbp@2026.12"
        assert encoder.info.one_to_one_only
        assert encoder.encode(encoder.preparation.example()).evidence.unit == "images"

    def test_constants_are_the_bundle_without_its_files(self, tmp_path):
        fields, card = made()

        write_constants(tmp_path, fields, card, {"model.onnx": histogram_network()})

        kept = json.loads((tmp_path / "face-lbp.json").read_text())
        assert {*kept} == {*fields, "known_answers"}
        assert (tmp_path / "face-lbp.md").read_text() == card

    def test_fetching_compares_the_answers_that_are_kept(self):
        network = histogram_network()

        require_answers({"model.onnx": network}, known_answers({"model.onnx": network}))

    def test_the_card_gives_each_set_its_row(self):
        _, card = made()

        assert card.count("| AR |") == card.count("| ORL |") == 2
        assert "16 of AR and 12 of ORL" in card
        assert max(map(len, card.splitlines())) <= 120
