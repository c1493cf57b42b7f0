"""Who is enrolled and who is a probe."""

import numpy as np
import pytest

from ml.data.face_splits import ar_split, orl_split
from ml.evaluation.protocols.faces import (
    ar_sessions,
    orl_first_against_others,
    within_sex,
    yale_normal_against_others,
)


class TestWithinSex:
    def test_pairs_of_one_sex(self):
        masks = within_sex(["m001", "w051"], ["m002", "w051", "w052"])

        assert masks["men"].tolist() == [[True, False, False], [False, False, False]]
        assert masks["women"].tolist() == [[False, False, False], [False, True, True]]
        assert np.array_equal(masks["within"], masks["men"] | masks["women"])


@pytest.mark.real_data
class TestTrials:
    def test_ar_compares_two_sessions_of_test_people_alone(self, data_dir):
        (trials,) = ar_sessions(data_dir)

        assert {one.subject_id for one in trials.gallery} == set(ar_split()["test"])
        assert len(trials.probes) == 58 * 7
        assert {p.presentation.cuts[0].record.labels["session"] for p in trials.probes} == {"2"}

    def test_orl_compares_one_picture_with_nine(self, data_dir):
        (trials,) = orl_first_against_others(data_dir)

        assert {one.subject_id for one in trials.gallery} == set(orl_split()["test"])
        assert len(trials.probes) == 20 * 9

    def test_yale_chooses(self, data_dir):
        (trials,) = yale_normal_against_others(data_dir)

        assert (len(trials.gallery), len(trials.probes)) == (15, 149)
