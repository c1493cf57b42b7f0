"""Core statements, compiled once per kind of database and run on the driver's own cursor.

SQLAlchemy's execution costs 25 µs a statement, a durable enrollment without it 250 µs: ten statements would
double it. So SQLAlchemy says *what* (tables, types, dialects, pools, transactions) and this file runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Delete, Dialect, Insert, Select, TypeDecorator, Update
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any]
Core = Select[*tuple[Any, ...]] | Insert | Update | Delete

_NOTHING: Mapping[str, Any] = {}


class Transaction:
    """The driver's connection inside a transaction."""

    def __init__(self, driver: Any, dialect: Dialect) -> None:
        self.driver = driver
        self.dialect = dialect
        self.erases = False  # Whether something was deleted that must not linger in any file.

    def commit(self) -> None:
        self.driver.commit()


class Statement:
    """A statement whose values are given by name when it runs.

    Args:
        core: Named ``bindparam`` for what varies (insert: the columns' names); values in it are kept.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, within: Transaction, values: Mapping[str, Any] = _NOTHING) -> list[Sequence[Any]]:
        """All rows of the answer."""
        compiled = self._for(within.dialect)
        cursor = within.driver.cursor()
        try:
            found = cursor.execute(compiled.sql, compiled.bind(values)).fetchall()
        finally:
            cursor.close()
        return compiled.converted(found)

    def first(self, within: Transaction, values: Mapping[str, Any] = _NOTHING) -> Sequence[Any] | None:
        """The only row that the statement can return, if there is one."""
        found = self.rows(within, values)
        return found[0] if found else None

    def run(self, within: Transaction, values: Mapping[str, Any] = _NOTHING) -> int:
        """How many rows were written."""
        compiled = self._for(within.dialect)
        cursor = within.driver.cursor()
        try:
            count: int = cursor.execute(compiled.sql, compiled.bind(values)).rowcount
        finally:
            cursor.close()
        return count

    def run_many(self, within: Transaction, many: Sequence[Mapping[str, Any]]) -> None:
        """Once per mapping, in as few round trips as the driver can."""
        if len(many) == 1:  # Preparing a batch costs more than one row.
            self.run(within, many[0])
            return
        compiled = self._for(within.dialect)
        cursor = within.driver.cursor()
        try:
            cursor.executemany(compiled.sql, map(compiled.bind, many))
        finally:
            cursor.close()

    def _for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self._core, dialect)
        return compiled


@dataclass(frozen=True)
class _Compiled:
    sql: str
    names: tuple[str, ...]
    positional: bool
    fixed: Mapping[str, Any]
    binders: Sequence[tuple[int, Processor]]  # By place among the names.
    converters: Sequence[tuple[int, Processor]]  # By place in a row.

    def bind(self, values: Mapping[str, Any]) -> Any:
        if self.fixed:
            values = {**self.fixed, **values}
        bound = [values[name] for name in self.names]
        for place, process in self.binders:
            bound[place] = process(bound[place])
        return bound if self.positional else dict(zip(self.names, bound, strict=True))

    def converted(self, rows: list[Sequence[Any]]) -> list[Sequence[Any]]:
        return [self._convert(list(row)) for row in rows] if self.converters else rows

    def _convert(self, row: list[Any]) -> list[Any]:
        for place, process in self.converters:
            if row[place] is not None:
                row[place] = process(row[place])
        return row


def _compile(core: Core, dialect: Dialect) -> _Compiled:
    compiled = core.compile(dialect=dialect)
    assert "POSTCOMPILE" not in str(compiled), "lists have to be written out, parameter by parameter"
    names = tuple(compiled.positiontup or compiled.params)
    types = {name: bind.type for bind, name in compiled.bind_names.items()}
    binders = (types[name].dialect_impl(dialect).bind_processor(dialect) for name in names)
    converters = (_converter(column.type, dialect) for column in core.exported_columns)
    return _Compiled(
        sql=str(compiled),
        names=names,
        positional=compiled.positiontup is not None,
        # Without the None of parameters that have no value yet: a forgotten one must not become NULL.
        fixed={name: value for name, value in compiled.params.items() if value is not None},
        binders=[(place, process) for place, process in enumerate(binders) if process is not None],
        converters=[(place, process) for place, process in enumerate(converters) if process is not None],
    )


def _converter(type_: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    """Both drivers answer numbers, text and bytes as they should be; the rest is for us to convert."""
    if isinstance(type_, TypeDecorator | JSON):
        return type_.dialect_impl(dialect).result_processor(dialect, None)
    return None
