"""`python -m ml.cli compare`: two systems on the trials of one protocol, paired by person."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ml.data.records import DataError
from ml.evaluation.kept_results import RESULTS, keep_comparison
from ml.evaluation.looks import log_look
from ml.evaluation.protocols.catalogue import PROTOCOLS
from ml.evaluation.report import paired_table
from ml.evaluation.runner import DEFAULT_CACHE, INVERTED, Runner
from ml.evaluation.trials.paired import REPLICATES, PairedFigures, compare_systems
from ml.evaluation.trials.trial_scores import (
    TrialScores,
    TrialScoresError,
    read_trial_scores,
    write_trial_scores,
)
from ml.runtime.encoder import BundleError, load_bundle

SCORES = Path("var/scores")


def register(app: typer.Typer) -> None:
    """Add the command `compare` to a command line."""
    app.command("compare")(compare)


def compare(  # noqa: PLR0917 – typer declares options as parameters.
    protocol: Annotated[list[str], typer.Option(help=f"One or more of {', '.join(PROTOCOLS)}.")],
    bundle: Annotated[str, typer.Option(help="Directory of a bundle, name under --scores, or .npz.")],
    against: Annotated[str, typer.Option(help="The system to compare with.")],
    data: Annotated[Path, typer.Option(help="Folder that holds ecg/.")] = Path("../shared/data"),
    results: Annotated[Path, typer.Option(help="Where results are kept.")] = RESULTS,
    scores: Annotated[Path, typer.Option(help="Where trial scores are kept.")] = SCORES,
    cache: Annotated[Path, typer.Option(help="Where encodings are kept between runs.")] = DEFAULT_CACHE,
    replicates: Annotated[int, typer.Option(help="Draws of people.", min=100)] = REPLICATES,
) -> None:
    """Compare two systems: rank-1 errors and EER, with a bootstrap over the same people."""
    unknown = [name for name in protocol if name not in PROTOCOLS]
    if unknown:
        raise typer.BadParameter(f"{unknown}: expected {', '.join(PROTOCOLS)}")
    console = Console(width=220)
    try:
        for name in protocol:
            first, second = (
                trial_scores(system, name, data=data, scores=scores, cache=cache)
                for system in (bundle, against)
            )
            found = compare_variants(name, first, second, replicates)
            title = f"{name}: {found[0].a} against {found[0].b}, same trials, 95 % intervals over people"
            table = paired_table(found, f"{title}; below 0 speaks for {found[0].a}")
            table.print(console)
            command = f"python -m ml.cli compare --protocol {name} --bundle {bundle} --against {against}"
            _keep(results, name, found, {"replicates": replicates, "command": command})
            if not PROTOCOLS[name].development:
                label = f"{found[0].a} against {found[0].b}"
                figures = {one.variant: _seen(one) for one in found}
                log_look(results / "looks.jsonl", protocol=name, bundle=label, figures=figures)
    except (BundleError, DataError, TrialScoresError) as error:
        console.print(str(error), style="red", soft_wrap=True)
        raise typer.Exit(code=1) from None


def compare_variants(
    protocol: str, first: Mapping[str, TrialScores], second: Mapping[str, TrialScores], replicates: int
) -> list[PairedFigures]:
    """Compare two systems on every variant that both have.

    Raises:
        TrialScoresError: No variant in common, or different trials.
    """
    both = [variant for variant in first if variant in second]
    if not both:
        raise TrialScoresError(f"{protocol}: the two systems have no variant in common")
    return [compare_systems(first[variant], second[variant], replicates=replicates) for variant in both]


def trial_scores(
    system: str, protocol: str, *, data: Path, scores: Path = SCORES, cache: Path = DEFAULT_CACHE
) -> dict[str, TrialScores]:
    """Return a system's scores by variant: measured now for a bundle, read from a file otherwise.

    Args:
        system: Directory of a bundle, an `.npz` file, or a name such as `biosppy` for scores in
            `scores/<name>/<protocol>.npz`.
        protocol: Name of the protocol.
        data, scores, cache: Folders; measured scores are kept in `scores` too.

    Raises:
        TrialScoresError: The file is missing or invalid.
        BundleError: The directory is not a bundle.
        DataError: The recordings are missing.
    """
    if not Path(system).is_dir():
        path = Path(system) if system.endswith(".npz") else scores / system / f"{protocol}.npz"
        return dict(read_trial_scores(path))
    runner = Runner(load_bundle(Path(system)), data, cache)
    found = measured_scores(runner, protocol)
    write_trial_scores(scores / runner.encoder_id / f"{protocol}.npz", found)
    return {one.variant: one for one in found}


def measured_scores(runner: Runner, protocol: str) -> list[TrialScores]:
    """Score the trials of a protocol: EER from uncorrected LLRs, ranks as the service orders candidates."""
    found = []
    for trials in runner.trials(protocol):
        if not trials.name.endswith(INVERTED):
            scored = runner.scored(protocol, trials)
            wrong = scored.ranks() > 1
            found.append(TrialScores.of(runner.encoder_id, trials, scored.comparisons.llr_db, wrong))
    return found


def _keep(results: Path, protocol: str, found: Sequence[PairedFigures], about: Mapping[str, Any]) -> None:
    stored = {
        "comparison": protocol,
        "development": PROTOCOLS[protocol].development,
        "a": found[0].a,
        "b": found[0].b,
        **about,
        "variants": [one.to_dict() for one in found],
    }
    keep_comparison(results, stored)


def _seen(found: PairedFigures) -> dict[str, Any]:
    eers = [round(found.eer.a, 5), round(found.eer.b, 5)]
    return {"rank_1_errors": [found.wrong_a, found.wrong_b], "eer": eers}
