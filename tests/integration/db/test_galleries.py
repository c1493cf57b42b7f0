"""Galleries in the database."""

from dataclasses import replace
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import event

from app.adapters.db.tables import gallery_transforms
from app.domain.errors import ConflictError
from app.domain.policies import CalibratedPolicy, DistancePolicy, DistanceRule, Metric
from app.domain.ports.answers import StoredAnswer
from app.domain.ports.pages import PageCursor
from app.domain.references import Modality
from tests.stored import NOW, a_gallery, a_reference, a_subject, a_transform, later

BLOCKED_S = 0.2
DONE_S = 20.0
POLICIES = [
    CalibratedPolicy(),
    CalibratedPolicy(fmr=1e-6, fpir=0.5, required=frozenset({Modality.ECG, Modality.FACE}), min_quality=0.25),
    DistancePolicy(
        {
            Modality.ECG: DistanceRule(Metric.COSINE, 0.3),
            Modality.FINGERPRINT: DistanceRule(Metric.EUCLIDEAN, 0.9),
        }
    ),
]


def cursor_after(gallery) -> PageCursor:
    return PageCursor(gallery.created_at, gallery.uuid)


class TestAdd:
    @pytest.mark.parametrize("policy", POLICIES, ids=range(len(POLICIES)))
    def test_a_gallery_comes_back_with_its_policy_by_name_and_by_uuid(self, store, policy):
        gallery = a_gallery(policy=policy)

        with store.writing() as uow:
            uow.galleries.add(gallery)

        with store.reading() as uow:
            assert uow.galleries.by_name("default") == gallery
            assert uow.galleries.by_uuid(gallery.uuid) == gallery

    def test_a_default_resolution_comes_back(self, store):
        gallery = replace(a_gallery(), fingerprint_dpi=569)

        with store.writing() as uow:
            uow.galleries.add(gallery)

        with store.reading() as uow:
            assert uow.galleries.all() == [gallery]

    def test_times_keep_their_microseconds_and_are_utc(self, store):
        with store.writing() as uow:
            uow.galleries.add(a_gallery())

        with store.reading() as uow:
            created_at = uow.galleries.by_name("default").created_at
        assert created_at == NOW
        assert created_at.utcoffset().total_seconds() == 0

    def test_a_name_is_taken_once(self, store):
        with store.writing() as uow:
            uow.galleries.add(a_gallery(1))

        with pytest.raises(ConflictError) as refused, store.writing() as uow:
            uow.galleries.add(a_gallery(2))

        assert refused.value.code == "gallery_exists"

    def test_an_unknown_gallery_is_none(self, store):
        with store.reading() as uow:
            assert uow.galleries.by_name("nobody") is None
            assert uow.galleries.by_uuid(UUID(int=9)) is None
            assert uow.galleries.revision(UUID(int=9)) is None


class TestPage:
    @pytest.fixture
    def three(self, store):
        """Two of one moment, in the order of their uuids, and a later one with a smaller uuid."""
        galleries = [
            a_gallery(2, "b"),
            a_gallery(3, "a"),
            a_gallery(1, "c", created_at=later(1e-6)),
        ]
        with store.writing() as uow:
            for gallery in reversed(galleries):
                uow.galleries.add(gallery)
        return galleries

    def test_pages_follow_each_other_without_gap_or_repetition(self, store, three):
        with store.reading() as uow:
            first = uow.galleries.page(None, None, 1)
            second = uow.galleries.page(None, cursor_after(first[-1]), 1)
            rest = uow.galleries.page(None, cursor_after(second[-1]), 5)

        assert first + second + rest == three

    def test_only_named_galleries_are_listed(self, store, three):
        with store.reading() as uow:
            assert uow.galleries.page(frozenset({"a", "c", "zzz"}), None, 5) == [three[1], three[2]]
            assert uow.galleries.page(frozenset({"a", "c"}), cursor_after(three[1]), 5) == [three[2]]
            assert uow.galleries.page(frozenset(), None, 5) == []

    def test_all_come_in_the_same_order(self, store, three):
        with store.reading() as uow:
            assert uow.galleries.all() == three


class TestChanges:
    def test_policy_default_and_key_are_replaced(self, store):
        gallery = replace(a_gallery(), fingerprint_dpi=569)
        with store.writing() as uow:
            uow.galleries.add(gallery)
            uow.galleries.add(a_gallery(2, "other"))

        with store.writing() as uow:
            uow.galleries.configure(replace(gallery, policy=POLICIES[2], fingerprint_dpi=1000))
            uow.galleries.set_wrapped_key(gallery.uuid, b"new key")

        with store.reading() as uow:
            assert uow.galleries.by_name("default") == replace(
                gallery, policy=POLICIES[2], fingerprint_dpi=1000, wrapped_key=b"new key"
            )
            assert uow.galleries.by_name("other") == a_gallery(2, "other")


