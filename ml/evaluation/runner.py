"""Run a protocol in process on the service's own path: encode → pool → calibrate → correct → decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.protocols.catalogue import PROTOCOLS, Protocol, cinc_first_against_last, ecg_id_same_day
from ml.evaluation.protocols.figures import VariantFigures, variant_figures
from ml.evaluation.protocols.open_set import OpenSetFigures, open_set_figures
from ml.evaluation.protocols.random_galleries import People
from ml.evaluation.trials.encodings import EncodingCache, TemplateSet, cache_folder, pool_presentations
from ml.evaluation.trials.scoring import (
    Comparisons,
    Scored,
    compare,
    compare_enrolled,
    compare_pairwise,
    gallery_null_of,
)
from ml.evaluation.trials.trials import Presentation, Trials
from ml.runtime.encoder import BundledEncoder
from ml.runtime.matching.gallery_null import GalleryNull

DEFAULT_CACHE = Path("var/cache/encodings")
INVERTED = " inverted"


@dataclass(frozen=True)
class ProtocolResult:
    """Results of a run of a protocol."""

    protocol: Protocol
    encoder_id: str
    weights_sha256: str
    variants: tuple[VariantFigures, ...]
    inverted_max_db: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form kept in `results`."""
        return {
            "protocol": self.protocol.name,
            "summary": self.protocol.summary,
            "development": self.protocol.development,
            "modality": self.protocol.modality,
            "encoder": self.encoder_id,
            "weights_sha256": self.weights_sha256,
            "variants": [variant.to_dict() for variant in self.variants],
            "inverted_max_abs_score_difference_db": self.inverted_max_db,
        }

    def headline(self) -> dict[str, Any]:
        """Return the few figures that a look at a test set reveals."""
        return {
            variant.name: {
                "rank_1_errors": f"{variant.rank_1_errors.count}/{variant.rank_1_errors.n}",
                "eer": round(variant.eer, 5),
                "fmr_over_nominal": [round(rate.measured.value / rate.fmr, 3) for rate in variant.rates],
            }
            for variant in self.variants
        }


