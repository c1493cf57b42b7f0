"""How well the service recognizes virtual people, with every combination of modalities.

    python -m benchmarks.virtual_people [--data ../shared/data] [--pairings 20] [--json file]

Each pairing enrolls its people in fresh galleries at default settings and sends every probe clean and with
the multimodal paper's noise.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import structlog  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import Progress  # noqa: E402
from rich.table import Table  # noqa: E402

from app.adapters.db.migrating import migrate  # noqa: E402
from app.adapters.encoders import LoadedEncoders, load_encoders  # noqa: E402
from app.api.deps import Services  # noqa: E402
from app.bootstrap import open_services  # noqa: E402
from app.config import Settings  # noqa: E402
from app.domain.references import Modality  # noqa: E402
from app.domain.subjects import ApiClient, Scope  # noqa: E402
from benchmarks.paths import MODELS, PROJECT  # noqa: E402
from benchmarks.virtual_people.figures import best_single, figures  # noqa: E402
from benchmarks.virtual_people.kept_encodings import KeepingEncoder  # noqa: E402
from benchmarks.virtual_people.pairing import NoisyProbes, combinations_of, pairing  # noqa: E402
from benchmarks.virtual_people.sources import Sources, faces, fingers, hearts  # noqa: E402
from benchmarks.virtual_people.trials import Counts, PairingTrials, probes_of  # noqa: E402

CONDITIONS = ("clean", "noisy")
DEFAULT_DATA = PROJECT.parent / "shared" / "data"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the protocol and print its table."""
    options = _options(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    encoders = load_encoders(MODELS, {})
    defaults = [encoder for modality in Modality if (encoder := encoders.default(modality)) is not None]
    kept = LoadedEncoders([KeepingEncoder(encoder) for encoder in defaults], {})
    sources = _sources(options.data, {encoder.modality for encoder in defaults})
    combinations = combinations_of(list(sources))
    counts: dict[tuple[str, str], list[Counts]] = {}
    noisy = NoisyProbes()
    with _services(kept) as (services, caller), Progress() as progress:
        task = progress.add_task("pairings", total=options.pairings * len(combinations) * len(CONDITIONS))
        for seed in range(options.pairings):
            people = pairing(sources, seed)
            trials = PairingTrials(services, caller, people, seed)
            with trials.enrolled():
                for condition in CONDITIONS:
                    for chosen in combinations:
                        found = Counts()
                        probes = probes_of(people, chosen)
                        if condition == "noisy":
                            probes = [tuple(map(noisy.of, recordings)) for recordings in probes]
                        trials.count(probes, found)
                        counts.setdefault((condition, "+".join(chosen)), []).append(found)
                        progress.advance(task)
    result = {
        "encoders": [encoder.encoder_id for encoder in defaults],
        "pairings": options.pairings,
        "people": len(people),
        **{
            condition: {name: figures(found) for (of, name), found in counts.items() if of == condition}
            for condition in CONDITIONS
        },
    }
    _print(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


def _sources(data: Path, modalities: set[Modality]) -> Sources:
    """The test people of every modality that is served."""
    sources = {Modality.ECG: hearts(data)}
    if Modality.FACE in modalities:
        sources[Modality.FACE] = faces(data)
    if Modality.FINGERPRINT in modalities:
        sources[Modality.FINGERPRINT] = fingers(data)
    return sources


@contextmanager
def _services(encoders: LoadedEncoders) -> Iterator[tuple[Services, ApiClient]]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            database_url=f"sqlite:///{folder}/virtual.db",
            master_keys=b64encode(secrets.token_bytes(32)).decode(),
        )
        migrate(settings.database_url)
        with open_services(settings, encoders=encoders) as services:
            client, _ = services.access.create("virtual people", list(Scope))
            yield services, client


def _print(result: Mapping[str, Any]) -> None:
    table = Table(title=f"{result['people']} virtual people, {result['pairings']} pairings")
    for column in (
        "condition",
        "modalities",
        "FNMR %",
        "FMR %",
        "identified %",
        "FPIR at 5 %",
        "FNMR at equal 0.1 %",
    ):
        table.add_column(column)
    for condition in CONDITIONS:
        rows = result[condition]
        for name, row in rows.items():
            table.add_row(
                condition,
                name + (" *" if name == best_single(rows) else ""),
                *(_percent(row[key]) for key in ("fnmr", "fmr", "identified", "fpir_at_0.05")),
                f"{100 * row['fnmr_at_equal_fmr']['0.001']:.2f}",
            )
    Console(width=140).print(table)


def _percent(share: Mapping[str, Any]) -> str:
    low, high = share["interval_95"]
    return f"{100 * share['share']:.2f} ({100 * low:.2f}–{100 * high:.2f})"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--pairings", type=int, default=20)
    parser.add_argument("--json", type=Path)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
