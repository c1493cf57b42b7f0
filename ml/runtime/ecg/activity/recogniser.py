"""Who tells what a wearer is doing: the interface that the service holds on to.

A recognizer reads conditioned strips (`ml.runtime.ecg.signal.conditioning`), so that a decision, whose ECG
was conditioned to be encoded, pays for features, trunk and head alone. A strip without one accepted segment
may still be read: movement spoils what identifies, and is just what is asked for here.
`ml.runtime.ecg.signal.conditioning.examine` gives such strips too.
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
    """What the ECG of one wearer is like at rest. Health data: the numbers stay out of `repr` and logs.

    Args:
        values: Features of a resting strip, float32, shape (baseline_size,), as `ActivityRecogniser.baseline`
            gives them; meaningless to another recognizer.
        encoder_id: The recognizer that made them.
    """

    values: NDArray[np.float32]
    encoder_id: str

    def __repr__(self) -> str:
        return f"Baseline(values=<{self.values.size}>, encoder_id={self.encoder_id!r})"


@dataclass(frozen=True, eq=False)
class SegmentEvidence:
    """What each segment says on its own, before it is judged by those before and after it.

    Args:
        start_s, end_s: Of each segment, float64, shape (n_segments,).
        log_evidence: log P(what is seen | activity), up to a constant per row, float64, shape (n_segments,
            n_classes); zeros where the segment is unknown.
        heart_rate_bpm, quality, unknown: As in `ActivityTimeline`.
        own_rest: Whether the wearer's rest was known.
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
        start_s, end_s: Of each segment, seconds of the strip, float64, shape (n_segments,).
        probabilities: Smoothed and calibrated, each row adds up to 1, float64, shape (n_segments, n_classes);
            columns in the order of `ActivityRecogniser.classes`. Rows of unknown segments hold what the
            neighbors make likely, and are not to be shown as a call.
        heart_rate_bpm: NaN where there were too few beats, float64, shape (n_segments,).
        quality: From 0 (useless) to 1 (clean), float64, shape (n_segments,).
        unknown: Where the signal allows no call: no contact, rails, no heartbeats; bool, shape
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
    """One activity for a whole strip.

    Args:
        activity: The most probable class; None where the signal allows no call.
        probability: Of that class, calibrated; None without one.
        probabilities: Of all classes in the order of `ActivityRecogniser.classes`, float64, shape
            (n_classes,); the prior without a call.
        heart_rate_bpm: None with too few beats.
    """

    activity: str | None
    probability: float | None
    probabilities: NDArray[np.float64]
    heart_rate_bpm: float | None


class ActivityRecogniser(Protocol):
    """A loaded activity bundle. `ml.runtime.ecg.activity.bundle.load_recogniser(directory)` gives one."""

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
        """Describe a wearer at rest; None where the strip allows no call.

        Args:
            resting: A strip known to be taken at rest; 20 s serve well, 3 s are the least.
        """

    def timeline(self, strip: ConditionedEcg, baseline: Baseline | None = None) -> ActivityTimeline:
        """Tell the activity in each segment of a strip.

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
        """Say what segments of a strip show, each on its own: the first half of `timeline`.

        Long strips are told in parts, each conditioned with some seconds before and after it.

        Args:
            strip: A strip or a part of one, as in `timeline`.
            baseline: As in `timeline`.
            span_s: Only the segments that begin within it, at least one; None for all.

        Raises:
            ValueError: A baseline that another recognizer made.
        """

    def chained(self, parts: Sequence[SegmentEvidence]) -> ActivityTimeline:
        """Judge segments by each other: the second half of `timeline`; parts in order of time."""

    def activity(self, strip: ConditionedEcg, baseline: Baseline | None = None) -> ActivityCall:
        """Tell the one activity of a strip; arguments and errors as in `timeline`."""