class Runner:
    """Runs protocols with one bundle.

    Args:
        encoder: The bundle.
        data: Folder that holds `ecg/` and `face/`.
        cache: Root of the encodings kept between runs.
    """

    def __init__(self, encoder: BundledEncoder, data: Path, cache: Path = DEFAULT_CACHE) -> None:
        self._encoder, self.data = encoder, data
        self.encoder_id = encoder.encoder_id
        self.weights_sha256 = encoder.info.sha256
        self._cache = EncodingCache(
            cache_folder(cache, encoder), encoder, encoder.vector_size, encoder.preparation.unit
        )

    def run(self, name: str) -> ProtocolResult:
        """Measure every variant of a protocol.

        Raises:
            KeyError: An unknown protocol.
        """
        protocol = PROTOCOLS[name]
        found = {trials.name: self._compare(name, trials) for trials in self.trials(name)}
        return ProtocolResult(
            protocol=protocol,
            encoder_id=self._encoder.encoder_id,
            weights_sha256=self._encoder.info.sha256,
            variants=tuple(
                variant_figures(variant, comparisons, self._encoder.calibration, gallery)
                for variant, (comparisons, gallery) in found.items()
                if not variant.endswith(INVERTED)
            ),
            inverted_max_db={
                variant.removesuffix(INVERTED): self._largest_difference_db(
                    found[variant.removesuffix(INVERTED)], inverted
                )
                for variant, inverted in found.items()
                if variant.endswith(INVERTED)
            },
        )

    def run_open_set(self) -> tuple[OpenSetFigures, ...]:
        """Measure E12 on ECG-ID and on the CinC test people."""
        ecg_id = ecg_id_same_day(self.data)[0]
        cinc = cinc_first_against_last(self.data, "test")[0]
        return (
            self._open_set("ECG-ID, 44 known", "E2", ecg_id, fpir=0.05, halves=200),
            self._open_set("CinC test, 400 known", "D1", cinc, fpir=0.01, halves=20),
        )

    def trials(self, name: str) -> list[Trials]:
        """Return the trials of a protocol."""
        return PROTOCOLS[name].build(self.data)

    def scored(self, data_set: str, trials: Trials) -> Scored:
        """Score trials with the correction of their own gallery."""
        comparisons, gallery = self._compare(data_set, trials)
        calibration = self._encoder.calibration
        return Scored(comparisons, calibration, gallery_null_of(calibration, gallery))

    def people(self, data_set: str, trials: Trials) -> People:
        """Compare the people of some trials with each other, and every probe with all of them."""
        comparisons, gallery = self._compare(data_set, trials)
        return People(
            self._encoder.calibration, *compare_enrolled(self._encoder.calibration, gallery), comparisons
        )

    def templates(self, data_set: str, presentations: Sequence[Presentation]) -> TemplateSet:
        """Encode and pool, with the cache of earlier runs."""
        cuts = [cut for presentation in presentations for cut in presentation.cuts]
        return pool_presentations(presentations, self._cache.encode(data_set, cuts))

    def _open_set(
        self, label: str, data_set: str, trials: Trials, *, fpir: float, halves: int
    ) -> OpenSetFigures:
        return open_set_figures(
            label,
            self._encoder.calibration,
            self.templates(data_set, trials.gallery),
            self.templates(data_set, [probe.presentation for probe in trials.probes]),
            fpir=fpir,
            halves=halves,
        )

    def _compare(self, data_set: str, trials: Trials) -> tuple[Comparisons, TemplateSet]:
        gallery = self.templates(data_set, trials.gallery)
        probes = self.templates(data_set, [probe.presentation for probe in trials.probes])
        llr_db, classes = compare(self._encoder.calibration, probes, gallery)
        mated = _mated(probes.subject_ids, gallery.subject_ids)
        self._put_own_enrollments(data_set, trials, probes, mated, (llr_db, classes))
        names = sorted({*gallery.subject_ids, *probes.subject_ids})
        index = {name: position for position, name in enumerate(names)}
        comparisons = Comparisons(
            llr_db,
            classes,
            mated,
            np.array([index[name] for name in probes.subject_ids]),
            np.array([index[name] for name in gallery.subject_ids]),
        )
        return comparisons, gallery

    def _put_own_enrollments(
        self,
        data_set: str,
        trials: Trials,
        probes: TemplateSet,
        mated: NDArray[np.bool_],
        scores: tuple[NDArray[np.float64], NDArray[np.int64]],
    ) -> None:
        """Replace the mated comparison of probes whose subject has a different enrollment for them."""
        own = [
            (row, probe.own_enrollment)
            for row, probe in enumerate(trials.probes)
            if probe.own_enrollment is not None
        ]
        if not own:
            return
        rows = np.array([row for row, _ in own])
        enrolled = self.templates(data_set, [enrollment for _, enrollment in own])
        columns = np.argmax(mated[rows], axis=1)
        scores[0][rows, columns], scores[1][rows, columns] = compare_pairwise(
            self._encoder.calibration, probes.subset(rows), enrolled
        )

    def _largest_difference_db(
        self, upright: tuple[Comparisons, TemplateSet], inverted: tuple[Comparisons, TemplateSet]
    ) -> float:
        calibration = self._encoder.calibration
        correction = gallery_null_of(calibration, upright[1])
        scores = [Scored(c, calibration, correction).score_db for c, _ in (upright, inverted)]
        both_failed = np.isnan(scores[0]) & np.isnan(scores[1])
        plain = [Scored(c, calibration, GalleryNull.identity()).score_db for c, _ in (upright, inverted)]
        differences = [np.where(both_failed, 0.0, np.abs(a - b)) for a, b in (scores, plain)]
        return float(np.max(differences))


def _mated(probes: Sequence[str], gallery: Sequence[str]) -> NDArray[np.bool_]:
    return np.asarray(np.equal.outer(np.array(probes), np.array(gallery)))
