"""The key-check value: does this master key belong to this database?"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.adapters.crypto import EnvelopeVault
from app.adapters.db.engine import for_reading
from app.adapters.db.faults import translated_faults
from app.adapters.db.tables import galleries, key_check
from app.domain.errors import ConfigurationError


def ensure_key_check(engine: Engine, vault: EnvelopeVault) -> None:
    """Store the value in a fresh database, verify it in every other. Safe from several processes at once.

    Raises:
        ConfigurationError: The master key is not the one this database was made with.
    """
    with translated_faults():
        stored = _read(engine)
        if stored is None:
            stored = _store_first(engine, vault.key_check_value())
    vault.verify_key_check(stored)


def verify_key_check(engine: Engine, vault: EnvelopeVault) -> None:
    """The same, and a fresh database stays as it is."""
    with translated_faults():
        stored = _read(engine)
    if stored is not None:
        vault.verify_key_check(stored)


def renew_key_check(engine: Engine, vault: EnvelopeVault) -> None:
    """Put the value under the first master key: the last step of a rewrap."""
    ensure_key_check(engine, vault)
    with translated_faults(), engine.begin() as connection:
        connection.execute(update(key_check).values(value=vault.key_check_value()))


def _read(engine: Engine) -> bytes | None:
    with for_reading(engine).connect() as connection:
        return _value(connection)


def _store_first(engine: Engine, value: bytes) -> bytes:
    try:
        with engine.begin() as connection:
            populated = connection.scalar(select(func.count()).select_from(galleries))
            stored = _value(connection)  # In this order: another process stores it before its first gallery.
            if stored is not None:
                return stored
            if populated:
                raise ConfigurationError(
                    "The database has galleries and no key-check value: it was tampered with."
                )
            connection.execute(insert(key_check), {"id": 1, "value": value})
            return value
    except IntegrityError:  # Another process was first; its key decides.
        stored = _read(engine)
        assert stored is not None
        return stored


def _value(connection: Connection) -> bytes | None:
    value: bytes | None = connection.scalar(select(key_check.c.value))
    return value
