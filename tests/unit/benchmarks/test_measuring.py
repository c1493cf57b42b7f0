import os
import sys
import time

import pytest

from benchmarks.measuring import Timings, machine_facts, on_core, processor_s, resident_mib, time_calls


class TestTimings:
    def test_quantiles_are_in_milliseconds(self) -> None:
        timings = Timings((0.001, 0.002, 0.003))

        assert timings.p50_ms == pytest.approx(2.0)
        assert timings.quantile_ms(1.0) == pytest.approx(3.0)

    def test_every_single_measurement_is_kept(self) -> None:
        assert Timings((0.001, 0.002)).raw()["each_ms"] == [1.0, 2.0]


class TestTimeCalls:
    def test_each_call_is_made_once_in_order(self) -> None:
        made: list[int] = []

        taken = time_calls([lambda: made.append(1), lambda: made.append(2)])

        assert made == [1, 2]
        assert len(taken) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a clock for each process")
class TestProcessorTime:
    def test_of_this_process_is_its_own_clock(self) -> None:
        before = time.process_time()

        found = processor_s(os.getpid())

        assert before <= found <= time.process_time()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux binds a thread to a core")
class TestOnCore:
    def test_the_cores_of_before_come_back(self) -> None:
        before = os.sched_getaffinity(0)

        with on_core(min(before)):
            inside = os.sched_getaffinity(0)

        assert inside == {min(before)}
        assert os.sched_getaffinity(0) == before


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="only Linux has /proc")
class TestMachine:
    def test_the_memory_of_this_process_is_found(self) -> None:
        assert resident_mib(os.getpid()) > 1.0

    def test_the_facts_name_neither_host_nor_path(self) -> None:
        facts = str(machine_facts())

        assert os.uname().nodename not in facts
        assert "/" not in facts
