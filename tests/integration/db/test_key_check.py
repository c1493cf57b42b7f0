"""A database without its key is useless, and says so."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from app.adapters.crypto import EnvelopeVault
from app.adapters.db import key_check
from app.adapters.db.key_check import ensure_key_check, renew_key_check
from app.domain.errors import ConfigurationError
from tests.stored import a_gallery, master_key

OLD, NEW = master_key(1), master_key(2)


def value_of(engine) -> bytes | None:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT value FROM key_check")).scalar()
    return None if found is None else bytes(found)


class TestEnsureKeyCheck:
    def test_a_fresh_database_takes_the_value_and_keeps_it(self, engine):
        ensure_key_check(engine, EnvelopeVault([OLD]))
        first = value_of(engine)
        ensure_key_check(engine, EnvelopeVault([OLD]))

        assert first is not None
        assert value_of(engine) == first

    def test_another_key_is_refused_and_generates_nothing(self, engine):
        ensure_key_check(engine, EnvelopeVault([OLD]))
        before = value_of(engine)

        with pytest.raises(ConfigurationError, match="does not belong to this database"):
            ensure_key_check(engine, EnvelopeVault([NEW]))

        assert value_of(engine) == before

    def test_galleries_without_a_value_are_refused(self, engine, store):
        with store.writing() as uow:
            uow.galleries.add(a_gallery())

        with pytest.raises(ConfigurationError, match="key-check"):
            ensure_key_check(engine, EnvelopeVault([OLD]))

        assert value_of(engine) is None

    def test_a_value_that_was_tampered_with_is_refused(self, engine):
        ensure_key_check(engine, EnvelopeVault([OLD]))
        value = value_of(engine)
        with engine.begin() as connection:
            changed = value[:-1] + bytes([value[-1] ^ 1])
            connection.execute(text("UPDATE key_check SET value = :v"), {"v": changed})

        with pytest.raises(ConfigurationError):
            ensure_key_check(engine, EnvelopeVault([OLD]))

    def test_workers_that_start_together_agree(self, engine):
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: ensure_key_check(engine, EnvelopeVault([OLD])), range(4)))

        ensure_key_check(engine, EnvelopeVault([OLD]))

    def test_a_worker_that_looked_before_another_stored_takes_the_others(self, engine, store):
        ensure_key_check(engine, EnvelopeVault([OLD]))  # The other, whose first gallery follows at once.
        with store.writing() as uow:
            uow.galleries.add(a_gallery())

        found = key_check._store_first(engine, EnvelopeVault([OLD]).key_check_value())

        assert found == value_of(engine)


class TestRenewKeyCheck:
    def test_after_a_rotation_the_old_key_alone_no_longer_opens(self, engine):
        ensure_key_check(engine, EnvelopeVault([OLD]))

        renew_key_check(engine, EnvelopeVault([NEW, OLD]))

        ensure_key_check(engine, EnvelopeVault([NEW]))
        with pytest.raises(ConfigurationError):
            ensure_key_check(engine, EnvelopeVault([OLD]))

    def test_a_key_that_never_belonged_cannot_take_over(self, engine):
        ensure_key_check(engine, EnvelopeVault([OLD]))

        with pytest.raises(ConfigurationError):
            renew_key_check(engine, EnvelopeVault([NEW]))

        ensure_key_check(engine, EnvelopeVault([OLD]))
