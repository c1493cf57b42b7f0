"""What rows say is bound to a key that only the master keys open (DESIGN §7).

Whoever can write SQL and has no master key can delete rows and put back what they said before. Changing a
name, a policy, a scope or a quality, or moving any of them to another row, shows.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from app.adapters.db.column_types import microseconds, policy_to_json
from app.domain.policies import Policy

BINDING_BYTES = 16

Report = Callable[[str, str], None]
"""Called with the table and the id of a row that says something else than it was bound to."""


class RowBinding:
    """Makes and checks the `binding` of rows.

    Args:
        key: 32 bytes; without one, rows are not bound and all of them pass.
        report: Called once for each row that does not pass.
    """

    def __init__(self, key: bytes | None = None, report: Report = lambda *_: None) -> None:
        self._key = key
        self._report = report
        self._states: dict[str, Any] = {}
        self._reported: set[tuple[str, str]] = set()

    def made(self, table: str, values: Sequence[Any]) -> bytes | None:
        """The binding of a row with this content, as one of the functions below lists it."""
        begun = self._begun(table)
        if begun is None:
            return None
        state = begun.copy()
        # ascii() quotes and escapes: no two lists of values read alike, in any Python.
        state.update(ascii(values).encode())
        return bytes(state.digest())

    def checker_of(self, table: str) -> Callable[[tuple[Any, ...], bytes | None], bool]:
        """`holds` for one table and many rows: a start checks 100 000."""
        begun = self._begun(table)
        if begun is None:
            return lambda *_: True
        begin = begun.copy

        def holds(values: tuple[Any, ...], binding: bytes | None) -> bool:
            state = begin()
            state.update(ascii(values).encode())
            return binding is not None and hmac.compare_digest(state.digest(), binding)

        return holds

    def _begun(self, table: str) -> Any:
        """The state of a digest before any content: to begin one anew takes as long as all the rest."""
        if self._key is not None and table not in self._states:
            person = table[:16].encode()
            self._states[table] = blake2b(digest_size=BINDING_BYTES, key=self._key, person=person)
        return self._states.get(table)

    def holds(self, table: str, values: Sequence[Any], binding: bytes | None) -> bool:
        """Whether a row says what it was bound to."""
        made = self.made(table, values)
        return made is None or (binding is not None and hmac.compare_digest(made, bytes(binding)))

    def checked(self, table: str, row_id: str, values: Sequence[Any], binding: bytes | None) -> bool:
        """The same; what does not hold is reported, once."""
        if self.holds(table, values, binding):
            return True
        if (table, row_id) not in self._reported:
            self._reported.add((table, row_id))
            self._report(table, row_id)
        return False


UNBOUND = RowBinding()


def gallery_values(
    uuid: UUID, name: str, policy: Policy | None, fingerprint_dpi: int | None, created_at: datetime
) -> tuple[Any, ...]:
    """What a row of `galleries` is bound to: all but its revisions, and its key, which is bound by itself."""
    stated = None if policy is None else json.dumps(policy_to_json(policy), sort_keys=True)
    return uuid.bytes, name, stated, fingerprint_dpi, microseconds(created_at)


def client_values(row: Any) -> tuple[Any, ...]:
    """Of a row of `api_clients`: everything."""
    times = (row.created_at, row.expires_at, row.revoked_at)
    return (
        row.id,
        row.name,
        bytes(row.secret_sha256),
        row.scopes,
        row.galleries,
        *(None if time is None else microseconds(time) for time in times),
    )


def subject_values(
    uuid: bytes, gallery: bytes, subject_id: str, consent: tuple[str | None, int | None], created_us: int
) -> tuple[Any, ...]:
    """Of a row of `subjects`: all but its key, which is bound by itself."""
    return bytes(uuid), bytes(gallery), subject_id, *consent, created_us


class ReferenceValues(NamedTuple):
    """Of a row of `biometric_references`: all but its ciphertexts, which are bound by themselves.

    `reference_scan` lists the same in the same order, for speed as a plain tuple.
    """

    reference_id: bytes
    subject: bytes
    modality: str
    position: str
    encoder: str
    quality: float
    amount: float
    session: str
    captured_us: int | None
    created_us: int
