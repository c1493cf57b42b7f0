"""Kind `activity`: a checked bundle → a recognizer. Needs NumPy, SciPy and ONNX Runtime only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml.runtime.bundle import (
    ACTIVITY_KIND,
    WEIGHTS_FILE,
    BundleError,
    BundleInfo,
    read_bundle,
)
from ml.runtime.ecg.activity.feature_constants import PREPARATIONS
from ml.runtime.ecg.activity.features import FEATURE_NAMES, N_REST, window_features
from ml.runtime.ecg.activity.head import FloatArray, softmax
from ml.runtime.ecg.activity.legibility import is_mute
from ml.runtime.ecg.activity.recognizer import ActivityCall, ActivityTimeline, Baseline, SegmentEvidence
from ml.runtime.ecg.activity.segments import describe_contexts, describe_segments, duration_s
from ml.runtime.ecg.activity.smoothing import smooth, stay_probability, temper
from ml.runtime.ecg.activity.trunk import TrunkWindows, context_windows
from ml.runtime.ecg.activity.whole_strips import strip_evidence
from ml.runtime.ecg.activity.windows import GRACE_S, context_starts_s, fitting_context_s, segment_edges_s
from ml.runtime.ecg.signal.conditioning import ConditionedEcg
from ml.runtime.onnx_network import OnnxNetwork
from ml.runtime.parameters import read_parameters
from ml.runtime.preparation import FIXED, FREE, Inputs, require_preparation

# Smallest valid length, weight or temperature.
SMALLEST = 1e-3
# A longer resting strip adds nothing to a baseline.
MAX_BASELINE_S = 30.0


@dataclass(frozen=True)
class ActivityConfig:
    """Configuration of a recognizer; `preprocessing` in `bundle.json`.

    Pairs hold the value without a resting baseline, then the value with one.

    Args:
        features: Names of the hand-crafted features, in the order of the network's input.
        trunk: The windows that the network's trunk reads.
        contexts_s: Window lengths that have heads, ascending; each length has one head without a resting
            baseline and one with it.
        step_s: Length of a segment of a timeline.
        timeline_context_s: The longest context around a segment of a timeline.
        dwell_s: Mean duration of an activity.
        evidence_weights: Multiply the log probabilities of a timeline before smoothing.
        timeline_temperatures: Soften the smoothed probabilities; above 1, since contexts overlap and
            errors persist.
        window_correlations: Correlation of errors between windows of one strip; see `whole_strips`.
    Raises:
        ValueError: Features that this code does not compute, or numbers out of range.
    """

    features: tuple[str, ...]
    trunk: TrunkWindows
    contexts_s: tuple[float, ...]
    step_s: float
    timeline_context_s: float
    dwell_s: float
    evidence_weights: tuple[float, float]
    timeline_temperatures: tuple[float, float]
    window_correlations: tuple[float, float]

    def __post_init__(self) -> None:
        if self.features != FEATURE_NAMES:
            raise ValueError("preprocessing.features: expected those that this code computes")
        lengths = {"step_s": (self.step_s,), "dwell_s": (self.dwell_s,), "contexts_s": self.contexts_s}
        pairs = {
            name: getattr(self, name)
            for name in ("evidence_weights", "timeline_temperatures", "window_correlations")
        }
        for name, pair in pairs.items():
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise ValueError(f"preprocessing.{name}: expected two numbers, got {pair}")
        for name, numbers in (lengths | pairs).items():
            least = 0.0 if name == "window_correlations" else SMALLEST
            if not isinstance(numbers, tuple) or not all(_is_number(x) and x >= least for x in numbers):
                raise ValueError(f"preprocessing.{name}: expected positive numbers, got {numbers}")
        if not self.contexts_s or list(self.contexts_s) != sorted(set(self.contexts_s)):
            raise ValueError(f"preprocessing.contexts_s: expected ascending ones, got {self.contexts_s}")
        if self.timeline_context_s not in self.contexts_s:
            raise ValueError(f"preprocessing.timeline_context_s: no head for {self.timeline_context_s} s")

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ActivityConfig:
        """Read the JSON form.

        Raises:
            TypeError, ValueError: Missing, unknown or impossible fields.
        """
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        trunk = read_parameters(TrunkWindows, fields.get("trunk"), "preprocessing.trunk")
        return cls(**{**fields, **lists, "trunk": trunk})

    @property
    def n_heads(self) -> int:
        """Number of heads in the network."""
        return 2 * len(self.contexts_s)

    def head(self, context_s: float, *, own_rest: bool) -> int:
        """Return the index of a head."""
        return 2 * self.contexts_s.index(context_s) + own_rest


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class _Contexts(NamedTuple):
    """Windows of one length within a strip, and their hand-crafted features; one row each."""

    strip: ConditionedEcg
    starts_s: FloatArray
    context_s: float
    by_hand: FloatArray


class BundledRecognizer:
    """An `ActivityRecognizer` made of a bundle; may be called from several threads."""

    def __init__(self, info: BundleInfo, weights: bytes) -> None:
        """Open the network and check that it fits the rest of the bundle.

        Raises:
            BundleError: Network, preparation and classes do not fit together, or the kind is not `activity`.
        """
        if info.kind != ACTIVITY_KIND:
            raise BundleError(f"bundle {info.encoder_id}: kind {info.kind!r} does not recognize activity")
        try:
            require_preparation(info.preparation_version, info.preparation_constants, PREPARATIONS)
            self.config = ActivityConfig.from_dict(info.preprocessing)
            self._network = OnnxNetwork(
                weights,
                inputs={
                    "windows": (FREE, self.config.trunk.n_samples),
                    "pooling": (FREE, FREE),
                    "by_hand": (FREE, len(FEATURE_NAMES)),
                    "differences": (FREE, N_REST),
                    "rest": (1, FIXED),
                    "head": (1, self.config.n_heads),
                },
                outputs={"logits": (FREE, len(info.classes)), "trunk": (FREE, FIXED)},
            )
            self._trunk_size = self._network.output_size("trunk")
            if (read := self._network.input_size("rest")) != self._trunk_size:
                raise BundleError(f"the trunk gives {self._trunk_size} numbers, the baseline has {read}")
        except (BundleError, OverflowError, TypeError, ValueError) as error:
            raise BundleError(f"bundle {info.encoder_id}: {error}") from error
        self.info = info

    @property
    def encoder_id(self) -> str:
        """Name and version, such as `activity@2026.11`."""
        return self.info.encoder_id

    @property
    def classes(self) -> tuple[str, ...]:
        """Activities, in the order of all probabilities."""
        return self.info.classes

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Coarser activities, each with its classes."""
        return {name: tuple(members) for name, members in self.info.groups.items()}

    @property
    def baseline_size(self) -> int:
        """Length of `Baseline.values`."""
        return N_REST + self._trunk_size

    def baseline(self, resting: ConditionedEcg) -> Baseline | None:
        """See `ActivityRecognizer.baseline`."""
        end_s = min(duration_s(resting), MAX_BASELINE_S)
        if is_mute(resting.quality, 0.0, end_s):
            return None
        by_hand = window_features(resting, 0.0, end_s)
        whole = _Contexts(resting, np.zeros(1), end_s, by_hand[None])
        trunk = self._network.run(self._inputs(whole, None), "trunk")
        return Baseline(np.concatenate([by_hand[:N_REST].astype(np.float32), trunk[0]]), self.encoder_id)

    def timeline(self, strip: ConditionedEcg, baseline: Baseline | None = None) -> ActivityTimeline:
        """See `ActivityRecognizer.timeline`."""
        return self.chained([self.evidence(strip, baseline)])

    def evidence(
        self,
        strip: ConditionedEcg,
        baseline: Baseline | None = None,
        span_s: tuple[float, float] | None = None,
    ) -> SegmentEvidence:
        """See `ActivityRecognizer.evidence`."""
        context_s = self._context_s(min(duration_s(strip), self.config.timeline_context_s))
        found = describe_segments(strip, context_s, self.config.step_s, span_s)
        logits = self._logits(_Contexts(strip, found.starts_s, context_s, found.features), baseline)
        weight = self.config.evidence_weights[baseline is not None]
        return SegmentEvidence(
            start_s=found.edges_s[:-1],
            end_s=found.edges_s[1:],
            log_evidence=np.where(found.mute[:, None], 0.0, weight * logits),
            heart_rate_bpm=np.exp(found.features[:, FEATURE_NAMES.index("log_heart_rate")]),
            quality=found.quality,
            unknown=found.mute,
            own_rest=baseline is not None,
        )

    def chained(self, parts: Sequence[SegmentEvidence]) -> ActivityTimeline:
        """See `ActivityRecognizer.chained`."""
        log_evidence = np.concatenate([part.log_evidence for part in parts])
        smoothed = smooth(log_evidence, stay_probability(self.config.step_s, self.config.dwell_s))
        temperature = self.config.timeline_temperatures[parts[0].own_rest]
        return ActivityTimeline(
            start_s=np.concatenate([part.start_s for part in parts]),
            end_s=np.concatenate([part.end_s for part in parts]),
            probabilities=temper(smoothed, temperature),
            heart_rate_bpm=np.concatenate([part.heart_rate_bpm for part in parts]),
            quality=np.concatenate([part.quality for part in parts]),
            unknown=np.concatenate([part.unknown for part in parts]),
        )

    def activity(self, strip: ConditionedEcg, baseline: Baseline | None = None) -> ActivityCall:
        """See `ActivityRecognizer.activity`."""
        context_s = self._context_s(duration_s(strip))
        edges_s = segment_edges_s(duration_s(strip), context_s / 2.0)
        starts_s = np.unique(context_starts_s(edges_s, context_s))
        starts_s = starts_s[np.diff(starts_s, prepend=-np.inf) > GRACE_S]
        mute = [is_mute(strip.quality, start_s, start_s + context_s) for start_s in starts_s.tolist()]
        legible_s = starts_s[~np.array(mute)]
        n_classes = len(self.classes)
        if not legible_s.size:
            prior = np.full(n_classes, 1.0 / n_classes)
            return ActivityCall(None, None, prior, strip.heart_rate_bpm)
        by_hand = describe_contexts(strip, legible_s, context_s)
        logits = self._logits(_Contexts(strip, legible_s, context_s, by_hand), baseline)
        correlation = self.config.window_correlations[baseline is not None]
        probabilities = softmax(strip_evidence(logits, legible_s, context_s).combined(correlation))
        best = int(probabilities.argmax())
        return ActivityCall(
            self.classes[best], float(probabilities[best]), probabilities, strip.heart_rate_bpm
        )

    def _context_s(self, length_s: float) -> float:
        return fitting_context_s(length_s, self.config.contexts_s)

    def _logits(self, contexts: _Contexts, baseline: Baseline | None) -> FloatArray:
        """Log probabilities of activities, float64, shape (n_contexts, n_classes)."""
        if baseline is not None and baseline.encoder_id != self.encoder_id:
            raise ValueError(f"expected a baseline of {self.encoder_id}, got one of {baseline.encoder_id}")
        return np.asarray(self._network.run(self._inputs(contexts, baseline), "logits"), dtype=np.float64)

    def _inputs(self, contexts: _Contexts, baseline: Baseline | None) -> Inputs:
        strip, starts_s, context_s, by_hand = contexts
        windows, pooling = context_windows(strip, starts_s, context_s, self.config.trunk)
        differences = np.full((len(by_hand), N_REST), np.nan)
        rest = np.zeros(self._trunk_size, np.float32)
        if baseline is not None:
            differences, rest = by_hand[:, :N_REST] - baseline.values[:N_REST], baseline.values[N_REST:]
        head = np.zeros((1, self.config.n_heads), np.float32)
        head[0, self.config.head(self._context_s(context_s), own_rest=baseline is not None)] = 1.0
        return {
            "windows": windows,
            "pooling": pooling,
            "by_hand": _known(by_hand),
            "differences": _known(differences),
            "rest": rest[None],
            "head": head,
        }


def _known(features: FloatArray) -> NDArray[np.float32]:
    """Features as the network reads them, which fills in NaN only."""
    return np.where(np.isfinite(features), features, np.nan).astype(np.float32)


def load_recognizer(directory: Path) -> BundledRecognizer:
    """Load an activity bundle and check it: schema, checksums, weights.

    Raises:
        BundleError: One line with what was expected and what was found.
    """
    info = read_bundle(directory)
    return BundledRecognizer(info, (directory / WEIGHTS_FILE).read_bytes())
