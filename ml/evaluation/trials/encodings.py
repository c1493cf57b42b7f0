"""Encode every cut once per bundle and preparation, and keep the result in a cache on disk."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.trials.trials import Piece, Presentation
from ml.runtime.encoder import BundledEncoder
from ml.runtime.errors import CaptureError
from ml.runtime.evidence import SECONDS, Evidence, EvidenceArray
from ml.runtime.pooling import pool

VectorArray = NDArray[np.float32]


class Encoding(Protocol):
    """Encoding of one capture."""

    @property
    def vector(self) -> VectorArray: ...
    @property
    def evidence(self) -> Evidence: ...


class Encoder(Protocol):
    """The part of `ml.runtime.encoder.BundledEncoder` that evaluation uses."""

    def encode(self, capture: Any) -> Encoding: ...


@dataclass(frozen=True)
class EncodedCut:
    """One cut as a vector, or the code of the failure to acquire it."""

    vector: VectorArray
    evidence: Evidence
    code: str = ""


class EncodingCache:
    """Encodings by cut key, kept as one file per data set.

    Args:
        folder: Named after all that encodings depend on; see `cache_folder`.
        encoder: Encodes cuts that are not cached.
        vector_size: Of the encoder.
        unit: What its evidence is counted in.
    """

    def __init__(self, folder: Path, encoder: Encoder, vector_size: int, unit: str = SECONDS) -> None:
        self._folder, self._encoder, self._size, self._unit = folder, encoder, vector_size, unit

    def encode(self, data_set: str, cuts: Iterable[Piece]) -> dict[str, EncodedCut]:
        """Return the encoding of every cut by its key."""
        path = self._folder / f"{data_set}.npz"
        known = _read(path, self._unit)
        wanted = {cut.key: cut for cut in cuts}
        missing = wanted.keys() - known.keys()
        if missing:
            known |= {key: self._encode(wanted[key]) for key in sorted(missing)}
            _write(path, known)
        return {key: known[key] for key in wanted}

    def _encode(self, cut: Piece) -> EncodedCut:
        try:
            found = self._encoder.encode(cut.capture)
        except CaptureError as error:
            nothing = Evidence(0.0, self._unit, 0.0)
            return EncodedCut(np.full(self._size, np.nan, dtype=np.float32), nothing, error.code)
        return EncodedCut(found.vector, found.evidence)


def cache_folder(root: Path, encoder: BundledEncoder) -> Path:
    """Name a folder after weights and preparation: a change of either must not meet old encodings.

    Code that is moved or rewritten keeps the cache. Whether it still makes the same vectors is for the golden
    vectors to say.
    """
    info = encoder.info
    preparation = (info.preparation_version, info.preparation_constants, info.preprocessing)
    digest = hashlib.sha256(json.dumps(preparation, sort_keys=True).encode())
    return root / f"{info.sha256[:12]}-{digest.hexdigest()[:12]}"


@dataclass(frozen=True)
class TemplateSet:
    """Presentations as pooled templates, each with its oldest accepted reference; failed ones are NaN.

    Args:
        subject_ids: Length n.
        vectors: float32, shape (n, d).
        evidence: What they rest on, shape (n,).
        reference_vectors, reference_evidence: Of the oldest accepted reference.
        codes: Why nothing was accepted, else "".
    """

    subject_ids: tuple[str, ...]
    vectors: VectorArray
    evidence: EvidenceArray
    reference_vectors: VectorArray
    reference_evidence: EvidenceArray
    codes: tuple[str, ...]

    def subset(self, rows: NDArray[np.int64]) -> "TemplateSet":
        """Return a subset of the rows."""
        return TemplateSet(
            tuple(self.subject_ids[row] for row in rows),
            self.vectors[rows],
            self.evidence[rows],
            self.reference_vectors[rows],
            self.reference_evidence[rows],
            tuple(self.codes[row] for row in rows),
        )


def pool_presentations(presentations: Sequence[Presentation], encoded: dict[str, EncodedCut]) -> TemplateSet:
    """Pool as the service does: accepted references per session, then over sessions."""
    pooled = [_pool(presentation, encoded) for presentation in presentations]
    first = [
        next((e for e in (encoded[cut.key] for cut in p.cuts) if not e.code), encoded[p.cuts[0].key])
        for p in presentations
    ]
    return TemplateSet(
        subject_ids=tuple(presentation.subject_id for presentation in presentations),
        vectors=np.stack([template.vector for template in pooled]),
        evidence=EvidenceArray.of([template.evidence for template in pooled]),
        reference_vectors=np.stack([reference.vector for reference in first]),
        reference_evidence=EvidenceArray.of([reference.evidence for reference in first]),
        codes=tuple(template.code for template in pooled),
    )


def _pool(presentation: Presentation, encoded: dict[str, EncodedCut]) -> EncodedCut:
    pairs = [(encoded[c.key], s) for c, s in zip(presentation.cuts, presentation.sessions, strict=True)]
    accepted = [(encoding, session) for encoding, session in pairs if not encoding.code]
    if len(accepted) <= 1:
        return accepted[0][0] if accepted else pairs[0][0]
    return EncodedCut(
        vector=pool(np.stack([e.vector for e, _ in accepted]), np.array([s for _, s in accepted])),
        evidence=EvidenceArray.of([encoding.evidence for encoding, _ in accepted]).pooled(),
    )


def _read(path: Path, unit: str) -> dict[str, EncodedCut]:
    if not path.is_file():
        return {}
    with np.load(path) as stored:
        columns = {name: stored[name] for name in ("key", "vector", "seconds", "quality", "code")}
    rows = zip(*(columns[name] for name in ("vector", "seconds", "quality", "code")), strict=True)
    return {
        str(key): EncodedCut(vector, Evidence(float(amount), unit, float(quality)), str(code))
        for key, (vector, amount, quality, code) in zip(columns["key"], rows, strict=True)
    }


def _write(path: Path, known: dict[str, EncodedCut]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part.npz")
    np.savez(
        draft,
        key=np.array(list(known)),
        vector=np.stack([encoding.vector for encoding in known.values()]),
        seconds=np.array([encoding.evidence.amount for encoding in known.values()]),
        quality=np.array([encoding.evidence.quality for encoding in known.values()]),
        code=np.array([encoding.code for encoding in known.values()]),
    )
    draft.replace(path)
