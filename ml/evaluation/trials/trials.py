"""Trials of a protocol: who is enrolled with which pieces of which recordings, and which probes follow.

They are independent of any encoder, so that baselines are measured on the same trials.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.data.faces import FaceRecord
from ml.data.records import EcgRecord
from ml.runtime.ecg.raw_ecg import RawEcg
from ml.runtime.face.raw_face import RawFace


@dataclass(frozen=True)
class Cut:
    """A piece of a recording; `end_s` None means to its end, `inverted` that the electrodes were swapped."""

    record: EcgRecord
    start_s: float = 0.0
    end_s: float | None = None
    inverted: bool = False

    @property
    def key(self) -> str:
        """Name of the piece within its data set."""
        end = "" if self.end_s is None else f"{self.end_s:g}"
        return f"{self.record.record_id}[{self.start_s:g}:{end}]{'-' if self.inverted else ''}"

    @property
    def signal(self) -> NDArray[np.float32]:
        """The piece's samples in the unit of its recording, shape (n_samples,)."""
        fs_hz = self.record.fs_hz
        end = None if self.end_s is None else round(self.end_s * fs_hz)
        piece = self.record.signal[round(self.start_s * fs_hz) : end]
        return -piece if self.inverted else piece

    @property
    def capture(self) -> RawEcg:
        """What an encoder reads of it."""
        return RawEcg(self.signal, self.record.fs_hz)

    @property
    def session(self) -> str:
        """Recordings of one day are one session."""
        return str(self.record.recorded_on or "")


@dataclass(frozen=True)
class Still:
    """A picture of a face."""

    record: FaceRecord
    session: str = ""

    @property
    def key(self) -> str:
        """Name of the picture within its data set."""
        return self.record.record_id

    @property
    def capture(self) -> RawFace:
        """What an encoder reads of it."""
        return RawFace(self.record.image)


Piece = Cut | Still


@dataclass(frozen=True)
class Presentation:
    """Input of one subject in one request.

    Args:
        subject_id: Of the subject.
        cuts: One or more.
        sessions: The session of each cut; recordings of one day are one session.
    """

    subject_id: str
    cuts: tuple[Piece, ...]
    sessions: tuple[str, ...]

    @classmethod
    def of(cls, *cuts: Piece) -> "Presentation":
        """Pieces of one subject, each of its own session."""
        return cls(cuts[0].record.subject_id, cuts, tuple(cut.session for cut in cuts))

    @property
    def strips(self) -> tuple[Cut, ...]:
        """Its pieces, for those who read ECG alone.

        Raises:
            TypeError: It holds others.
        """
        found = tuple(cut for cut in self.cuts if isinstance(cut, Cut))
        if len(found) < len(self.cuts):
            raise TypeError("expected pieces of ECG, found pictures")
        return found


@dataclass(frozen=True)
class Probe:
    """A probe, and its subject's own enrollment if the protocol has one for it."""

    presentation: Presentation
    own_enrollment: Presentation | None = None


@dataclass(frozen=True)
class Trials:
    """One line of a report: every probe is compared with the whole gallery.

    Args:
        name: Of the variant, such as "first 5 s".
        gallery: One enrollment per subject.
        probes: All of them; a subject may have several.
    """

    name: str
    gallery: tuple[Presentation, ...]
    probes: tuple[Probe, ...]

    def __post_init__(self) -> None:
        if len({enrolled.subject_id for enrolled in self.gallery}) != len(self.gallery):
            raise ValueError(f"{self.name}: a subject is enrolled twice")

    @property
    def presentations(self) -> tuple[Presentation, ...]:
        """Everything that must be encoded."""
        own = tuple(probe.own_enrollment for probe in self.probes if probe.own_enrollment is not None)
        return self.gallery + tuple(probe.presentation for probe in self.probes) + own


def trials_of(name: str, gallery: Sequence[Presentation], probes: Sequence[Presentation]) -> Trials:
    """Trials in which every subject is enrolled once for all probes."""
    return Trials(name, tuple(gallery), tuple(Probe(presentation) for presentation in probes))


def seeded_halves(people: int, halves: int, *, seed: int = 20261120) -> Iterator[NDArray[np.int64]]:
    """Draw random halves of people; each yields the ascending indices of the known ones."""
    generator = np.random.default_rng(seed)
    for _ in range(halves):
        yield np.sort(generator.permutation(people)[: people // 2])
