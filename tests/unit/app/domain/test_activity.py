import pytest

from app.domain.activity import ActivityCard, ActivitySegment, ActivityTimeline

CARD = ActivityCard(
    id="activity",
    version="7",
    sha256="0" * 64,
    licence="GPL-3.0",
    training_data=(),
    operating_points=(),
    classes=("rest", "walk", "run"),
    groups={"rest": ("rest",), "moving": ("walk", "run")},
)


def called(start_s: float, end_s: float, rest: float, walk: float, **more: float) -> ActivitySegment:
    probabilities = {"rest": rest, "walk": walk, "run": 1.0 - rest - walk}
    activity = max(probabilities, key=lambda name: probabilities[name])
    about = {"heart_rate_bpm": 70.0, "quality": 0.9} | more
    return ActivitySegment(start_s, end_s, activity, probabilities, **about)


def unknown(start_s: float, end_s: float) -> ActivitySegment:
    return ActivitySegment(start_s, end_s, "unknown", {}, heart_rate_bpm=None, quality=0.1)


class TestActivitySegment:
    def test_tells_how_probable_its_activity_is(self):
        assert called(0.0, 5.0, 0.2, 0.7).probability == 0.7

    def test_of_what_is_unknown_nothing_is_probable(self):
        segment = unknown(0.0, 5.0)

        assert (segment.known, segment.probability) == (False, None)


class TestActivityTimeline:
    def test_probabilities_are_shares_of_time(self):
        timeline = ActivityTimeline.of([called(0.0, 10.0, 0.8, 0.2), called(10.0, 40.0, 0.0, 0.6)], CARD)

        assert timeline.activity == "walk"
        assert timeline.probabilities == pytest.approx({"rest": 0.2, "walk": 0.5, "run": 0.3})
        assert timeline.groups == pytest.approx({"rest": 0.2, "moving": 0.8})

    def test_what_is_unknown_has_no_say(self):
        known = called(0.0, 5.0, 0.9, 0.1, quality=0.6)

        timeline = ActivityTimeline.of([known, unknown(5.0, 500.0)], CARD)

        assert timeline.activity == "rest"
        assert timeline.probabilities == pytest.approx({"rest": 0.9, "walk": 0.1, "run": 0.0})
        assert (timeline.quality, timeline.seconds) == (pytest.approx(0.6), 5.0)
        assert timeline.segments == (known, unknown(5.0, 500.0))

    def test_where_all_is_unknown_so_is_the_activity(self):
        timeline = ActivityTimeline.of([unknown(0.0, 5.0)], CARD)

        assert (timeline.activity, timeline.probabilities, timeline.groups) == ("unknown", {}, {})
        assert (timeline.heart_rate_bpm, timeline.seconds) == (None, 0.0)
        assert timeline.quality == pytest.approx(0.1)

    def test_heart_rate_is_the_median_of_those_known(self):
        rates = [60.0, 150.0, 70.0]
        segments = [called(5.0 * i, 5.0 * i + 5.0, 1.0, 0.0, heart_rate_bpm=r) for i, r in enumerate(rates)]

        assert ActivityTimeline.of([*segments, unknown(15.0, 20.0)], CARD).heart_rate_bpm == 70.0

    def test_names_the_bundle(self):
        assert ActivityTimeline.of([unknown(0.0, 5.0)], CARD).encoder == "activity@7"
