import numpy as np
import pytest

from benchmarks.activity_calibration import FITS, loss_within, rows
from ml.activity.fitting import Examples

N_CLASSES = 5


def examples(people: int = 3, per_class: int = 8) -> Examples:
    random = np.random.default_rng(0)
    classes = np.tile(np.repeat(np.arange(N_CLASSES), per_class), people)
    inputs = 4.0 * np.eye(N_CLASSES)[classes] + random.standard_normal((classes.size, N_CLASSES))
    whose = np.repeat(np.arange(people), N_CLASSES * per_class)
    return Examples(inputs, classes, whose, np.ones(classes.size, dtype=bool))


class TestLossWithin:
    def test_nobody_is_asked_by_what_was_fitted_to_them(self) -> None:
        some = examples()
        seen: list[set[int]] = []
        person_of = {row.tobytes(): who for row, who in zip(some.inputs, some.people.tolist(), strict=True)}

        def fit(scores: np.ndarray, classes: np.ndarray) -> tuple[float, float]:
            seen.append({person_of[row.tobytes()] for row in scores})
            return 1.0, 0.0

        loss_within(some.inputs, some, fit)

        assert seen == [{1, 2}, {0, 2}, {0, 1}]

    def test_it_is_the_mean_loss_at_what_was_fitted(self) -> None:
        some = examples()

        equally_likely = loss_within(some.inputs, some, lambda _scores, _classes: (1e9, 0.0))

        assert equally_likely == pytest.approx(np.log(N_CLASSES), abs=1e-6)


class TestRows:
    def test_every_calibration_is_measured_on_people_left_out(self) -> None:
        found = rows(examples())

        assert [row["calibration"] for row in found] == list(FITS)
        assert all(0.0 < row["a3_loss"] < np.log(N_CLASSES) for row in found)
