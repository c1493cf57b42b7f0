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
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import Progress

from app.demo.computed_people import STRIP_S, computed_cast, computed_print, computed_strip
from app.demo.data_folders import cast_of
from app.demo.modalities import ModalityStory, Row, modality_table
from app.demo.people import Cast
from app.demo.report import comparison_table, percent
from app.demo.server import DemoError, demo_server
from app.demo.service import Service
from app.demo.story import FMR, FPIR, Story, Track
from app.demo.summary import Correction, show_summary

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
        play(console, Target(url, api_key, gallery), _cast(console, data), sample)


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
        play(console, target, _cast(console, data), sample)
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


def _cast(console: Console, data: Path | None) -> Cast:
    if data:
        return cast_of(data)
    with Progress(console=console, transient=True) as progress:
        return computed_cast(lambda seeds: progress.track(seeds, description="compute people"))


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
    headers = {"Authorization": f"Bearer {target.api_key}"}
    with httpx.Client(
        base_url=target.url, headers=headers, timeout=TIMEOUT_S, transport=target.transport
    ) as client:
        service = Service(client)
        service.wait_until_ready(target.check_alive)
        cast = _served(console, service, cast)
        console.print(f"{cast.about} {POLICY_TEXT}", highlight=False)
        with Progress(console=console, transient=True) as progress:
            track = _tracked_by(progress)
            story = Story(service, cast, target.gallery, track=track)
            story.play()
            modalities = ModalityStory(service, cast, target.gallery, track, story.enrolled)
            modalities.play()
        correction = service.get(f"/galleries/{target.gallery}").body["correction"]
    _show(console, story, modalities.rows, correction)
    show_curl(console, target, sample, story)
    return story


def _served(console: Console, service: Service, cast: Cast) -> Cast:
    """The cast without what the service cannot compare, such as faces before their networks are fetched."""
    served = {model["modality"] for model in service.get("/models").body["items"]}
    for modality in sorted(cast.modalities - served):
        console.print(f"{modality} is not served here and left out.", highlight=False)
    return cast.limited_to(served)


def _tracked_by(progress: Progress) -> Track:
    return lambda step, people: progress.track(people, description=step)


def _show(console: Console, story: Story, rows: Sequence[Row], correction: Correction) -> None:
    if story.lines:
        console.print("\n[bold]By ECG alone[/]")
        console.print(comparison_table(story.lines))
    show_summary(console, story, correction)
    if rows:
        console.print("\n[bold]By each modality, together, and with one spoiled[/]")
        console.print(modality_table(rows))
    console.print(f"• {story.cast.caution}", highlight=False)


def show_curl(console: Console, target: Target, sample: Path, story: Story) -> None:
    """Write a probe as a request body, and print how to send it."""
    probe = next(person.probes for person in story.cast.members if person.probes)
    sample.parent.mkdir(parents=True, exist_ok=True)
    bodies = [recording.body() for recording in probe.values()]
    sample.write_text(json.dumps({"gallery": story.gallery, "recordings": bodies}), encoding="utf-8")
    command = (
        f"curl -s {target.url}/identify -H 'Authorization: Bearer {target.api_key}' "
        f"-H 'Content-Type: application/json' --data @{shlex.quote(str(sample))}"
    )
    console.print(f"\nURL  {target.url}\nkey  {target.api_key}\ntry", highlight=False, soft_wrap=True)
    # Without wrapping or markup, so that it can be copied as it stands.
    console.print(command, highlight=False, markup=False, soft_wrap=True)
