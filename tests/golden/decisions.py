"""What the service answered in every conversation, and how it is compared with what it answers now.

    python -m tests.golden.decisions        # writes tests/golden/decisions.json anew

The answers were kept while every search compared the probe with everybody. Write them anew only where
decisions are meant to change.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from app.adapters.db.migrating import migrate
from tests.api.application import EVERYTHING, Api, open_api, open_shipped_api
from tests.fakes import FakeEncoder, FakeEncoders
from tests.golden import crowd, shipped
from tests.golden.exchanges import ALL_SCOPES, NO_SCORES, Stage

DECISIONS = Path(__file__).parent / "decisions.json"
FAKE = "fake"
_BEAT = "ecg=ecg-beat@2026.11"
CONVERSATIONS = {
    "ecg": (Stage("", shipped.default_bundle),),
    "ecg-beat": (Stage(_BEAT, shipped.mean_beat_bundle),),
    "ecg-edge": (Stage("ecg=ecg-edge@2026.11", shipped.eight_bit_bundle),),
    "two bundles": (Stage(_BEAT, shipped.before_an_upgrade), Stage("", shipped.after_an_upgrade)),
    "crowd": (
        Stage(f"{FAKE} 2026.11", crowd.first_version),
        Stage(f"{FAKE} 2026.12 2026.11", crowd.second_version),
    ),
}

# Every gallery has a random rotation: with another one scores differ by up to 1e-4 dB, distances by 1e-6.
TOLERANCES = {"distance": 1e-5} | dict.fromkeys(
    ("score", "threshold", "evidence_ceiling", "shortfall_db", "offset_db"), 1e-3
)
RELATIVE_TOLERANCE = 1e-3
"""Of all other measurements: rates, seconds, probabilities."""
ONLY_DECISIONS = frozenset({"ecg-edge"})
"""Conversations without measurements: processors round 8-bit networks differently."""

_NOT_KEPT = frozenset({"id", "transaction_id", "processing_ms", "created_at", "detail", "title", "message"})
_AS_IN_THE_PROBE = frozenset({"modality", "metric", "seconds", "quality"})
Answers = dict[str, dict[str, Any]]


def replay(conversation: str, database_url: str) -> Answers:
    """Hold a conversation on a migrated, empty database; name of the exchange → status and answer."""
    answers: Answers = {}
    for stage in CONVERSATIONS[conversation]:
        with _opened(database_url, stage.encoders) as api:
            limited = [scope for scope in EVERYTHING if scope != "read:scores"]
            keys = {ALL_SCOPES: api.key, NO_SCORES: api.new_key(*limited)}
            for exchange in stage.exchanges():
                answer = api.call(exchange.method, exchange.path, exchange.body, key=keys[exchange.key])
                if exchange.kept:
                    assert exchange.name not in answers, exchange.name
                    content = _kept(answer.json()) if answer.content else {}
                    answers[exchange.name] = {"status": answer.status_code} | content
                else:
                    assert answer.is_success, answer.text
    return answers


def differences(kept: Any, found: Any, *, measurements: bool = True, where: str = "answer") -> list[str]:
    """What is not the same: words, names, order and counts exactly, measurements nearly or not at all."""
    return list(_differences(kept, found, measurements, where))


def _differences(kept: Any, found: Any, measurements: bool, where: str) -> Iterator[str]:
    if isinstance(kept, Mapping) and isinstance(found, Mapping) and kept.keys() == found.keys():
        for name, value in kept.items():
            yield from _differences(value, found[name], measurements, f"{where}.{name}")
    elif isinstance(kept, list) and isinstance(found, list) and len(kept) == len(found):
        for place, pair in enumerate(zip(kept, found, strict=True)):
            yield from _differences(*pair, measurements, f"{where}[{place}]")
    elif isinstance(kept, float) and isinstance(found, float):
        tolerance = TOLERANCES.get(where.rpartition(".")[2])
        limits = (
            {"rel_tol": RELATIVE_TOLERANCE} if tolerance is None else {"rel_tol": 0.0, "abs_tol": tolerance}
        )
        if measurements and not math.isclose(kept, found, **limits):
            yield f"{where}: {kept} was kept, {found} was answered"
    elif kept != found or isinstance(kept, bool) != isinstance(found, bool):
        yield f"{where}: {kept} was kept, {found} was answered"


def _opened(database_url: str, encoders: str) -> AbstractContextManager[Api]:
    if encoders.startswith(FAKE):
        return open_api(database_url, FakeEncoders(*map(FakeEncoder, encoders.split()[1:])))
    return open_shipped_api(database_url, encoders)


def _kept(answer: Any, left_out: frozenset[str] = _NOT_KEPT) -> Any:
    """Without what differs from run to run, prose, and what candidates repeat of their probe."""
    if isinstance(answer, dict):
        return {
            name: _kept(value, left_out | _AS_IN_THE_PROBE if name == "candidates" else left_out)
            for name, value in answer.items()
            if name not in left_out
        }
    if isinstance(answer, list):
        return [_kept(value, left_out) for value in answer]
    return float(f"{answer:.7g}") if isinstance(answer, float) else answer


def _in_lines(document: Mapping[str, Answers]) -> str:
    """JSON with an exchange in each line, for readable diffs."""
    parts = (
        f"{json.dumps(conversation)}:{{\n"
        + ",\n".join(f"{_compact(name)}:{_compact(answer)}" for name, answer in answers.items())
        + "\n}"
        for conversation, answers in document.items()
    )
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    """Write all answers."""
    document = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, conversation in enumerate(CONVERSATIONS):
            url = f"sqlite:///{Path(folder) / str(number)}.db"
            migrate(url)
            document[conversation] = replay(conversation, url)
    DECISIONS.write_text(_in_lines(document), encoding="utf-8")


if __name__ == "__main__":
    main()
