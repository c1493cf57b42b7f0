import numpy as np
import pytest

from ml.evaluation.protocols.open_set import open_set_figures
from tests.unit.ml.evaluation.trials.populations import Population, fitted_calibration


class TestOpenSetFigures:
    def test_half_is_known_and_policy_keeps_its_rate(self) -> None:
        people = Population(120, seed=12)

        found = open_set_figures(
            "x", fitted_calibration(), people.templates(), people.templates(), fpir=0.05, halves=20
        )

        assert (found.known, found.halves) == (60, 20)
        assert found.policy_fpir <= 0.10
        assert 0.0 <= found.policy_dir <= 1.0
        assert found.policy_dir_interval.low <= found.policy_dir <= found.policy_dir_interval.high

    def test_oracle_does_at_least_as_well_where_the_policy_is_stricter(self) -> None:
        people = Population(120, seed=12)

        found = open_set_figures(
            "x", fitted_calibration(), people.templates(), people.templates(), fpir=0.05, halves=10
        )

        assert found.policy_fpir > 0.0499 or found.oracle_dir >= found.policy_dir

    def test_a_threshold_above_the_ceiling_is_reported(self) -> None:
        people = Population(120, seed=13)

        found = open_set_figures(
            "x", fitted_calibration(), people.templates(), people.templates(), fpir=1e-4, halves=3
        )

        assert found.reachable == 0.0
        assert found.policy_dir == 0.0

    def test_other_people_as_probes_are_refused(self) -> None:
        people = Population(20, seed=14)

        with pytest.raises(ValueError, match="one order"):
            open_set_figures(
                "x",
                fitted_calibration(),
                people.templates(),
                people.templates().subset(np.arange(19)),
                fpir=0.05,
                halves=1,
            )
