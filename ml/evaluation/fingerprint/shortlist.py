"""1:N: do the mates that the comparer accepts lie in the shortlist that vectors of cylinders draw?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.metrics.error_rates import oracle_threshold
from ml.metrics.intervals import wilson
from ml.runtime.encoder import BundledEncoder
from ml.runtime.fingerprint.comparison.comparer import FingerprintComparer
from ml.runtime.fingerprint.preparation import MOST_LOCAL_VECTORS
from ml.training.fingerprint.impressions import TrainingPrint
from ml.training.fingerprint.stages import opened

FloatArray = NDArray[np.float64]

FMR: Final = 1e-3
STRANGERS_PER_PROBE: Final = 20
_SEED: Final = 20261201


def gallery_and_probes(
    test: Sequence[TrainingPrint], others: Sequence[TrainingPrint]
) -> tuple[list[TrainingPrint], list[TrainingPrint]]:
    """Enroll the first impression of every finger, and search for all others of the test people.

    Refused pictures are left out.
    """
    first: dict[str, TrainingPrint] = {}
    for one in (*test, *others):
        if one.written is not None:
            first.setdefault(one.finger, one)
    probes = [one for one in test if one.written is not None and first[one.finger] is not one]
    return list(first.values()), probes


def shortlist_figures(
    encoder: BundledEncoder,
    comparer: FingerprintComparer,
    enrolled: Sequence[TrainingPrint],
    probes: Sequence[TrainingPrint],
) -> dict[str, Any]:
    """Search for each probe among enrolled fingers, its own among them.

    Args:
        encoder: Its network makes the vectors of cylinders.
        comparer: Decides which mates are accepted, at the threshold that `FMR` of the strangers reach.
        enrolled: One impression of each finger.
        probes: Other impressions of some of them.
    """
    own = {one.finger: place for place, one in enumerate(enrolled)}
    accepted = _accepted(comparer, enrolled, probes, own)
    ranks = _ranks(encoder, comparer.best, enrolled, probes, own)[accepted]
    size = comparer.shortlist_size(len(enrolled))
    within = int((ranks <= size).sum())
    return {
        "enrolled": len(enrolled),
        "probes": len(probes),
        "accepted": int(accepted.sum()),
        "shortlist": size,
        "within": within,
        "share": within / len(ranks),
        "interval_95": wilson(within, len(ranks)).to_list(),
        "rank_1": float((ranks == 1).mean()),
        "rank_of_99_percent": int(np.quantile(ranks, 0.99, method="higher")),
        "rank_of_99_8_percent": int(np.quantile(ranks, 0.998, method="higher")),
    }


def _accepted(
    comparer: FingerprintComparer,
    enrolled: Sequence[TrainingPrint],
    probes: Sequence[TrainingPrint],
    own: dict[str, int],
) -> NDArray[np.bool_]:
    generator = np.random.default_rng(_SEED)
    references = [opened(one) for one in enrolled]
    mated = comparer.similarities([(opened(one), references[own[one.finger]]) for one in probes])
    strangers = [
        (opened(one), references[place])
        for one in probes
        for place in generator.choice(len(enrolled), min(STRANGERS_PER_PROBE, len(enrolled)), replace=False)
        if place != own[one.finger]
    ]
    return np.asarray(mated >= oracle_threshold(comparer.similarities(strangers), FMR))


def _ranks(
    encoder: BundledEncoder,
    best: int,
    enrolled: Sequence[TrainingPrint],
    probes: Sequence[TrainingPrint],
    own: dict[str, int],
) -> NDArray[np.int64]:
    vectors = [_local(encoder, one) for one in enrolled]
    starts = np.cumsum([0, *(len(one) for one in vectors[:-1])])
    stacked = np.concatenate(vectors)  # (all cylinders, l)
    ranks = []
    for probe in probes:
        likeness = np.maximum.reduceat(_local(encoder, probe) @ stacked.T, starts, axis=1)  # (q, enrolled)
        scores = np.sort(likeness, axis=0)[-best:].sum(axis=0)
        ranks.append(int((scores > scores[own[probe.finger]]).sum()) + 1)
    return np.array(ranks)


def _local(encoder: BundledEncoder, impression: TrainingPrint) -> NDArray[np.float32]:
    assert impression.written is not None
    found = encoder.infer({"cylinders": impression.written.fillings[:MOST_LOCAL_VECTORS]}).local
    assert found is not None
    return encoder.finish(found)
