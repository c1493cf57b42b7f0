"""Statements compiled once and run on the driver's cursor."""

import pytest
from sqlalchemy import bindparam, insert, select, update

from app.adapters.db.statements import Statement, Transaction
from app.adapters.db.tables import subjects
from app.adapters.db.unit_of_work import SqlStore
from tests.stored import NOW, a_gallery, a_subject

GALLERY = a_gallery()
ANNA, BERTA = a_subject(GALLERY, 1), a_subject(GALLERY, 2)


@pytest.fixture
def store(store: SqlStore) -> SqlStore:
    """With two subjects."""
    with store.writing() as uow:
        uow.galleries.add(GALLERY)
        uow.subjects.add_all([ANNA, BERTA])
    return store


def transaction(uow) -> Transaction:
    return uow.subjects._within


class TestStatement:
    def test_values_are_converted_both_ways(self, store):
        statement = Statement(
            select(subjects.c.uuid, subjects.c.created_at, subjects.c.wrapped_key).where(
                subjects.c.uuid == bindparam("wanted")
            )
        )

        with store.reading() as uow:
            row = statement.first(transaction(uow), {"wanted": BERTA.uuid})

        assert list(row) == [BERTA.uuid, NOW, BERTA.wrapped_key]

    def test_values_written_into_the_statement_are_kept(self, store):
        statement = Statement(select(subjects.c.subject_id).where(subjects.c.uuid == ANNA.uuid))

        with store.reading() as uow:
            assert [list(row) for row in statement.rows(transaction(uow))] == [["operator-1"]]

    def test_it_tells_how_many_rows_were_written(self, store):
        statement = Statement(update(subjects).values(consent_text_id=bindparam("text_id")))

        with store.writing() as uow:
            assert statement.run(transaction(uow), {"text_id": "terms"}) == 2

    def test_nothing_found_is_none_and_no_rows(self, store):
        statement = Statement(select(subjects.c.uuid).where(subjects.c.subject_id == bindparam("named")))

        with store.reading() as uow:
            assert statement.first(transaction(uow), {"named": "nobody"}) is None
            assert statement.rows(transaction(uow), {"named": "nobody"}) == []

    def test_a_value_that_is_missing_is_an_error_and_not_null(self, store):
        with store.reading() as uow, pytest.raises(KeyError):
            Statement(insert(subjects)).run(transaction(uow), {"uuid": ANNA.uuid})

    def test_a_list_that_is_not_written_out_is_refused(self, store):
        statement = Statement(select(subjects.c.uuid).where(subjects.c.subject_id.in_(["a", "b"])))

        with store.reading() as uow, pytest.raises(AssertionError, match="written out"):
            statement.rows(transaction(uow))

    def test_a_percent_sign_is_only_a_percent_sign(self, store):
        statement = Statement(select(subjects.c.subject_id).where(subjects.c.subject_id.like("%-1")))

        with store.reading() as uow:
            assert [row[0] for row in statement.rows(transaction(uow))] == ["operator-1"]
