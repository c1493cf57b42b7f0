"""Timelines: strips in which activities change, made by concatenating recordings of the motion set.

The set holds one activity per recording. Recordings are brought to one level and joined in an order drawn by
seed. The mean duration of an activity is a setting, not fitted to these joins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml.data.motion import ACTIVITIES, ELECTRODES, MotionRecord
from ml.evaluation.activity.protocols import Answers, joined, shipped_examples
from ml.metrics.confidence import fit_temperature, negative_log_likelihood
from ml.runtime.ecg.activity.head import FusedHead
from ml.runtime.ecg.activity.segments import describe_segments
from ml.runtime.ecg.activity.smoothing import smooth, stay_probability, temper
from ml.runtime.ecg.activity.trunk import Trunk
from ml.runtime.ecg.signal.conditioning import examine
from ml.training.activity.examples import OWN_REST_S, REST, MotionFeatures
from ml.training.activity.fitting import Examples, FittedHead, fit_chosen_head, fit_head
from ml.training.activity.inputs import head_inputs

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EVIDENCE_WEIGHTS = (0.1, 0.2, 0.45, 1.0, 1.5, 2.2)
# How long activities last is a choice: some wearers keep one for a minute, some for an hour.
DWELL_S = 60.0


@dataclass(frozen=True, eq=False)
class JoinedStrip:
    """All activities of one person with one kind of electrode, segment by segment.

    Attributes:
        features: Of the context of each segment, float64, shape (n_segments, n_features).
        mute: Unreadable segments, bool, shape (n_segments,).
        truth: Activity in the middle of each segment, int64, same shape.
        person, electrode: Indices.
    """

    features: FloatArray = field(repr=False)
    mute: NDArray[np.bool_] = field(repr=False)
    truth: IntArray = field(repr=False)
    person: int
    electrode: int


def joined_strips(
    records: Sequence[MotionRecord],
    people: Sequence[str],
    lengths_s: tuple[float, float],
    trunk: Trunk,
    seed: int = 0,
) -> list[JoinedStrip]:
    """Concatenate the recordings of each person and electrode, without the seconds of the resting baseline.

    Args:
        records: Of the motion set.
        people: Subject ids in the order of all indices.
        lengths_s: Of the contexts, and of the segments.
        trunk: Adds its features to the hand-crafted ones.
        seed: For the order of activities.
    """
    random = np.random.default_rng(seed)
    strips = []
    for person, name in enumerate(people):
        for electrode, kind in enumerate(ELECTRODES):
            own = [r for r in records if r.person == name and r.electrode == kind]
            parts = [own[i] for i in random.permutation(len(own))]
            strips.append(_joined(parts, (person, electrode), lengths_s, trunk))
    return strips


def _joined(
    parts: Sequence[MotionRecord], whose: tuple[int, int], lengths_s: tuple[float, float], trunk: Trunk
) -> JoinedStrip:
    signals = [_evaluated_signal(part) for part in parts]
    fs_hz = parts[0].fs_hz
    strip = examine(np.concatenate([signal - np.median(signal) for signal in signals]), fs_hz)
    described = describe_segments(strip, *lengths_s)
    ends_s = np.cumsum([signal.size for signal in signals]) / fs_hz
    middles_s = (described.edges_s[1:] + described.edges_s[:-1]) / 2.0
    part = np.minimum(np.searchsorted(ends_s, middles_s, side="right"), len(parts) - 1)
    activities = np.array([ACTIVITIES.index(one.activity) for one in parts])
    of_trunk = trunk.features(strip, described.starts_s, lengths_s[0])
    features = np.hstack([described.features, of_trunk])
    return JoinedStrip(features, described.mute, activities[part], *whose)


def _evaluated_signal(record: MotionRecord) -> NDArray[np.float32]:
    """The longest part without lost data, without the seconds of the resting baseline."""
    parts = []
    for stretch in record.stretches:
        known_s = OWN_REST_S - stretch.start_s if record.activity == ACTIVITIES[REST] else 0.0
        parts.append(stretch.signal[max(0, round(known_s * record.fs_hz)) :])
    return max(parts, key=len)


class Chaining(NamedTuple):
    """Parameters of the smoothing of segments into a timeline.

    Args:
        stay: Probability of no change within a segment.
        weight: Multiplies the log probabilities of segments before smoothing.
        temperature: Softens the probabilities afterwards.
    """

    stay: float
    weight: float
    temperature: float = 1.0


def timeline_answers(
    strips: Sequence[JoinedStrip],
    logits: Sequence[FloatArray],
    chaining: Chaining,
    *,
    forward_only: bool = False,
) -> Answers:
    """Smooth the logits of each strip and concatenate all segments; their logits are log probabilities."""
    stay, weight, temperature = chaining
    smoothed = [
        temper(
            smooth(np.where(strip.mute[:, None], 0.0, weight * rows), stay, forward_only=forward_only),
            temperature,
        )
        for strip, rows in zip(strips, logits, strict=True)
    ]
    return Answers(
        logits=np.log(np.maximum(np.concatenate(smoothed), np.finfo(np.float32).tiny)),
        truth=np.concatenate([strip.truth for strip in strips]),
        person=np.concatenate([np.full(strip.truth.size, strip.person) for strip in strips]),
        mute=np.concatenate([strip.mute for strip in strips]),
    )


def best_chaining(
    strips: Sequence[JoinedStrip],
    logits: Sequence[FloatArray],
    stay: float,
    *,
    forward_only: bool = False,
) -> Chaining:
    """Return the weight and temperature with the least log loss on these strips."""
    found = []
    for weight in EVIDENCE_WEIGHTS:
        answers = timeline_answers(strips, logits, Chaining(stay, weight), forward_only=forward_only)
        readable = answers.where(~answers.mute)
        temperature = fit_temperature(readable.logits, readable.truth)
        loss = negative_log_likelihood(readable.logits, readable.truth, temperature)
        found.append((loss, Chaining(stay, weight, temperature)))
    return min(found)[1]


@dataclass(frozen=True, eq=False)
class TimelineBench:
    """Everything that a measurement of timelines needs.

    Args:
        features: Of the set; heads are fitted to its windows of length `context_s`.
        context_s: Length of the contexts.
        step_s: Length of a segment.
        strips: Joined recordings.
        own_rest: Whether a resting baseline is used.
    """

    features: MotionFeatures
    context_s: float
    step_s: float
    strips: Sequence[JoinedStrip]
    own_rest: bool

    @property
    def examples(self) -> Examples:
        """Windows that heads are fitted to."""
        return shipped_examples(self.features, self.context_s, own_rest=self.own_rest)

    @property
    def stay(self) -> float:
        """Probability of no change within a segment."""
        return stay_probability(self.step_s, DWELL_S)

    def logits(self, head: FusedHead, strip: JoinedStrip) -> FloatArray:
        """Score the segments of a strip."""
        rest = self.features.rest[strip.person, strip.electrode] if self.own_rest else None
        return head.logits(head_inputs(strip.features, rest))

    def left_out(
        self, fitted: FittedHead, without: int | None = None
    ) -> tuple[list[JoinedStrip], list[FloatArray]]:
        """Score each person's strips by a head like `fitted`, fitted without that person and `without`."""
        examples = self.examples
        strips = [strip for strip in self.strips if strip.person != without]
        heads: dict[int, FusedHead] = {}
        for person in {strip.person for strip in strips}:
            known = examples.where(
                examples.evaluated & (examples.people != person) & (examples.people != without)
            )
            heads[person] = fit_chosen_head(known, len(ACTIVITIES), fitted.choices)
        return strips, [self.logits(heads[strip.person], strip) for strip in strips]


