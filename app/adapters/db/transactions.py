"""Transactions on the driver's own connection.

SQLAlchemy keeps the pool, but does not begin and end a unit of work: its connection object, characteristics
and events cost as much as three statements on SQLite, and half a dozen on PostgreSQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine

from app.adapters.db import sqlite
from app.adapters.db.statements import Transaction


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Transaction]:
    """One transaction on a connection of the pool; whoever writes commits, what is not committed is undone.

    Args:
        engine: Of either database.
        writes: A reader sees one snapshot, and its writes are refused. On PostgreSQL a writer reads what is
            committed, on SQLite it takes the one write lock first.
    """
    pooled = engine.raw_connection()
    driver: Any = pooled.driver_connection
    try:
        if isinstance(driver, sqlite3.Connection):
            sqlite.begin(driver, pooled.info, writes=writes)
        else:
            _prepare(driver, writes=writes)  # The first statement begins.
        yield Transaction(driver, engine.dialect)
    except psycopg.Error:
        if driver.closed:  # The server went away: nothing is left to roll back.
            pooled.invalidate()
        raise
    finally:
        pooled.close()  # The pool rolls back.


def _prepare(driver: psycopg.Connection[Any], *, writes: bool) -> None:
    """What the next BEGIN says; left as it is where it says so already."""
    level = psycopg.IsolationLevel.READ_COMMITTED if writes else psycopg.IsolationLevel.REPEATABLE_READ
    if driver.isolation_level != level:
        driver.isolation_level = level
    if driver.read_only is not (not writes):
        driver.read_only = not writes
