"""Our ids are UUIDs of version 7."""

import time
from uuid import RFC_4122

from app.domain.identifiers import new_id


class TestNewId:
    def test_has_version_variant_and_time(self):
        before = time.time_ns() // 1_000_000

        one = new_id()

        assert (one.version, one.variant) == (7, RFC_4122)
        assert before <= one.int >> 80 <= time.time_ns() // 1_000_000

    def test_never_repeats(self):
        assert len({new_id() for _ in range(10_000)}) == 10_000
