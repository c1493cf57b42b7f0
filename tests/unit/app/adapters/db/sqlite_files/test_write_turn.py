"""Writers of one process stand in line."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest

from app.adapters.db.sqlite_files.write_turn import WriteTurn
from app.domain.errors import TemporaryError

DONE_S = 20.0


def wait_until_in_line(turn: WriteTurn, count: int) -> None:
    pause = Event()
    while len(turn._line) < count:
        pause.wait(0.001)


class TestWriteTurn:
    def test_one_at_a_time(self):
        turn, inside, overlaps = WriteTurn(), [], []

        def write(number: int) -> None:
            for _ in range(50):
                with turn.taken(DONE_S):
                    inside.append(number)
                    overlaps.append(len(inside))
                    inside.remove(number)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(write, range(4)))

        assert overlaps == [1] * 200

    def test_first_come_first_served(self):
        turn, order = WriteTurn(), []

        def write(number: int) -> None:
            with turn.taken(DONE_S):
                order.append(number)

        threads = [Thread(target=write, args=(number,)) for number in range(5)]
        with turn.taken(DONE_S):
            for number, thread in enumerate(threads):
                thread.start()
                wait_until_in_line(turn, number + 1)
        for thread in threads:
            thread.join(DONE_S)

        assert order == [0, 1, 2, 3, 4]

    def test_who_waits_too_long_is_refused_and_leaves_the_line(self):
        turn = WriteTurn()

        with turn.taken(DONE_S), pytest.raises(TemporaryError) as refused, turn.taken(0.01):
            pass

        assert refused.value.code == "store_unavailable"
        assert not turn._line
        with turn.taken(0.01):
            pass

    def test_an_exception_passes_the_turn_on(self):
        turn = WriteTurn()

        with pytest.raises(RuntimeError), turn.taken(DONE_S):
            raise RuntimeError

        with turn.taken(0.01):
            pass
