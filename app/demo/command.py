"""The demo: people are enrolled, recognized and rejected by a running service, over HTTP only.

`python -m app.demo serve-and-run` (what `make demo` calls) starts a service of its own in `var/demo`;
`python -m app.demo run --url … --api-key …` uses one that runs already.
"""

from __future__ import annotations

import json
import shlex
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Annotated

import httpx
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from app.demo.report import comparison_table, expected, percent, typical_ms
from app.demo.server import DemoError, demo_server
from app.demo.story import (
    FALSE_CLAIMS,
    FMR,
    FPIR,
    IDENTIFY,
    IDENTIFY_STRICT,
    INVERTED,
    MAX_PEOPLE,
    SHORT,
    SHORT_S,
    STRANGERS,
    STRICT,
    STRICT_FMR,
    STRICT_FPIR,
    VERIFY,
    Cast,
    Person,
    Service,
    Story,
    Strip,
    Track,
)
from ml.data.readers import DataError, EcgRecord, read_folder
from ml.synthetic.ecg import SyntheticPerson

SYNTHETIC_MEMBERS, SYNTHETIC_STRANGERS = 40, 12
SAMPLE_PERSON = 6
STRIP_S = 20.0
LONGEST_OF_NUMBERS_S = 120.0
SYNTHETIC_FS_HZ = 250.0
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GALLERY = "demo"
TIMEOUT_S = 30.0
# Characters that the table needs; a narrower terminal breaks its lines.
MIN_WIDTH = 96
# One in six stays a stranger at first: 15 of the 90 people of ECG-ID.
STRANGER_SHARE = 6
LEADS = {"I": "I", "ECG I": "I", "II": "II", "MLII": "MLII", "V5": "V5"}

POLICY_TEXT = (
    f"The gallery's policy is fmr {percent(FMR)} per comparison and fpir {percent(FPIR)} per search; "
    "the stricter one shown is the service's default."
)

app = typer.Typer(help="Recognize people by their ECG over HTTP.", no_args_is_help=True, add_completion=False)


def synthetic_cast() -> Cast:
    """People of the project's own generator: enrolled on two days, recognized on a third."""
    people = [_synthetic_person(seed) for seed in range(1, SYNTHETIC_MEMBERS + SYNTHETIC_STRANGERS + 1)]
    return Cast(
        about=f"{SYNTHETIC_MEMBERS} synthetic people are enrolled by {STRIP_S:g} s of ECG on each of two "
        f"days, and recognized by {STRIP_S:g} s of a third; electrodes are put on anew each day. "
        f"{SYNTHETIC_STRANGERS} strangers are never enrolled.",
        members=tuple(people[:SYNTHETIC_MEMBERS]),
        strangers=tuple(people[SYNTHETIC_MEMBERS:]),
        strangers_join=False,
        caution="These people are computed, from normal ranges and not to suit any encoder; some are hard to "
        "tell apart. The rates say that the service works, not how well it tells real people apart.",
    )


def _synthetic_person(seed: int) -> Person:
    strips = [
        replace(synthetic_strip(seed, take=day), captured_at=f"2026-01-0{day}T09:00:00Z") for day in (1, 2, 3)
    ]
    return Person(f"person-{seed:02d}", enrollment=tuple(strips[:2]), probe=strips[2])


def synthetic_strip(person: int, take: int, seconds: float = STRIP_S) -> Strip:
    """An ECG strip of a computed person; every take is a day of its own."""
    samples = SyntheticPerson.draw(person).record(seconds, SYNTHETIC_FS_HZ, session=take, seed=take)
    return Strip(fs_hz=SYNTHETIC_FS_HZ, signal=_numbers(samples), lead="I")


