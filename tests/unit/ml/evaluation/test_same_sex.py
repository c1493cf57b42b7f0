"""False matches by group, counted by hand."""

import numpy as np

from ml.evaluation.same_sex import same_sex_figures
from ml.evaluation.trials.scoring import Comparisons, Scored
from ml.runtime.matching.gallery_null import GalleryNull
from tests.bundles import network_calibration

NOBODY_MATCHES = -200.0


def scored(llr_db: np.ndarray) -> Scored:
    people = np.arange(len(llr_db))
    classes = np.zeros(llr_db.shape, dtype=np.int64)
    comparisons = Comparisons(llr_db, classes, np.eye(len(llr_db), dtype=bool), people, people)
    return Scored(comparisons, network_calibration(), GalleryNull.identity())


class TestSameSexFigures:
    def test_the_threshold_is_common_and_the_counts_are_the_groups_own(self):
        rng = np.random.default_rng(8)
        llr_db = rng.normal(-60.0, 5.0, (40, 40))
        llr_db[:20, :20] += 30.0  # The first twenty look alike.
        alike = np.zeros((40, 40), dtype=bool)
        alike[:20, :20] = True

        figures = same_sex_figures(scored(llr_db), {"alike": alike})

        overall, within = figures.oracle["all"], figures.oracle["alike"]
        assert (overall.n, within.n) == (40 * 39, 20 * 19)
        assert overall.count == within.count  # All false matches are among them.
        assert within.value > 3 * overall.value
        assert abs(overall.value - 0.01) < 0.002

    def test_failures_count_nowhere(self):
        llr_db = np.full((6, 6), NOBODY_MATCHES)
        llr_db[0, 1] = np.nan
        everybody = np.ones((6, 6), dtype=bool)

        figures = same_sex_figures(scored(llr_db), {"everybody": everybody})

        assert figures.policy["everybody"].n == 29
        assert figures.policy["everybody"].count == 0
