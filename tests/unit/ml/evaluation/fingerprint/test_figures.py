"""Error rates of sets, alone and under one threshold."""

import numpy as np
import pytest

from ml.evaluation.fingerprint.figures import figures, headline, pooled, set_figures
from ml.evaluation.fingerprint.protocols import SetScores


def scores(shift: float, *, refused: bool = False) -> SetScores:
    """Five fingers of ten mated pairs, and every two of them 400 times."""
    generator = np.random.default_rng(0)
    first, second = (np.repeat(side, 400) for side in np.triu_indices(5, 1))
    mated = generator.normal(2.0 + shift, 1.0, 50)
    if refused:
        mated[0] = -np.inf
    return SetScores(
        mated=mated,
        mated_person=np.repeat(np.arange(5), 10),
        non_mated=generator.normal(-2.0 + shift, 1.0, len(first)),
        non_mated_people=np.stack([first, second]),
        pictures=40,
        refused=int(refused),
    )


class TestSetFigures:
    def test_a_refused_picture_matches_nothing(self) -> None:
        plain, refused = set_figures(scores(0.0)), set_figures(scores(0.0, refused=True))

        assert refused["refused"] == 1
        for before, after in zip(plain["fnmr"], refused["fnmr"], strict=True):
            assert after["non_matches"] >= before["non_matches"]

    def test_rates_that_the_pairs_do_not_resolve_are_left_out(self) -> None:
        assert [at["fmr"] for at in set_figures(scores(0.0))["fnmr"]] == [1e-2, 1e-3]

    def test_the_curve_passes_through_the_equal_error_rate(self) -> None:
        found = set_figures(scores(-1.5, refused=True))
        fmrs, fnmrs = ([float(rate) for rate in found["det"][axis].split()] for axis in ("fmr", "fnmr"))

        before = [fnmr for fmr, fnmr in zip(fmrs, fnmrs, strict=True) if fmr <= found["eer"]]
        after = [fnmr for fmr, fnmr in zip(fmrs, fnmrs, strict=True) if fmr >= found["eer"]]

        assert min(before) >= found["eer"] >= max(after)


class TestFigures:
    def test_one_threshold_over_sets_of_other_scales_costs_more(self) -> None:
        found = figures({"low": scores(-1.0), "high": scores(1.0)})

        assert found["mean_eer"] == pytest.approx(found["sets"]["low"]["eer"])
        assert found["one_threshold"]["eer"] > found["mean_eer"]

    def test_fingers_of_different_sets_differ(self) -> None:
        both = pooled({"one": scores(0.0), "other": scores(0.0)})

        assert np.unique(both.mated_person).tolist() == list(range(10))
        assert both.non_mated_people.max() == 9

    def test_the_headline_holds_no_more_than_a_look_reveals(self) -> None:
        found = headline(figures({"one": scores(0.0)}))

        assert set(found) == {
            *("mean_eer", "worst_eer", "eer", "one_threshold_eer", "one_threshold_fnmr", "refused")
        }
