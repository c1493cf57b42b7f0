"""Compare probes with a gallery exactly as the service does: one modality, calibrated policy (DESIGN §4)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.trials.encodings import TemplateSet
from ml.runtime.calibration.llr import Calibration
from ml.runtime.calibration.nulls import EVIDENCE_CLASSES, evidence_classes
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null

FloatArray = NDArray[np.float64]

DEFAULT_FMR = 1e-3
DEFAULT_FPIR = 0.01


@dataclass(frozen=True)
class Comparisons:
    """Every probe against every subject of a gallery.

    Args:
        llr_db: Unsoftened, not corrected; NaN where either side failed; shape (n_probes, n_subjects).
        classes: Evidence classes; int64, same shape.
        mated: Whether both sides are one person; bool, same shape.
        probe_people: Index of the person of each probe; shape (n_probes,).
        gallery_people: Index of the person of each column; shape (n_subjects,).
    """

    llr_db: FloatArray
    classes: NDArray[np.int64]
    mated: NDArray[np.bool_]
    probe_people: NDArray[np.int64]
    gallery_people: NDArray[np.int64]

    @cached_property
    def mated_probes(self) -> NDArray[np.int64]:
        """Rows whose subject is enrolled."""
        return np.flatnonzero(self.mated.any(axis=1))

    @cached_property
    def own_column(self) -> NDArray[np.int64]:
        """Column of the own subject of each of `mated_probes`."""
        return np.asarray(np.argmax(self.mated[self.mated_probes], axis=1))

    @cached_property
    def compared_non_mated(self) -> NDArray[np.bool_]:
        """Non-mated comparisons that could be made; same shape as `llr_db`."""
        return ~self.mated & np.isfinite(self.llr_db)

    @cached_property
    def non_mated_pairs(self) -> int:
        """Unordered pairs of people that were compared."""
        rows, columns = np.nonzero(self.compared_non_mated)
        one, other = self.probe_people[rows], self.gallery_people[columns]
        people = 1 + int(max(self.probe_people.max(), self.gallery_people.max()))
        pairs = np.minimum(one, other) * people + np.maximum(one, other)
        return int(np.count_nonzero(np.bincount(pairs)))

    def columns(self, kept: NDArray[np.int64]) -> "Comparisons":
        """The same probes against a part of the gallery."""
        return Comparisons(
            self.llr_db[:, kept],
            self.classes[:, kept],
            self.mated[:, kept],
            self.probe_people,
            self.gallery_people[kept],
        )


def compare(
    calibration: Calibration, probes: TemplateSet, gallery: TemplateSet
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Give unsoftened scores and evidence classes, each of shape (n_probes, n_subjects)."""
    return _llr(
        calibration,
        (probes.vectors, probes.seconds, probes.quality),
        (gallery.vectors, gallery.seconds, gallery.quality),
    )


def compare_pairwise(
    calibration: Calibration, probes: TemplateSet, enrolled: TemplateSet
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Compare row i with row i; each shape (n,)."""
    cosine = np.einsum("nd,nd->n", probes.vectors, enrolled.vectors).astype(np.float64)
    total = np.maximum(probes.seconds + enrolled.seconds, 1e-9)
    quality = (probes.quality * probes.seconds + enrolled.quality * enrolled.seconds) / total
    seconds = np.minimum(probes.seconds, enrolled.seconds)
    return _calibrated(calibration, cosine, seconds, quality), evidence_classes(seconds)


def gallery_null_of(calibration: Calibration, gallery: TemplateSet) -> GalleryNull:
    """Fit a gallery's correction: oldest references against other subjects' templates."""
    llr_db, classes = _llr(
        calibration,
        (gallery.reference_vectors, gallery.reference_seconds, gallery.reference_quality),
        (gallery.vectors, gallery.seconds, gallery.quality),
    )
    accepted = np.array([not code for code in gallery.codes])
    return fit_gallery_null(
        calibration, llr_db[np.ix_(accepted, accepted)], classes[np.ix_(accepted, accepted)]
    )


@dataclass(frozen=True)
class Scored:
    """Comparisons under a calibration and a gallery's correction."""

    comparisons: Comparisons
    calibration: Calibration
    correction: GalleryNull

    @cached_property
    def llr_db(self) -> FloatArray:
        """Corrected, unsoftened; the order of candidates."""
        return self.correction.apply(self.comparisons.llr_db)

    @cached_property
    def score_db(self) -> FloatArray:
        """Corrected and softened; what is compared with a threshold."""
        compared = np.isfinite(self.llr_db)
        softened_db = self.calibration.soften_db(np.where(compared, self.llr_db, 0.0))
        return np.where(compared, softened_db, np.nan)

    def thresholds_db(self, rate: float) -> FloatArray:
        """Give each comparison's threshold at a false-match rate; shape of the scores."""
        by_class = [
            self.correction.null(self.calibration, k).threshold(rate) for k in range(EVIDENCE_CLASSES)
        ]
        return np.asarray(by_class, dtype=np.float64)[self.comparisons.classes]

    def matches(self, rate: float) -> NDArray[np.bool_]:
        """Tell which comparisons match at a policy's false-match rate; failed ones never do."""
        return self.score_db >= self.thresholds_db(rate)

    def identification_thresholds_db(self, fmr: float, fpir: float) -> FloatArray:
        """Give each comparison's threshold in a search among all subjects of the gallery."""
        subjects = len(self.comparisons.gallery_people)
        return np.maximum(self.thresholds_db(fmr), self.thresholds_db(fpir / subjects))

    def margins_db(self, fmr: float = DEFAULT_FMR, fpir: float = DEFAULT_FPIR) -> FloatArray:
        """Give score − threshold of a search; −inf where nothing was compared."""
        margins = self.score_db - self.identification_thresholds_db(fmr, fpir)
        return np.where(np.isnan(margins), -np.inf, margins)

    def ranks(self) -> NDArray[np.int64]:
        """Rank of the own subject of each mated probe by (score − threshold, LLR); ties count against it."""
        comparisons = self.comparisons
        rows = comparisons.mated_probes
        margin_db, llr_db = self.margins_db()[rows], self.llr_db[rows]
        at = (np.arange(rows.size), comparisons.own_column)
        own_margin, own_llr = margin_db[at][:, None], llr_db[at][:, None]
        ahead = (margin_db > own_margin) | ((margin_db == own_margin) & (llr_db >= own_llr))
        ahead[at] = False
        failed = np.isnan(llr_db[at])
        return np.where(failed, len(comparisons.gallery_people) + 1, 1 + np.count_nonzero(ahead, axis=1))


def _calibrated(
    calibration: Calibration, cosine: FloatArray, seconds: FloatArray, quality: FloatArray
) -> FloatArray:
    """LLR in dB; NaN where a side failed and there is no cosine."""
    compared = np.isfinite(cosine)
    llr_db = calibration.llr_db(np.where(compared, cosine, 0.0), seconds, quality)
    return np.where(compared, llr_db, np.nan)


def _llr(
    calibration: Calibration,
    rows: tuple[NDArray[np.float32], FloatArray, FloatArray],
    columns: tuple[NDArray[np.float32], FloatArray, FloatArray],
) -> tuple[FloatArray, NDArray[np.int64]]:
    cosine = (rows[0] @ columns[0].T).astype(np.float64)
    seconds = np.minimum.outer(rows[1], columns[1])
    total = np.maximum(np.add.outer(rows[1], columns[1]), 1e-9)
    quality = np.add.outer(rows[2] * rows[1], columns[2] * columns[1]) / total
    return _calibrated(calibration, cosine, seconds, quality), evidence_classes(seconds)
