"""What lies in `docs/results`, read back: results by bundle, baselines, comparisons, experiments, trainings.

docs/results/<bundle id>/<protocol>.json        of `evaluate`
docs/results/baseline-<name>.json               of benchmarks.baselines
docs/results/comparisons/*.json                 of `compare`
docs/results/experiments/*.json                 title, question, protocol, columns, rows, note, commands
docs/results/training/<name>.json               what a training logged
docs/results/students.json                      which systems are teacher, student and no-KD twin
docs/results/benchmarks.json                    of `python -m benchmarks`, by section
docs/results/activity/*.json                    of `ml.cli activity` and benchmarks.activity_sensors
docs/results/r-peaks.json                       of benchmarks.r_peaks, by set
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]

_FIRST, _LAST = ("ecg", "ecg-edge"), ("ecg-beat",)


@dataclass(frozen=True)
class BundleResults:
    """All that was measured with one bundle.

    Args:
        bundle: Its id, the name of the folder.
        protocols: JSON by name of the protocol.
    """

    bundle: str
    protocols: Mapping[str, Json]

    @property
    def encoder_id(self) -> str:
        """Give id and version, as the newest of its results says."""
        return str(next(iter(self.protocols.values()))["encoder"])

    def variant(self, protocol: str, variant: str) -> Json | None:
        """Give one variant of a protocol of plain trials; None where it was not measured."""
        found = self.protocols.get(protocol, {}).get("variants", ())
        return next((one for one in found if one["name"] == variant), None)


@dataclass(frozen=True)
class KeptResults:
    """Everything that the page is made from."""

    bundles: tuple[BundleResults, ...]
    baselines: tuple[Json, ...]
    comparisons: tuple[Json, ...]
    experiments: tuple[Json, ...]
    trainings: Mapping[str, Json]
    students: Json
    benchmarks: Json
    activity: Mapping[str, Json] = field(default_factory=dict)
    r_peaks: Json = field(default_factory=dict)

    def comparison(self, protocol: str, a: str, b: str) -> Json | None:
        """Give the comparison of system a against b; names match whole, or up to the version.

        Where it was kept the other way round there is none: run it this way.
        """
        for one in self.comparisons:
            if one["comparison"] == protocol and _named(one["a"], a) and _named(one["b"], b):
                return one
        return None

    def speed(self, encoder_id: str) -> Json:
        """Give what was measured of a bundle's time and size; empty where nothing was."""
        for section in ("encode-network", "encode"):
            for line in self.benchmarks.get(section, {}).get("lines", ()):
                if line["what"].startswith(f"{encoder_id}: "):
                    raw: Json = line["raw"]
                    return raw
        return {}


def read_results(folder: Path) -> KeptResults:
    """Read all of it; what is absent is empty."""
    bundles = [_read_bundle(path) for path in sorted(folder.iterdir()) if path.is_dir()]
    return KeptResults(
        bundles=tuple(sorted((b for b in bundles if b.protocols), key=lambda b: _order(b.bundle))),
        baselines=tuple(_read(path) for path in sorted(folder.glob("baseline-*.json"))),
        comparisons=tuple(_read(path) for path in sorted(folder.glob("comparisons/*.json"))),
        experiments=tuple(_read(path) for path in sorted(folder.glob("experiments/*.json"))),
        trainings={path.stem: _read(path) for path in sorted(folder.glob("training/*.json"))},
        students=_read(folder / "students.json"),
        benchmarks=_read(folder / "benchmarks.json"),
        activity={path.stem: _read(path) for path in sorted(folder.glob("activity/*.json"))},
        r_peaks=_read(folder / "r-peaks.json"),
    )


def _read_bundle(folder: Path) -> BundleResults:
    found = [_read(path) for path in sorted(folder.glob("*.json"))]
    return BundleResults(
        folder.name, {str(one["protocol"]): one for one in found if {"protocol", "encoder"} <= one.keys()}
    )


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
