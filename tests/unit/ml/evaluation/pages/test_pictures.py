from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from ml.evaluation.pages.pictures import det_picture, evidence_picture, student_picture, training_pictures
from ml.metrics.error_rates import det_points
from tests.unit.ml.evaluation.pages.test_svg import lines, texts


@cache
def variant(separation: float) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    fmr, fnmr = det_points(rng.normal(separation, 1.0, 800), rng.normal(0.0, 1.0, 639_200))
    return {
        "probes": 800,
        "non_mated_comparisons": 639_200,
        "det": {
            "fmr": " ".join(f"{v:.4g}" for v in fmr),
            "fnmr": " ".join(f"{v:.4g}" for v in fnmr),
        },
    }


class TestDetPicture:
    def test_curves_never_turn_back(self) -> None:
        svg = det_picture("DET", [("a", variant(3.0)), ("b", variant(4.0))])

        assert svg is not None
        for line in lines(svg):
            xs, ys = zip(*line, strict=True)
            assert list(xs) == sorted(xs)
            assert list(ys) == sorted(ys)  # FNMR falls, and paper counts downwards.

    def test_the_better_system_lies_below(self) -> None:
        svg = det_picture("DET", [("worse", variant(2.0)), ("better", variant(4.0))])

        assert svg is not None
        worse, better = (dict(line) for line in lines(svg))
        both = worse.keys() & better.keys()
        assert both
        assert all(better[x] >= worse[x] for x in both)

    def test_counts_stand_in_the_legend_and_rates_on_the_axes(self) -> None:
        svg = det_picture("DET", [("a", variant(3.0))])

        assert svg is not None
        assert {"FMR", "FNMR", "a (800 mated, 639200 non-mated comparisons)", "0.1 %"} <= set(texts(svg))

    def test_a_picture_is_small(self) -> None:
        svg = det_picture("DET", [(f"system {k}", variant(3.0)) for k in range(6)])

        assert svg is not None
        assert len(svg.encode()) < 60_000

    def test_points_beyond_the_axes_are_left_out(self) -> None:
        rates = {"fmr": "1e-06 0.001 0.01 0.1", "fnmr": "0.9 0.4 0.2 0.1"}

        svg = det_picture("DET", [("a", {"probes": 10, "non_mated_comparisons": 1_000_000, "det": rates})])

        assert svg is not None
        assert [len(line) for line in lines(svg)] == [3]

    def test_results_without_curves_make_no_picture(self) -> None:
        assert det_picture("DET", [("old", {"probes": 89})]) is None


class TestEvidencePicture:
    def test_lengths_that_were_refused_are_not_drawn(self) -> None:
        points = [
            {"seconds": 1.0, "probes": 79, "eer": None, "eer_interval": None},
            {"seconds": 3.0, "probes": 79, "eer": 0.08, "eer_interval": [0.05, 0.12]},
            {"seconds": 10.0, "probes": 79, "eer": 0.04, "eer_interval": [0.02, 0.07]},
        ]

        svg = evidence_picture("E", [("D2, a", {"points": points})])

        assert svg is not None
        assert [len(line) for line in lines(svg)] == [2]
        assert {"EER", "length of the probe, s", "D2, a (79 people)"} <= set(texts(svg))


class TestTrainingPictures:
    def test_losses_and_error_rates_are_two_pictures(self) -> None:
        epochs = [
            {
                "epoch": k,
                "step": 10 * k,
                "seconds": 5.0 * k,
                "lr": 1e-3,
                "loss": 4.0 / k,
                "d1_dev_eer": 10.0 / k,
            }
            for k in (1, 2, 3)
        ]

        found = training_pictures("teacher", {"epochs": epochs})

        assert set(found) == {"loss", "errors"}
        assert {"epoch", "loss", "loss, smoothed"} <= set(texts(found["loss"]))
        assert "d1_dev_eer" in texts(found["errors"])
        ((*_, last),) = lines(found["loss"])
        assert last[1] > lines(found["loss"])[0][0][1]  # It fell.

    def test_a_figure_that_is_measured_now_and_then_is_drawn_where_it_is(self) -> None:
        epochs: list[dict[str, Any]] = [{"epoch": k, "loss": 1.0} for k in range(1, 6)]
        epochs[0]["d1_dev_eer"] = epochs[4]["d1_dev_eer"] = 5.0

        assert [len(line) for line in lines(training_pictures("t", {"epochs": epochs})["errors"])] == [2]

    def test_a_training_that_logged_nothing_has_no_pictures(self) -> None:
        assert training_pictures("t", {"epochs": []}) == {}


class TestStudentPicture:
    def test_it_names_every_student(self) -> None:
        svg = student_picture("K1", [("teacher", 0.02, (0.01, 0.03)), ("slim, no KD", 0.03, None)])

        assert svg is not None
        ET.fromstring(svg)
        assert {"teacher", "slim, no KD"} <= set(texts(svg))

    def test_nobody_makes_no_picture(self) -> None:
        assert student_picture("K1", []) is None
