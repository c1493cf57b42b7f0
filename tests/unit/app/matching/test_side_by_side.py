from contextvars import ContextVar
from threading import Barrier, Event, get_ident

import pytest

from app.matching.side_by_side import HELPERS, side_by_side


class TestSideBySide:
    def test_results_keep_the_order_of_the_jobs(self):
        assert side_by_side([lambda n=n: n * n for n in range(7)]) == [n * n for n in range(7)]

    def test_nothing_to_do_is_done(self):
        assert side_by_side([]) == []

    def test_one_job_runs_in_the_callers_thread(self):
        assert side_by_side([get_ident]) == [get_ident()]

    def test_two_jobs_run_at_the_same_time(self):
        """Each waits for the other: one after the other, both would wait for ever."""
        meeting = Barrier(2, timeout=10.0)

        side_by_side([meeting.wait, meeting.wait])

    def test_with_every_thread_taken_the_caller_does_all_itself(self):
        free, taken = Event(), [Event() for _ in range(HELPERS)]
        here = get_ident()

        def occupy(number: int):
            taken[number].set()
            free.wait(10.0)
            return get_ident()

        def once_all_are_taken():
            for event in taken:
                event.wait(10.0)
            found = side_by_side([get_ident, get_ident, get_ident])
            free.set()
            return found

        first, *_ = side_by_side([once_all_are_taken, *(lambda n=n: occupy(n) for n in range(HELPERS))])

        assert first == [here] * 3

    def test_what_a_job_raises_is_raised_after_all_have_ended(self):
        ended = []

        def fails():
            raise ValueError("no such thing")

        with pytest.raises(ValueError, match="no such thing"):
            side_by_side([fails, lambda: ended.append(1), lambda: ended.append(2)])

        assert sorted(ended) == [1, 2]

    def test_jobs_see_the_callers_context(self):
        request = ContextVar("request", default="none")
        request.set("r-1")

        assert side_by_side([request.get, request.get, request.get]) == ["r-1"] * 3
