"""The vector index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from app.domain.arrays import IntArray
from app.domain.references import Modality, Vector


class IndexKey(NamedTuple):
    """One comparable set of templates.

    Attributes:
        evidence_class: Of the enrolled side. What a cosine is worth depends on it, so a shortlist by cosine
            has to be drawn per class.
        local: Whether it holds vectors of parts of the templates, dozens per id, and not the templates.
    """

    gallery_uuid: UUID
    modality: Modality
    position: str
    encoder: str
    transform_version: int
    evidence_class: int = 0
    local: bool = False


class TemplateIndex(Protocol):
    """Search by inner product over enrolled vectors; derived data, safe to apply twice.

    Ids are our own int64; each owns one vector or several. Vectors that are not finite or not of the key's
    size are refused with ValueError. Unknown ids and keys are ignored by removals and searched as empty. All
    methods may be called from several threads.

    A search may be approximate: those who decide read the vectors of the shortlist and compare again.
    """

    def upsert(self, key: IndexKey, ids: IntArray, vectors: Vector) -> None:
        """Store the vectors of ids, shapes (n,) and (n, d), in place of what they had.

        An id that is named several times owns several vectors.
        """

    def remove(self, key: IndexKey, ids: IntArray) -> None: ...

    def drop(self, key: IndexKey) -> None: ...

    def keys(self) -> Sequence[IndexKey]: ...

    def count(self, key: IndexKey) -> int:
        """Different ids."""

    def shortlist(self, key: IndexKey, vectors: Vector, k: int, best: int = 1) -> tuple[IntArray, Vector]:
        """The k ids that resemble a probe most, with their scores, best first, ties by id.

        Args:
            key: Where to search.
            vectors: Of the probe, float32, shape (q, d), q ≥ 1.
            k: How many ids at most.
            best: What an id scores is the sum of so many of the largest products, one per probe vector, each
                with the vector of the id that is most like it. 1: the largest product of any two.
        """

    def vectors(self, key: IndexKey, ids: IntArray) -> Vector:
        """Vectors of known ids, id by id, shape (n, d); KeyError for an unknown one."""
