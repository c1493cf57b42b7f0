"""The demo: people are enrolled, recognized and rejected by a running service, over HTTP only.

`python -m app.demo serve-and-run` (what `make demo` calls) starts a service of its own in `var/demo`;
`python -m app.demo run --url … --api-key …` uses one that runs already.
"""

from __future__ import annotations

import json
import shlex
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import Progress

from app.demo.computed_people import STRIP_S, computed_cast, computed_print, computed_strip
from app.demo.modalities import ModalityStory, modality_table
from app.demo.people import Cast
from app.demo.recorded_people import recorded_cast
from app.demo.report import comparison_table, expected, percent, typical_ms
from app.demo.server import DemoError, demo_server
from app.demo.service import Service
from app.demo.story import (
    FALSE_CLAIMS,
    FMR,
    FPIR,
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
    Track,
)

SAMPLE_PERSON = 6
LONGEST_OF_NUMBERS_S = 120.0
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GALLERY = "demo"
TIMEOUT_S = 30.0
# Characters that the table needs; a narrower terminal breaks its lines.
MIN_WIDTH = 96

POLICY_TEXT = (
    f"The gallery's policy is fmr {percent(FMR)} per comparison and fpir {percent(FPIR)} per search; "
    "the stricter one shown is the service's default."
)


class SampleModality(StrEnum):
    """What the computed person shows."""

    ECG = "ecg"
    FINGERPRINT = "fingerprint"


app = typer.Typer(help="Recognize people over HTTP.", no_args_is_help=True, add_completion=False)


UrlOption = Annotated[str, typer.Option(help="Where the service answers.")]
KeyOption = Annotated[
    str,
    typer.Option(envvar="PULSEPRINT_API_KEY", help="Key with all scopes for all galleries."),
]
DataOption = Annotated[Path | None, typer.Option(help="Folder of recordings; without it, computed people.")]
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
    modality: Annotated[SampleModality, typer.Option(help="Of the recording.")] = SampleModality.ECG,
) -> None:
    """Print a recording of a computed person as JSON, to try the API with."""
    if modality is SampleModality.FINGERPRINT:
        typer.echo(json.dumps(computed_print(person, take).body()))
        return
    strip = computed_strip(person, take, seconds)
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
    return recorded_cast(data) if data else computed_cast()


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
            track = _tracked_by(progress)
            story = Story(service, cast, target.gallery, track=track)
            story.play()
            modalities = ModalityStory(service, cast, target.gallery, track, story.enrolled)
            modalities.play()
        correction = service.get(f"/galleries/{target.gallery}").body["correction"]
    console.print(comparison_table(story.lines))
    if modalities.rows:
        console.print(modality_table(modalities.rows))
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
