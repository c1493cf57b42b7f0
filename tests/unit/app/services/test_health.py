"""/readyz costs the same, whoever asks and however often."""

import threading
from contextlib import nullcontext

from app.domain.errors import TemporaryError
from app.matching.quarantine import Quarantine
from app.services.health import FRESH_S, PATIENCE_S, HealthService


class Follower:
    started = True
    quarantine = Quarantine()

    def __init__(self):
        self.checks = 0
        self.fault = None
        self.gate = None

    def forget_gone(self):
        self.checks += 1
        if self.gate is not None:
            self.gate.wait(10)
        if self.fault is not None:
            raise self.fault

    def catch_up(self, uow):
        pass

    def counts(self):
        return 1000, 5


class Store:
    def reading(self):
        return nullcontext()


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


def service():
    follower, clock = Follower(), Clock()
    return HealthService(Store(), follower, clock), follower, clock


class TestReadiness:
    def test_many_questions_within_a_second_are_one_check(self):
        health, follower, _ = service()

        answers = [health.readiness() for _ in range(50)]

        assert follower.checks == 1
        assert all(answer.ready and answer.galleries == 1000 for answer in answers)
        assert health.known() is answers[0]

    def test_after_a_second_it_checks_again_and_reports_what_it_finds(self):
        health, follower, clock = service()
        health.readiness()
        follower.fault = TemporaryError("gone", code="store_unavailable")

        clock.now_s += FRESH_S + 0.01

        assert health.known() is None
        assert health.readiness().code == "store_unavailable"

    def test_while_one_checks_the_others_get_what_was_known_and_not_for_ever(self):
        health, follower, clock = service()
        health.readiness()
        clock.now_s += 2 * FRESH_S
        follower.gate = threading.Event()
        checking = threading.Thread(target=health.readiness)
        checking.start()
        while follower.checks < 2:
            pass

        known = health.known()
        clock.now_s += PATIENCE_S
        too_old = health.known()
        follower.gate.set()
        checking.join()

        assert known.ready
        assert (too_old.ready, too_old.code) == (False, "index_not_ready")
        assert health.known().ready
