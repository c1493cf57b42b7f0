from pathlib import Path

from ml.evaluation.kept_results import BundleResults
from ml.evaluation.pages.accuracy_pictures import IMAGES, accuracy_pictures, write_accuracy_pictures
from tests.unit.ml.evaluation.pages.test_pictures import variant
from tests.unit.ml.evaluation.pages.test_svg import lines, texts
from tests.unit.ml.evaluation.pages.test_targets import results
from tests.unit.ml.evaluation.pages.test_virtual_people_tables import people


class TestAccuracyPictures:
    def test_there_is_one_per_modality_that_was_measured(self) -> None:
        face = {**variant(3.0), "name": "1 → others"}
        kept = BundleResults("face", {"F3": {"variants": [face]}})
        one = {"mated": 800, "non_mated": 639_200, "det": face["det"]}

        drawn = accuracy_pictures(results(face=kept, fingerprint={"F1": {"one_threshold": one}}))

        assert set(drawn) == {"det-fingerprint.svg", "det-face.svg"}
        assert lines(drawn["det-fingerprint.svg"]) == lines(drawn["det-face.svg"])

    def test_every_combination_of_virtual_people_has_a_bar(self) -> None:
        shown = texts(accuracy_pictures(people())["virtual-people.svg"])

        assert {"ecg, clean", "ecg + face + fingerprint, noisy", "12.00 %"} <= set(shown)

    def test_nothing_measured_is_not_drawn(self) -> None:
        assert accuracy_pictures(results()) == {}

    def test_results_of_before_without_curves_are_not_drawn(self) -> None:
        one = {"mated": 800, "non_mated": 639_200}

        assert accuracy_pictures(results(fingerprint={"F1": {"one_threshold": one}})) == {}


class TestWriteAccuracyPictures:
    def test_they_lie_beside_the_other_images(self, tmp_path: Path) -> None:
        assert write_accuracy_pictures(tmp_path, {"a.svg": "<svg/>"}) == [tmp_path / IMAGES / "a.svg"]
        assert (tmp_path / IMAGES / "a.svg").read_text(encoding="utf-8") == "<svg/>"
