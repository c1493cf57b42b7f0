"""Shortlists of computed fingers hold the mates that the comparer accepts."""

from pathlib import Path

from ml.evaluation.fingerprint.shortlist import gallery_and_probes, shortlist_figures
from ml.runtime.encoder import load_bundle
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.fingerprint.comparison.detail import write_detail
from ml.training.fingerprint.impressions import TrainingPrint
from tests.unit.ml.runtime.fingerprint.comparison.prints import impression

BUNDLE = Path(__file__).parents[5] / "models" / "fingerprint@2026.12"


def prints(seed: int) -> list[TrainingPrint]:
    written = {n: write_detail(impression(n, seed), dpi=500.0, quality=0.8) for n in range(10)}
    return [TrainingPrint(str(n), str(n), seed + 1, one, 0.8) for n, one in written.items()]


class TestGalleryAndProbes:
    def test_first_impressions_are_enrolled_and_others_of_test_people_search(self) -> None:
        test, others = [*prints(0)[:3], *prints(1)[:3]], prints(0)[5:7] + prints(1)[5:7]

        enrolled, probes = gallery_and_probes(test, others)

        assert [(one.finger, one.impression) for one in enrolled] == [
            (f, 1) for f in ("0", "1", "2", "5", "6")
        ]
        assert [(one.finger, one.impression) for one in probes] == [("0", 2), ("1", 2), ("2", 2)]

    def test_refused_pictures_are_left_out(self) -> None:
        refused = TrainingPrint("0", "0", 1, None, 0.0)

        enrolled, probes = gallery_and_probes([refused, prints(1)[0]], [])

        assert [one.impression for one in enrolled] == [2]
        assert probes == []


class TestShortlistFigures:
    def test_all_accepted_mates_lie_in_a_shortlist_of_everybody(self) -> None:
        encoder = load_bundle(BUNDLE)
        comparer = encoder.preparation.comparer()
        assert isinstance(comparer, FingerprintComparer)

        found = shortlist_figures(encoder, comparer, prints(0), prints(1))

        assert found["enrolled"] == found["shortlist"] == 10
        assert found["accepted"] == 10
        assert found["share"] == 1.0
        assert found["rank_1"] >= 0.9
