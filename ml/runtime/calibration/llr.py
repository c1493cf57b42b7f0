"""From a cosine to decibans: the calibrated likelihood ratio of one modality, and what it may claim."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ml.runtime.calibration.llr_map import LlrMap
from ml.runtime.calibration.nulls import (
    CLASS_SECONDS,
    EVIDENCE_CLASSES,
    LlrHistogram,
    Null,
    evidence_classes,
)
from ml.runtime.calibration.softening import DB_PER_NAT, Softening
from ml.runtime.calibration.tail import continued
from ml.runtime.evidence import SECONDS, Evidence, EvidenceArray, pair

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LlrScores:
    """What a calibration makes of comparisons.

    Args:
        llr_db: Unsoftened, decibans, float64, any shape.
        classes: Evidence class of each, int64, same shape.

    Raises:
        ValueError: A score that is not finite, as that of a cosine that is NaN would be.
    """

    llr_db: FloatArray
    classes: IntArray

    def __post_init__(self) -> None:
        if not np.isfinite(self.llr_db).all():
            raise ValueError("the score of a comparison is finite; found NaN or infinity")


@dataclass(frozen=True)
class Calibration:
    """All that turns a cosine of one encoder into a score and a decision threshold.

    Args:
        llr_map: Cosine → LLR.
        nulls: Softened non-mated scores per evidence class as measured, on the measured scale (`Softening`).
        llr_histograms: Unsoftened non-mated scores per evidence class, for a gallery's correction.
        mated_quantiles_db: 5 % quantile of the unsoftened mated scores per evidence class.
        non_mated_pairs: Unordered pairs of calibration people; they set the ceiling.
        people: Calibration people.
        mated_medians_db: (amount, median unsoftened mated score) at growing amounts of evidence.
        unit: What the encoder's evidence is counted in. Only seconds make classes by their amount; the map
            ignores any other amount.
        comparison_edges: If given, classes count the comparisons of two captures behind a score: the number
            at which each class but the first begins, ascending. The null of a class then holds up to the
            largest number of the class.
        most_comparisons: The largest number of the last class that its null holds for; beyond it, comparisons
            share the rate. 0 without edges.
        enrolled_histograms: Unsoftened non-mated scores of references with references per evidence class, if
            they differ from those of probes: two photographs for enrollment are of one kind, and score
            higher. A gallery compares its own with these. Empty: they are those of probes.

    Raises:
        ValueError: A map that takes notice of amounts other than seconds, or classes that contradict the
            unit or the edges.
    """

    llr_map: LlrMap
    nulls: tuple[Null, ...]
    llr_histograms: tuple[LlrHistogram, ...]
    mated_quantiles_db: tuple[float, ...]
    non_mated_pairs: int
    people: int
    mated_medians_db: tuple[tuple[float, float], ...] = ()
    unit: str = SECONDS
    comparison_edges: tuple[int, ...] = ()
    most_comparisons: int = 0
    enrolled_histograms: tuple[LlrHistogram, ...] = ()

    def __post_init__(self) -> None:
        if self.comparison_edges:
            self._require_counted_classes()
        elif self.most_comparisons:
            raise ValueError("without classes of comparisons there is no largest number of them")
        if self.unit != SECONDS:
            if self.llr_map.heeds_amount:
                raise ValueError(f"the LLR of evidence in {self.unit} does not depend on its amount")
            if not self.comparison_edges and len(self.nulls) > 1:
                raise ValueError(f"evidence in {self.unit} is of one class, found {len(self.nulls)}")
        if not all(0.0 < amount < np.inf and np.isfinite(db) for amount, db in self.mated_medians_db):
            raise ValueError("median mated scores are finite, of amounts above 0")

    def compare(
        self,
        cosine: ArrayLike,
        probe: Evidence | EvidenceArray,
        enrolled: Evidence | EvidenceArray,
        compared: ArrayLike = 1,
    ) -> LlrScores:
        """Pair the two sides' evidence, choose its class and give the LLR; arguments broadcast.

        Args:
            cosine: In [−1, 1]; any shape.
            probe, enrolled: What either side rests on.
            compared: How many comparisons of two captures are behind each.

        Raises:
            ValueError: Evidence in another unit than the calibration's, or a cosine that is not finite.
        """
        both = pair(probe, enrolled)
        classes = self.evidence_classes(both, compared)
        return LlrScores(self.llr_db(cosine, both.amount, both.quality), classes)

    def evidence_classes(self, evidence: Evidence | EvidenceArray, compared: ArrayLike = 1) -> IntArray:
        """Return the class of what comparisons rest on, or of one side as if the other were no weaker.

        Args:
            evidence: Of both sides, or of one.
            compared: How many comparisons of two captures are behind each; broadcasts with the evidence.

        Raises:
            ValueError: Another unit than the calibration's.
        """
        if evidence.unit != self.unit:
            raise ValueError(f"calibrated for evidence in {self.unit}, not in {evidence.unit}")
        if self.comparison_edges:
            numbers, _ = np.broadcast_arrays(compared, evidence.amount)
            return np.asarray(np.searchsorted(self.comparison_edges, numbers, side="right"), dtype=np.int64)
        if self.unit != SECONDS:
            return np.zeros(np.shape(evidence.amount), dtype=np.int64)
        return evidence_classes(evidence.amount)

    def shared(self, compared: ArrayLike) -> IntArray:
        """Return how many parts a false-match rate is divided into (Boole's inequality); same shape.

        One for each comparison, since each may match by chance; where classes count comparisons, one for each
        `most_comparisons`, since the nulls are of so many.

        Args:
            compared: How many comparisons are behind a score, at least 1.
        """
        numbers = np.asarray(compared, dtype=np.int64)
        return -(-numbers // self.most_comparisons) if self.comparison_edges else numbers

    @property
    def class_count(self) -> int:
        """How many evidence classes there may be."""
        return EVIDENCE_CLASSES if self.unit == SECONDS else len(self.comparison_edges) + 1

    @property
    def strongest_class(self) -> int:
        """The evidence class that demands least: of the longest, or of a single comparison of two images."""
        return EVIDENCE_CLASSES - 1 if self.unit == SECONDS else 0

    @property
    def ceiling_db(self) -> float:
        """The score that no evidence in this modality exceeds."""
        return self.softening.ceiling_db

    @property
    def usual_mated_score_db(self) -> float:
        """The median mated score with the most evidence; the ceiling in bundles that do not know it."""
        if not self.mated_medians_db:
            return self.ceiling_db
        return float(self.soften_db(self.mated_medians_db[-1][1]))

    def llr_db(self, cosine: ArrayLike, amount: ArrayLike, quality: ArrayLike) -> FloatArray:
        """Return unsoftened scores, strictly increasing in the cosine.

        Args:
            cosine: In [−1, 1]; any shape.
            amount: Of the weaker side, as `pair` gives it.
            quality: Of both sides.

        Returns:
            Decibans, float64, broadcast shape.
        """
        return np.asarray(DB_PER_NAT * self.llr_map.nats(cosine, amount, quality))

    def identical_llr_db(self, evidence_class: int) -> float:
        """Return the unsoftened score of two equal vectors of usual length and quality."""
        return float(self.usual_llr_db(1.0, evidence_class))

    def usual_llr_db(self, cosine: ArrayLike, evidence_class: int) -> FloatArray:
        """Return the unsoftened scores of cosines at the amount and quality that are usual in a class."""
        amount = CLASS_SECONDS[evidence_class] if self.unit == SECONDS else 1.0
        return self.llr_db(cosine, amount, self.llr_map.quality_mean)

    @cached_property
    def softening(self) -> Softening:
        """How a likelihood ratio becomes a score."""
        return Softening(self.non_mated_pairs)

    def soften_db(self, llr_db: ArrayLike) -> FloatArray:
        """Claim no more than the calibration data carry; finite and increasing; float64, same shape."""
        return self.softening.score_db(llr_db)

    def unsoften_db(self, score_db: ArrayLike) -> FloatArray:
        """Invert `soften_db`; −inf at or below the floor, +inf at or above the ceiling."""
        return self.softening.llr_db(score_db)

    def null(self, evidence_class: int) -> Null:
        """Return the null of an evidence class and its tail; a single class serves for all evidence."""
        return self._continued[min(evidence_class, len(self.nulls) - 1)]

    @cached_property
    def _continued(self) -> tuple[Null, ...]:
        both = zip(self.nulls, self.llr_histograms, strict=True)
        return tuple(continued(null, histogram, self.softening) for null, histogram in both)

    def llr_histogram(self, evidence_class: int) -> LlrHistogram:
        """Return the unsoftened non-mated scores of an evidence class."""
        return self.llr_histograms[min(evidence_class, len(self.llr_histograms) - 1)]

    def enrolled_histogram(self, evidence_class: int) -> LlrHistogram:
        """Return the unsoftened non-mated scores among references of an evidence class."""
        found = self.enrolled_histograms or self.llr_histograms
        return found[min(evidence_class, len(found) - 1)]

    def mated_quantile_db(self, evidence_class: int) -> float:
        """Return the 5 % quantile of the unsoftened mated scores of an evidence class."""
        return self.mated_quantiles_db[min(evidence_class, len(self.mated_quantiles_db) - 1)]

    def reached_by_chance_db(self, evidence_class: int, rate: float) -> float:
        """Return the unsoftened score that non-mated comparisons reach at this rate.

        No claim about rates smaller than the pairs resolve: there the tail is continued as an exponential.
        """
        return self.llr_histogram(evidence_class).quantile(rate)

    def expected_gain_db(self, now: ArrayLike, then: ArrayLike) -> FloatArray:
        """Return by how much the median mated score grows with more evidence; never negative.

        Args:
            now: Amount of the weaker side, above 0.
            then: What it could become; arguments broadcast.
        """
        if not self.mated_medians_db:
            return np.zeros(np.broadcast(now, then).shape)
        amounts, medians = np.array(self.mated_medians_db).T
        reached = np.maximum.accumulate(medians)
        before, after = (np.interp(np.log(one), np.log(amounts), reached) for one in (now, then))
        return np.maximum(0.0, np.subtract(after, before))

    def mated_cosine(self, amount: ArrayLike) -> FloatArray:
        """Return the cosine that two recordings of one person usually have; float64, same shape.

        It is where the map reaches the median mated score of that amount or, in bundles that do not know it,
        the 5 % quantile.

        Args:
            amount: Of the weaker one.
        """
        known = self.mated_medians_db or tuple(zip(CLASS_SECONDS, self.mated_quantiles_db, strict=False))
        amounts, scores_db = np.array(known).T
        cosines = np.linspace(-1.0, 1.0, 401)
        found = [
            np.interp(score_db, self.llr_db(cosines, one, self.llr_map.quality_mean), cosines)
            for one, score_db in zip(amounts, scores_db, strict=True)
        ]
        clipped = np.clip(np.asarray(amount, dtype=np.float64), amounts[0], amounts[-1])
        return np.asarray(np.interp(np.log(clipped), np.log(amounts), np.maximum.accumulate(found)))

    def expected_agreement(self, amounts: ArrayLike) -> float:
        """Return the length that the mean of unit vectors usually has if they are one person's.

        Args:
            amounts: Of each recording, shape (n,), n ≥ 1.
        """
        each = np.asarray(amounts, dtype=np.float64)
        cosine = self.mated_cosine(np.minimum.outer(each, each))
        np.fill_diagonal(cosine, 1.0)
        return float(np.sqrt(max(float(cosine.mean()), 1.0 / each.size)))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form kept in a bundle."""
        return (
            {
                "people": self.people,
                "non_mated_pairs": self.non_mated_pairs,
                "ceiling_db": self.ceiling_db,
                "llr_map": self.llr_map.to_dict(),
                "mated_quantiles_db": list(self.mated_quantiles_db),
                "mated_medians_db": [list(point) for point in self.mated_medians_db],
                "nulls": [null.to_dict() for null in self.nulls],
                "llr_histograms": [histogram.to_dict() for histogram in self.llr_histograms],
            }
            | self._enrolled_to_dict()
            | self._unit_to_dict()
        )

    def _enrolled_to_dict(self) -> dict[str, Any]:
        if not self.enrolled_histograms:
            return {}
        return {"enrolled_histograms": [histogram.to_dict() for histogram in self.enrolled_histograms]}

    def _unit_to_dict(self) -> dict[str, Any]:
        if self.unit == SECONDS:
            return {}
        counted = {
            "comparison_edges": list(self.comparison_edges),
            "most_comparisons": self.most_comparisons,
        }
        return {"unit": self.unit} | (counted if self.comparison_edges else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            KeyError: A part is missing.
            ValueError: A part contradicts itself.
        """
        calibration = cls(
            llr_map=LlrMap.from_dict(data["llr_map"]),
            nulls=tuple(Null.from_dict(null) for null in data["nulls"]),
            llr_histograms=tuple(LlrHistogram.from_dict(part) for part in data["llr_histograms"]),
            mated_quantiles_db=tuple(float(value) for value in data["mated_quantiles_db"]),
            non_mated_pairs=int(data["non_mated_pairs"]),
            people=int(data["people"]),
            mated_medians_db=tuple((float(s), float(db)) for s, db in data.get("mated_medians_db", ())),
            unit=str(data.get("unit", SECONDS)),
            comparison_edges=tuple(int(edge) for edge in data.get("comparison_edges", ())),
            most_comparisons=int(data.get("most_comparisons", 0)),
            enrolled_histograms=tuple(
                LlrHistogram.from_dict(part) for part in data.get("enrolled_histograms", ())
            ),
        )
        parts = {len(calibration.nulls), len(calibration.llr_histograms), len(calibration.mated_quantiles_db)}
        if calibration.enrolled_histograms:
            parts.add(len(calibration.enrolled_histograms))
        if len(parts) != 1 or not calibration.nulls or calibration.non_mated_pairs < 1:
            raise ValueError("a calibration has one null, histogram and mated quantile per evidence class")
        if (found := len(calibration.nulls)) not in (1, calibration.class_count):
            raise ValueError(
                f"expected 1 or {calibration.class_count} evidence classes, found {found}: calibrate again"
            )
        return calibration

    def _require_counted_classes(self) -> None:
        edges = self.comparison_edges
        if self.unit == SECONDS:
            raise ValueError("evidence in seconds is of classes by its length, not by comparisons")
        if edges[0] < 2 or any(b <= a for a, b in pairwise(edges)):
            raise ValueError(f"classes of comparisons begin at 2 or more, ascending, not at {edges}")
        if self.most_comparisons < edges[-1]:
            raise ValueError(
                f"the last class begins at {edges[-1]} comparisons and holds for {self.most_comparisons}"
            )
        if self.nulls and len(self.nulls) != len(edges) + 1:
            raise ValueError(
                f"{len(edges) + 1} classes of comparisons have as many nulls, not {len(self.nulls)}"
            )
