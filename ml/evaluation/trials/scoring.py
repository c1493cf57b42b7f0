"""Compare probes with a gallery exactly as the service does: one modality, calibrated policy (DESIGN §4)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.trials.encodings import TemplateSet
from ml.runtime.calibration.llr import Calibration
from ml.runtime.matching.comparisons import llr_where_compared
from ml.runtime.matching.demand import Demand
from ml.runtime.matching.fitted_null import FittedNull
from ml.runtime.matching.gallery_null import GalleryNull, fit_gallery_null
from ml.runtime.matching.order import CandidateOrder
from ml.runtime.matching.scoreboard import Scoreboard
from ml.runtime.matching.scored_part import ScoredPart

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
    """Return unsoftened scores and evidence classes, each of shape (n_probes, n_subjects)."""
    cosine = probes.vectors @ gallery.vectors.T
    return llr_where_compared(calibration, cosine, probes.evidence[:, None], gallery.evidence)


def compare_pairwise(
    calibration: Calibration, probes: TemplateSet, enrolled: TemplateSet
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Compare row i with row i; each shape (n,)."""
    cosine = np.einsum("nd,nd->n", probes.vectors, enrolled.vectors)
    return llr_where_compared(calibration, cosine, probes.evidence, enrolled.evidence)


def compare_enrolled(calibration: Calibration, gallery: TemplateSet) -> tuple[FloatArray, NDArray[np.int64]]:
    """Compare oldest references with the templates of all; scores and classes, each of shape (n, n)."""
    cosine = gallery.reference_vectors @ gallery.vectors.T
    return llr_where_compared(calibration, cosine, gallery.reference_evidence[:, None], gallery.evidence)


def gallery_null_of(calibration: Calibration, gallery: TemplateSet) -> GalleryNull:
    """Fit a gallery's correction: oldest references against other subjects' templates."""
    accepted = gallery.subset(np.flatnonzero([not code for code in gallery.codes]))
    return fit_gallery_null(calibration, *compare_enrolled(calibration, accepted))


@dataclass(frozen=True)
class Scored:
    """Comparisons under a calibration and a gallery's correction, on the scoreboard of the service."""

    comparisons: Comparisons
    calibration: Calibration
    correction: GalleryNull

    @cached_property
    def board(self) -> Scoreboard:
        """Every comparison that was made as a candidate of its own, numbered by its place in the table."""
        fitted = FittedNull(self.calibration, self.correction)
        return Scoreboard([ScoredPart.of_matrix(self.comparisons.llr_db, self.comparisons.classes, fitted)])

    @cached_property
    def llr_db(self) -> FloatArray:
        """Corrected, unsoftened, NaN where nothing was compared; the order of candidates."""
        return self._table(self.board.llr_db, np.nan)

    @cached_property
    def score_db(self) -> FloatArray:
        """Corrected and softened, NaN where nothing was compared; what is compared with a threshold."""
        return self._table(self.board.score_db, np.nan)

    def matches(self, rate: float) -> NDArray[np.bool_]:
        """Return which comparisons match at a policy's false-match rate; failed ones never do."""
        found = np.zeros(self.comparisons.llr_db.shape, dtype=np.bool_)
        found.flat[self.board.slots] = self.board.decide(Demand(rate)).passes
        return found

    def search_thresholds_db(self, fmr: float = DEFAULT_FMR, fpir: float = DEFAULT_FPIR) -> FloatArray:
        """Return the thresholds of the comparisons made, in a search among all subjects; shape (n,)."""
        return self.board.decide(self._search(fmr, fpir)).thresholds_db

    def search(self, fmr: float = DEFAULT_FMR, fpir: float = DEFAULT_FPIR) -> CandidateOrder:
        """Search all subjects of the gallery with every probe; a row each."""
        margin_db = self.board.decide(self._search(fmr, fpir)).order.margin_db
        return CandidateOrder(self._table(margin_db, -np.inf), self.llr_db)

    def ranks(self) -> NDArray[np.int64]:
        """Rank of the own subject of each mated probe; ties count against it."""
        comparisons = self.comparisons
        ahead = self.search().rows(comparisons.mated_probes).level_or_ahead(comparisons.own_column)
        failed = np.isnan(self.llr_db[comparisons.mated_probes, comparisons.own_column])
        return np.where(failed, len(comparisons.gallery_people) + 1, 1 + np.count_nonzero(ahead, axis=1))

    def _search(self, fmr: float, fpir: float) -> Demand:
        return Demand(fmr, fpir, len(self.comparisons.gallery_people))

    def _table(self, values: FloatArray, absent: float) -> FloatArray:
        found = np.full(self.comparisons.llr_db.shape, absent)
        found.flat[self.board.slots] = values
        return found
