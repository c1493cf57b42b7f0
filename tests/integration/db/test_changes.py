"""The revision feed loses nothing (DESIGN §6, Feed)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from uuid import UUID

import psycopg
import pytest

from app.adapters.db.engine import open_engine
from app.adapters.db.unit_of_work import SqlStore
from app.domain.errors import GalleryNotFoundError
from tests.stored import NOW, a_gallery, later

GALLERY = a_gallery()
ANNA, BERTA, CARLA = UUID(int=11), UUID(int=12), UUID(int=13)

BLOCKED_S = 0.3  # How long a thread must not get ahead to count as waiting.
DONE_S = 20.0


@pytest.fixture
def store(store: SqlStore) -> SqlStore:
    """With an empty gallery."""
    with store.writing() as uow:
        uow.galleries.add(GALLERY)
    return store


def changes_since(store: SqlStore, revision: int) -> list[tuple[int, UUID]] | None:
    with store.reading() as uow:
        return uow.changes.since(GALLERY.uuid, revision)


def record(store: SqlStore, *subject_uuids: UUID) -> int:
    with store.writing() as uow:
        return uow.changes.record(GALLERY.uuid, subject_uuids)


class SecondWriter:
    """A thread that records a change and keeps its transaction open until told to commit."""

    def __init__(self, store: SqlStore, subject_uuid: UUID) -> None:
        self.started, self.recorded, self.may_commit = Event(), Event(), Event()
        self.revision = 0
        self._thread = Thread(target=self._run, args=(store, subject_uuid))
        self._thread.start()

    def _run(self, store: SqlStore, subject_uuid: UUID) -> None:
        self.started.set()
        with store.writing() as uow:
            self.revision = uow.changes.record(GALLERY.uuid, [subject_uuid])
            self.recorded.set()
            self.may_commit.wait(DONE_S)

    def commit(self) -> None:
        self.may_commit.set()
        self._thread.join(DONE_S)
        assert not self._thread.is_alive()


class TestInterleavedTransactions:
    def test_the_second_waits_and_commits_follow_revisions(self, store):
        with store.writing() as uow:
            first_revision = uow.changes.record(GALLERY.uuid, [ANNA])
            second = SecondWriter(store, BERTA)
            second.started.wait(DONE_S)

            overtaken = second.recorded.wait(BLOCKED_S)
            seen_while_both_are_open = changes_since(store, 0)
        assert second.recorded.wait(DONE_S)
        seen_after_the_first = changes_since(store, 0)
        second.commit()

        assert not overtaken
        assert (first_revision, second.revision) == (1, 2)
        assert seen_while_both_are_open == []
        assert seen_after_the_first == [(1, ANNA)]
        assert changes_since(store, 1) == [(2, BERTA)]

    def test_a_rollback_leaves_no_gap_that_a_follower_could_wait_for(self, store):
        def change_its_mind() -> None:
            with store.writing() as uow:
                uow.changes.record(GALLERY.uuid, [ANNA])
                raise RuntimeError

        with pytest.raises(RuntimeError):
            change_its_mind()

        assert record(store, BERTA) == 1
        assert changes_since(store, 0) == [(1, BERTA)]

    def test_a_follower_beside_four_writers_sees_every_change_once_and_in_order(self, store):
        per_writer = 25
        finished = Event()
        followed: list[tuple[int, UUID]] = []

        def write(writer: int) -> None:
            for number in range(per_writer):
                record(store, UUID(int=1000 * writer + number))

        def follow() -> None:
            last_round = False
            while True:
                changes = changes_since(store, followed[-1][0] if followed else 0)
                assert changes is not None
                followed.extend(changes)
                if last_round:
                    return
                last_round = finished.is_set()

        with ThreadPoolExecutor(5) as threads:
            follower = threads.submit(follow)
            writers = [threads.submit(write, writer) for writer in range(1, 5)]
            for writer in writers:
                writer.result()
            finished.set()
            follower.result()

        assert [revision for revision, _ in followed] == list(range(1, 4 * per_writer + 1))
        assert len({subject for _, subject in followed}) == 4 * per_writer


class TestInterleavedOnPostgresql:
    def test_writers_of_different_galleries_do_not_wait_for_each_other(self, postgres_url):
        engine = open_engine(postgres_url)
        store, other = SqlStore(engine), a_gallery(2, "other")
        with store.writing() as uow:
            uow.galleries.add(GALLERY)
            uow.galleries.add(other)

        with store.writing() as uow, store.writing() as beside:
            uow.changes.record(GALLERY.uuid, [ANNA])
            revision_beside = beside.changes.record(other.uuid, [BERTA])
        engine.dispose()

        assert revision_beside == 1


class TestTheNaiveWay:
    """What was measured: numbers from a sequence do not arrive in their order."""

    def test_a_follower_of_max_id_loses_the_change_that_commits_later(self, postgres_url):
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute("CREATE TABLE naive_changes (id bigserial PRIMARY KEY, subject text)")

            def follow(seen: int) -> list[tuple[int, str]]:
                query = "SELECT id, subject FROM naive_changes WHERE id > %s ORDER BY id"
                return admin.execute(query, (seen,)).fetchall()

            with psycopg.connect(postgres_url) as first, psycopg.connect(postgres_url) as second:
                first.execute("INSERT INTO naive_changes (subject) VALUES ('anna')")
                second.execute("INSERT INTO naive_changes (subject) VALUES ('berta')")
                second.commit()
                seen_first = follow(0)
                first.commit()
                seen_next = follow(seen_first[-1][0])

            assert seen_first == [(2, "berta")]
            assert seen_next == []  # Anna is never seen.
            assert [subject for _, subject in follow(0)] == ["anna", "berta"]


class TestRecord:
    def test_revisions_count_from_one_and_show_in_the_gallery(self, store):
        revisions = [record(store, ANNA), record(store, BERTA), record(store)]

        with store.reading() as uow:
            assert revisions == [1, 2, 3]
            assert uow.galleries.revision(GALLERY.uuid) == 3

    def test_a_subject_named_twice_is_filed_once(self, store):
        record(store, ANNA, ANNA)

        assert changes_since(store, 0) == [(1, ANNA)]

    def test_a_deleted_gallery_is_not_found(self, store):
        with pytest.raises(GalleryNotFoundError), store.writing() as uow:
            uow.changes.record(UUID(int=99), [ANNA])


class TestSince:
    def test_a_follower_that_is_up_to_date_gets_nothing(self, store):
        record(store, ANNA)

        assert changes_since(store, 1) == []

    def test_a_follower_ahead_of_a_restored_database_must_rebuild(self, store):
        record(store, ANNA)

        assert changes_since(store, 2) is None

    def test_a_gallery_that_is_gone_asks_for_a_rebuild(self, store):
        with store.writing() as uow:
            uow.galleries.remove(GALLERY.uuid)

        assert changes_since(store, 0) is None


class TestPrune:
    def test_followers_older_than_what_was_pruned_must_rebuild(self, store):
        record(store, ANNA)
        record(store, BERTA)

        with store.writing() as uow:
            pruned = uow.changes.prune(older_than=later(10_000_000))
        record(store, CARLA)

        assert pruned == 2
        assert changes_since(store, 0) is None
        assert changes_since(store, 1) is None
        assert changes_since(store, 2) == [(3, CARLA)]

    def test_a_slower_process_does_not_take_the_bound_back(self, store):
        """It found less to prune before a faster one pruned more; the follower must still rebuild."""
        for subject in (ANNA, BERTA, CARLA):
            record(store, subject)
        with store.writing() as uow:
            uow.changes.prune(older_than=later(10_000_000))

        with store.writing() as uow:
            uow.changes._prune(GALLERY.uuid, 1)

        assert changes_since(store, 2) is None

    def test_young_changes_stay(self, store):
        record(store, ANNA)

        with store.writing() as uow:
            pruned = uow.changes.prune(older_than=NOW)

        assert pruned == 0
        assert changes_since(store, 0) == [(1, ANNA)]
