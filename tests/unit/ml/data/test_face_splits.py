"""Who calibrates and who tests."""

from ml.data.face_splits import ar_split, orl_split
from ml.data.splits import digest


class TestArSplit:
    def test_the_parts_are_disjoint_and_whole(self):
        split = ar_split()

        assert (len(split["calibration"]), len(split["test"])) == (41, 58)
        assert not set(split["calibration"]) & set(split["test"])

    def test_as_many_men_as_women_test(self):
        sexes = [person[0] for person in ar_split()["test"]]

        assert (sexes.count("m"), sexes.count("w")) == (29, 29)

    def test_it_never_changes(self):
        assert digest(ar_split()["test"])[:12] == "a97cba3f64ba"


class TestOrlSplit:
    def test_half_of_the_people_test(self):
        split = orl_split()

        assert (len(split["calibration"]), len(split["test"])) == (20, 20)
        assert not set(split["calibration"]) & set(split["test"])

    def test_it_never_changes(self):
        assert digest(orl_split()["test"])[:12] == "ea2f296a3512"
