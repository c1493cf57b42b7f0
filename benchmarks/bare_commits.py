"""The cheapest durable operation of a database: insert one small row and commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from app.adapters.db.engine import open_engine


@contextmanager
def bare_commits(url: str) -> Iterator[Callable[[], None]]:
    """Return a function that commits one row on the driver's own connection, as durably as the service."""
    engine = open_engine(url)
    is_sqlite = engine.dialect.name == "sqlite"
    pooled = engine.raw_connection()
    try:
        driver: Any = pooled.driver_connection
        driver.execute("CREATE TABLE bench_rows (id INTEGER PRIMARY KEY, content VARCHAR(32))")
        driver.commit()
        begin = "BEGIN IMMEDIATE" if is_sqlite else "BEGIN"
        insert = (
            "INSERT INTO bench_rows VALUES (?, ?)" if is_sqlite else "INSERT INTO bench_rows VALUES (%s, %s)"
        )
        count = 0
        if not is_sqlite:
            driver.autocommit = True  # So that BEGIN and COMMIT are ours here too.

        def commit_row() -> None:
            nonlocal count
            count += 1
            driver.execute(begin)
            driver.execute(insert, (count, "one small row"))
            driver.execute("COMMIT")

        yield commit_row
    finally:
        pooled.close()
        engine.dispose()
