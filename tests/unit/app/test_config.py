import os

import pytest

from app.config import Settings


def _settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux binds a process to cores")
class TestExecutorThreads:
    @pytest.fixture(autouse=True)
    def _one_core(self):
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(before)})
        yield
        os.sched_setaffinity(0, before)

    def test_are_as_many_as_the_cores_the_process_may_run_on(self):
        assert _settings().executor_threads == 1

    def test_are_what_was_set(self):
        assert _settings(encoder_threads=3).executor_threads == 3

    def test_are_at_least_one_for_more_workers_than_cores(self):
        assert _settings(workers=4).executor_threads == 1
