from dataclasses import replace

import numpy as np
import pytest

from ml.export.activity.building import fit_heads
from ml.export.activity.network import activity_network
from ml.runtime.bundle import BundleError
from ml.runtime.ecg.activity.bundle import ActivityConfig, BundledRecognizer, load_recognizer
from ml.runtime.ecg.activity.features import FEATURE_NAMES, N_REST, window_features
from ml.runtime.ecg.activity.head import FusedHead, softmax
from ml.runtime.ecg.activity.recognizer import Baseline
from ml.runtime.ecg.activity.smoothing import smooth, stay_probability, temper
from ml.runtime.ecg.signal.conditioning import ConditionedEcg, examine
from ml.training.activity.fitting import FittedHead
from ml.training.activity.inputs import head_inputs
from tests.bundles import write_activity_files, write_network_bundle
from tests.moving import (
    FS_HZ,
    RECIPE,
    TRUNK_SIZE,
    made_up_trunk,
    moving_signal,
    trunk_weights,
    write_moving_bundle,
)

REST, WALK, RUN = 0, 2, 3
NOISE = np.random.default_rng(0).standard_normal(2500)


def examined(*activities: int, seconds: float = 20.0) -> ConditionedEcg:
    parts = [moving_signal(activity, seconds, seed=901) for activity in activities]
    return examine(np.concatenate(parts), FS_HZ)


def only_the_trunk(fitted: FittedHead) -> FittedHead:
    """The head if what was made by hand counted nothing."""
    by_hand, trunk = fitted.head.views
    views = (by_hand._replace(share=0.0), trunk._replace(share=1.0))
    return replace(fitted, head=FusedHead(fitted.head.parts, views))


FIELDS = {
    "features": list(FEATURE_NAMES),
    "trunk": {"n_samples": 368, "fs_hz": 125.0, "step_s": 3.0},
    "contexts_s": [3.0, 10.0],
    "step_s": 3.0,
    "timeline_context_s": 10.0,
    "dwell_s": 60.0,
    "evidence_weights": [0.3, 0.6],
    "timeline_temperatures": [2.0, 1.5],
    "window_correlations": [0.7, 0.6],
}


class TestActivityConfig:
    def test_heads_come_by_context_without_and_with_a_baseline(self):
        config = ActivityConfig.from_dict(FIELDS)

        assert config.n_heads == 4
        assert [config.head(s, own_rest=r) for s in (3.0, 10.0) for r in (False, True)] == [0, 1, 2, 3]

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"features": ["log_heart_rate"]}, "expected those that this code computes"),
            ({"trunk": {"step_s": 3.0}}, "preprocessing.trunk: missing or unknown"),
            ({"trunk": {"n_samples": 368, "fs_hz": 33.0, "step_s": 3.0}}, "fs_hz must divide"),
            ({"trunk": {"n_samples": 368, "fs_hz": 125.0, "step_s": float("inf")}}, "step_s .* finite"),
            ({"trunk": {"n_samples": 368, "fs_hz": 10**400, "step_s": 3.0}}, "fs_hz"),
            ({"contexts_s": [10.0, 3.0]}, "expected ascending"),
            ({"contexts_s": []}, "expected ascending"),
            ({"dwell_s": 0.0}, "expected positive"),
            ({"dwell_s": float("inf")}, "dwell_s: expected positive"),
            ({"step_s": True}, "step_s: expected positive"),
            ({"step_s": 1e-9}, "step_s: expected positive"),
            ({"contexts_s": 3.0}, "contexts_s: expected positive"),
            ({"evidence_weights": ["much", 0.3]}, "evidence_weights: expected positive"),
            ({"timeline_temperatures": 2.0}, "timeline_temperatures: expected two"),
            ({"window_correlations": None}, "window_correlations: expected two"),
            ({"window_correlations": [float("inf"), 0.7]}, "window_correlations: expected positive"),
            ({"timeline_context_s": 5.0}, "no head for"),
            ({"window_correlations": [0.7]}, "expected two"),
            ({"window_correlations": [0.7, -0.1]}, "expected positive"),
        ],
    )
    def test_what_cannot_be_is_refused(self, fields, message):
        with pytest.raises(ValueError, match=message):
            ActivityConfig.from_dict({**FIELDS, **fields})

    def test_an_unknown_field_is_refused(self):
        with pytest.raises(TypeError, match="color"):
            ActivityConfig.from_dict({**FIELDS, "color": 1})


