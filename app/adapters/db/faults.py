"""Database errors → the domain's, without SQL, parameters or values: those are keys, names, ciphertexts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import psycopg
import structlog
from sqlalchemy import exc

from app.domain.errors import PulseprintError, TemporaryError

DRIVER_INTEGRITY_ERRORS = (sqlite3.IntegrityError, psycopg.IntegrityError)

log = structlog.get_logger(__name__)

_UNIQUE = ("23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
_FOREIGN_KEY = ("23503", "SQLITE_CONSTRAINT_FOREIGNKEY")

# Wrong statements and wrong values are our mistakes; waiting does not mend them.
_OUR_MISTAKES = ("DataError", "IntegrityError", "NotSupportedError", "ProgrammingError")


@contextmanager
def translated_faults() -> Iterator[None]:
    """What the database raises inside becomes ``TemporaryError`` or, if it is our mistake, an internal error.

    The original is dropped, not chained: PostgreSQL's messages quote whole rows.
    """
    try:
        yield
    except exc.DBAPIError as error:
        _refuse(error.orig if error.orig is not None else error)
    except (sqlite3.Error, psycopg.Error) as error:  # From statements run on the driver's cursors.
        _refuse(error)
    except exc.TimeoutError:
        _report("pool_exhausted")
        raise TemporaryError("All database connections are busy.", code="store_unavailable") from None


def is_unique_violation(error: BaseException) -> bool:
    """Whether somebody stored the same thing first."""
    return _fault_code(error) in _UNIQUE


def _refuse(error: BaseException) -> NoReturn:
    code = _fault_code(error)
    kind = next((base.__name__ for base in type(error).__mro__ if base.__name__ in _OUR_MISTAKES), None)
    _report(code or type(error).__name__)
    if code in (*_UNIQUE, *_FOREIGN_KEY):  # A lost race: what it conflicts with is visible at the next try.
        raise TemporaryError(
            "Another request changed the same thing first; try again.", code="store_unavailable"
        ) from None
    if kind is not None:
        raise PulseprintError(f"The database refused a statement ({kind}, {code}).") from None
    raise TemporaryError("The database cannot serve this now.", code="store_unavailable") from None


def _fault_code(error: BaseException | None) -> str | None:
    """SQLSTATE or SQLite's error name: tells the fault apart and quotes nothing."""
    return getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)


def _report(fault: str) -> None:
    log.warning("store.fault", fault=fault)
