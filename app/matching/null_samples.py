"""A gallery's own non-mated comparisons, kept up to date one subject at a time (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.ports import Calibration, Float64Array, GalleryNull, IntArray, Null
from app.domain.references import UNKNOWN_POSITION, Template, Vector, comparable
from app.domain.scores import pair_quality

MAX_SUBJECTS = 1000
_RECENT_SHARE = 0.05
_FIRST_CAPACITY = 32


@dataclass(frozen=True)
class SampledSubject:
    """What one subject brings: a single reference, and the templates by position."""

    reference: Template
    reference_position: str
    templates: Mapping[str, Template]


class _Templates:
    """Templates of one position as growing parallel arrays; absent ones are NaN."""

    def __init__(self, size: int, capacity: int) -> None:
        self.vectors: Vector = np.full((capacity, size), np.nan, dtype=np.float32)
        self.seconds: Float64Array = np.zeros(capacity)
        self.quality: Float64Array = np.zeros(capacity)

    def put(self, row: int, template: Template | None) -> None:
        self.vectors[row] = np.nan if template is None else template.vector
        self.seconds[row] = 0.0 if template is None else template.seconds
        self.quality[row] = 0.0 if template is None else template.quality

    def grow(self, capacity: int) -> None:
        more = capacity - len(self.seconds)
        self.vectors = np.pad(self.vectors, ((0, more), (0, 0)), constant_values=np.nan)
        self.seconds = np.pad(self.seconds, (0, more))
        self.quality = np.pad(self.quality, (0, more))

    def move(self, source: int, target: int) -> None:
        for array in (self.vectors, self.seconds, self.quality):
            array[target] = array[source]


class NullSample:
    """References against templates of the sampled subjects, for one modality and encoder.

    Each entry is a *single* comparison: the reference against one template of the other subject, chosen by
    its position and not by its score. A probe that takes the largest of several comparisons divides its
    false-match rate among them; with a maximum in the null as well, it would be counted twice.

    A change of one subject recomputes its row and its column: 2·(n - 1) comparisons. The fit itself is
    deferred until somebody asks.

    Args:
        calibration: Of the encoder.
        vector_size: Of the encoder.
        watch: Is shown every new fit.
    """

    def __init__(
        self,
        calibration: Calibration,
        vector_size: int,
        watch: Callable[[GalleryNull], None] = lambda _: None,
    ) -> None:
        self._calibration = calibration
        self._watch = watch
        self._size = vector_size
        self._capacity = capacity = _FIRST_CAPACITY
        self._rows: dict[int, int] = {}  # slot → row
        self._slots: list[int] = []
        self._references = _Templates(vector_size, capacity)
        self._reference_positions: list[str] = []
        self._templates: dict[str, _Templates] = {}
        self._llr_db: Float64Array = np.full((capacity, capacity), np.nan)
        self._classes: NDArray[np.int8] = np.zeros((capacity, capacity), dtype=np.int8)
        self._fitted: FittedNull | None = None
        self._recent: GalleryNull | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, slot: int) -> bool:
        return slot in self._rows

    @property
    def slots(self) -> tuple[int, ...]:
        return tuple(self._slots)

    def put(self, slot: int, subject: SampledSubject) -> None:
        """Add a subject or replace what is known of it."""
        row = self._store(slot, subject)
        self._compare_row(row)
        self._compare_column(row)
        self._forget_fit()

    def fill(self, subjects: Mapping[int, SampledSubject]) -> None:
        """Add many subjects at once: each ordered pair is compared once."""
        rows = [self._store(slot, subject) for slot, subject in subjects.items()]
        for row in rows:
            self._compare_row(row)
        if len(rows) < len(self._slots):
            for row in rows:
                self._compare_column(row)
        self._forget_fit()

    def remove(self, slot: int) -> None:
        """Forget a subject; unknown ones are ignored."""
        row = self._rows.pop(slot, None)
        if row is None:
            return
        last = len(self._slots) - 1
        if row != last:
            self._move(last, row)
        self._slots.pop()
        self._reference_positions.pop()
        self._references.put(last, None)
        for templates in self._templates.values():
            templates.put(last, None)
        self._llr_db[last, :] = np.nan
        self._llr_db[:, last] = np.nan
        self._forget_fit()

    def fitted(self) -> FittedNull:
        """The correction at the present state; kept until the next change."""
        if self._fitted is None:
            n = len(self._slots)
            found = self._calibration.fit_gallery_null(self._llr_db[:n, :n], self._classes[:n, :n])
            self._watch(found)
            self._recent = found
            self._fitted = FittedNull(found)
        return self._fitted

    def recent_null(self) -> GalleryNull:
        """A correction that may be a few enrollments old, for what decides nothing.

        A fit of 1 000 subjects takes ten times as long as an enrollment.
        """
        if self._recent is None or abs(len(self) - self._recent.subjects) > _RECENT_SHARE * len(self):
            self._recent = self.gallery_null()
        return self._recent

    def gallery_null(self) -> GalleryNull:
        """The correction at the present state."""
        return self.fitted().gallery_null

    def null(self, evidence_class: int) -> Null:
        """Of corrected, softened scores at the present state."""
        return self.fitted().null(evidence_class)

    def possible_duplicates(self) -> tuple[tuple[int, ...], ...]:
        """Groups of subjects that may be one person, by slot."""
        return tuple(
            tuple(self._slots[row] for row in group) for group in self.gallery_null().possible_duplicates
        )

    def _store(self, slot: int, subject: SampledSubject) -> int:
        row = self._rows.get(slot)
        if row is None:
            row = self._rows[slot] = len(self._slots)
            if row == self._capacity:
                self._grow(2 * self._capacity)
            self._slots.append(slot)
            self._reference_positions.append("")
        self._references.put(row, subject.reference)
        self._reference_positions[row] = subject.reference_position
        for position in subject.templates.keys() - self._templates.keys():
            self._templates[position] = _Templates(self._size, self._capacity)
        for position, templates in self._templates.items():
            templates.put(row, subject.templates.get(position))
        return row

    def _grow(self, capacity: int) -> None:
        more = (0, capacity - self._capacity)
        self._llr_db = np.pad(self._llr_db, (more, more), constant_values=np.nan)
        self._classes = np.pad(self._classes, (more, more))
        for templates in (self._references, *self._templates.values()):
            templates.grow(capacity)
        self._capacity = capacity

    def _move(self, source: int, target: int) -> None:
        slot = self._slots[source]
        self._slots[target] = slot
        self._rows[slot] = target
        self._reference_positions[target] = self._reference_positions[source]
        self._references.move(source, target)
        for templates in self._templates.values():
            templates.move(source, target)
        for matrix in (self._llr_db, self._classes):
            matrix[target, :] = matrix[source, :]
            matrix[:, target] = matrix[:, source]
            matrix[target, target] = 0  # The diagonal compares nobody.

    def _compare_row(self, row: int) -> None:
        """The reference of one subject against the templates of all."""
        n = len(self._slots)
        position = self._reference_positions[row]
        found = _Single(n)
        for enrolled in _by_preference(position, self._templates):
            templates = self._templates[enrolled]
            cosine = templates.vectors[:n] @ self._references.vectors[row]
            found.offer(cosine, templates.seconds[:n], templates.quality[:n])
        llr_db, classes = self._score(
            found, np.full(n, self._references.seconds[row]), np.full(n, self._references.quality[row])
        )
        self._llr_db[row, :n], self._classes[row, :n] = llr_db, classes

    def _compare_column(self, row: int) -> None:
        """The references of all against the templates of one subject."""
        n = len(self._slots)
        found = _Single(n)
        brought = [p for p, templates in self._templates.items() if np.isfinite(templates.vectors[row, 0])]
        chosen = {p: next(iter(_by_preference(p, brought)), None) for p in set(self._reference_positions)}
        for enrolled in brought:
            templates = self._templates[enrolled]
            positions = [chosen[position] == enrolled for position in self._reference_positions]
            cosine = self._references.vectors[:n] @ templates.vectors[row]
            found.offer(
                np.where(positions, cosine, np.nan),
                np.full(n, templates.seconds[row]),
                np.full(n, templates.quality[row]),
            )
        llr_db, classes = self._score(found, self._references.seconds[:n], self._references.quality[:n])
        self._llr_db[:n, row], self._classes[:n, row] = llr_db, classes

    def _score(
        self, found: _Single, seconds: Float64Array, quality: Float64Array
    ) -> tuple[Float64Array, IntArray]:
        compared = np.isfinite(found.cosine)
        shorter = np.minimum(seconds, found.seconds)
        llr_db = np.full(compared.size, np.nan)
        llr_db[compared] = self._calibration.llr_db(
            found.cosine[compared].astype(np.float64),
            shorter[compared],
            pair_quality(quality, seconds, found.quality, found.seconds)[compared],
        )
        return llr_db, self._calibration.evidence_class(shorter)

    def _forget_fit(self) -> None:
        self._fitted = None


class FittedNull:
    """A gallery's correction at one revision: stays what it is while the sample goes on."""

    def __init__(self, gallery_null: GalleryNull) -> None:
        self.gallery_null = gallery_null
        self._nulls: dict[int, Null] = {}

    def null(self, evidence_class: int) -> Null:
        """Of corrected, softened scores. Threads may compute the same twice."""
        found = self._nulls.get(evidence_class)
        if found is None:
            found = self._nulls[evidence_class] = self.gallery_null.null(evidence_class)
        return found


class _Single:
    """One comparison per subject, the first that can be made, with the template's seconds and quality."""

    def __init__(self, n: int) -> None:
        self.cosine: Vector = np.full(n, np.nan, dtype=np.float32)
        self.seconds: Float64Array = np.zeros(n)
        self.quality: Float64Array = np.zeros(n)

    def offer(self, cosine: Vector, seconds: Float64Array, quality: Float64Array) -> None:
        first = np.isfinite(cosine) & ~np.isfinite(self.cosine)
        self.cosine[first] = cosine[first]
        self.seconds[first] = seconds[first]
        self.quality[first] = quality[first]


def _by_preference(position: str, enrolled: Iterable[str]) -> list[str]:
    """Positions that compare with this one: the same first, then ``unknown``, then others by name."""
    others = [name for name in enrolled if comparable(position, name)]
    return sorted(others, key=lambda name: (name != position, name != UNKNOWN_POSITION, name))
