"""Scores of single trials, kept so that two systems can be compared probe by probe (numpy only)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.trials import Presentation, Trials

FloatArray = NDArray[np.float64]


class TrialScoresError(ValueError):
    """Scores that cannot be read, or that come from other trials than those they shall be compared with."""


@dataclass(frozen=True)
class TrialScores:
    """One system on one variant of a protocol.

    Args:
        system: Encoder id or name of a baseline.
        variant: Of the protocol.
        probe_keys, gallery_keys: What each row and column presented; equal on equal trials.
        probe_people, gallery_people: Whose they are; every probe's subject is enrolled.
        scores: Higher is more alike, NaN where either side failed; float64, shape (n_probes, n_gallery).
        wrong: Whether another subject ranked at or before the own one, failures included; shape (n_probes,).
    """

    system: str
    variant: str
    probe_keys: tuple[str, ...]
    gallery_keys: tuple[str, ...]
    probe_people: tuple[str, ...]
    gallery_people: tuple[str, ...]
    scores: FloatArray
    wrong: NDArray[np.bool_]

    def __post_init__(self) -> None:
        expected = (len(self.probe_people), len(self.gallery_people))
        if self.scores.shape != expected or self.wrong.shape != expected[:1]:
            raise TrialScoresError(f"{self.variant}: expected scores of shape {expected}")
        if np.any(self.mated.sum(axis=1) != 1):
            raise TrialScoresError(f"{self.variant}: expected every probe's subject to be enrolled once")

    @classmethod
    def of(cls, system: str, trials: Trials, scores: FloatArray, wrong: NDArray[np.bool_]) -> "TrialScores":
        """Name the rows and columns after the trials."""
        probes = [probe.presentation for probe in trials.probes]
        return cls(
            system=system,
            variant=trials.name,
            probe_keys=tuple(
                " ".join(key_of(p) for p in (probe.presentation, probe.own_enrollment) if p is not None)
                for probe in trials.probes
            ),
            gallery_keys=tuple(key_of(enrolled) for enrolled in trials.gallery),
            probe_people=tuple(probe.subject_id for probe in probes),
            gallery_people=tuple(enrolled.subject_id for enrolled in trials.gallery),
            scores=np.asarray(scores, dtype=np.float64),
            wrong=np.asarray(wrong, dtype=np.bool_),
        )

    @property
    def mated(self) -> NDArray[np.bool_]:
        """Whether both sides are one person; shape of `scores`."""
        return np.asarray(np.equal.outer(np.array(self.probe_people), np.array(self.gallery_people)))

    def same_trials_as(self, other: "TrialScores") -> bool:
        """Tell whether row by row and column by column the same was presented."""
        return (self.probe_keys, self.gallery_keys) == (other.probe_keys, other.gallery_keys)


def key_of(presentation: Presentation) -> str:
    """Name what a subject presented."""
    return "+".join(cut.key for cut in presentation.cuts)


def write_trial_scores(path: Path, found: Sequence[TrialScores]) -> None:
    """Keep the variants of one protocol as one file."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for k, one in enumerate(found):
        names = {
            "system": one.system,
            "variant": one.variant,
            "probe_keys": one.probe_keys,
            "gallery_keys": one.gallery_keys,
            "probe_people": one.probe_people,
            "gallery_people": one.gallery_people,
        }
        arrays |= {
            f"names_{k}": np.array(json.dumps(names, ensure_ascii=False)),
            f"scores_{k}": one.scores.astype(np.float32),
            f"wrong_{k}": one.wrong,
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part.npz")
    np.savez_compressed(draft, allow_pickle=False, **arrays)
    draft.replace(path)


def read_trial_scores(path: Path) -> Mapping[str, TrialScores]:
    """Give the scores of a protocol by variant.

    Raises:
        TrialScoresError: No such file, or not one of these.
    """
    try:
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        found = [_from_arrays(arrays, k) for k in range(len(arrays) // 3)]
    except FileNotFoundError:
        raise TrialScoresError(f"{path}: no such file of trial scores") from None
    except (KeyError, ValueError, OSError) as error:
        raise TrialScoresError(f"{path}: not a file of trial scores ({error})") from error
    return {one.variant: one for one in found}


def _from_arrays(arrays: Mapping[str, NDArray[np.generic]], k: int) -> TrialScores:
    names = json.loads(str(arrays[f"names_{k}"]))
    keys = ("probe_keys", "gallery_keys", "probe_people", "gallery_people")
    return TrialScores(
        system=names["system"],
        variant=names["variant"],
        **{key: tuple(names[key]) for key in keys},
        scores=arrays[f"scores_{k}"].astype(np.float64),
        wrong=arrays[f"wrong_{k}"].astype(np.bool_),
    )
