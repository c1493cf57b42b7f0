import json

import numpy as np
import pytest

from ml.evaluation.protocols.figures import VariantFigures, variant_figures
from ml.metrics.error_rates import eer
from tests.unit.ml.evaluation.trials.populations import Population, all_against_all, fitted_calibration


def figures(n: int, *, failed: tuple[int, ...] = (), shift: float = 0.0) -> VariantFigures:
    people = Population(n, seed=11, shift=shift)
    gallery, probes = people.templates(), people.templates(failed=failed)
    return variant_figures("v", all_against_all(probes, gallery), fitted_calibration(), gallery)


class TestVariantFigures:
    def test_eer_and_rank_1_are_those_of_the_scores(self) -> None:
        people = Population(70, seed=11)
        gallery, probes = people.templates(), people.templates()
        comparisons = all_against_all(probes, gallery)

        found = variant_figures("v", comparisons, fitted_calibration(), gallery)

        llr_db, off = comparisons.llr_db, ~np.eye(70, dtype=bool)
        best_other = np.where(off, llr_db, -np.inf).max(axis=1)
        assert found.eer == eer(np.diag(llr_db), llr_db[off])
        assert found.rank_1_errors.count == np.count_nonzero(best_other >= np.diag(llr_db))
        assert found.probes == found.subjects == 70

    def test_a_failure_to_acquire_is_an_error_everywhere(self) -> None:
        plain, broken = figures(70), figures(70, failed=(0, 1, 2))

        assert broken.failures == 3
        assert broken.rank_1_errors.count >= 3
        assert broken.eer > plain.eer
        for rate in broken.rates:
            assert rate.fnmr.count >= 3
            assert rate.fnmr.n == 70

    def test_correction_brings_a_shifted_gallery_back(self) -> None:
        found = figures(150, shift=0.7)

        rate = found.rates[0]
        assert rate.measured_uncorrected.value / rate.fmr > 4.0
        assert rate.measured.value / rate.fmr <= 1.5
        assert rate.small_galleries is not None
        assert rate.small_galleries <= 2.5

    def test_what_few_people_cannot_resolve_is_marked(self) -> None:
        coarse, fine = figures(89).rates

        assert coarse.measured.resolvable
        assert coarse.fnmr_oracle is not None
        assert not fine.measured.resolvable
        assert fine.fnmr_oracle is None

    def test_small_galleries_need_enough_people(self) -> None:
        assert figures(40).rates[0].small_galleries is None

    def test_json_is_plain(self) -> None:
        stored = json.loads(json.dumps(figures(70).to_dict()))

        assert stored["rank_1_errors"]["n"] == 70
        assert stored["rates"][0]["measured_over_nominal"] == pytest.approx(
            stored["rates"][0]["measured"]["value"] / 0.01
        )
