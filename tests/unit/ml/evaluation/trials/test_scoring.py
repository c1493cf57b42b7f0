import numpy as np
import pytest

from ml.evaluation.trials.scoring import Comparisons, Scored, compare, compare_pairwise, gallery_null_of
from ml.runtime.calibration.nulls import evidence_class
from ml.runtime.matching.gallery_null import GalleryNull
from tests.unit.ml.evaluation.trials.populations import Population, all_against_all, fitted_calibration


def scored(llr_db: list[list[float]], *, classes: list[list[int]] | None = None) -> Scored:
    """Probes of persons 0, 1, … against a gallery of persons 0, 1, …"""
    table = np.array(llr_db)
    rows, columns = table.shape
    comparisons = Comparisons(
        table,
        np.full(table.shape, 2) if classes is None else np.array(classes),
        np.equal.outer(np.arange(rows), np.arange(columns)),
        np.arange(rows),
        np.arange(columns),
    )
    return Scored(comparisons, fitted_calibration(), GalleryNull.identity())


class TestCompare:
    def test_equals_comparing_one_by_one(self) -> None:
        calibration, people = fitted_calibration(), Population(5, seed=2)
        probes, gallery = people.templates(4.0), people.templates(12.0)
        probes.evidence.quality[:] = 0.3

        llr_db, classes = compare(calibration, probes, gallery)

        for i in range(5):
            for j in range(5):
                cosine = float(probes.vectors[i] @ gallery.vectors[j])
                quality = (4.0 * 0.3 + 12.0 * 0.75) / 16.0
                slow_db = float(calibration.llr_db(cosine, 4.0, quality))
                assert llr_db[i, j] == pytest.approx(slow_db, abs=1e-4)
                assert classes[i, j] == evidence_class(4.0)

    def test_rows_compared_pairwise_are_the_diagonal(self) -> None:
        people = Population(6, seed=3)
        probes, gallery = people.templates(4.0), people.templates(12.0)

        whole = compare(fitted_calibration(), probes, gallery)
        pairs = compare_pairwise(fitted_calibration(), probes, gallery)

        np.testing.assert_allclose(pairs[0], np.diag(whole[0]), atol=1e-4)
        np.testing.assert_array_equal(pairs[1], np.diag(whole[1]))

    def test_a_failed_side_makes_no_comparison(self) -> None:
        people = Population(4, seed=4)

        llr_db, _ = compare(
            fitted_calibration(), people.templates(failed=(1,)), people.templates(failed=(2,))
        )

        assert np.isnan(llr_db[1]).all()
        assert np.isnan(llr_db[:, 2]).all()
        assert np.isfinite(llr_db[np.ix_([0, 2, 3], [0, 1, 3])]).all()


class TestGalleryNullOf:
    def test_failed_subjects_are_left_out(self) -> None:
        correction = gallery_null_of(fitted_calibration(), Population(50, seed=5).templates(failed=(7, 9)))

        assert correction.subjects == 48
        people = 48 - sum(len(names) - 1 for names in correction.possible_duplicates.people)
        assert correction.pairs == people * (people - 1) // 2 - len(
            correction.possible_duplicates.other_pairs
        )


class TestScored:
    def test_ranks_follow_the_unsoftened_order_where_scores_saturate(self) -> None:
        found = scored([[300.0, 301.0], [299.0, 302.0]])

        assert found.score_db[0, 0] == found.score_db[0, 1]
        assert found.ranks().tolist() == [2, 1]

    def test_ties_count_against_the_probe(self) -> None:
        assert scored([[5.0, 5.0], [1.0, 5.0]]).ranks().tolist() == [2, 1]

    def test_a_candidate_with_less_evidence_is_ranked_by_score_minus_threshold(self) -> None:
        found = scored([[10.0, 11.0], [0.0, 20.0]], classes=[[2, 0], [2, 2]])

        margins_db = found.search().margin_db

        assert found.score_db[0, 1] > found.score_db[0, 0]
        assert (found.ranks()[0] == 1) == (margins_db[0, 0] > margins_db[0, 1])

    def test_a_failed_probe_never_matches_and_is_in_no_rank(self) -> None:
        found = scored([[np.nan, np.nan], [0.0, 30.0]])

        assert not found.matches(1.0)[0].any()
        assert found.ranks()[0] == 3
        assert np.isneginf(found.search().margin_db[0]).all()

    def test_search_threshold_is_the_larger_of_both_policies(self) -> None:
        found = scored([[5.0, 5.0], [1.0, 5.0]])

        both_db = found.search_thresholds_db(1e-3, 0.02)

        null = fitted_calibration().null(2)
        assert both_db.tolist() == [max(null.threshold(1e-3), null.threshold(0.02 / 2))] * 4

    def test_matches_at_a_rate_happen_at_about_that_rate(self) -> None:
        people = Population(400, seed=6)
        comparisons = all_against_all(people.templates(), people.templates())

        found = Scored(comparisons, fitted_calibration(), GalleryNull.identity())

        assert 0.4 <= np.mean(found.matches(0.01)[comparisons.compared_non_mated]) / 0.01 <= 1.5


class TestComparisons:
    def test_pairs_are_counted_unordered(self) -> None:
        people = Population(10, seed=7)

        comparisons = all_against_all(people.templates(), people.templates(failed=(3,)))

        assert comparisons.non_mated_pairs == 45  # p3 is still compared as a probe.

    def test_columns_keep_the_own_subjects_of_a_part(self) -> None:
        people = Population(10, seed=8)

        part = all_against_all(people.templates(), people.templates()).columns(np.array([2, 5]))

        assert part.mated_probes.tolist() == [2, 5]
        assert part.own_column.tolist() == [0, 1]
