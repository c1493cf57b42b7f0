"""Biometric references in the database."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from app.adapters.crypto import EnvelopeVault
from app.adapters.db.unit_of_work import SqlStore
from app.domain.errors import TemplateIntegrityError
from app.domain.ports.pages import PageCursor
from app.domain.ports.references import ReferenceRow, Resealed
from app.domain.references import Modality, TemplateKey
from ml.runtime.evidence import IMAGES, Evidence
from tests.stored import (
    NOW,
    a_gallery,
    a_reference,
    a_subject,
    later,
    master_key,
    sealed_gallery,
    sealed_reference,
    sealed_subject,
)

GALLERY, OTHER = a_gallery(1), a_gallery(2, "other")
ANNA, BERTA, STRANGER = a_subject(GALLERY, 11), a_subject(GALLERY, 12), a_subject(OTHER, 13)


@pytest.fixture
def store(store: SqlStore) -> SqlStore:
    """With three subjects in two galleries."""
    with store.writing() as uow:
        uow.galleries.add(GALLERY)
        uow.galleries.add(OTHER)
        uow.subjects.add_all([ANNA, BERTA, STRANGER])
    return store


def add(store: SqlStore, *references) -> None:
    with store.writing() as uow:
        uow.references.add_all(references)


class TestAddAll:
    def test_a_reference_comes_back_whole(self, store):
        reference = a_reference(
            ANNA,
            modality=Modality.FINGERPRINT,
            position="right_index",
            ciphertext=bytes(range(256)),
            evidence=Evidence(1.0, IMAGES, 0.1 + 0.2),
            captured_at=later(-3600),
        )

        add(store, reference)

        with store.reading() as uow:
            assert uow.references.get(ANNA.uuid, reference.id) == reference
            assert uow.references.of_subject(ANNA.uuid) == [reference]

    def test_nothing_to_add_is_nothing(self, store):
        add(store)

        with store.reading() as uow:
            assert uow.references.encoder_counts() == {}


class TestGet:
    def test_the_reference_of_another_subject_is_not_found(self, store):
        reference = a_reference(ANNA)
        add(store, reference)

        with store.reading() as uow:
            assert uow.references.get(BERTA.uuid, reference.id) is None
            assert uow.references.get(ANNA.uuid, UUID(int=5)) is None


class TestOrder:
    def test_references_come_by_time_then_id_whole_and_in_pages(self, store):
        references = [
            a_reference(ANNA, 3),
            a_reference(ANNA, 4),
            a_reference(ANNA, 1, created_at=later(1)),
        ]
        add(store, *reversed(references), a_reference(BERTA, 9))

        with store.reading() as uow:
            whole = uow.references.of_subject(ANNA.uuid)
            first = uow.references.page(ANNA.uuid, None, 2)
            second = uow.references.page(ANNA.uuid, PageCursor(NOW, UUID(int=4)), 2)

        assert whole == references
        assert first + second == references


class TestCounts:
    def test_keys_templates_and_encoders_are_counted(self, store):
        add(
            store,
            a_reference(ANNA, 1),
            a_reference(ANNA, 2),
            a_reference(ANNA, 3, position="I"),
            a_reference(ANNA, 4, encoder="fake@2"),
            a_reference(BERTA, 5),
            a_reference(STRANGER, 6),
        )

        with store.reading() as uow:
            assert uow.references.keys_of(ANNA.uuid) == {
                TemplateKey(Modality.ECG, "unknown", "fake@1"): 2,
                TemplateKey(Modality.ECG, "I", "fake@1"): 1,
                TemplateKey(Modality.ECG, "unknown", "fake@2"): 1,
            }
            assert uow.references.template_count(GALLERY.uuid, ["fake@1"]) == 3
            assert uow.references.template_count(GALLERY.uuid, ["fake@1", "fake@2", "gone@1"]) == 4
            assert uow.references.template_count(GALLERY.uuid, []) == 0
            assert uow.references.encoder_counts() == {"fake@1": 5, "fake@2": 1}
            assert uow.galleries.counts(GALLERY.uuid) == (2, 5)


class TestChange:
    def test_one_is_removed_alone(self, store):
        kept, gone = a_reference(ANNA, 1), a_reference(ANNA, 2)
        add(store, kept, gone)

        with store.writing() as uow:
            uow.references.remove(gone.id)

        with store.reading() as uow:
            assert uow.references.of_subject(ANNA.uuid) == [kept]

    def test_a_renewal_replaces_version_and_ciphertext(self, store):
        references = [a_reference(ANNA, number) for number in (1, 2, 3)]
        add(store, *references)

        with store.writing() as uow:
            uow.references.replace_ciphertexts(
                [Resealed(one.id, 2, f"new {one.id.int}".encode()) for one in references[:2]]
            )
            uow.references.replace_ciphertexts([])

        with store.reading() as uow:
            assert uow.references.of_subject(ANNA.uuid) == [
                replace(references[0], transform_version=2, ciphertext=b"new 1"),
                replace(references[1], transform_version=2, ciphertext=b"new 2"),
                references[2],
            ]


class TestSealedDetails:
    def test_they_are_read_apart_from_the_rows(self, store):
        add(
            store,
            a_reference(ANNA, 1, sealed_detail=b"detail 1"),
            a_reference(ANNA, 2),
            a_reference(BERTA, 3, sealed_detail=b"detail 3"),
            a_reference(BERTA, 4, sealed_detail=b"detail 4", encoder="fake@2"),
            a_reference(STRANGER, 5, sealed_detail=b"detail 5"),
        )

        with store.reading() as uow:
            everybody = dict(uow.references.sealed_details(GALLERY.uuid, ["fake@1"]))
            some = dict(uow.references.sealed_details(GALLERY.uuid, ["fake@1", "fake@2"], [BERTA.uuid]))
            nobody = dict(uow.references.sealed_details(GALLERY.uuid, ["fake@1"], []))

        assert everybody == {UUID(int=1).bytes: b"detail 1", UUID(int=3).bytes: b"detail 3"}
        assert some == {UUID(int=3).bytes: b"detail 3", UUID(int=4).bytes: b"detail 4"}
        assert nobody == {}

    def test_they_stay_with_their_reference(self, store):
        reference = a_reference(ANNA, 1, sealed_detail=b"detail 1")
        add(store, reference)

        with store.reading() as uow:
            assert uow.references.get(ANNA.uuid, reference.id) == reference

    def test_a_renewal_replaces_them_where_it_brings_any(self, store):
        first, second = (a_reference(ANNA, n, sealed_detail=b"old") for n in (1, 2))
        add(store, first, second)

        with store.writing() as uow:
            uow.references.replace_ciphertexts(
                [Resealed(first.id, 2, b"new"), Resealed(second.id, 2, b"new", b"new detail")]
            )

        with store.reading() as uow:
            found = uow.references.of_subject(ANNA.uuid)
        assert [one.sealed_detail for one in found] == [b"old", b"new detail"]
        assert {one.transform_version for one in found} == {2}

    def test_they_go_with_their_subject(self, store):
        add(store, a_reference(ANNA, 1, sealed_detail=b"detail 1"))

        with store.writing() as uow:
            uow.subjects.remove(ANNA.uuid)

        with store.reading() as uow:
            assert dict(uow.references.sealed_details(GALLERY.uuid, ["fake@1"])) == {}


class TestScan:
    def test_rows_are_light_tuples_in_order_of_subject_time_and_id(self, store):
        add(
            store,
            a_reference(BERTA, 1),
            a_reference(ANNA, 3, captured_at=NOW),
            a_reference(ANNA, 2, created_at=later(1)),
            a_reference(STRANGER, 4),
        )

        with store.reading() as uow:
            rows = list(uow.references.scan(GALLERY.uuid))

        assert [(row.subject_uuid, row.reference_id) for row in rows] == [
            (ANNA.uuid.bytes, UUID(int=3).bytes),
            (ANNA.uuid.bytes, UUID(int=2).bytes),
            (BERTA.uuid.bytes, UUID(int=1).bytes),
        ]
        assert rows[2] == ReferenceRow(
            subject_uuid=BERTA.uuid.bytes,
            subject_id="operator-12",
            wrapped_subject_key=b"wrapped subject key",
            reference_id=UUID(int=1).bytes,
            modality="ecg",
            position="unknown",
            encoder="fake@1",
            transform_version=1,
            ciphertext=b"ciphertext",
            quality=0.75,
            amount=10.5,
            session="session-1",
        )

    def test_some_subjects_of_the_gallery_alone(self, store):
        add(store, a_reference(BERTA, 1), a_reference(ANNA, 2), a_reference(STRANGER, 3))

        with store.reading() as uow:
            rows = list(uow.references.scan(GALLERY.uuid, [BERTA.uuid, STRANGER.uuid, UUID(int=9)]))
            nobody = list(uow.references.scan(GALLERY.uuid, []))

        assert [row.subject_id for row in rows] == ["operator-12"]
        assert nobody == []

    def test_more_subjects_than_one_query_takes(self, store):
        many = [a_subject(GALLERY, number) for number in range(1000, 13_000)]
        with store.writing() as uow:
            uow.subjects.add_all(many)
            uow.references.add_all([a_reference(subject, subject.uuid.int) for subject in many])

        with store.reading() as uow:
            rows = list(uow.references.scan(GALLERY.uuid, [subject.uuid for subject in reversed(many)]))

        assert [row.subject_uuid for row in rows] == [subject.uuid.bytes for subject in many]

    def test_it_reads_the_snapshot_of_its_unit(self, store):
        add(store, a_reference(ANNA, 1))

        with store.reading() as uow:
            revision = uow.galleries.revision(GALLERY.uuid)
            with store.writing() as other:
                other.changes.record(GALLERY.uuid, [BERTA.uuid])
                other.references.add_all([a_reference(BERTA, 2)])
            rows = list(uow.references.scan(GALLERY.uuid))

        assert revision == 0
        assert [row.subject_id for row in rows] == ["operator-11"]

    def test_what_is_read_after_a_scan_is_read_as_before(self, store):
        """A scan of PostgreSQL is binary, nothing else is."""
        reference = a_reference(ANNA)
        add(store, reference)

        with store.reading() as uow:
            list(uow.references.scan(GALLERY.uuid))

            assert uow.galleries.by_uuid(GALLERY.uuid) == GALLERY
            assert uow.references.of_subject(ANNA.uuid) == [reference]

    def test_a_scan_left_half_way_frees_the_connection(self, store):
        add(store, *(a_reference(ANNA, number) for number in range(1, 30)))

        with store.reading() as uow:
            first = next(iter(uow.references.scan(GALLERY.uuid)))

        assert first.subject_id == "operator-11"
        with store.writing() as uow:
            uow.changes.record(GALLERY.uuid, [])


class TestWithTheVault:
    @pytest.fixture
    def vault(self) -> EnvelopeVault:
        return EnvelopeVault([master_key()])

    def test_what_was_sealed_is_scanned_and_opened(self, store, vault):
        gallery, vectors = sealed_gallery(vault, 5, "sealed"), np.eye(4, 8, dtype=np.float32)
        subjects = [sealed_subject(vault, gallery, 500 + number) for number in range(4)]
        with store.writing() as uow:
            uow.galleries.add(gallery)
            uow.subjects.add_all(subjects)
            uow.references.add_all(
                [
                    sealed_reference(vault, gallery, subject, vector, 600 + number)
                    for number, (subject, vector) in enumerate(zip(subjects, vectors, strict=True))
                ]
            )

        with store.reading() as uow:
            opened = vault.open_many(gallery, list(uow.references.scan(gallery.uuid)))

        np.testing.assert_array_equal(opened, vectors)

    def test_swapping_two_rows_in_the_database_is_detected(self, store, vault):
        gallery = sealed_gallery(vault, 5, "sealed")
        subject = sealed_subject(vault, gallery, 500)
        first, second = (
            sealed_reference(vault, gallery, subject, np.eye(2, 8, dtype=np.float32)[n], 600 + n)
            for n in (0, 1)
        )
        with store.writing() as uow:
            uow.galleries.add(gallery)
            uow.subjects.add(subject)
            uow.references.add_all([first, second])
            uow.references.replace_ciphertexts(
                [Resealed(first.id, 1, second.ciphertext), Resealed(second.id, 1, first.ciphertext)]
            )

        with store.reading() as uow:
            rows = list(uow.references.scan(gallery.uuid))
        with pytest.raises(TemplateIntegrityError):
            vault.open_many(gallery, rows)
