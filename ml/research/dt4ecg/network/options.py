"""Named options of backbones and attentions, read from a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Options = TypeVar("Options", bound=DataclassInstance)


def make_options(options_class: type[Options], owner: str, given: Mapping[str, Any]) -> Options:
    """Build options from names and values; lists, as in JSON, become tuples.

    Args:
        options_class: A frozen dataclass whose fields all have defaults.
        owner: Owner of the options, for the message.
        given: Differences from the defaults.

    Raises:
        ValueError: An unknown name (the message lists the known ones), or an invalid value.
    """
    known = [field.name for field in fields(options_class)]
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"options of {owner}: unknown {unknown}, known are {known}")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return options_class(**values)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Check that a value is one of the named choices.

    Raises:
        ValueError: The message lists the choices.
    """
    if value not in choices:
        raise ValueError(f"{name}: expected one of {list(choices)}, got {value!r}")
