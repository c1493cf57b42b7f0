"""Cursors: opaque, exact, and bound to their list."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.cursors import decode_cursor, encode_cursor
from app.domain.errors import UnprocessableError
from app.domain.ports.pages import PageCursor

HERE = {"path": "/subjects", "gallery": "default"}


@pytest.fixture
def cursor():
    return PageCursor(datetime(2026, 11, 20, 9, 30, 0, 123456, tzinfo=UTC), uuid4())


class TestRoundTrip:
    @given(created_at=st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1)), uuid=st.uuids())
    def test_keeps_the_position_to_the_microsecond(self, created_at, uuid):
        cursor = PageCursor(created_at.replace(tzinfo=UTC), uuid)

        assert decode_cursor(encode_cursor(cursor, **HERE), **HERE) == cursor

    def test_the_end_is_none(self):
        assert encode_cursor(None, **HERE) is None
        assert decode_cursor(None, **HERE) is None

    def test_other_zones_are_the_same_moment(self, cursor):
        moved = PageCursor(cursor.created_at.astimezone(), cursor.id)

        assert decode_cursor(
            encode_cursor(moved, **HERE), **HERE
        ).created_at - cursor.created_at == timedelta(0)


class TestRefusal:
    @pytest.mark.parametrize(
        "there", [{"path": "/galleries", "gallery": "default"}, HERE | {"gallery": "other"}]
    )
    def test_of_another_list(self, cursor, there):
        with pytest.raises(UnprocessableError):
            decode_cursor(encode_cursor(cursor, **HERE), **there)

    @given(text=st.text(alphabet=st.characters(codec="ascii"), max_size=80))
    def test_of_anything_else(self, text):
        with pytest.raises(UnprocessableError):
            decode_cursor(text, **HERE)
