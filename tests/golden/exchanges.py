"""Requests of a conversation, each under a name of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.golden.strips import AnyStrip, Probe

ALL_SCOPES, NO_SCORES = "all scopes", "all but read:scores"


@dataclass(frozen=True)
class Exchange:
    """One request.

    Args:
        name: The same in every run, and unlike all others of its conversation.
        key: With which scopes.
        kept: Whether its answer is compared; otherwise it only has to succeed.
    """

    name: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    key: str = ALL_SCOPES
    kept: bool = True


Exchanges = Iterator[Exchange]


@dataclass(frozen=True)
class Stage:
    """What is sent to one running application.

    Args:
        encoders: The setting PULSEPRINT_ENCODERS; or `fake` and versions of the fake encoder, newest first.
        exchanges: Makes the requests.
    """

    encoders: str
    exchanges: Callable[[], Exchanges]


@dataclass(frozen=True)
class Part:
    """Makes the requests of one part of a conversation; its label begins their names."""

    label: str
    key: str = ALL_SCOPES
    kept: bool = True

    def verify(self, probe: Probe, subject_id: str = "", **more: Any) -> Exchange:
        claimed = subject_id or name_of(probe.claimed)
        body = {"subject_id": claimed, "recordings": probe.json()} | more
        return self._post("verify", f"{probe.name} as {claimed}", body, more)

    def identify(self, probe: Probe, **more: Any) -> Exchange:
        return self._post("identify", probe.name, {"recordings": probe.json()} | more, more)

    def both(self, probes: Sequence[Probe], max_candidates: int = 3) -> Exchanges:
        """Verify and identify every probe."""
        for probe in probes:
            yield self.verify(probe)
            yield self.identify(probe, max_candidates=max_candidates)

    def enroll(self, person: int, strips: Sequence[AnyStrip], **more: Any) -> Exchange:
        recordings = [strip.json() for strip in strips]
        body = {"subject_id": name_of(person), "recordings": recordings} | more
        return self._post("enroll", name_of(person), body, more)

    def gallery(self) -> Exchange:
        return Exchange(f"{self.label}: gallery", "GET", "/galleries/default")

    def policy(self, **policy: Any) -> Exchange:
        body = {"policy": {"kind": "calibrated"} | policy}
        return Exchange(f"{self.label}: policy", "PUT", "/galleries/default", body)

    def erase(self, person: int) -> Exchange:
        return Exchange(f"{self.label}: erase", "DELETE", f"/subjects/{name_of(person)}")

    def _post(self, verb: str, what: str, body: dict[str, Any], more: dict[str, Any]) -> Exchange:
        options = "".join(f", {name} {value}" for name, value in more.items())
        return Exchange(
            f"{self.label}: {verb} {what}{options}", "POST", f"/{verb}", body, self.key, self.kept
        )


def name_of(person: int) -> str:
    """The subject id of a computed person."""
    return f"p{person:03}"