def recorded_cast(folder: Path) -> Cast:
    """The people of a data set: enrolled by their first recording, recognized by their second.

    Where nobody has two recordings, the two ends of one serve. The last sixth of the people are strangers
    until everybody else is enrolled, and then join.

    Raises:
        DemoError: Folder not readable, or fewer than two people in it.
    """
    try:
        records = read_folder(folder)
    except DataError as error:
        raise DemoError(str(error)) from error
    recordings: dict[str, list[EcgRecord]] = defaultdict(list)
    for record in records:
        if np.isfinite(record.signal).all():
            recordings[record.subject_id].append(record)
    if len(recordings) < 2:
        raise DemoError(f"{folder}: expected recordings of at least two people, found {len(recordings)}")
    chosen = dict(list(recordings.items())[:MAX_PEOPLE])
    has_pairs = any(len(of_person) > 1 for of_person in chosen.values())
    people = [_recorded_person(subject_id, chosen[subject_id], has_pairs) for subject_id in chosen]
    n_members = len(people) - max(1, len(people) // STRANGER_SHARE)
    first, second = ("first recording", "their second") if has_pairs else ("start of a recording", "its end")
    return Cast(
        about=f"{len(people)} of the {len(recordings)} people in {folder}: {n_members} are enrolled by the "
        f"{first}; the last {len(people) - n_members} come as strangers and are enrolled later. Everybody "
        f"is recognized by {second}. Strips last at most {STRIP_S:g} s.",
        members=tuple(people[:n_members]),
        strangers=tuple(people[n_members:]),
        strangers_join=True,
        caution=_caution(chosen.values(), has_pairs),
    )


def _recorded_person(subject_id: str, records: Sequence[EcgRecord], has_pairs: bool) -> Person:
    first = records[0]
    if has_pairs:
        return Person(subject_id, (_strip(first),), _strip(records[1]) if len(records) > 1 else None)
    half = first.signal.size // 2
    length = min(half, round(STRIP_S * first.fs_hz))
    beginning, end = _strip(first, first.signal[:length]), _strip(first, first.signal[-length:])
    return Person(subject_id, (beginning,), end)


def _strip(record: EcgRecord, samples: NDArray[np.float32] | None = None) -> Strip:
    samples = record.signal if samples is None else samples
    return Strip(
        # The API takes multiples of 0.1 Hz; measured rates have more digits.
        fs_hz=round(record.fs_hz, 1),
        signal=_numbers(samples[: round(STRIP_S * record.fs_hz)]),
        unit=record.unit,
        lead=LEADS.get(record.lead, "unknown"),
    )


def _numbers(samples: NDArray[np.float32]) -> list[float]:
    return [round(float(value), 4) for value in samples]


def _caution(people: Iterable[Sequence[EcgRecord]], has_pairs: bool) -> str:
    if not has_pairs:
        return "Both strips come from one recording; a figure across days will be worse."
    pairs = [of_person[:2] for of_person in people if len(of_person) > 1]
    same_day = sum(
        first.recorded_on is not None and first.recorded_on == second.recorded_on for first, second in pairs
    )
    if same_day == len(pairs):
        return (
            "SAME-DAY figures: both recordings of everybody were made on one day; across days they are worse."
        )
    return f"Both recordings are from one day for {same_day} of {len(pairs)} people, as far as the data tell."


UrlOption = Annotated[str, typer.Option(help="Where the service answers.")]
KeyOption = Annotated[
    str,
    typer.Option(envvar="PULSEPRINT_API_KEY", help="Key with all scopes for all galleries."),
]
DataOption = Annotated[Path | None, typer.Option(help="Folder of recordings; without it, synthetic people.")]
GalleryOption = Annotated[str, typer.Option(help="Name of the gallery to make; it must not exist yet.")]
SampleOption = Annotated[Path, typer.Option(help="Where to write the body for the curl command.")]
DirOption = Annotated[Path, typer.Option("--dir", help="Emptied at every start, if an earlier demo made it.")]
PortOption = Annotated[
    int | None,
    typer.Option(min=0, max=65535, envvar="PULSEPRINT_PORT", help="Without it, 8000 or any free one."),
]
ExitOption = Annotated[bool, typer.Option("--exit", envvar="DEMO_EXIT", help="Do not stay up afterwards.")]


@app.command()
def run(
    url: UrlOption,
    api_key: KeyOption,
    data: DataOption = None,
    gallery: GalleryOption = GALLERY,
    sample: SampleOption = Path("var/demo/probe.json"),
) -> None:
    """Play the demo against a service that runs already."""
    with _clean_exit() as console:
        play(console, Target(url, api_key, gallery), _cast(data), sample)


@app.command()
def serve_and_run(
    directory: DirOption = Path("var/demo"),
    port: PortOption = None,
    data: DataOption = None,
    leave: ExitOption = False,
) -> None:
    """Start a service in a fresh directory, play the demo against it, and stay up until Ctrl-C."""
    with _clean_exit() as console, demo_server(directory, port) as server:
        console.print(f"Service at {server.url}, log in {server.log}")
        sample = directory / "probe.json"
        target = Target(server.url, server.api_key, check_alive=server.check_alive)
        play(console, target, _cast(data), sample)
        if leave:
            return
        console.print(f"\nThe service stays up at {server.url} (docs at {server.url}/docs). Ctrl-C stops it.")
        server.process.wait()
        server.check_alive()


@app.command()
def sample(
    person: Annotated[int, typer.Option(min=0, help="Which computed person.")] = SAMPLE_PERSON,
    take: Annotated[int, typer.Option(min=0, help="Which day.")] = 1,
    seconds: Annotated[
        float, typer.Option(min=3.0, max=3600.0, help="Above 120 the samples are int16 in base64.")
    ] = STRIP_S,
) -> None:
    """Print a recording of a computed person as JSON, to try the API with."""
    strip = synthetic_strip(person, take, seconds)
    typer.echo(json.dumps(strip.body() if seconds <= LONGEST_OF_NUMBERS_S else strip.bytes_body()))


@contextmanager
def _clean_exit() -> Iterator[Console]:
    """Turn expected failures into one message, and signals into an orderly end that stops the server too."""
    console = Console(width=max(Console().width, MIN_WIDTH))
    # SIGINT as well: a shell without job control starts background commands with it ignored.
    before = {number: signal.signal(number, _interrupt) for number in ENDING_SIGNALS}
    try:
        yield console
    except DemoError as error:
        console.print(f"[bold red]The demo stopped.[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        console.print("\nStopped.")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _cast(data: Path | None) -> Cast:
    return recorded_cast(data) if data else synthetic_cast()


@dataclass(frozen=True)
class Target:
    """The service to play against; `transport` stands in for the network in tests."""

    url: str
    api_key: str
    gallery: str = GALLERY
    check_alive: Callable[[], None] = lambda: None
    transport: httpx.BaseTransport | None = None


def play(console: Console, target: Target, cast: Cast, sample: Path) -> Story:
    """Play the demo and show what came out; the body of one request is written to `sample`."""
    console.print(f"{cast.about} {POLICY_TEXT}", highlight=False)
    headers = {"Authorization": f"Bearer {target.api_key}"}
    with httpx.Client(
        base_url=target.url, headers=headers, timeout=TIMEOUT_S, transport=target.transport
    ) as client:
        service = Service(client)
        service.wait_until_ready(target.check_alive)
        with Progress(console=console, transient=True) as progress:
            story = Story(service, cast, target.gallery, track=_tracked_by(progress))
            story.play()
        correction = service.get(f"/galleries/{target.gallery}").body["correction"]
    console.print(comparison_table(story.lines))
    show_summary(console, story, correction)
    show_curl(console, target, sample, story)
    return story


def _tracked_by(progress: Progress) -> Track:
    return lambda step, people: progress.track(people, description=step)


def show_summary(console: Console, story: Story, correction: Sequence[dict[str, object]]) -> None:
    """Print the rates, counted from the answers."""
    for text in [*_counts(story), *_rates(story, correction), *_timings(story), story.cast.caution]:
        console.print(f"• {text}", highlight=False)


def _counts(story: Story) -> Iterator[str]:
    lines, refused = story.lines, story.not_enrolled
    yield f"enrolled: {len(story.enrolled)}" + "".join(f"; {who} not: {why}" for who, why in refused.items())
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


def _rates(story: Story, correction: Sequence[dict[str, object]]) -> Iterator[str]:
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
        if part.get("limited"):  # Computed people look more alike than real ones; some galleries of them are.
            state += ", as far as it may be: these people look very much alike"
        yield f"{part['encoder']}: {state} ({part['subjects']} people, {part['pairs']} comparisons)"


def _timings(story: Story) -> Iterator[str]:
    client_ms, service_ms = typical_ms(story.lines)
    yield f"median time of a recognition: {client_ms:.1f} ms for the client, {service_ms:.1f} ms of it served"
    if story.enroll_ms:
        enroll_ms = median(story.enroll_ms)
        yield f"median time of an enrollment, durable when answered: {enroll_ms:.1f} ms for the client"


def show_curl(console: Console, target: Target, sample: Path, story: Story) -> None:
    """Write a probe as a request body, and print how to send it."""
    probe = next(person.probe for person in story.cast.members if person.probe)
    sample.parent.mkdir(parents=True, exist_ok=True)
    sample.write_text(json.dumps({"gallery": story.gallery, "recordings": [probe.body()]}), encoding="utf-8")
    command = (
        f"curl -s {target.url}/identify -H 'Authorization: Bearer {target.api_key}' "
        f"-H 'Content-Type: application/json' --data @{shlex.quote(str(sample))}"
    )
    console.print(f"\nURL  {target.url}\nkey  {target.api_key}\ntry", highlight=False, soft_wrap=True)
    # Without wrapping or markup, so that it can be copied as it stands.
    console.print(command, highlight=False, markup=False, soft_wrap=True)
