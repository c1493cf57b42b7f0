"""Activity recognition: the interface that the service uses.

A recognizer reads conditioned strips (`ml.runtime.ecg.signal.conditioning`). An identity decision has
conditioned its ECG already, so it pays only for features, trunk and head. A strip without an accepted segment
can still be read: movement spoils identity, and is just what matters here.
`ml.runtime.ecg.signal.conditioning.examine` returns such strips too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ml.runtime.ecg.signal.conditioning import ConditionedEcg


@dataclass(frozen=True)
class Baseline:
    """The ECG of one wearer at rest. Health data: the numbers stay out of `repr` and logs.

    Args:
        values: Features of a resting strip from `ActivityRecognizer.baseline`, float32, shape
            (baseline_size,); they have no meaning to another recognizer.
        encoder_id: The recognizer that made them.
    """

    values: NDArray[np.float32]
    encoder_id: str

    def __repr__(self) -> str:
        return f"Baseline(values=<{self.values.size}>, encoder_id={self.encoder_id!r})"


@dataclass(frozen=True, eq=False)
class SegmentEvidence:
    """Evidence of each segment by itself, before it is smoothed with its neighbors.

    Args:
        start_s, end_s: Bounds of each segment, float64, shape (n_segments,).
        log_evidence: log P(what is seen | activity), up to a constant per row, float64, shape (n_segments,
            n_classes); zeros where the segment is unknown.
        heart_rate_bpm, quality, unknown: As in `ActivityTimeline`.
        own_rest: Whether a resting baseline was used.
    """

    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    log_evidence: NDArray[np.float64]
    heart_rate_bpm: NDArray[np.float64]
    quality: NDArray[np.float64]
    unknown: NDArray[np.bool_]
    own_rest: bool


@dataclass(frozen=True, eq=False)
class ActivityTimeline:
    """Activity along a strip: segments in order of time, without gaps or overlap.

    Args:
        start_s, end_s: Bounds of each segment, seconds of the strip, float64, shape (n_segments,).
        probabilities: Smoothed and calibrated, each row sums to 1, float64, shape (n_segments, n_classes);
            columns in the order of `ActivityRecognizer.classes`. Rows of unknown segments follow from their
            neighbors, and must not be reported as a prediction.
        heart_rate_bpm: NaN where there were too few beats, float64, shape (n_segments,).
        quality: From 0 (useless) to 1 (clean), float64, shape (n_segments,).
        unknown: Where the recognizer abstains: no contact, saturation, no heartbeats; bool, shape
            (n_segments,).
    """

    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    heart_rate_bpm: NDArray[np.float64]
    quality: NDArray[np.float64]
    unknown: NDArray[np.bool_]


@dataclass(frozen=True)
class ActivityCall:
    """The predicted activity of a whole strip.

    Args:
        activity: The most probable class; None if the recognizer abstains.
        probability: Calibrated probability of that class; None without one.
        probabilities: Of all classes in the order of `ActivityRecognizer.classes`, float64, shape
            (n_classes,); the prior if the recognizer abstains.
        heart_rate_bpm: None with too few beats.
    """

    activity: str | None
    probability: float | None
    probabilities: NDArray[np.float64]
    heart_rate_bpm: float | None


class ActivityRecognizer(Protocol):
    """A loaded activity bundle, from `ml.runtime.ecg.activity.bundle.load_recognizer(directory)`."""

    @property
    def encoder_id(self) -> str:
        """Name and version, such as `activity@2026.11`."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Activities, in the order of all probabilities."""

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Coarser activities whose probability is the sum of those of their classes, such as `vigorous`."""

    @property
    def baseline_size(self) -> int:
        """Length of `Baseline.values`."""

    def baseline(self, resting: ConditionedEcg) -> Baseline | None:
        """Describe a wearer at rest; None where the strip is unreadable.

        Args:
            resting: A strip known to be taken at rest; at least 3 s, better 20 s.
        """

    def timeline(self, strip: ConditionedEcg, baseline: Baseline | None = None) -> ActivityTimeline:
        """Predict the activity in each segment of a strip.

        Args:
            strip: At least 3 s, as conditioned or examined by `ml.runtime.ecg.signal.conditioning`.
            baseline: The same wearer at rest; None if unknown.

        Raises:
            ValueError: A baseline that another recognizer made.
        """

    def evidence(
        self,
        strip: ConditionedEcg,
        baseline: Baseline | None = None,
        span_s: tuple[float, float] | None = None,
    ) -> SegmentEvidence:
        """Return the evidence of segments, each by itself: the first half of `timeline`.

        A long strip can be read in parts, each conditioned with some seconds before and after it.

        Args:
            strip: A strip or a part of one, as in `timeline`.
            baseline: As in `timeline`.
            span_s: Only the segments that begin within it, at least one; None for all.

        Raises:
            ValueError: A baseline that another recognizer made.
        """

    def chained(self, parts: Sequence[SegmentEvidence]) -> ActivityTimeline:
        """Smooth evidence into a timeline: the second half of `timeline`; parts in order of time."""

    def activity(self, strip: ConditionedEcg, baseline: Baseline | None = None) -> ActivityCall:
        """Predict the one activity of a strip; arguments and errors as in `timeline`."""