class TestActivity:
    @pytest.mark.parametrize(("activity", "name"), [(REST, "rest"), (WALK, "walk"), (RUN, "run")])
    def test_a_held_out_person_is_recognized(self, recognizer, activity, name):
        call = recognizer.activity(examined(activity))

        assert call.activity == name
        assert call.probability == call.probabilities.max() > 0.5
        assert call.probabilities.sum() == pytest.approx(1.0)

    def test_a_strip_shorter_than_every_context_gets_a_call(self, recognizer):
        assert recognizer.activity(examined(RUN, seconds=3.0)).activity is not None

    def test_noise_gets_no_call(self, recognizer):
        call = recognizer.activity(examine(NOISE, FS_HZ))

        assert (call.activity, call.probability) == (None, None)
        np.testing.assert_allclose(call.probabilities, 0.2)

    def test_a_longer_strip_gets_a_surer_call(self, recognizer):
        short, long = (recognizer.activity(examined(WALK, seconds=s)).probabilities for s in (10.0, 40.0))

        assert short.argmax() == long.argmax() == recognizer.classes.index("walk")
        assert long.max() > short.max()

    def test_gain_and_polarity_change_nothing(self, recognizer):
        signal = moving_signal(WALK, 20.0, seed=901)
        upright, turned = (examine(x, FS_HZ) for x in (signal, 4000.0 - 2.0 * signal))

        for rest in (None, recognizer.baseline(examined(REST))):
            expected = recognizer.activity(upright, rest).probabilities
            np.testing.assert_allclose(recognizer.activity(turned, rest).probabilities, expected, atol=1e-3)

    def test_calls_are_those_of_the_heads_by_themselves(self, recognizer, features):
        strip, trunk = examined(WALK, seconds=10.0), made_up_trunk()
        heads = fit_heads(features, RECIPE.heads.contexts_s)
        by_hand = window_features(strip, 0.0, 10.0)
        described = np.concatenate([by_hand, trunk.features(strip, np.zeros(1), 10.0)[0]])[None]
        resting = examined(REST)
        rest = np.concatenate(
            [window_features(resting, 0.0, 20.0), trunk.features(resting, np.zeros(1), 20.0)[0]]
        )

        for head, known, baseline in (
            (heads[0], None, None),
            (heads[1], rest, recognizer.baseline(resting)),
        ):
            expected = softmax(head.head.logits(head_inputs(described, known)))[0]
            found = recognizer.activity(strip, baseline).probabilities
            np.testing.assert_allclose(found, expected, atol=2e-3)

    def test_the_baseline_is_subtracted_from_the_trunks_features(self, features, tmp_path):
        heads = [only_the_trunk(one) for one in fit_heads(features, RECIPE.heads.contexts_s)]
        recognizer = write_moving_bundle(tmp_path, heads)
        strip, known = examined(WALK, seconds=10.0), recognizer.baseline(examined(REST))
        away = np.repeat(np.float32([0.0, 0.1]), [N_REST, TRUNK_SIZE])
        described = np.concatenate(
            [window_features(strip, 0.0, 10.0), made_up_trunk().features(strip, np.zeros(1), 10.0)[0]]
        )
        found = []

        for baseline in (known, Baseline(known.values + away, known.encoder_id)):
            found.append(recognizer.activity(strip, baseline).probabilities)
            hidden = np.zeros(len(FEATURE_NAMES) - N_REST)
            rest = np.concatenate([baseline.values[:N_REST], hidden, baseline.values[N_REST:]])
            expected = softmax(heads[1].head.logits(head_inputs(described[None], rest)))[0]
            np.testing.assert_allclose(found[-1], expected, atol=2e-3)

        assert np.abs(found[0] - found[1]).max() > 0.02

    def test_a_few_milliseconds_more_than_a_context_are_no_second_one(self, recognizer, monkeypatch):
        read = []
        logits = recognizer._logits
        monkeypatch.setattr(recognizer, "_logits", lambda one, rest: read.append(one) or logits(one, rest))

        recognizer.activity(examined(WALK, seconds=10.008))

        assert [one.starts_s.size for one in read] == [1]

    def test_a_baseline_matters(self, recognizer):
        baseline = recognizer.baseline(examined(REST))

        with_rest = recognizer.activity(examined(WALK), baseline).probabilities

        assert not np.allclose(with_rest, recognizer.activity(examined(WALK)).probabilities)
        assert with_rest.argmax() == recognizer.classes.index("walk")


