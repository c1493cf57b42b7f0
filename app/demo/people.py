"""Who takes part in the demo."""

from __future__ import annotations

from dataclasses import dataclass

from app.demo.recordings import Picture, Recording, Strip

# A hundred is what /identify lists at most; with all candidates listed, every score can be counted.
MAX_PEOPLE = 100


@dataclass(frozen=True)
class Person:
    """Somebody with recordings to be enrolled by and others to be recognized by.

    Attributes:
        subject_id: Name in the gallery.
        enrollment: Of any modality.
        probe: An ECG strip, where there is one.
        pictures: Probes of other modalities, one of each.
    """

    subject_id: str
    enrollment: tuple[Recording, ...]
    probe: Strip | None
    pictures: tuple[Picture, ...] = ()

    @property
    def probes(self) -> dict[str, Recording]:
        """What the person is recognized by, by modality."""
        found: list[Recording] = [*([self.probe] if self.probe else []), *self.pictures]
        return {recording.modality: recording for recording in found}


@dataclass(frozen=True)
class Cast:
    """Who takes part.

    Attributes:
        about: Who they are, in a sentence or two.
        members: Enrolled from the start.
        strangers: Not enrolled when they are first identified.
        strangers_join: Whether they are enrolled afterwards.
        caution: What the figures must not be taken for.
    """

    about: str
    members: tuple[Person, ...]
    strangers: tuple[Person, ...]
    strangers_join: bool
    caution: str
