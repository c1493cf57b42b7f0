"""Dataclasses of numbers, read from JSON with every number stated."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Parameters = TypeVar("Parameters", bound="DataclassInstance")


def read_parameters(kind: type[Parameters], given: object, where: str) -> Parameters:
    """Read a dataclass of numbers, each of them stated.

    Args:
        kind: The dataclass; whole numbers where its defaults are.
        given: JSON object.
        where: Its place, for the message.

    Raises:
        ValueError: Missing, unknown or impossible parameters.
    """
    known = {one.name: one.default for one in dataclasses.fields(kind)}
    if not isinstance(given, dict) or given.keys() != known.keys():
        odd = sorted(given.keys() ^ known.keys()) if isinstance(given, dict) else type(given).__name__
        raise ValueError(f"{where}: missing or unknown {odd}")
    for name, default in known.items():
        allowed = (int,) if isinstance(default, int) else (int, float)
        if not isinstance(given[name], allowed) or isinstance(given[name], bool):
            raise ValueError(f"{where}.{name}: expected {allowed[-1].__name__}, found {given[name]!r}")
    return kind(**given)
