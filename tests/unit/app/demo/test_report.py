from __future__ import annotations

import math

import numpy as np
import pytest
from rich.console import Console

from app.demo.report import (
    Line,
    Scores,
    Tally,
    comparison_table,
    equal_error_rate,
    expected,
    percent,
    typical_ms,
)


def line(step="verify", as_expected=True, client_ms=2.0, **values):
    answer = "match" if as_expected else "non-match"
    return Line(step, "ann", "ann", answer, as_expected, client_ms=client_ms, **values)


def printed(lines) -> str:
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(comparison_table(lines))
    return console.export_text()


def slow_rates(mated, non_mated, threshold):
    fnmr = sum(score < threshold for score in mated) / len(mated)
    fmr = sum(score >= threshold for score in non_mated) / len(non_mated)
    return fnmr, fmr


class TestEqualErrorRate:
    def test_is_zero_where_the_scores_are_apart(self):
        assert equal_error_rate([5.0, 6.0], [1.0, 2.0]) == 0.0

    def test_is_one_where_they_are_the_wrong_way_round(self):
        assert equal_error_rate([1.0, 2.0], [5.0, 6.0]) == pytest.approx(1.0)

    def test_counts_one_error_of_each_kind(self):
        # At a threshold between 2 and 3, one mated score of four is below and one non-mated of four above.
        assert equal_error_rate([2.0, 5.0, 6.0, 7.0], [3.0, 1.0, 0.0, -1.0]) == pytest.approx(0.25)

    def test_is_half_where_nothing_is_told_apart(self):
        assert equal_error_rate([1.0], [1.0]) == pytest.approx(0.5)

    def test_lies_between_the_rates_on_both_sides_of_the_crossing(self):
        rng = np.random.default_rng(3)
        for _ in range(50):
            mated = (rng.integers(0, 12, 9) + 3.0).tolist()
            non_mated = rng.integers(0, 12, 17).astype(float).tolist()
            rates = [slow_rates(mated, non_mated, t) for t in [*sorted({*mated, *non_mated}), math.inf]]
            before = [max(fnmr, fmr) for fnmr, fmr in rates]
            floor = max(min(pair) for pair in rates)

            eer = equal_error_rate(mated, non_mated)

            assert floor - 1e-12 <= eer <= min(before) + 1e-12

    def test_a_failure_to_acquire_is_an_error_at_every_threshold(self):
        assert equal_error_rate([-math.inf, -math.inf, 5.0], [0.0, 0.1, 0.2]) > 0.5


class TestScores:
    def test_parts_mated_from_non_mated_and_counts_false_matches(self):
        scores = Scores()

        scores.add({"ann": 30.0, "bob": 21.0, "cid": -9.0}, own_id="ann", threshold=20.0)
        scores.add({"ann": 19.0, "bob": 20.0, "cid": 0.0}, own_id=None, threshold=20.0)

        assert scores.mated == [30.0]
        assert len(scores.non_mated) == 5
        assert scores.false_matches == 2

    def test_without_both_kinds_there_is_no_rate(self):
        scores = Scores()
        scores.add({"ann": 1.0}, own_id=None, threshold=20.0)

        assert scores.eer is None

    def test_failures_raise_the_rate(self):
        scores = Scores()
        scores.add({"ann": 30.0, "bob": 0.0}, own_id="ann", threshold=20.0)
        without = scores.eer
        scores.add_failure()

        assert scores.eer > without == 0.0


class TestExpected:
    def test_counts_only_the_steps_asked_for(self):
        lines = [line("a"), line("a", as_expected=False), line("b"), line("c")]

        assert expected(lines, "a", "b") == Tally(2, 3)
        assert str(expected(lines, "a")) == "1 of 2"


class TestTypicalMs:
    def test_gives_medians_and_skips_answers_without_a_time_of_the_service(self):
        lines = [
            line(client_ms=1.0, processing_ms=0.5),
            line(client_ms=9.0),
            line(client_ms=3.0, processing_ms=1.5),
        ]

        assert typical_ms(lines) == (3.0, 1.0)


class TestComparisonTable:
    def test_shows_numbers_with_their_units(self):
        text = printed(
            [line(score=31.04, threshold=28.4, shortfall_db=2.1, further_seconds=8.0, processing_ms=1.2)]
        )

        assert all(part in text for part in ("31.0", "28.4", "2.1", "8", "1.2", "dB", "decibans"))

    def test_a_number_that_no_answer_has_gets_no_column(self):
        assert "more" in printed([line(further_seconds=8.0)]).splitlines()[1]
        assert "more" not in printed([line()]).splitlines()[1]

    @pytest.mark.parametrize("n_lines", [1, 2, 5])
    def test_a_title_of_two_lines_is_shown_whole(self, n_lines):
        text = printed([line("verify,\nfmr 0.001") for _ in range(n_lines)])

        first_words = [row.split()[0] for row in text.splitlines() if row.strip()]
        assert [word for word in first_words if word in {"verify,", "fmr"}] == ["verify,", "fmr"]

    def test_shows_surprises_first_and_counts_what_it_leaves_out(self):
        text = printed([*(line() for _ in range(20)), line(as_expected=False)])

        rows = [row for row in text.splitlines() if " own " in row]
        assert "non-match" in rows[0]
        assert len(rows) == 4
        assert "… 17 more" in text
        assert "20/21 right" in text


class TestPercent:
    @pytest.mark.parametrize(
        ("rate", "text"), [(0.001, "0.1 %"), (0.0, "0 %"), (0.0225, "2.2 %"), (1.0, "1e+02 %")]
    )
    def test_has_two_significant_digits(self, rate, text):
        assert percent(rate) == text
