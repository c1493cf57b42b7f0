"""RFC 3339 times in requests."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from app.api.schemas.timestamps import parse_timestamp


class TestParseTimestamp:
    @pytest.mark.parametrize(
        "text",
        [
            "2026-11-20T09:30:00Z",
            "2026-11-20t09:30:00z",
            "2026-11-20T10:30:00+01:00",
            "2026-11-20T09:30:00.000-00:00",
            "2026-11-19T23:30:00-10:00",
            "2026-11-20T09:30Z",
            "2026-11-20T10:30+01:00",
            "2026-11-20T10:30:00+01:00[Europe/Berlin]",
            "2026-11-20T10:30+01:00[Europe/Berlin]",
            "2026-11-20T09:30:00Z[UTC]",
            "2026-11-20T09:30:00.000000000Z[Etc/UTC]",
            "2026-11-20 10:30:00 +0100",
            "2026-11-20T05:30:00.000-0400",
            "2026-11-20 09:30:00Z",
            "2026-11-20 09:30:00+00",
            "2026-11-20 10:30:00.000000+01",
            "2026-11-20 15:00:00 +0530",
            "2026-11-20 09:30:00 UTC",
            "2026-11-20 10:30:00 +0100 CET",
            "2026-11-20T09:30:00,0Z",
            "20261120T093000Z",
            "20261120T1030+0100",
        ],
    )
    def test_every_spelling_is_the_same_moment(self, text):
        assert parse_timestamp(text) == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text",
        [
            "", "2026-11-20", "2026-11-20T09:30:00", "2026-11-20 09:30:00",
            "2026-11-20T09:30:00[Europe/Berlin]",
            "20/11/2026 09:30:00Z", "11-20-2026T09:30:00Z", "26-11-20T09:30:00Z", "2026-11-20T09Z",
            "2026-11-20T09:30:00 CET", "1763631000Z", "2026-11-20T09:30:00+01:00:00",
            "2026-11-20T09:30:00Z[", "2026-11-20T09:30:00Z[a b]", "2026-02-30T09:30:00Z",
            "2026-11-20T24:00:01Z", "2026-11-20T09:30:60Z", "2026-13-20T09:30:00Z",
            "2026-11-20T09:30:00+24:00",
            "2026-W47-5T09:30:00Z", "٢٠٢٦-11-20T09:30:00Z", "2026-11-20T09:30:00Z\n",
            "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z", 1763631000, None, True,
        ],
    )  # fmt: skip
    def test_anything_else_is_refused(self, text):
        with pytest.raises(PydanticCustomError):
            parse_timestamp(text)

    @pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2017-01-01T00:59:60.5+01:00"])
    def test_a_leap_second_is_the_second_after_it(self, text):
        assert parse_timestamp(text).replace(microsecond=0) == datetime(2017, 1, 1, tzinfo=UTC)

    def test_fractions_are_kept_to_the_microsecond(self):
        assert parse_timestamp("2026-11-20T09:30:00.123456789Z").microsecond == 123456
        assert parse_timestamp("2026-11-20T09:30:00.5Z").microsecond == 500000

    def test_a_time_without_an_offset_is_told_the_forms(self):
        with pytest.raises(PydanticCustomError, match=r"with an offset.*2026-11-20T09:30:00Z.*0100"):
            parse_timestamp("2026-11-20T09:30:00")

    def test_a_clock_may_run_ahead_by_a_day(self):
        ahead = datetime.now(UTC) + timedelta(hours=23)

        assert parse_timestamp(ahead.isoformat()) == ahead

    @given(st.text() | st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()))
    def test_text_is_a_time_or_refused(self, text):
        with suppress(PydanticCustomError):
            assert parse_timestamp(text).tzinfo is UTC
