from typing import Any

from ml.evaluation.kept_results import BundleResults, KeptResults
from ml.evaluation.pages.face_tables import faces, faces_same_sex
from tests.unit.ml.evaluation.pages.test_targets import kept_figures, results


def kept(**more: Any) -> KeptResults:
    variants = [kept_figures() | {"name": "1 → second session"}]
    return results(face=BundleResults("face", {"F4": {"protocol": "F4", "variants": variants, **more}}))


class TestFaces:
    def test_only_what_was_measured_has_a_row(self) -> None:
        assert len(faces(results()).splitlines()) == 2
        assert len(faces(kept()).splitlines()) == 3

    def test_a_classical_descriptor_stands_beside(self) -> None:
        assert faces(kept()).splitlines()[2].endswith("| 23.5 % |")


class TestFacesSameSex:
    def test_pairs_of_one_sex_stand_below_all(self) -> None:
        def share(count: int) -> dict[str, Any]:
            return {"count": count, "n": 1000, "value": count / 1000, "interval": [0.0, 0.05]}

        counts = {"all": 10, "within": 17, "men": 13, "women": 21}
        at = {pairs: share(count) for pairs, count in counts.items()}

        lines = faces_same_sex(kept(same_sex={"at_overall_1_percent": at, "at_policy_1_percent": at}))

        assert "| all | 10/1000 = 1.00 % (0.00–5.00) |" in lines
        assert "| same sex | 17/1000 = 1.70 % (0.00–5.00) |" in lines
