"""The step between a capture and a network: pure signal or image processing, one class per kind of bundle.

Recordings are not stored, so templates cannot be made again. A bundle therefore names the version of the
preparation its templates were made with, and the constants of that chain. The golden vectors (`tests/golden`)
decide whether a change needs a new version, not source text: as long as every shipped bundle gives its golden
vectors, code may be moved and rewritten under the same number. A change that moves them is a new class under
the next number, and the old class stays for as long as a bundle names it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ml.runtime.details import DetailComparer
from ml.runtime.evidence import Evidence

Shape = tuple[int | str, ...]
"""A number is that many, `n` any number (a free dimension), `d` one number that the network fixes."""
Inputs = Mapping[str, NDArray[np.float32]]
Constants = Mapping[str, Any]
"""Numbers that shape a vector, by name, in their JSON form."""
CaptureT = TypeVar("CaptureT")

FREE: Final = "n"
FIXED: Final = "d"
LOCAL: Final = "local"


@dataclass(frozen=True, eq=False, repr=False)
class Prepared:
    """One capture as a network reads it, and how much evidence it holds.

    Args:
        inputs: float32 arrays by the names of the network's inputs.
        evidence: How much of the capture is accepted, and how clean that is.
        reasons: Why parts of the capture were not accepted.
        facts: What else the modality knows of the capture, such as `ml.runtime.ecg.preparation.EcgFacts`.
        detail: What the preparation's comparer opens and compares; None if it has none.
    """

    inputs: Inputs
    evidence: Evidence
    reasons: tuple[str, ...] = ()
    facts: object | None = None
    detail: bytes | None = None


class Preparation(ABC, Generic[CaptureT]):
    """Turns captures of one modality into the inputs of one kind of network.

    Attributes:
        modality: Whose captures it reads.
        unit: What its evidence is counted in.
        reads: Shapes of the network's inputs by name.
        gives: Shapes of the network's outputs by name: the vector first, (1 or n, d), and under the name
            `local` vectors of parts of the capture, (n, d), if there are such.
    """

    modality: ClassVar[str]
    unit: ClassVar[str]
    reads: Mapping[str, Shape]
    gives: Mapping[str, Shape]

    @classmethod
    @abstractmethod
    def from_dict(cls, preprocessing: Mapping[str, Any]) -> Preparation[CaptureT]:
        """Read `preprocessing` of `bundle.json`.

        Raises:
            ValueError: Missing, unknown or impossible parameters.
        """

    @classmethod
    def opened(
        cls,
        preprocessing: Mapping[str, Any],
        files: Mapping[str, bytes],  # noqa: ARG003 – for kinds that have some.
    ) -> Preparation[CaptureT]:
        """Read `preprocessing` with the further files of the kind; without an override it has none.

        Raises:
            BundleError: A file that is not what the kind expects.
            ValueError: As of `from_dict`.
        """
        return cls.from_dict(preprocessing)

    @classmethod
    @abstractmethod
    def constants(cls) -> Constants:
        """Return the constants of the chain that shape vectors, as they are now."""

    @abstractmethod
    def prepare(self, capture: CaptureT) -> Prepared:
        """Check a capture, clean it and cut out of it what the network reads.

        Raises:
            CaptureError: One of its subclasses says what is wrong.
        """

    def examine(self, capture: CaptureT) -> object | None:  # noqa: ARG002 – for those who override it.
        """Return facts of a capture that `prepare` may refuse, to show why; None if nothing is to be seen.

        Without an override, refused captures have none.
        """
        return None

    @abstractmethod
    def example(self) -> CaptureT:
        """Return a computed capture that comes through to the network, to warm up with."""

    def comparer(self) -> DetailComparer | None:
        """Return what compares the details of its captures; None if their vectors are compared."""
        return None


def require_preparation(
    version: int, constants: Constants, known: Mapping[int, Callable[[], Constants]]
) -> None:
    """Check that the code still has a preparation, unchanged.

    Args:
        version: The number that the bundle names.
        constants: Those that the bundle names.
        known: Every version that the code has, with what gives its constants.

    Raises:
        ValueError: An unknown version, or other constants than the bundle was made with.
    """
    if version not in known:
        numbers = ", ".join(map(str, sorted(known)))
        raise ValueError(f"preparation_version: expected one that this code has ({numbers}), found {version}")
    own = json_form(known[version]())
    differing = sorted(name for name in own.keys() | constants.keys() if own.get(name) != constants.get(name))
    if differing:
        listed = ", ".join(f"{name} {constants.get(name)} (code: {own.get(name)})" for name in differing)
        raise ValueError(f"preparation_constants: version {version} of this code differs in {listed}")


def json_form(constants: Constants) -> dict[str, Any]:
    """Return constants as they are read back from `bundle.json`: tuples become lists."""
    form: dict[str, Any] = json.loads(json.dumps(dict(constants)))
    return form