class TestRemove:
    def test_it_takes_everything_in_the_gallery_and_nothing_else(self, store):
        doomed, kept = a_gallery(1, "doomed"), a_gallery(2, "kept")
        with store.writing() as uow:
            for number, gallery in enumerate((doomed, kept)):
                subject = a_subject(gallery, 100 + number)
                uow.galleries.add(gallery)
                uow.transforms.add(a_transform(gallery))
                uow.changes.record(gallery.uuid, [subject.uuid])
                uow.subjects.add(subject)
                uow.references.add_all([a_reference(subject, 1000 + number)])
                uow.answers.add(
                    StoredAnswer("id", "POST", "/enroll", gallery.name, b"h", 201, b"{}", subject.uuid, NOW)
                )

        with store.writing() as uow:
            uow.galleries.remove(doomed.uuid)

        with store.reading() as uow:
            assert uow.galleries.all() == [replace(kept, revision=1)]
            assert uow.galleries.counts(doomed.uuid) == (0, 0)
            assert uow.galleries.counts(kept.uuid) == (1, 1)
            assert uow.transforms.of_gallery(doomed.uuid) == []
            assert len(uow.transforms.of_gallery(kept.uuid)) == 1
            assert uow.answers.get("id", "POST", "/enroll", "doomed") is None
            assert uow.answers.get("id", "POST", "/enroll", "kept") is not None
            assert uow.references.encoder_counts() == {"fake@1": 1}

    def test_an_enrollment_under_way_leaves_no_answer_behind(self, store):
        gallery = a_gallery()
        subject = a_subject(gallery)
        answer = StoredAnswer("id", "POST", "/enroll", "key", b"h", 201, b"{}", subject.uuid, NOW)
        with store.writing() as uow:
            uow.galleries.add(gallery)

        def remove() -> None:
            with store.writing() as uow:
                uow.galleries.remove(gallery.uuid)

        remover = Thread(target=remove)
        with store.writing() as uow:
            uow.changes.record(gallery.uuid, [subject.uuid])
            uow.subjects.add(subject)
            remover.start()
            remover.join(BLOCKED_S)
            uow.answers.add(answer)
        remover.join(DONE_S)

        with store.reading() as uow:
            assert uow.galleries.all() == []
            assert uow.answers.get("id", "POST", "/enroll", "key") is None


class TestTransforms:
    def test_a_matrix_changed_in_the_database_is_read_again(self, store, engine):
        """It is kept in memory by its first bytes, which differ between any two."""
        first = a_transform(a_gallery(), wrapped_matrix=b"key id and first nonce" * 4)
        second = replace(first, wrapped_matrix=b"key id and other nonce" * 4)
        with store.writing() as uow:
            uow.galleries.add(a_gallery())
            uow.transforms.add(first)
        with store.reading() as uow:
            before = uow.transforms.of_gallery(first.gallery_uuid)

        with engine.begin() as connection:
            connection.execute(gallery_transforms.update().values(wrapped_matrix=second.wrapped_matrix))

        with store.reading() as uow:
            assert before == [first]
            assert uow.transforms.of_gallery(first.gallery_uuid) == [second]
            assert uow.transforms.current(first.gallery_uuid, first.modality, first.encoder) == second

    def test_the_current_one_is_of_the_highest_version(self, store):
        gallery = a_gallery()
        versions = [a_transform(gallery, version) for version in (1, 2, 10)]
        other = a_transform(gallery, 99, encoder="other@1")
        with store.writing() as uow:
            uow.galleries.add(gallery)
            for transform in (*versions, other):
                uow.transforms.add(transform)

        with store.writing() as uow:
            current = uow.transforms.current(gallery.uuid, Modality.ECG, "fake@1")
            uow.transforms.remove_older(gallery.uuid, Modality.ECG, "fake@1", 10)

        with store.reading() as uow:
            assert current == versions[2]
            assert uow.transforms.of_gallery(gallery.uuid) == [versions[2], other]
            assert uow.transforms.current(gallery.uuid, Modality.FACE, "fake@1") is None

    def test_a_known_matrix_is_not_fetched_again(self, store, engine):
        gallery, statements = a_gallery(), []
        stored = a_transform(gallery, wrapped_matrix=b"key id and its nonce" * 10_000)
        with store.writing() as uow:
            uow.galleries.add(gallery)
            uow.transforms.add(stored)
            uow.transforms.of_gallery(gallery.uuid)
        event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))

        with store.reading() as uow:
            found = uow.transforms.of_gallery(gallery.uuid)

        assert found == [stored]
        assert len([statement for statement in statements if "gallery_transforms" in statement]) == 1
        assert not any("SELECT gallery_transforms.wrapped_matrix" in statement for statement in statements)
