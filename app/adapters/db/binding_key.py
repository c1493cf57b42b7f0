"""The key that rows are bound with: drawn once, wrapped by the master key, stored beside what it binds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Table, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.adapters.crypto import EnvelopeVault
from app.adapters.db.engine import for_reading
from app.adapters.db.faults import translated_faults
from app.adapters.db.references import stored_values
from app.adapters.db.row_binding import (
    Report,
    RowBinding,
    client_values,
    gallery_values,
)
from app.adapters.db.subjects import stored_subject
from app.adapters.db.tables import api_clients, biometric_references, galleries, row_binding, subjects
from app.domain.errors import ConfigurationError, TemplateIntegrityError

log = structlog.get_logger(__name__)

_ROWS_AT_ONCE = 5_000
_REMEDY = "Look at the rows with `python -m app.cli doctor`; `doctor --bind` accepts them as they are."


def open_binding(engine: Engine, vault: EnvelopeVault, report: Report = lambda *_: None) -> RowBinding:
    """The binding of this database.

    A database that has none yet is bound as it is, once, and the log says so.

    Safe from several processes at once.

    Raises:
        ConfigurationError: The key is gone although there are bound rows, or does not open.
    """
    with translated_faults():
        wrapped = _read(engine)
        if wrapped is None:
            wrapped = _bind_first(engine, vault)
    return RowBinding(_opened(vault, wrapped), report)


def is_bound(engine: Engine) -> bool:
    """Whether the rows of this database have been bound.

    Raises:
        ConfigurationError: Some are, and the key for it is gone.
    """
    with translated_faults(), for_reading(engine).connect() as connection:
        if _stored(connection) is not None:
            return True
        _require_unbound(connection)
    return False


def bind_again(engine: Engine, vault: EnvelopeVault) -> int:
    """Accept all rows as they are now, under the key that is there or a new one; how many rows there are.

    For rows that a release before this one wrote, and after somebody has looked at what `doctor` lists.
    """
    with translated_faults(), engine.begin() as connection:
        wrapped = _stored(connection)
        if wrapped is None:
            wrapped = vault.new_binding_key()
            connection.execute(insert(row_binding), {"id": 1, "wrapped_key": wrapped})
        return _bind_all(connection, RowBinding(_opened(vault, wrapped)))


def rewrap_binding_key(engine: Engine, vault: EnvelopeVault) -> None:
    """Put the key under the first master key."""
    with translated_faults(), engine.begin() as connection:
        wrapped = _stored(connection)
        if wrapped is not None:
            renewed = vault.rewrapped_binding_key(wrapped)
            connection.execute(update(row_binding).values(wrapped_key=renewed))


def damaged_rows(engine: Engine, binding: RowBinding) -> list[tuple[str, str, str]]:
    """(table, id, what it says it is) of all rows that are not what they were bound to."""
    found = []
    with translated_faults(), for_reading(engine).connect() as connection:
        for table, values_of in _CONTENTS:
            for row in connection.execute(select(table).execution_options(yield_per=_ROWS_AT_ONCE)):
                if not binding.holds(table.name, values_of(row), row.binding):
                    found.append((table.name, str(row[0]), _name_of(row)))
    return found


def _name_of(row: Any) -> str:
    for column in ("name", "subject_id", "subject_uuid"):
        if hasattr(row, column):
            return str(getattr(row, column))
    return ""


def _read(engine: Engine) -> bytes | None:
    with for_reading(engine).connect() as connection:
        return _stored(connection)


def _stored(connection: Connection) -> bytes | None:
    wrapped: bytes | None = connection.scalar(select(row_binding.c.wrapped_key))
    return None if wrapped is None else bytes(wrapped)


def _opened(vault: EnvelopeVault, wrapped: bytes) -> bytes:
    try:
        return vault.binding_key(wrapped)
    except TemplateIntegrityError:
        raise ConfigurationError(
            "The key that rows are bound with (table row_binding) does not open: restore that row from a"
            " backup, or delete it. " + _REMEDY
        ) from None


def _bind_first(engine: Engine, vault: EnvelopeVault) -> bytes:
    wrapped = vault.new_binding_key()
    try:
        with engine.begin() as connection:
            # First, so that of several processes one goes on and the others wait for it.
            connection.execute(insert(row_binding), {"id": 1, "wrapped_key": wrapped})
            _require_unbound(connection)
            rows = _bind_all(connection, RowBinding(_opened(vault, wrapped)))
    except IntegrityError:  # Another process was first.
        stored = _read(engine)
        assert stored is not None
        return stored
    if rows:
        log.warning("store.rows_bound", rows=rows)
    return wrapped


def _require_unbound(connection: Connection) -> None:
    if any(_has_bound_rows(connection, table) for table, _ in _CONTENTS):
        raise ConfigurationError(
            "There are bound rows and no key for them (table row_binding): it was tampered with. " + _REMEDY
        )


def _has_bound_rows(connection: Connection, table: Table) -> bool:
    bound = select(func.count()).select_from(table).where(table.c.binding.is_not(None))
    return bool(connection.scalar(bound))


def _bind_all(connection: Connection, binding: RowBinding) -> int:
    return sum(_bind_table(connection, binding, table, values_of) for table, values_of in _CONTENTS)


def _bind_table(
    connection: Connection,
    binding: RowBinding,
    table: Table,
    values_of: Callable[[Any], Sequence[Any]],
) -> int:
    key = table.primary_key.columns[0]
    bound = [
        {"row_key": row[0], "made": binding.made(table.name, values_of(row))}
        for row in connection.execute(select(table))
    ]
    statement = update(table).where(key == bindparam("row_key")).values(binding=bindparam("made"))
    for start in range(0, len(bound), _ROWS_AT_ONCE):
        connection.execute(statement, bound[start : start + _ROWS_AT_ONCE])
    return len(bound)


def _of_gallery(row: Any) -> Sequence[Any]:
    return gallery_values(row.uuid, row.name, row.policy, row.fingerprint_dpi, row.created_at)


_CONTENTS: tuple[tuple[Table, Callable[[Any], Sequence[Any]]], ...] = (
    (galleries, _of_gallery),
    (api_clients, client_values),
    (subjects, stored_subject),
    (biometric_references, stored_values),
)
