from threading import Event, get_ident

import pytest

from app.matching.background_fits import BackgroundFits, at_once


@pytest.fixture
def failures():
    return []


@pytest.fixture
def fits(failures):
    opened = BackgroundFits(failures.append, rest=0.0)
    yield opened
    opened.close()


class TestBackgroundFits:
    def test_the_caller_does_not_wait(self, fits):
        go_on, done = Event(), Event()

        fits(lambda: (go_on.wait(10.0), done.set()))

        assert not done.is_set()
        go_on.set()
        assert done.wait(10.0)

    def test_settling_waits_for_all_that_came(self, fits):
        seen = []
        for number in range(5):
            fits(lambda n=number: seen.append((n, get_ident())))

        assert fits.settle(10.0)

        assert [number for number, _ in seen] == list(range(5))
        assert {thread for _, thread in seen} != {get_ident()}

    def test_settling_does_not_rest(self, failures):
        resting = BackgroundFits(failures.append, rest=1e6)
        for _ in range(3):
            resting(Event().is_set)

        assert resting.settle(10.0)
        resting.close()

    def test_settling_gives_up_in_time(self, fits):
        go_on = Event()
        fits(lambda: go_on.wait(10.0))

        assert not fits.settle(0.01)
        go_on.set()

    def test_what_a_fit_raises_is_reported_and_ends_nothing(self, fits, failures):
        def fails():
            raise ValueError("not today")

        seen = Event()
        fits(fails)
        fits(seen.set)

        assert fits.settle(10.0)
        assert [str(error) for error in failures] == ["not today"]
        assert seen.is_set()

    def test_after_closing_nothing_runs(self, failures):
        closed = BackgroundFits(failures.append)
        closed.close()
        ran = Event()

        closed(ran.set)

        assert closed.settle(1.0)
        assert not ran.is_set()


class TestAtOnce:
    def test_it_runs_in_the_callers_thread(self):
        seen = []

        at_once(lambda: seen.append(get_ident()))

        assert seen == [get_ident()]
