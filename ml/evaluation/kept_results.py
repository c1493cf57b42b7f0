"""Results read back from `results`: by bundle, baselines, comparisons, experiments, trainings.

results/protocols/<bundle id>.jsonl   of `evaluate`, a line per protocol
results/baselines/<name>.json         of ml.research.ablations.baselines
results/comparisons.jsonl             of `compare`, a line per protocol and pair of systems
results/experiments/*.json            title, question, protocol, columns, rows, note, commands
results/trainings.jsonl               the log of each training, by its name
results/students.json                 which systems are teacher, student and twin without a teacher
results/benchmarks.json               of `make bench`
results/activity/*.json               of `ml.cli activity` and ml.research.ablations.activity_sensors
results/fingerprint/protocols.jsonl   of `fingerprint evaluate` and `shortlist`, a line per protocol
results/protocols/virtual-people.json of benchmarks.virtual_people
results/galleries.jsonl               of `galleries`, a line per set of people
results/r-peaks.json                  of ml.research.ablations.r_peaks, by set
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml.evaluation.result_lines import keep_lines, read_lines

Json = Mapping[str, Any]

RESULTS = Path("results")
COMPARISONS = "comparisons.jsonl"
TRAININGS = "trainings.jsonl"
GALLERIES = "galleries.jsonl"
_FIRST, _LAST = ("ecg", "ecg-edge"), ("ecg-beat",)


@dataclass(frozen=True)
class BundleResults:
    """All results of one bundle.

    Args:
        bundle: Its id, the name of the file.
        protocols: JSON by protocol name.
    """

    bundle: str
    protocols: Mapping[str, Json]

    @property
    def encoder_id(self) -> str:
        """Return id and version, as in its newest result."""
        return str(next(iter(self.protocols.values()))["encoder"])

    @property
    def modality(self) -> str:
        """Whose captures it reads."""
        return str(next(iter(self.protocols.values()), {}).get("modality", "ecg"))

    def variant(self, protocol: str, variant: str) -> Json | None:
        """Return one variant of a protocol of plain trials; None if it was not measured."""
        found = self.protocols.get(protocol, {}).get("variants", ())
        return next((one for one in found if one["name"] == variant), None)


@dataclass(frozen=True)
class KeptResults:
    """All input of the pages; `bundles` are those of ECG."""

    bundles: tuple[BundleResults, ...]
    baselines: tuple[Json, ...]
    comparisons: tuple[Json, ...]
    experiments: tuple[Json, ...]
    trainings: Mapping[str, Json]
    students: Json
    benchmarks: Json
    activity: Mapping[str, Json] = field(default_factory=dict)
    r_peaks: Json = field(default_factory=dict)
    fingerprint: Mapping[str, Json] = field(default_factory=dict)
    """By protocol; of the newest encoder."""
    face: BundleResults = field(default_factory=lambda: BundleResults("face", {}))
    virtual_people: Json = field(default_factory=dict)
    galleries: Mapping[str, Json] = field(default_factory=dict)
    """By protocol."""

    def comparison(self, protocol: str, a: str, b: str) -> Json | None:
        """Return the comparison of system a against b; names match whole, or up to the version.

        A comparison kept the other way round does not count: run it this way.
        """
        for one in self.comparisons:
            if one["comparison"] == protocol and _named(one["a"], a) and _named(one["b"], b):
                return one
        return None

    def speed(self, encoder_id: str) -> Json:
        """Return the time and size measured for a bundle; empty if not measured."""
        for section in ("encode-network", "encode"):
            for line in self.benchmarks.get(section, {}).get("lines", ()):
                if line["what"].startswith(f"{encoder_id}: "):
                    raw: Json = line["raw"]
                    return raw
        return {}


def read_results(folder: Path) -> KeptResults:
    """Read all results; missing ones are empty."""
    bundles = [read_bundle(folder, path.stem) for path in folder.glob("protocols/*.jsonl")]
    of_ecg = [bundle for bundle in bundles if bundle.modality == "ecg"]
    return KeptResults(
        bundles=tuple(sorted(of_ecg, key=lambda one: _order(one.bundle))),
        baselines=tuple(_read(path) for path in sorted(folder.glob("baselines/*.json"))),
        comparisons=tuple(read_lines(folder / COMPARISONS)),
        experiments=tuple(_read(path) for path in sorted(folder.glob("experiments/*.json"))),
        trainings={one["name"]: one for one in read_lines(folder / TRAININGS)},
        students=_read(folder / "students.json"),
        benchmarks=_read(folder / "benchmarks.json"),
        activity={path.stem: _read(path) for path in sorted(folder.glob("activity/*.json"))},
        r_peaks=_read(folder / "r-peaks.json"),
        fingerprint={one["protocol"]: one for one in read_lines(folder / "fingerprint" / "protocols.jsonl")},
        face=read_bundle(folder, "face"),
        virtual_people=_read(folder / "protocols" / "virtual-people.json"),
        galleries={one["protocol"]: one for one in read_lines(folder / GALLERIES)},
    )


def read_bundle(folder: Path, bundle: str) -> BundleResults:
    """Read the results of one bundle; missing ones are absent."""
    return BundleResults(bundle, {one["protocol"]: one for one in read_lines(_protocols(folder, bundle))})


def keep_protocol(folder: Path, bundle: str, figures: Json) -> None:
    """Save a protocol's results; they replace those of its former run."""
    keep_lines(_protocols(folder, bundle), [figures], "protocol")


def keep_comparison(folder: Path, figures: Json) -> None:
    """Save a comparison; it replaces the former one of the same systems on the same protocol."""
    keep_lines(folder / COMPARISONS, [figures], "comparison", "a", "b")


def keep_training(folder: Path, name: str, log: Json) -> None:
    """Save the log of a training; it replaces the former one of its name."""
    keep_lines(folder / TRAININGS, [{"name": name, **log}], "name")


def _protocols(folder: Path, bundle: str) -> Path:
    return folder / "protocols" / f"{bundle}.jsonl"


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _order(bundle: str) -> tuple[int, str]:
    if bundle in _FIRST:
        return _FIRST.index(bundle), bundle
    return (len(_FIRST) + (bundle in _LAST), bundle)


def _named(system: str, wanted: str) -> bool:
    return system == wanted or system.partition("@")[0] == wanted
