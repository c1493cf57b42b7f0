"""The bounded executor: it refuses rather than piles up."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from app.adapters.executor import MAX_ASIDE, BoundedExecutor, step_aside
from app.domain.errors import TemporaryError


@pytest.fixture
def gate():
    """Jobs that wait for it run until the test opens it."""
    event = threading.Event()
    yield event
    event.set()


def run(coroutine):
    return asyncio.run(coroutine)


class TestRun:
    def test_gives_the_result_from_another_thread(self):
        executor = BoundedExecutor(1)

        name = run(executor.run(lambda: threading.current_thread().name))

        assert name.startswith("work")

    def test_passes_errors_on(self):
        def fail():
            raise KeyError("x")

        with pytest.raises(KeyError):
            run(BoundedExecutor(1).run(fail))

    def test_keeps_the_context_of_the_caller(self):
        variable = ContextVar("request id", default="")

        async def call():
            variable.set("7")
            return await BoundedExecutor(1).run(variable.get)

        assert run(call()) == "7"

    def test_jobs_do_not_change_the_context_of_the_caller(self):
        variable = ContextVar("request id", default="")

        async def call():
            await BoundedExecutor(1).run(lambda: variable.set("7"))
            return variable.get()

        assert run(call()) == ""


class TestQueue:
    def test_a_full_queue_is_refused_at_once(self, gate):
        executor = BoundedExecutor(1, queue_limit=1)

        async def three():
            jobs = [asyncio.ensure_future(executor.run(gate.wait)) for _ in range(2)]
            await asyncio.sleep(0)
            assert executor.queued == 1
            with pytest.raises(TemporaryError) as refused:
                await executor.run(lambda: None)
            gate.set()
            await asyncio.gather(*jobs)
            return refused.value

        assert run(three()).code == "overloaded"
        assert executor.queued == 0

    def test_room_comes_back_when_a_job_fails(self):
        executor = BoundedExecutor(1, queue_limit=0)

        async def again_and_again():
            for _ in range(5):
                with pytest.raises(ZeroDivisionError):
                    await executor.run(lambda: 1 / 0)
            return await executor.run(lambda: "done")

        assert run(again_and_again()) == "done"

    def test_a_job_that_waited_too_long_is_refused_and_never_runs(self, gate):
        executor, ran = BoundedExecutor(1, max_wait_s=0.02), []

        async def two():
            running = asyncio.ensure_future(executor.run(gate.wait))
            await asyncio.sleep(0)
            with pytest.raises(TemporaryError) as refused:
                await executor.run(lambda: ran.append(1))
            gate.set()
            await running
            return refused.value

        assert run(two()).code == "overloaded"
        executor.close()
        assert ran == []

    def test_a_running_job_may_take_longer_than_the_wait(self, gate):
        executor = BoundedExecutor(1, max_wait_s=0.01)

        async def slow():
            job = asyncio.ensure_future(executor.run(lambda: gate.wait() and "done"))
            asyncio.get_running_loop().call_later(0.05, gate.set)
            return await job

        assert run(slow()) == "done"

    def test_the_default_queue_grows_with_the_threads(self):
        assert BoundedExecutor(1)._queue_limit == 32
        assert BoundedExecutor(4)._queue_limit == 64


class TestCancellation:
    def test_of_the_caller_is_not_an_overload(self, gate):
        executor = BoundedExecutor(1)

        async def cancelled():
            busy = asyncio.ensure_future(executor.run(gate.wait))
            waiting = asyncio.ensure_future(executor.run(lambda: None))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            gate.set()
            await busy

        run(cancelled())

        assert executor.queued == 0


class TestClose:
    def test_later_jobs_are_refused(self):
        executor = BoundedExecutor(1)
        executor.close()

        with pytest.raises(TemporaryError):
            run(executor.run(lambda: None))


async def nothing() -> None:
    """Between pieces."""


def in_pieces(done, n=3):
    """Work in n pieces that notes each of them."""
    for piece in range(n):
        if piece:
            yield
        done.append(piece)
    return "done"


class TestRunInPieces:
    def test_gives_the_result_of_the_last_piece(self):
        executor, done = BoundedExecutor(1), []

        assert run(executor.run_in_pieces(in_pieces(done), nothing)) == "done"
        assert done == [0, 1, 2]

    def test_others_get_their_turn_between_pieces(self):
        executor, done = BoundedExecutor(1), []

        async def both():
            long = asyncio.ensure_future(executor.run_in_pieces(in_pieces(done, 5), nothing))
            await asyncio.sleep(0)
            await executor.run(lambda: done.append("other"))
            await long

        run(both())

        assert done.index("other") == 1

    def test_an_error_in_any_piece_is_passed_on(self):
        def failing():
            yield
            raise KeyError("x")

        with pytest.raises(KeyError):
            run(BoundedExecutor(1).run_in_pieces(failing(), nothing))

    def test_ends_with_what_is_raised_between_pieces(self):
        executor, done = BoundedExecutor(1), []

        async def gone():
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            run(executor.run_in_pieces(in_pieces(done), gone))

        assert done == [0]
        assert run(executor.run_in_pieces(in_pieces([]), nothing)) == "done"

    def test_no_more_is_in_hand_than_there_are_threads(self):
        executor, done = BoundedExecutor(1, max_wait_s=0.02), []

        async def two():
            between, opened = asyncio.Event(), asyncio.Event()

            async def until_opened():
                between.set()
                await opened.wait()

            first = asyncio.ensure_future(executor.run_in_pieces(in_pieces([]), until_opened))
            await between.wait()
            with pytest.raises(TemporaryError) as refused:
                await executor.run_in_pieces(in_pieces(done), nothing)
            opened.set()
            assert await first == "done"
            return refused.value

        assert run(two()).code == "overloaded"
        assert done == [0]

    def test_what_has_come_further_is_not_given_up_for_a_full_queue(self, gate):
        executor, done = BoundedExecutor(1, queue_limit=0, max_wait_s=0.02), []
        busy = []

        async def crowd():
            if not busy:
                busy.append(asyncio.ensure_future(executor.run(gate.wait)))
                await asyncio.sleep(0)
                asyncio.get_running_loop().call_later(0.05, gate.set)

        assert run(executor.run_in_pieces(in_pieces(done), crowd)) == "done"
        assert done == [0, 1, 2]


class TestSteppingAside:
    def test_another_job_runs_while_one_waits_outside(self, gate):
        executor = BoundedExecutor(1, queue_limit=0)

        def wait():
            step_aside()
            return gate.wait(10)

        async def both():
            waiting = asyncio.create_task(executor.run(wait))
            await asyncio.sleep(0.05)
            other = await executor.run(lambda: "read")
            done = waiting.done()
            gate.set()
            return other, done, await waiting

        assert run(both()) == ("read", False, True)

    def test_no_more_jobs_run_than_threads_however_often_one_steps_aside(self, gate):
        executor = BoundedExecutor(1)
        running = []

        def twice():
            step_aside()
            step_aside()
            gate.wait(10)

        def count():
            running.append(None)
            most = len(running)
            threading.Event().wait(0.01)
            running.pop()
            return most

        async def all_of_them():
            waiting = asyncio.create_task(executor.run(twice))
            await asyncio.sleep(0.05)
            most = await asyncio.gather(*(executor.run(count) for _ in range(10)))
            gate.set()
            await waiting
            most += await asyncio.gather(*(executor.run(count) for _ in range(10)))
            return max(most)

        assert run(all_of_them()) == 1

    def test_too_many_are_refused(self, gate):
        executor = BoundedExecutor(1, queue_limit=2 * MAX_ASIDE)

        def wait():
            step_aside()
            gate.wait(10)

        async def many():
            waiting = [asyncio.create_task(executor.run(wait)) for _ in range(MAX_ASIDE)]
            await asyncio.sleep(0.2)
            with pytest.raises(TemporaryError):
                await executor.run(wait)
            other = await executor.run(lambda: "read")
            gate.set()
            await asyncio.gather(*waiting)
            return other

        assert run(many()) == "read"

    def test_outside_of_an_executor_it_does_nothing(self):
        step_aside()
