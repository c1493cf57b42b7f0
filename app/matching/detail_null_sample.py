"""A gallery's own non-mated comparisons where an encoder compares details: fewer of them, and later.

A comparison of details takes a thousand times as long as one of vectors. So a gallery compares a hundred
people with each other, and does it in a thread of its own: decisions use the last fit that was finished.
Replicas may therefore decide by fits of different revisions for some seconds after an enrollment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from app.domain.arrays import Float64Array, IntArray
from app.domain.ports.encoders import Encoder
from app.domain.references import Template
from app.matching.background_fits import RunFit
from app.matching.null_samples import SampledSubject, positions_by_preference
from ml.runtime.calibration.nulls import Null
from ml.runtime.details import DetailComparer
from ml.runtime.evidence import EvidenceArray
from ml.runtime.matching.comparisons import llr_where_compared
from ml.runtime.matching.fitted_null import FittedNull
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null

MAX_COMPARED = 100
"""People; they make 4 950 pairs, which resolve a rate of 0.6 %, in two or three seconds of comparing."""

Subjects = Mapping[int, SampledSubject]
"""By slot."""


@dataclass(frozen=True, eq=False)
class _Compared:
    """Similarities of references with templates, in the order of the subjects.

    Attributes:
        subjects: Who was compared.
        similarity: NaN where nothing was compared; shape (n, n).
        numbers: How many comparisons of details are behind each; shape (n, n).
    """

    subjects: Subjects
    similarity: Float64Array
    numbers: IntArray

    @classmethod
    def nobody(cls) -> _Compared:
        return cls({}, np.zeros((0, 0)), np.zeros((0, 0), dtype=np.int64))

    def without(self, slot: int) -> _Compared:
        """Nothing of somebody who was erased is kept."""
        kept = [row for row, one in enumerate(self.subjects) if one != slot]
        both = np.ix_(kept, kept)
        left = {one: subject for one, subject in self.subjects.items() if one != slot}
        return _Compared(left, self.similarity[both], self.numbers[both])

    @classmethod
    def of(cls, subjects: Subjects, comparer: DetailComparer, before: _Compared) -> _Compared:
        """Compare every reference with one template of each other subject; what is known is not repeated."""
        n = len(subjects)
        found = cls(subjects, np.full((n, n), np.nan), np.ones((n, n), dtype=np.int64))
        rows_before = {slot: row for row, slot in enumerate(before.subjects)}
        same = [
            rows_before[slot] if before.subjects.get(slot) is subject else -1
            for slot, subject in subjects.items()
        ]
        known = [row for row in range(n) if same[row] >= 0]
        here, there = np.ix_(known, known), np.ix_([same[row] for row in known], [same[row] for row in known])
        found.similarity[here], found.numbers[here] = before.similarity[there], before.numbers[there]
        listed = list(subjects.values())
        for row, subject in enumerate(listed):
            others = range(n) if same[row] < 0 else [column for column in range(n) if same[column] < 0]
            found._compare_row(row, subject, {c: listed[c] for c in others if c != row}, comparer)
        return found

    def _compare_row(
        self, row: int, subject: SampledSubject, others: Subjects, comparer: DetailComparer
    ) -> None:
        parts = {
            column: chosen.parts
            for column, other in others.items()
            if (chosen := _chosen(subject, other)) is not None and chosen.parts is not None
        }
        if subject.reference.parts is None or not parts:
            return
        columns = list(parts)
        self.similarity[row, columns] = comparer.compare(
            subject.reference.parts.opened, [one.opened for one in parts.values()]
        )
        self.numbers[row, columns] = [len(one.details) for one in parts.values()]


class DetailNullSample:
    """References against templates of the sampled subjects, for one encoder that compares details.

    Callers hold `lock`, which the fit takes only to look at who is there and to put its result in place.

    Args:
        encoder: Whose details.
        rank: Of a slot; those of the smallest are compared.
        lock: Of the gallery's state.
        run: Runs a fit, now or later.
        watch: Is shown every new fit.
    """

    def __init__(
        self,
        encoder: Encoder,
        rank: Callable[[int], bytes],
        lock: RLock,
        run: RunFit,
        watch: Callable[[GalleryNull], None] = lambda _: None,
    ) -> None:
        assert encoder.comparer is not None
        self._comparer = encoder.comparer
        self._calibration = encoder.calibration
        self._rank = rank
        self._lock = lock
        self._run = run
        self._watch = watch
        self._subjects: dict[int, SampledSubject] = {}
        self._compared = _Compared.nobody()
        self._fitted = FittedNull(self._calibration, GalleryNull.identity())
        self._fitted_slots: tuple[int, ...] = ()
        self._stale = False
        self._under_way = False

    def __len__(self) -> int:
        return len(self._subjects)

    def __contains__(self, slot: int) -> bool:
        return slot in self._subjects

    @property
    def slots(self) -> tuple[int, ...]:
        return tuple(self._subjects)

    def put(self, slot: int, subject: SampledSubject) -> None:
        """Add a subject or replace what is known of it; the next decision has it fitted."""
        self._subjects[slot] = subject
        self._stale = True

    def fill(self, subjects: Subjects) -> None:
        """Add many subjects at once, and have them fitted."""
        self._subjects.update(subjects)
        self._stale = True
        self._have_fitted()

    def remove(self, slot: int) -> None:
        """Forget a subject; unknown ones are ignored."""
        if self._subjects.pop(slot, None) is not None:
            self._compared = self._compared.without(slot)
            self._stale = True

    def fitted(self) -> FittedNull:
        """The correction that was finished last; another is begun if somebody came or went since."""
        self._have_fitted()
        return self._fitted

    def recent_null(self) -> GalleryNull:
        """The same, without beginning another: an enrollment pays for none."""
        return self._fitted.gallery_null

    def gallery_null(self) -> GalleryNull:
        return self.fitted().gallery_null

    def null(self, evidence_class: int) -> Null:
        """Of corrected, softened scores."""
        return self.fitted().null(evidence_class)

    def possible_duplicates(self) -> tuple[tuple[int, ...], ...]:
        """Groups of subjects that may be one person, by slot; those who left since are not named."""
        groups = self.gallery_null().possible_duplicates.groups
        named = (
            tuple(s for row in group if (s := self._fitted_slots[row]) in self._subjects) for group in groups
        )
        return tuple(group for group in named if len(group) > 1)

    def _have_fitted(self) -> None:
        if self._stale and not self._under_way:
            self._under_way = True
            self._run(self._fit)

    def _fit(self) -> None:
        with self._lock:
            first = sorted(self._subjects, key=self._rank)[:MAX_COMPARED]
            subjects = {slot: self._subjects[slot] for slot in first}
            before, self._stale = self._compared, False
        try:
            compared = _Compared.of(subjects, self._comparer, before)
            found = fit_gallery_null(self._calibration, *self._llr_db(compared))
        except BaseException:
            with self._lock:
                self._stale, self._under_way = True, False
            raise
        with self._lock:
            self._compared, self._under_way = compared, False
            for slot in subjects.keys() - self._subjects.keys():  # Erased meanwhile.
                self._compared = self._compared.without(slot)
            self._fitted, self._fitted_slots = FittedNull(self._calibration, found), tuple(first)
            self._watch(found)

    def _llr_db(self, compared: _Compared) -> tuple[Float64Array, NDArray[np.int64]]:
        """LLR in dB, NaN where nothing was compared, and evidence classes; shape (n, n)."""
        subjects = list(compared.subjects.values())
        if not subjects:
            return np.zeros((0, 0)), np.zeros((0, 0), dtype=np.int64)
        references = EvidenceArray.of([subject.reference.evidence for subject in subjects])
        shown = [
            [(_chosen(subject, other) or subject.reference).evidence for other in subjects]
            for subject in subjects
        ]
        templates = EvidenceArray(
            np.array([[one.amount for one in row] for row in shown]),
            references.unit,
            np.array([[one.quality for one in row] for row in shown]),
        )
        return llr_where_compared(
            self._calibration, compared.similarity, references[:, None], templates, compared.numbers
        )


def _chosen(subject: SampledSubject, other: SampledSubject) -> Template | None:
    """The one template of another subject that a reference is compared with, by its position."""
    positions = positions_by_preference(subject.reference_position, other.templates)
    return other.templates[positions[0]] if positions else None
