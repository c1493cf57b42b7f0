"""The same people recognized by each modality alone, by pairs and by all, and with one of them spoiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.table import Table

from app.demo.people import Cast, Person
from app.demo.recordings import Recording
from app.demo.report import Tally, percent
from app.demo.service import Answer, Service
from app.demo.story import STRICT_FMR, STRICT_FPIR, Track

CAPTION = (
    f"At the service's default policy: fmr {percent(STRICT_FMR)} per comparison, fpir {percent(STRICT_FPIR)} "
    "per search. spoiled: noise in place of a heart, a face or a finger; it is marked and takes no part."
)


@dataclass(frozen=True)
class Combination:
    """What a probe consists of.

    Args:
        modalities: All that it holds.
        spoiled: Of these, the one that is noise.
    """

    modalities: tuple[str, ...]
    spoiled: str | None = None

    @property
    def name(self) -> str:
        """For the table."""
        return " + ".join(f"{m} (spoiled)" if m == self.spoiled else m for m in self.modalities)

    def of(self, person: Person) -> list[Recording]:
        """The probe of a person."""
        probes = person.probes
        return [probes[m].spoiled() if m == self.spoiled else probes[m] for m in self.modalities]


@dataclass(frozen=True)
class Row:
    """How a combination did."""

    combination: Combination
    identified: Tally
    verified: Tally
    strangers_rejected: Tally
    false_claims_rejected: Tally
    client_ms: float


@dataclass
class ModalityStory:
    """Plays the members and strangers of a gallery that the main story has filled."""

    service: Service
    cast: Cast
    gallery: str
    track: Track
    enrolled: Sequence[str]
    rows: list[Row] = field(default_factory=list)

    def play(self) -> None:
        """Every combination in order; none where there is only one modality."""
        modalities = self._modalities()
        if len(modalities) > 1:
            self.rows = [self._row(combination) for combination in combinations_of(modalities)]

    def _modalities(self) -> list[str]:
        """Those that everybody brings and the service serves."""
        served = {model["modality"] for model in self.service.get("/models").body["items"]}
        everybody = [*self.cast.members, *self.cast.strangers]
        brought = [modality for modality in everybody[0].probes if modality in served]
        return [m for m in brought if all(m in person.probes for person in everybody)]

    def _row(self, combination: Combination) -> Row:
        members = [person for person in self.cast.members if person.subject_id in self.enrolled]
        name = combination.name
        searches = [self._who(combination.of(one)) for one in self.track(name, members)]
        claims = [self._whether(one.subject_id, combination.of(one)) for one in self.track(name, members)]
        strangers = self.cast.strangers if not self.cast.strangers_join else ()
        unknown = [self._who(combination.of(one)) for one in self.track(name, strangers)]
        false = [
            self._whether(claimed.subject_id, combination.of(one))
            for one, claimed in zip(strangers, members, strict=False)
        ]
        named = [_decided(answer) == one.subject_id for answer, one in zip(searches, members, strict=True)]
        return Row(
            combination,
            identified=Tally(sum(named), len(members)),
            verified=Tally(sum(map(_matched, claims)), len(members)),
            strangers_rejected=Tally(sum(not _matched(a) for a in unknown), len(unknown)),
            false_claims_rejected=Tally(sum(not _matched(a) for a in false), len(false)),
            client_ms=median(answer.client_ms for answer in searches),
        )

    def _who(self, probe: Sequence[Recording]) -> Answer:
        bodies = [recording.body() for recording in probe]
        return self.service.post(
            "/identify", {"gallery": self.gallery, "recordings": bodies, "fpir": STRICT_FPIR}
        )

    def _whether(self, claimed: str, probe: Sequence[Recording]) -> Answer:
        bodies = [recording.body() for recording in probe]
        body = {"subject_id": claimed, "gallery": self.gallery, "recordings": bodies, "fmr": STRICT_FMR}
        return self.service.post("/verify", body)


def combinations_of(modalities: Sequence[str]) -> list[Combination]:
    """Each alone, pairs, all, and all with each one spoiled in turn."""
    sizes = range(1, len(modalities) + 1)
    whole = [Combination(chosen) for size in sizes for chosen in combinations(modalities, size)]
    return whole + [Combination(tuple(modalities), spoiled) for spoiled in modalities]


def modality_table(rows: Sequence[Row]) -> Table:
    """One row for each combination."""
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), caption=CAPTION, caption_justify="left"
    )
    table.add_column("recognized by")
    for title in ("identified", "verified", "strangers\nrejected", "false claims\nrejected", "client\nms"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        tallies = (row.identified, row.verified, row.strangers_rejected, row.false_claims_rejected)
        table.add_row(row.combination.name, *map(str, tallies), f"{row.client_ms:.1f}")
    return table


def _matched(answer: Answer) -> bool:
    return _decided(answer) is not None


def _decided(answer: Answer) -> str | None:
    """Whom the answer names; nobody where the probe was refused."""
    body: Mapping[str, object] = answer.body
    return str(body["subject_id"]) if body.get("decision") == "match" else None
