"""Scores of single trials, kept to compare two systems probe by probe (numpy only)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.trials.trials import Cut, Presentation, Trials
from ml.metrics.error_rates import ranks
from ml.runtime.pooling import pool

FloatArray = NDArray[np.float64]


class TrialScoresError(ValueError):
    """Scores that cannot be read, or that come from different trials than their counterpart."""


@dataclass(frozen=True)
class TrialScores:
    """One system on one variant of a protocol.

    Args:
        system: Encoder id or name of a baseline.
        variant: Of the protocol.
        probe_keys, gallery_keys: The presentation of each row and column; equal on equal trials.
        probe_people, gallery_people: Their subjects; every probe's subject is enrolled.
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
        """Mask of comparisons of one person; shape of `scores`."""
        return np.asarray(np.equal.outer(np.array(self.probe_people), np.array(self.gallery_people)))

    def same_trials_as(self, other: "TrialScores") -> bool:
        """Whether rows and columns hold the same presentations."""
        return (self.probe_keys, self.gallery_keys) == (other.probe_keys, other.gallery_keys)


def key_of(presentation: Presentation) -> str:
    """Return the key of a presentation."""
    return "+".join(cut.key for cut in presentation.cuts)


def cosine_trial_scores(
    system: str, trials: Trials, vector_of: Callable[[Cut], NDArray[np.floating] | None]
) -> TrialScores:
    """Score the trials of a system without calibration: plain cosines.

    Args:
        system: Its name.
        trials: One variant of a protocol.
        vector_of: Unit vector of a cut; None where it could not be acquired.
    """
    gallery = [_pooled(enrolled, vector_of) for enrolled in trials.gallery]
    probes = [_pooled(probe.presentation, vector_of) for probe in trials.probes]
    size = next(vector.size for vector in [*gallery, *probes] if vector is not None)
    nothing = np.full(size, np.nan)
    stacked = [np.stack([nothing if v is None else v for v in part]) for part in (probes, gallery)]
    scores = stacked[0] @ stacked[1].T
    columns = {enrolled.subject_id: column for column, enrolled in enumerate(trials.gallery)}
    own = np.array([columns[probe.presentation.subject_id] for probe in trials.probes])
    for row, probe in enumerate(trials.probes):
        if probe.own_enrollment is not None:
            enrolled = _pooled(probe.own_enrollment, vector_of)
            scores[row, own[row]] = np.nan if enrolled is None else stacked[0][row] @ enrolled
    at = (np.arange(own.size), own)
    others = scores.copy()
    others[at] = np.nan
    wrong = ranks(np.where(np.isnan(scores[at]), -np.inf, scores[at]), others) > 1
    return TrialScores.of(system, trials, scores, wrong)


def _pooled(
    presentation: Presentation, vector_of: Callable[[Cut], NDArray[np.floating] | None]
) -> FloatArray | None:
    pairs = zip(presentation.strips, presentation.sessions, strict=True)
    found = [(v, session) for cut, session in pairs if (v := vector_of(cut)) is not None]
    if not found:
        return None
    return pool(np.stack([v for v, _ in found]), [s for _, s in found]).astype(np.float64)


def write_trial_scores(path: Path, found: Sequence[TrialScores]) -> None:
    """Write the variants of one protocol to one file."""
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
    """Return the scores of a protocol by variant.

    Raises:
        TrialScoresError: The file is missing, or not one of these.
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
