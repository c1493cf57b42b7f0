"""What one process knows of one gallery: derived from the database, held for matching."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from threading import RLock
from typing import NamedTuple
from uuid import UUID

import numpy as np

from app.domain.arrays import IntArray
from app.domain.details import Parts
from app.domain.ports.encoders import Encoder, Encoders
from app.domain.ports.index import IndexKey, TemplateIndex
from app.domain.references import Modality, Template, TemplateKey, Vector, comparable
from app.domain.subjects import GalleryTransform
from app.matching.background_fits import RunFit, at_once
from app.matching.comparisons import EncoderComparisons, EnrolledTemplates, TemplateTable, offer
from app.matching.detail_null_sample import DetailNullSample
from app.matching.null_jumps import JumpWatch, NullJump
from app.matching.null_samples import MAX_SUBJECTS, NullSample, SampledSubject
from ml.runtime.evidence import EvidenceArray
from ml.runtime.matching.comparisons import BestOfPositions


class TableKey(NamedTuple):
    """Templates that one search of the index covers: of one key and one evidence class."""

    template: TemplateKey
    evidence_class: int


class LoadedSubject(NamedTuple):
    """A subject as the database has it, decrypted and pooled.

    Attributes:
        uuid_bytes: Of the subject; an object is made of it only if somebody asks, for 100 000 take a while.
        templates: Pooled, by key.
        references: The oldest reference per modality and encoder, with its position.
    """

    uuid_bytes: bytes
    subject_id: str
    templates: Mapping[TemplateKey, Template]
    references: Mapping[tuple[Modality, str], tuple[str, Template]]

    @property
    def uuid(self) -> UUID:
        return UUID(bytes=self.uuid_bytes)


class KnownSubject(NamedTuple):
    """Who sits in a slot."""

    uuid_bytes: bytes
    subject_id: str

    @property
    def uuid(self) -> UUID:
        return UUID(bytes=self.uuid_bytes)


class GalleryState:
    """Slots of subjects, their templates in the index, and the sample of the gallery's own null.

    A slot is the vector id in every index key of the gallery. Slots are never reused, so that a search
    that is still running cannot name the wrong subject. Callers hold `lock`.

    Args:
        gallery_uuid: Whose state it is.
        index: Where the template vectors go.
        encoders: The bundles in use; templates of others are not loaded.
        report_jump: Called when the gallery's own null jumps.
        run_fit: Runs the fits that take seconds.
    """

    def __init__(
        self,
        gallery_uuid: UUID,
        index: TemplateIndex,
        encoders: Encoders,
        report_jump: Callable[[NullJump], None] = lambda _: None,
        run_fit: RunFit = at_once,
    ) -> None:
        self.lock = RLock()
        self._run_fit = run_fit
        self._report_jump = report_jump
        self._gallery_uuid = gallery_uuid
        self._index = index
        self._encoders = encoders
        self._tables: dict[TableKey, TemplateTable] = {}
        self.reset()

    def reset(self) -> None:
        """Forget everything and leave the index, before a rebuild."""
        for key in self._tables:
            self._index.drop(self._index_key(key))
            self._index.drop(self._index_key(key, local=True))
        self.revision = -1
        self.transforms: Mapping[tuple[Modality, str], GalleryTransform] = {}
        self._tables = {}
        self._subjects: list[KnownSubject | None] = []
        self._slot_of: dict[bytes, int] = {}  # by the bytes of the subject's uuid
        self._keys_of: dict[int, tuple[TableKey, ...]] = {}
        self._ranks: dict[int, bytes] = {}  # slot → SHA-256 of the subject's uuid
        self._samples: dict[tuple[Modality, str], NullSample | DetailNullSample] = {}

    @property
    def subject_count(self) -> int:
        return len(self._slot_of)

    @property
    def template_count(self) -> int:
        return sum(len(table.slots) for table in self._tables.values())

    @property
    def indexed_count(self) -> int:
        """Templates that the index itself says it holds."""
        return sum(self._index.count(self._index_key(key)) for key in self._tables)

    @property
    def wasted_slots(self) -> int:
        return len(self._subjects) - len(self._slot_of)

    def subject(self, slot: int) -> KnownSubject | None:
        return self._subjects[slot]

    def stand_in(self, name: str) -> UUID | None:
        """Somebody for a name that nobody has, mostly the same one while the gallery grows; None if empty."""
        with self.lock:
            size = len(self._subjects)
            if not self._slot_of:
                return None
            drawn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
            mask = (1 << size.bit_length()) - 1
            slot = drawn & mask if drawn & mask < size else drawn & (mask >> 1)
            seated = (self._subjects[(slot + step) % size] for step in range(size))
            return next(subject.uuid for subject in seated if subject is not None)

    def slot_of(self, subject_uuid: UUID) -> int | None:
        return self._slot_of.get(subject_uuid.bytes)

    def enrolled_modalities(self, slot: int) -> frozenset[Modality]:
        return frozenset(key.template.modality for key in self._keys_of.get(slot, ()))

    def encoder_ids(self, modality: Modality) -> frozenset[str]:
        """Encoder versions for which somebody has a template."""
        return frozenset(
            key.template.encoder
            for key, table in self._tables.items()
            if key.template.modality == modality and table.slots
        )

    def sample(self, modality: Modality, encoder: Encoder) -> NullSample | DetailNullSample:
        """The gallery's own non-mated comparisons; empty until somebody is enrolled."""
        key = (modality, encoder.encoder_id)
        if key not in self._samples:
            self._samples[key] = self._new_sample(encoder)
        return self._samples[key]

    def _new_sample(self, encoder: Encoder) -> NullSample | DetailNullSample:
        watch = JumpWatch(encoder.encoder_id, self._report_jump)
        if encoder.comparer is not None:
            # Ranks of this state: a fit that waits while the state is reset still finds its people's.
            return DetailNullSample(encoder, self._ranks.__getitem__, self.lock, self._run_fit, watch)
        return NullSample(
            encoder.calibration, encoder.vector_size, partial(self._template_vectors, encoder), watch
        )

    # ── following the database ────────────────────────────────────────────────────────────────────

    def fill(self, subjects: Iterable[LoadedSubject]) -> None:
        """First load: vectors go to the index in one call per key."""
        columns: dict[TemplateKey, tuple[list[int], list[Template]]] = {}
        ranked: list[tuple[bytes, int, LoadedSubject]] = []
        for subject in subjects:
            slot = self._seat(subject)
            for key, template in subject.templates.items():
                ids, templates = columns.setdefault(key, ([], []))
                ids.append(slot)
                templates.append(template)
            ranked.append((self._ranks[slot], slot, subject))
        for key, (ids, templates) in columns.items():
            for table_key, slots in self._put(key, np.array(ids, dtype=np.int64), templates):
                for slot in slots.tolist():
                    self._keys_of[slot] = (*self._keys_of[slot], table_key)
        self._sample_all(heapq.nsmallest(MAX_SUBJECTS, ranked))

    def apply(self, subject_uuid: UUID, subject: LoadedSubject | None) -> None:
        """Bring one subject to what the database has; `None` means erased."""
        slot = self._slot_of.get(subject_uuid.bytes)
        if subject is None or not subject.templates:
            if slot is not None:
                self._clear(slot)
            return
        if slot is None:
            slot = self._seat(subject)
        before = self._keys_of[slot]
        here = np.array([slot], dtype=np.int64)
        keys: list[TableKey] = []
        for key, template in subject.templates.items():
            keys += [table_key for table_key, _ in self._put(key, here, [template])]
        for gone in set(before) - set(keys):
            self._take_out(gone, slot)
        self._keys_of[slot] = tuple(keys)
        self._resample(slot, subject)

    def _put(
        self, key: TemplateKey, slots: IntArray, templates: Sequence[Template]
    ) -> Iterator[tuple[TableKey, IntArray]]:
        """File templates by the class of their evidence; gives every table with the slots that went there."""
        encoder = self._encoders.get(key.encoder)
        assert encoder is not None, "templates of encoders that are not loaded are not followed"
        evidence = EvidenceArray.of([template.evidence for template in templates])
        classes = encoder.calibration.evidence_classes(evidence)
        for evidence_class in np.unique(classes).tolist():
            members = np.flatnonzero(classes == evidence_class)
            table_key = TableKey(key, evidence_class)
            vectors = np.concatenate([templates[member].vector for member in members.tolist()])
            self._index.upsert(self._index_key(table_key), slots[members], vectors.reshape(members.size, -1))
            if table_key not in self._tables:
                self._tables[table_key] = TemplateTable(evidence.unit)
            self._tables[table_key].put_all(slots[members], evidence[members])
            if encoder.comparer is not None:
                self._put_parts(table_key, slots[members], [templates[m].parts for m in members.tolist()])
            yield table_key, slots[members]

    def _put_parts(self, key: TableKey, slots: IntArray, brought: Sequence[Parts | None]) -> None:
        """Details stay here; their local vectors go to the index, dozens per slot."""
        parts = [one for one in brought if one is not None]
        assert len(parts) == slots.size, "an encoder that compares details gives one with every capture"
        self._tables[key].parts.update(zip(slots.tolist(), parts, strict=True))
        counts = np.array([len(one.local) for one in parts])
        index_key = self._index_key(key, local=True)
        self._index.remove(index_key, slots[counts == 0])
        if counts.any():
            local = np.concatenate([one.local for one in parts if len(one.local)])
            self._index.upsert(index_key, np.repeat(slots, counts), local)

    def _take_out(self, key: TableKey, slot: int) -> None:
        here = np.array([slot], dtype=np.int64)
        self._index.remove(self._index_key(key), here)
        if self._tables[key].parts:
            self._index.remove(self._index_key(key, local=True), here)
        self._tables[key].discard(slot)

    def unsampled(self) -> tuple[UUID, ...]:
        """Subjects that belong to the sample by rank and are missing in it, after others left."""
        if not self._samples or len(self._slot_of) == 0:
            return ()
        chosen = sorted(self._slot_of.values(), key=self._ranks.__getitem__)[:MAX_SUBJECTS]
        lacking = [
            slot
            for slot in chosen
            for key in {(k.template.modality, k.template.encoder) for k in self._keys_of[slot]}
            if key in self._samples and slot not in self._samples[key]
        ]
        return tuple(
            subject.uuid for slot in dict.fromkeys(lacking) if (subject := self._subjects[slot]) is not None
        )

    def _seat(self, subject: LoadedSubject) -> int:
        slot = len(self._subjects)
        self._subjects.append(KnownSubject(subject.uuid_bytes, subject.subject_id))
        self._slot_of[subject.uuid_bytes] = slot
        self._keys_of[slot] = ()
        self._ranks[slot] = hashlib.sha256(subject.uuid_bytes).digest()
        return slot

    def _clear(self, slot: int) -> None:
        subject = self._subjects[slot]
        assert subject is not None
        for key in self._keys_of.pop(slot):
            self._take_out(key, slot)
        for sample in self._samples.values():
            sample.remove(slot)
        self._subjects[slot] = None
        del self._slot_of[subject.uuid_bytes], self._ranks[slot]

    def _sample_all(self, first: list[tuple[bytes, int, LoadedSubject]]) -> None:
        """Those of smallest rank, with rank and slot."""
        chosen: dict[tuple[Modality, str], dict[int, SampledSubject]] = {}
        for _, slot, subject in first:
            for key, sampled in _sampled(subject).items():
                chosen.setdefault(key, {})[slot] = sampled
        for (modality, encoder_id), members in chosen.items():
            encoder = self._encoders.get(encoder_id)
            if encoder is not None:
                self.sample(modality, encoder).fill(members)

    def _resample(self, slot: int, subject: LoadedSubject) -> None:
        brought = _sampled(subject)
        inside = self._belongs_to_sample(slot)
        for (modality, encoder_id), sampled in brought.items():
            encoder = self._encoders.get(encoder_id)
            if encoder is None or not inside:
                continue
            self.sample(modality, encoder).put(slot, sampled)
        for key, sample in self._samples.items():
            if key not in brought:
                sample.remove(slot)
        members = self._sampled_slots() if inside else ()
        if len(members) > MAX_SUBJECTS:  # Of all modalities and versions together, as in a rebuild.
            last = max(members, key=self._ranks.__getitem__)
            for sample in self._samples.values():
                sample.remove(last)

    def _belongs_to_sample(self, slot: int) -> bool:
        members = self._sampled_slots()
        return len(members) < MAX_SUBJECTS or self._ranks[slot] <= max(map(self._ranks.__getitem__, members))

    def _sampled_slots(self) -> set[int]:
        return set[int]().union(*(sample.slots for sample in self._samples.values()))

    # ── matching ──────────────────────────────────────────────────────────────────────────────────

    def compare(
        self, encoder: Encoder, templates: Mapping[str, Template], among: IntArray | None = None
    ) -> EncoderComparisons:
        """A probe's templates (by position) against those who have a comparable one.

        Args:
            encoder: Whose templates; the probe's are already transformed.
            templates: Position → probe template.
            among: These slots, ascending; without it everybody, which takes a copy of all vectors.
        """
        best = BestOfPositions(encoder.calibration.unit)
        for position, probe in templates.items():
            for enrolled in self.enrolled_at(encoder, position, among):
                offer(best, encoder, probe, enrolled)
        return EncoderComparisons.of(best, encoder)

    def enrolled_at(
        self, encoder: Encoder, position: str, among: IntArray | None = None
    ) -> Iterator[EnrolledTemplates]:
        """What a probe template of this position compares with, of these slots or of all."""
        for key, table in self.comparable_tables(encoder, position):
            slots = table.among(among)
            if slots.size:
                yield self._enrolled(key, table, slots)

    def _enrolled(self, key: TableKey, table: TemplateTable, slots: IntArray) -> EnrolledTemplates:
        return EnrolledTemplates(
            slots=slots,
            vectors=self._index.vectors(self._index_key(key), slots),
            evidence=table.evidence(slots),
            parts=[table.parts[slot] for slot in slots.tolist()] if table.parts else (),
        )

    def nearest(self, key: TableKey, vector: Vector, k: int) -> tuple[IntArray, Vector]:
        """The k slots of a table that resemble a probe vector most, and their cosines, best first."""
        return self._index.shortlist(self._index_key(key), vector[np.newaxis], k)

    def nearest_in_parts(self, key: TableKey, local: Vector, k: int, best: int) -> IntArray:
        """The k slots of a table whose local vectors resemble a probe's most; everybody if so many are asked.

        Args:
            key: Of the table.
            local: Of the probe, shape (q, l).
            k: How many.
            best: See `app.domain.ports.index.TemplateIndex.shortlist`.
        """
        if k >= len(self._tables[key].slots):
            return self._tables[key].among(None)
        if not len(local):
            return np.zeros(0, dtype=np.int64)
        return self._index.shortlist(self._index_key(key, local=True), local, k, best)[0]

    def sharing(self, probes: Iterable[tuple[Encoder, Iterable[str]]]) -> int:
        """Number of subjects with a template to compare with, for any encoder at its positions."""
        tables = {
            key: table.slots
            for encoder, positions in probes
            for position in positions
            for key, table in self.comparable_tables(encoder, position)
        }
        slots = list(tables.values())
        return len(slots[0]) if len(slots) == 1 else len(set[int]().union(*slots))

    def _template_vectors(self, encoder: Encoder, position: str, slots: IntArray) -> Vector:
        """Templates of these slots as the index has them; NaN where there is none."""
        vectors = np.full((slots.size, encoder.vector_size), np.nan, dtype=np.float32)
        wanted = TemplateKey(encoder.modality, position, encoder.encoder_id)
        for key, table in self._tables.items():
            if key.template == wanted:
                here = [row for row, slot in enumerate(slots.tolist()) if slot in table.slots]
                if here:
                    vectors[here] = self._index.vectors(self._index_key(key), slots[here])
        return vectors

    def comparable_tables(self, encoder: Encoder, position: str) -> list[tuple[TableKey, TemplateTable]]:
        """What a probe template of this position compares with."""
        return [
            (key, table)
            for key, table in self._tables.items()
            if key.template.modality == encoder.modality
            and key.template.encoder == encoder.encoder_id
            and table.slots
            and comparable(position, key.template.position)
        ]

    def _index_key(self, key: TableKey, *, local: bool = False) -> IndexKey:
        template, evidence_class = key
        version = self.transforms[template.modality, template.encoder].version
        return IndexKey(
            self._gallery_uuid,
            template.modality,
            template.position,
            template.encoder,
            version,
            evidence_class,
            local,
        )


def _sampled(subject: LoadedSubject) -> dict[tuple[Modality, str], SampledSubject]:
    return {
        (modality, encoder): SampledSubject(
            reference=reference,
            reference_position=position,
            templates={
                key.position: template
                for key, template in subject.templates.items()
                if key.modality == modality and key.encoder == encoder
            },
        )
        for (modality, encoder), (position, reference) in subject.references.items()
    }
