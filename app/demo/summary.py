"""What came out of the ECG story, counted from the service's answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from rich.console import Console

from app.demo.report import expected, percent, typical_ms
from app.demo.story import (
    FALSE_CLAIMS,
    FMR,
    IDENTIFY,
    IDENTIFY_STRICT,
    INVERTED,
    SHORT,
    SHORT_S,
    STRANGERS,
    STRICT,
    STRICT_FMR,
    STRICT_FPIR,
    VERIFY,
    Story,
)

Correction = Sequence[Mapping[str, object]]


def show_summary(console: Console, story: Story, correction: Correction) -> None:
    """Print the rates, one a line."""
    for text in [*_counts(story), *_rates(story, correction), *_timings(story)]:
        console.print(f"• {text}", highlight=False)


def _counts(story: Story) -> Iterator[str]:
    lines, refused = story.lines, story.not_enrolled
    yield f"enrolled: {len(story.enrolled)}" + "".join(f"; {who} not: {why}" for who, why in refused.items())
    if not lines:
        return
    found = expected(lines, IDENTIFY)
    yield f"identified: {found}; right person first, at whatever score: {story.right_first}"
    yield f"identified at the stricter fpir of {percent(STRICT_FPIR)}: {expected(lines, IDENTIFY_STRICT)}"
    rejected = expected(lines, STRANGERS)
    yield f"strangers rejected: {rejected}; false claims rejected: {expected(lines, FALSE_CLAIMS)}"
    yield (
        f"own claims verified: {expected(lines, VERIFY)}; at the stricter fmr of {percent(STRICT_FMR)} "
        f"{expected(lines, STRICT)}; by the first {SHORT_S:g} s alone {expected(lines, SHORT)}"
    )
    yield (
        f"inverted, as by swapped electrodes: same decision for {expected(lines, INVERTED)}, "
        f"largest change of a score {story.largest_change_db:.1g} dB"
    )


def _rates(story: Story, correction: Correction) -> Iterator[str]:
    scores = story.scores
    if scores.eer is not None:
        pairs = f"{len(scores.mated)} mated and {len(scores.non_mated)} non-mated comparisons"
        yield f"equal error rate seen: {percent(scores.eer)} over {pairs}"
    if n := len(scores.non_mated):
        yield (
            f"false matches seen at the policy's fmr of {percent(FMR)}: {scores.false_matches} of {n} "
            f"({percent(scores.false_matches / n)}; {FMR * n:.1f} would be nominal)"
        )
    for part in correction:
        state = (
            "corrected by the gallery's own null"
            if part["corrected"]
            else "not corrected: too few people yet"
        )
        if part.get("limited"):  # Computed people look more alike than real ones.
            state += ", as far as it may be: these people look very much alike"
        yield f"{part['encoder']}: {state} ({part['subjects']} people, {part['pairs']} comparisons)"


def _timings(story: Story) -> Iterator[str]:
    if story.lines:
        client, service = typical_ms(story.lines)
        yield (
            f"median time of a recognition by ECG: {client:.1f} ms for the client, "
            f"{service:.1f} ms of it served"
        )
    if story.enroll_ms:
        enroll_ms = median(story.enroll_ms)
        yield f"median time of an enrollment, durable when answered: {enroll_ms:.1f} ms for the client"
