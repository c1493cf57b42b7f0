"""Many readers or one writer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread

import pytest

from app.adapters.index.read_write_lock import ReadWriteLock

BLOCKED_S = 0.2
DONE_S = 20.0


class TestReadWriteLock:
    def test_readers_are_in_together(self):
        lock, everyone_inside = ReadWriteLock(), Barrier(3)

        def read() -> None:
            with lock.reading():
                everyone_inside.wait(DONE_S)

        with ThreadPoolExecutor(3) as threads:
            list(threads.map(lambda _: read(), range(3)))

    def test_a_writer_waits_for_the_readers(self):
        lock, written = ReadWriteLock(), Event()

        def write() -> None:
            with lock.writing():
                written.set()

        writer = Thread(target=write)
        with lock.reading():
            writer.start()
            early = written.wait(BLOCKED_S)

        assert written.wait(DONE_S)
        assert not early
        writer.join(DONE_S)

    def test_a_waiting_writer_is_not_overtaken_by_new_readers(self):
        lock, order = ReadWriteLock(), []
        queued = Event()

        def write() -> None:
            with lock.writing():
                order.append("writer")

        def read() -> None:
            with lock.reading():
                order.append("reader")

        writer, reader = Thread(target=write), Thread(target=read)
        with lock.reading():
            writer.start()
            while not lock._writers_waiting:
                queued.wait(0.001)
            reader.start()
            queued.wait(BLOCKED_S)
        writer.join(DONE_S)
        reader.join(DONE_S)

        assert order == ["writer", "reader"]

    def test_writers_exclude_each_other(self):
        lock, inside, overlaps = ReadWriteLock(), [], []

        def write(number: int) -> None:
            for _ in range(100):
                with lock.writing():
                    inside.append(number)
                    overlaps.append(len(inside))
                    inside.remove(number)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(write, range(4)))

        assert set(overlaps) == {1}

    @pytest.mark.parametrize("side", ["reading", "writing"])
    def test_an_exception_inside_frees_it(self, side):
        lock = ReadWriteLock()

        with pytest.raises(RuntimeError), getattr(lock, side)():
            raise RuntimeError

        with lock.writing():
            pass
