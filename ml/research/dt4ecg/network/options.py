"""Named options of backbones and attentions, read from a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Options = TypeVar("Options", bound=DataclassInstance)


def make_options(options_class: type[Options], owner: str, given: Mapping[str, Any]) -> Options:
    """Make options from names and values; lists, as JSON has them, become tuples.

    Args:
        options_class: A frozen dataclass whose fields all have defaults.
        owner: Whose options they are, for the message.
        given: What differs from the defaults.

    Raises:
        ValueError: An unknown name; the message lists the known ones. A value that the options refuse.
    """
    known = [field.name for field in fields(options_class)]
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"options of {owner}: unknown {unknown}, known are {known}")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return options_class(**values)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse what is none of the named choices.

    Raises:
        ValueError: The message lists the choices.
    """
    if value not in choices:
        raise ValueError(f"{name}: expected one of {list(choices)}, got {value!r}")
