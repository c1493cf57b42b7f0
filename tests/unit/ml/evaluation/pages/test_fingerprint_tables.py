from typing import Any

from ml.evaluation.pages.fingerprint_tables import fingerprint_search, fingerprints, summary_row
from tests.unit.ml.evaluation.pages.test_targets import results


def one(eer: float) -> dict[str, Any]:
    return {
        "pictures": 80,
        "refused": 2,
        "mated": 280,
        "non_mated": 2880,
        "eer": eer,
        "eer_interval_95": [0.0, 2 * eer],
        "fnmr": [{"fmr": 0.01, "fnmr": eer, "interval_95": [0.0, 2 * eer], "non_matches": 14}],
    }


F1 = {
    "mean_eer": 0.03,
    "worst_eer": 0.05,
    "one_threshold": one(0.04)
    | {"fnmr": [{"fmr": 1e-3, "fnmr": 0.1, "interval_95": [0, 1], "non_matches": 28}]},
    "sets": {"fvc2002/DB1_B": one(0.01), "fvc2004/DB2_B": one(0.05)},
}


class TestFingerprints:
    def test_databases_come_first_then_their_mean_beside_nbis(self) -> None:
        lines = fingerprints(results(fingerprint={"F1": F1})).splitlines()[2:]

        assert [line.split(" | ")[0] for line in lines] == [
            "| FVC2002 DB1",
            "| FVC2004 DB2",
            "| **F1, mean of the six**",
            "| F1, worst of the six",
            "| **F1, all six, one threshold**",
        ]
        assert "3.0 %" in lines[2]
        assert lines[2].endswith("8.9 % |")

    def test_rates_that_were_not_resolved_say_so(self) -> None:
        row = fingerprints(results(fingerprint={"F1": F1})).splitlines()[2]

        assert row == (
            "| FVC2002 DB1 | 2/80 | 280 / 2,880 | 1.0 % (0.0–2.0) | 1.0 % (0.0–2.0) | not resolvable |"
            " not resolvable | – |"
        )


SEARCH = {
    "enrolled": 200,
    "probes": 494,
    "accepted": 480,
    "shortlist": 32,
    "within": 479,
    "share": 479 / 480,
    "interval_95": [0.988, 1.0],
    "rank_1": 0.98,
    "rank_of_99_8_percent": 33,
}


class TestFingerprintSearch:
    def test_it_counts_what_the_shortlist_keeps(self) -> None:
        row = fingerprint_search(results(fingerprint={"F2-1:N": SEARCH})).splitlines()[2]

        assert "| 32 | 479/480 = 99.8 % (98.8–100.0) | 98.0% | 33 |" in row

    def test_galleries_come_by_size(self) -> None:
        larger = {"F2-1:5000": SEARCH | {"enrolled": 5000}, "F2-1:N": SEARCH, "F2": {"enrolled": 1}}

        rows = fingerprint_search(results(fingerprint=larger)).splitlines()[2:]

        assert [row.split(" | ")[0] for row in rows] == ["| 200", "| 5,000"]

    def test_computed_strangers_are_named(self) -> None:
        searches = {name: SEARCH | {"enrolled": 5000} for name in ("F2-1:5000-computed", "F2-1:5000")}

        rows = fingerprint_search(results(fingerprint=searches)).splitlines()[2:]

        assert [row.split(" | ")[0] for row in rows] == ["| 5,000", "| 5,000, strangers computed"]


class TestSummaryRow:
    def test_it_counts_misses_under_one_threshold(self) -> None:
        assert summary_row(results(fingerprint={"F1": F1})) == (
            "Fingerprint (FVC)",
            "–",
            "4.0 % (0.0–8.0)",
            "28/280",
        )
