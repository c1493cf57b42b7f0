"""A gallery's own non-mated comparisons, kept up to date one subject at a time (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import Float64Array, IntArray
from app.domain.references import UNKNOWN_POSITION, Template, Vector, comparable
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import Null
from ml.runtime.evidence import EvidenceArray
from ml.runtime.matching.comparisons import llr_where_compared
from ml.runtime.matching.fitted_null import FittedNull
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null

MAX_SUBJECTS = 1000
_RECENT_SHARE = 0.05
_FIRST_CAPACITY = 32


@dataclass(frozen=True)
class SampledSubject:
    """What one subject brings: a single reference, and the templates by position."""

    reference: Template
    reference_position: str
    templates: Mapping[str, Template]


ReadTemplates = Callable[[str, IntArray], Vector]
"""Template vectors of a position by slot, float32, shape (n, d); NaN where a slot has none."""


class _Evidence:
    """What the captures of one kind rest on, as growing parallel arrays; absent ones are NaN."""

    def __init__(self, capacity: int, unit: str) -> None:
        self.amount: Float64Array = np.full(capacity, np.nan)
        self.quality: Float64Array = np.full(capacity, np.nan)
        self._unit = unit

    def of(self, rows: slice | int) -> EvidenceArray:
        """Of these rows; 0 where there is none."""
        amount, quality = np.asarray(self.amount[rows]), np.asarray(self.quality[rows])
        return EvidenceArray(np.nan_to_num(amount), self._unit, np.nan_to_num(quality))

    def put(self, row: int, template: Template | None) -> None:
        self.amount[row] = np.nan if template is None else template.evidence.amount
        self.quality[row] = np.nan if template is None else template.evidence.quality

    def grow(self, capacity: int) -> None:
        more = (0, capacity - len(self.amount))
        self.amount = np.pad(self.amount, more, constant_values=np.nan)
        self.quality = np.pad(self.quality, more, constant_values=np.nan)

    def move(self, source: int, target: int) -> None:
        for array in (self.amount, self.quality):
            array[target] = array[source]


class _References(_Evidence):
    """Single references with their vectors: the index holds templates, which pool several."""

    def __init__(self, size: int, capacity: int, unit: str) -> None:
        super().__init__(capacity, unit)
        self.vectors: Vector = np.full((capacity, size), np.nan, dtype=np.float32)

    def put(self, row: int, template: Template | None) -> None:
        super().put(row, template)
        self.vectors[row] = np.nan if template is None else template.vector

    def grow(self, capacity: int) -> None:
        more = capacity - len(self.vectors)
        super().grow(capacity)
        self.vectors = np.pad(self.vectors, ((0, more), (0, 0)), constant_values=np.nan)

    def move(self, source: int, target: int) -> None:
        super().move(source, target)
        self.vectors[target] = self.vectors[source]


class NullSample:
    """References against templates of the sampled subjects, for one modality and encoder.

    Each entry is a *single* comparison: the reference against one template of the other subject, chosen by
    its position and not by its score. A probe that takes the largest of several comparisons divides its
    false-match rate among them; with a maximum in the null as well, it would be counted twice.

    A change of one subject recomputes its row and its column: 2·(n - 1) comparisons. They are made with the
    next fit, and a fit with the next decision: an enrollment pays for neither.

    Args:
        calibration: Of the encoder.
        vector_size: Of the encoder.
        read_templates: Reads the templates of sampled subjects where they are, in the index.
        watch: Is shown every new fit.
    """

    def __init__(
        self,
        calibration: Calibration,
        vector_size: int,
        read_templates: ReadTemplates,
        watch: Callable[[GalleryNull], None] = lambda _: None,
    ) -> None:
        self._calibration = calibration
        self._watch = watch
        self._read_templates = read_templates
        self._capacity = capacity = _FIRST_CAPACITY
        self._rows: dict[int, int] = {}  # slot → row
        self._slots: list[int] = []
        self._references = _References(vector_size, capacity, calibration.unit)
        self._reference_positions: list[str] = []
        self._templates: dict[str, _Evidence] = {}
        self._llr_db: Float64Array = np.full((capacity, capacity), np.nan)
        self._classes: NDArray[np.int8] = np.zeros((capacity, capacity), dtype=np.int8)
        self._waiting: set[int] = set()  # Slots whose comparisons are not made yet.
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
        self._store(slot, subject)
        self._waiting.add(slot)
        self._forget_fit()

    def fill(self, subjects: Mapping[int, SampledSubject]) -> None:
        """Add many subjects at once: each ordered pair is compared once."""
        for slot, subject in subjects.items():
            self._store(slot, subject)
        self._waiting.update(subjects)
        self._forget_fit()

    def remove(self, slot: int) -> None:
        """Forget a subject; unknown ones are ignored."""
        row = self._rows.pop(slot, None)
        if row is None:
            return
        self._waiting.discard(slot)
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
            self._compare_waiting()
            n = len(self._slots)
            found = fit_gallery_null(self._calibration, self._llr_db[:n, :n], self._classes[:n, :n])
            self._watch(found)
            self._recent = found
            self._fitted = FittedNull(self._calibration, found)
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
        groups = self.gallery_null().possible_duplicates.groups
        return tuple(tuple(self._slots[row] for row in group) for group in groups)

    def _compare_waiting(self) -> None:
        """Make the comparisons of those who came or changed since the last fit."""
        rows = [self._rows[slot] for slot in self._waiting]
        self._waiting.clear()
        if not rows:
            return
        vectors = self._template_vectors()
        if 2 * len(rows) > len(self._slots):  # All rows hold every pair, and are fewer than rows and columns.
            rows = list(range(len(self._slots)))
        for row in rows:
            self._compare_row(row, vectors)
        if len(rows) < len(self._slots):
            for row in rows:
                self._compare_column(row, vectors)

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
            self._templates[position] = _Evidence(self._capacity, self._calibration.unit)
        for position, templates in self._templates.items():
            templates.put(row, subject.templates.get(position))
        return row

    def _template_vectors(self) -> dict[str, Vector]:
        """All templates of the sample by position, a row for each subject."""
        slots = np.array(self._slots, dtype=np.int64)
        return {position: self._read_templates(position, slots) for position in self._templates}

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

    def _compare_row(self, row: int, vectors: Mapping[str, Vector]) -> None:
        """The reference of one subject against the templates of all."""
        n = len(self._slots)
        position = self._reference_positions[row]
        found = _Single(n)
        for enrolled in positions_by_preference(position, self._templates):
            cosine = vectors[enrolled] @ self._references.vectors[row]
            found.offer(cosine, self._templates[enrolled].of(slice(n)))
        self._llr_db[row, :n], self._classes[row, :n] = found.scores(
            self._calibration, self._references.of(row)
        )

    def _compare_column(self, row: int, vectors: Mapping[str, Vector]) -> None:
        """The references of all against the templates of one subject."""
        n = len(self._slots)
        found = _Single(n)
        brought = [p for p, templates in self._templates.items() if np.isfinite(templates.amount[row])]
        chosen = {
            p: next(iter(positions_by_preference(p, brought)), None) for p in set(self._reference_positions)
        }
        for enrolled in brought:
            positions = [chosen[position] == enrolled for position in self._reference_positions]
            cosine = self._references.vectors[:n] @ vectors[enrolled][row]
            found.offer(np.where(positions, cosine, np.nan), self._templates[enrolled].of(row))
        self._llr_db[:n, row], self._classes[:n, row] = found.scores(
            self._calibration, self._references.of(slice(n))
        )

    def _forget_fit(self) -> None:
        self._fitted = None


class _Single:
    """One comparison per subject, the first that can be made, and what the template in it rests on."""

    def __init__(self, n: int) -> None:
        self._cosine: Vector = np.full(n, np.nan, dtype=np.float32)
        self._amount: Float64Array = np.zeros(n)
        self._quality: Float64Array = np.zeros(n)

    def offer(self, cosine: Vector, templates: EvidenceArray) -> None:
        """Cosines of shape (n,), NaN where there is no template; the evidence broadcasts."""
        first = np.isfinite(cosine) & ~np.isfinite(self._cosine)
        self._cosine[first] = cosine[first]
        self._amount[first] = np.broadcast_to(templates.amount, first.shape)[first]
        self._quality[first] = np.broadcast_to(templates.quality, first.shape)[first]

    def scores(
        self, calibration: Calibration, references: EvidenceArray
    ) -> tuple[Float64Array, NDArray[np.int64]]:
        """LLR in dB, NaN where nothing was compared, and evidence classes; shape (n,)."""
        templates = EvidenceArray(self._amount, calibration.unit, self._quality)
        return llr_where_compared(calibration, self._cosine, references, templates)


def positions_by_preference(position: str, enrolled: Iterable[str]) -> list[str]:
    """Return positions that compare with this one: the same first, then `unknown`, then others by name."""
    others = [name for name in enrolled if comparable(position, name)]
    return sorted(others, key=lambda name: (name != position, name != UNKNOWN_POSITION, name))
