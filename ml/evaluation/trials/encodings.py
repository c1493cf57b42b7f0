"""Encode every cut once per bundle and signal code, and cache the result on disk."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

import ml.runtime.encoder
from ml.evaluation.trials.trials import Cut, Presentation
from ml.runtime.ecg.signal.errors import SignalError
from ml.runtime.encoder import EcgEncoder
from ml.runtime.pooling import pool

FloatArray = NDArray[np.float64]
VectorArray = NDArray[np.float32]


class Encoding(Protocol):
    """Encoding of one strip."""

    @property
    def vector(self) -> VectorArray: ...
    @property
    def seconds(self) -> float: ...
    @property
    def quality(self) -> float: ...


class Encoder(Protocol):
    """The part of `ml.runtime.encoder.EcgEncoder` that evaluation uses."""

    def encode(self, ecg: NDArray[np.float32], fs_hz: float) -> Encoding: ...


@dataclass(frozen=True)
class EncodedCut:
    """One cut as a vector, or the code of the failure to acquire it."""

    vector: VectorArray
    seconds: float
    quality: float
    code: str = ""


class EncodingCache:
    """Encodings by cut key, kept as one file per data set.

    Args:
        folder: Named after all that encodings depend on; see `cache_folder`.
        encoder: Encodes cuts that are not cached.
        vector_size: Of the encoder.
    """

    def __init__(self, folder: Path, encoder: Encoder, vector_size: int) -> None:
        self._folder, self._encoder, self._size = folder, encoder, vector_size

    def encode(self, data_set: str, cuts: Iterable[Cut]) -> dict[str, EncodedCut]:
        """Return the encoding of every cut by its key."""
        path = self._folder / f"{data_set}.npz"
        known = _read(path)
        wanted = {cut.key: cut for cut in cuts}
        missing = wanted.keys() - known.keys()
        if missing:
            known |= {key: self._encode(wanted[key]) for key in sorted(missing)}
            _write(path, known)
        return {key: known[key] for key in wanted}

    def _encode(self, cut: Cut) -> EncodedCut:
        try:
            found = self._encoder.encode(cut.signal, cut.record.fs_hz)
        except SignalError as error:
            return EncodedCut(np.full(self._size, np.nan, dtype=np.float32), 0.0, 0.0, error.code)
        return EncodedCut(found.vector, found.seconds, found.quality)


def cache_folder(root: Path, encoder: EcgEncoder) -> Path:
    """Name a folder after weights, preparation and code, so that a change of any starts a new cache."""
    package = Path(ml.runtime.encoder.__file__).parent
    sources = [*sorted(package.glob("ecg/*.py")), *sorted(package.glob("ecg/signal/*.py"))]
    code = hashlib.sha256(b"".join(path.read_bytes() for path in sources))
    code.update(json.dumps(encoder.info.preprocessing, sort_keys=True).encode())
    return root / f"{encoder.info.sha256[:12]}-{code.hexdigest()[:12]}"


@dataclass(frozen=True)
class TemplateSet:
    """Presentations as pooled templates, each with its oldest accepted reference; failed ones are NaN.

    Args:
        subject_ids: Length n.
        vectors: float32, shape (n, d).
        seconds: Accepted seconds, summed over references; float64, shape (n,).
        quality: Seconds-weighted mean; float64, shape (n,).
        reference_vectors, reference_seconds, reference_quality: Of the oldest accepted reference.
        codes: Why nothing was accepted, else "".
    """

    subject_ids: tuple[str, ...]
    vectors: VectorArray
    seconds: FloatArray
    quality: FloatArray
    reference_vectors: VectorArray
    reference_seconds: FloatArray
    reference_quality: FloatArray
    codes: tuple[str, ...]

    def subset(self, rows: NDArray[np.int64]) -> "TemplateSet":
        """Return a subset of the rows."""
        return TemplateSet(
            tuple(self.subject_ids[row] for row in rows),
            self.vectors[rows],
            self.seconds[rows],
            self.quality[rows],
            self.reference_vectors[rows],
            self.reference_seconds[rows],
            self.reference_quality[rows],
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
        seconds=np.array([template.seconds for template in pooled]),
        quality=np.array([template.quality for template in pooled]),
        reference_vectors=np.stack([reference.vector for reference in first]),
        reference_seconds=np.array([reference.seconds for reference in first]),
        reference_quality=np.array([reference.quality for reference in first]),
        codes=tuple(template.code for template in pooled),
    )


def _pool(presentation: Presentation, encoded: dict[str, EncodedCut]) -> EncodedCut:
    pairs = [(encoded[c.key], s) for c, s in zip(presentation.cuts, presentation.sessions, strict=True)]
    accepted = [(encoding, session) for encoding, session in pairs if not encoding.code]
    if len(accepted) <= 1:
        return accepted[0][0] if accepted else pairs[0][0]
    seconds = np.array([encoding.seconds for encoding, _ in accepted])
    return EncodedCut(
        vector=pool(np.stack([e.vector for e, _ in accepted]), np.array([s for _, s in accepted])),
        seconds=float(seconds.sum()),
        quality=float(np.average([encoding.quality for encoding, _ in accepted], weights=seconds)),
    )


def _read(path: Path) -> dict[str, EncodedCut]:
    if not path.is_file():
        return {}
    with np.load(path) as stored:
        columns = {name: stored[name] for name in ("key", "vector", "seconds", "quality", "code")}
    rows = zip(*(columns[name] for name in ("vector", "seconds", "quality", "code")), strict=True)
    return {
        str(key): EncodedCut(vector, float(seconds), float(quality), str(code))
        for key, (vector, seconds, quality, code) in zip(columns["key"], rows, strict=True)
    }


def _write(path: Path, known: dict[str, EncodedCut]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part.npz")
    np.savez(
        draft,
        key=np.array(list(known)),
        vector=np.stack([encoding.vector for encoding in known.values()]),
        seconds=np.array([encoding.seconds for encoding in known.values()]),
        quality=np.array([encoding.quality for encoding in known.values()]),
        code=np.array([encoding.code for encoding in known.values()]),
    )
    draft.replace(path)