def timeline_row(bench: TimelineBench) -> dict[str, Any]:
    """Measure timelines of people held out from both head and chaining."""
    examples = bench.examples
    smoothed: list[Answers] = []
    ahead: list[Answers] = []
    choices = []
    for person in range(len(bench.features.people)):
        known = examples.where(examples.evaluated & (examples.people != person))
        fitted = fit_head(known, len(ACTIVITIES))
        others = bench.left_out(fitted, person)
        chaining = best_chaining(*others, bench.stay)
        chaining_ahead = best_chaining(*others, bench.stay, forward_only=True)
        strips = [strip for strip in bench.strips if strip.person == person]
        logits = [bench.logits(fitted.head, strip) for strip in strips]
        smoothed.append(timeline_answers(strips, logits, chaining))
        ahead.append(timeline_answers(strips, logits, chaining_ahead, forward_only=True))
        choices.append(
            {
                **asdict(fitted.choices),
                **chaining._asdict(),
                "forward_only": {"weight": chaining_ahead.weight, "temperature": chaining_ahead.temperature},
            }
        )
    return {
        "context_s": bench.context_s,
        "own_rest": bench.own_rest,
        "dwell_s": DWELL_S,
        "smoothed": joined(smoothed).figures(),
        "forward_only": joined(ahead).figures(),
        "choices": choices,
    }
