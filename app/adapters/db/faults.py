"""Database errors → the domain's, without SQL, parameters or values: those are keys, names, ciphertexts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import structlog
from sqlalchemy import exc

from app.domain.errors import PulseprintError, TemporaryError

log = structlog.get_logger(__name__)

_UNIQUE = ("23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
_FOREIGN_KEY = ("23503", "SQLITE_CONSTRAINT_FOREIGNKEY")

# Wrong statements and wrong values are our mistakes; waiting does not mend them.
_OUR_MISTAKES = (exc.DataError, exc.IntegrityError, exc.NotSupportedError, exc.ProgrammingError)


@contextmanager
def translated_faults() -> Iterator[None]:
    """What the database raises inside becomes `TemporaryError` or, if it is our mistake, an internal error.

    The original is dropped, not chained: PostgreSQL's messages quote whole rows.
    """
    try:
        yield
    except exc.StatementError as error:
        _refuse(error)
    except exc.TimeoutError:
        _report("pool_exhausted")
        raise TemporaryError("All database connections are busy.", code="store_unavailable") from None


def is_unique_violation(error: exc.IntegrityError) -> bool:
    """Whether somebody stored the same thing first."""
    return _fault_code(error) in _UNIQUE


def _refuse(error: exc.StatementError) -> NoReturn:
    code = _fault_code(error)
    _report(code or type(error.orig or error).__name__)
    if code in (*_UNIQUE, *_FOREIGN_KEY):  # A lost race: what it conflicts with is visible at the next try.
        raise TemporaryError(
            "Another request changed the same thing first; try again.", code="store_unavailable"
        ) from None
    if isinstance(error, _OUR_MISTAKES) or not isinstance(error, exc.DBAPIError):
        kind = type(error).__name__
        raise PulseprintError(f"The database refused a statement ({kind}, {code}).") from None
    raise TemporaryError("The database cannot serve this now.", code="store_unavailable") from None


def _fault_code(error: exc.StatementError) -> str | None:
    """SQLSTATE or SQLite's error name: tells the fault apart and quotes nothing."""
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)


def _report(fault: str) -> None:
    log.warning("store.fault", fault=fault)