class TestTimeline:
    def test_a_change_is_seen_within_a_few_segments(self, recognizer):
        timeline = recognizer.timeline(examined(REST, RUN, seconds=40.0))

        called = np.array(recognizer.classes)[timeline.probabilities.argmax(axis=1)]
        assert (called[timeline.end_s < 35.0] == "rest").all()
        assert (called[timeline.start_s > 45.0] == "run").all()

    def test_segments_follow_each_other_from_beginning_to_end(self, recognizer):
        timeline = recognizer.timeline(examined(WALK, seconds=20.5))

        assert timeline.start_s[0] == 0.0
        np.testing.assert_array_equal(timeline.start_s[1:], timeline.end_s[:-1])
        assert timeline.end_s[-1] == pytest.approx(20.5, abs=0.01)
        np.testing.assert_allclose(timeline.probabilities.sum(axis=1), 1.0)
        assert 80.0 < np.median(timeline.heart_rate_bpm) < 105.0

    def test_lost_contact_is_unknown(self, recognizer):
        signal = moving_signal(WALK, 40.0, seed=5)
        signal[2500:6250] = signal[2500]

        unknown = recognizer.timeline(examine(signal, FS_HZ)).unknown

        assert unknown[4:8].all()
        assert not unknown[:3].any()
        assert not unknown[9:].any()

    def test_timelines_with_a_baseline_are_smoothed_in_their_own_way(self, recognizer):
        strip, baseline = examined(REST, RUN, seconds=30.0), recognizer.baseline(examined(REST))
        config = recognizer.config
        stay = stay_probability(config.step_s, config.dwell_s)

        for rest in (None, baseline):
            evidence = recognizer.evidence(strip, rest)
            found = recognizer.chained([evidence]).probabilities

            assert evidence.own_rest == (rest is not None)
            expected = temper(
                smooth(evidence.log_evidence, stay), config.timeline_temperatures[rest is not None]
            )
            np.testing.assert_allclose(found, expected)


class TestEvidence:
    def test_parts_chained_are_the_timeline(self, recognizer):
        strip = examined(REST, RUN, seconds=40.0)
        whole = recognizer.timeline(strip)

        parts = [recognizer.evidence(strip, None, span_s) for span_s in ((0.0, 30.0), (30.0, 80.0))]
        chained = recognizer.chained(parts)

        np.testing.assert_array_equal(chained.start_s, whole.start_s)
        np.testing.assert_array_equal(chained.end_s, whole.end_s)
        np.testing.assert_allclose(chained.probabilities, whole.probabilities, atol=1e-9)
        np.testing.assert_array_equal(chained.heart_rate_bpm, whole.heart_rate_bpm)

    def test_an_unreadable_strip_has_no_call(self, recognizer):
        evidence = recognizer.evidence(examine(NOISE, FS_HZ))

        assert evidence.unknown.all()
        assert not evidence.log_evidence.any()


class TestBaseline:
    def test_has_the_stated_length_and_shows_no_numbers(self, recognizer):
        baseline = recognizer.baseline(examined(REST))

        assert baseline is not None
        assert baseline.values.shape == (recognizer.baseline_size,)
        assert (
            repr(baseline) == f"Baseline(values=<{recognizer.baseline_size}>, encoder_id='activity@2026.11')"
        )

    def test_there_is_none_of_noise(self, recognizer):
        assert recognizer.baseline(examine(NOISE, FS_HZ)) is None

    def test_one_of_another_recognizer_is_refused(self, recognizer):
        foreign = Baseline(np.zeros(recognizer.baseline_size, np.float32), "activity@2025.1")

        with pytest.raises(ValueError, match=r"expected a baseline of activity@2026\.11"):
            recognizer.activity(examined(REST), foreign)


class TestLoadRecognizer:
    def test_a_network_whose_baseline_is_shorter_than_its_trunk_is_refused(self, recognizer, features):
        from onnx import load_model_from_string

        heads = [one.head for one in fit_heads(features, RECIPE.heads.contexts_s)]
        model = load_model_from_string(activity_network(trunk_weights(), heads, len(FEATURE_NAMES)))
        [rest] = (port for port in model.graph.input if port.name == "rest")
        rest.type.tensor_type.shape.dim[1].dim_value = 1

        with pytest.raises(BundleError, match=r"the trunk gives 6 numbers, the baseline has 1"):
            BundledRecognizer(recognizer.info, model.SerializeToString())

    def test_an_encoder_is_refused(self, tmp_path):
        write_network_bundle(tmp_path, "ecg@1")

        with pytest.raises(BundleError, match="kind 'ecg-network' does not recognize activity"):
            load_recognizer(tmp_path / "ecg@1")

    def test_a_bundle_without_preprocessing_is_refused_in_one_line(self, tmp_path):
        with pytest.raises(BundleError, match=r"^bundle activity@1: "):
            load_recognizer(write_activity_files(tmp_path))

    def test_classes_are_public_and_grouped(self, recognizer):
        assert recognizer.classes == ("rest", "arm_movements", "walk", "run", "squats")
        assert recognizer.groups == {
            "rest": ("rest",),
            "light": ("arm_movements", "walk"),
            "vigorous": ("run", "squats"),
        }
