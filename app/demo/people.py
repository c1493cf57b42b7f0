"""Who takes part in the demo."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from app.demo.recordings import Picture, Recording, Strip

# A hundred is what /identify lists at most; with all candidates listed, every score can be counted.
MAX_PEOPLE = 100
# One in six is a stranger: 15 of the 90 people of ECG-ID.
STRANGER_SHARE = 6


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

    def limited_to(self, modalities: Collection[str]) -> Person:
        """The same person with captures of these modalities only."""
        return replace(
            self,
            enrollment=tuple(one for one in self.enrollment if one.modality in modalities),
            probe=self.probe if "ecg" in modalities else None,
            pictures=tuple(one for one in self.pictures if one.modality in modalities),
        )


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

    @property
    def modalities(self) -> set[str]:
        """Those that anybody brings."""
        everybody = [*self.members, *self.strangers]
        return {recording.modality for person in everybody for recording in person.enrollment}

    def limited_to(self, modalities: Collection[str]) -> Cast:
        """The same people with captures of these modalities only."""
        return replace(
            self,
            members=tuple(person.limited_to(modalities) for person in self.members),
            strangers=tuple(person.limited_to(modalities) for person in self.strangers),
        )


def divided(people: Sequence[Person]) -> tuple[tuple[Person, ...], tuple[Person, ...]]:
    """Members, and the last sixth as strangers."""
    n_members = len(people) - max(1, len(people) // STRANGER_SHARE)
    return tuple(people[:n_members]), tuple(people[n_members:])
