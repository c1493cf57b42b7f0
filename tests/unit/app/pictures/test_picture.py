import re
from xml.etree import ElementTree

import numpy as np
import pytest

from app.domain.captures import EcgStrip, FaceImage, FingerprintImage
from app.domain.image_findings import findings_of
from app.domain.quality import QualityReport, explain, explain_rejection
from app.pictures.picture import draw
from ml.runtime.ecg.preparation import EcgFacts
from ml.runtime.ecg.signal.conditioning import examine
from ml.runtime.errors import CaptureError
from ml.runtime.evidence import IMAGES, SECONDS, Evidence
from tests.heartbeats import strip
from tests.image_facts import face_facts, fingerprint_facts

SVG = "{http://www.w3.org/2000/svg}"
FINGER, FACE = FingerprintImage(b"image", finger="right_index"), FaceImage(b"image")
ALLOWED = {"svg", "title", "desc", "style", "g", "rect", "path", "text", "tspan", "circle", "ellipse"}


def ecg(ecg_mv, fs_hz=250.0, unit="mV", lead="I"):
    """A strip with its report, as the service would make it."""
    capture = EcgStrip(np.asarray(ecg_mv, dtype=np.float32), fs_hz, lead=lead, unit=unit)
    try:
        conditioned = examine(capture.signal, fs_hz)
    except CaptureError as error:
        return capture, rejected(error.code, str(error))
    quality = conditioned.quality
    facts = EcgFacts(conditioned.heart_rate_bpm, conditioned, capture.signal)
    if quality.accepted_s == 0.0:
        return capture, rejected(quality.reasons[0], "no part can be used", facts)
    return capture, QualityReport(
        True,
        quality.score,
        quality.reasons,
        explain(quality.reasons),
        evidence=Evidence(quality.accepted_s, SECONDS, quality.score),
        facts=facts,
    )


def image(facts, score=0.8):
    found = findings_of(facts)
    codes = tuple(finding.code for finding in found)
    evidence = Evidence(1.0, IMAGES, score)
    return QualityReport(True, score, codes, explain(codes, found), evidence=evidence, facts=facts)


def rejected(code, detail="Nothing.", facts=None):
    return QualityReport(False, 0.0, (detail,), explain_rejection(code), code=code, facts=facts)


def drawn(*pairs):
    """The picture, parsed."""
    svg = draw(*zip(*pairs, strict=True))
    return ElementTree.fromstring(svg), svg


def words(root):
    return " ".join("".join(one.itertext()) for one in root.iter(f"{SVG}text"))


def classed(root, name, tag="path"):
    return [one for one in root.iter(f"{SVG}{tag}") if name in one.get("class", "").split()]


def loose_strip(seconds=20.0, fs_hz=250.0, start_s=10.0, end_s=14.0):
    signal = strip(fs_hz, seconds).ecg_mv.copy()
    signal[round(fs_hz * start_s) : round(fs_hz * end_s)] = 0.0
    return signal


EVERYTHING = [
    ecg(loose_strip()),
    ecg(np.random.default_rng(0).standard_normal(2500)),
    ecg(np.zeros(2500)),
    ecg(np.ones(20), unit="raw", lead="unknown"),
    (FINGER, image(fingerprint_facts())),
    (FINGER, rejected("no_fingerprint")),
    (FACE, image(face_facts())),
    (FACE, rejected("multiple_faces")),
]


class TestSafety:
    def test_holds_elements_that_show_something_and_nothing_else(self):
        root, svg = drawn(*EVERYTHING)

        assert {one.tag.removeprefix(SVG) for one in root.iter()} <= ALLOWED
        names = {name for one in root.iter() for name in one.attrib}
        assert not [name for name in names if name.startswith("on") or "href" in name or name == "style"]
        assert re.findall(r"url\(|@import|https?://|javascript:|data:|<!|<\?", svg) == [
            "http://"  # The namespace.
        ]

    def test_escapes_whatever_it_is_told(self):
        hostile = "</text><script>alert(1)</script>&\"'"
        capture = EcgStrip(np.zeros(1000, dtype=np.float32), 250.0, lead=hostile, unit=hostile)

        root, svg = drawn((capture, rejected("signal_flat", hostile)))

        assert "<script" not in svg
        assert hostile in words(root)

    def test_never_shows_the_image(self):
        face = FaceImage(b"zq7marker")

        _, svg = drawn((face, image(face_facts())))

        assert "zq7marker" not in svg
        assert "<image" not in svg


class TestSize:
    def test_a_strip_of_two_minutes_at_2000_hz_is_thinned_out(self):
        noisy = strip(2000.0, 120.0, noise_mv=0.3).ecg_mv

        _, svg = drawn(ecg(noisy, fs_hz=2000.0))

        assert len(svg.encode()) <= 300_000

    def test_the_largest_request_stays_bounded(self):
        one = ecg(strip(500.0, 30.0, noise_mv=0.1).ecg_mv, fs_hz=500.0)

        _, svg = drawn(*[one] * 10)

        assert len(svg.encode()) <= 400_000

    def test_a_print_of_many_cells_and_minutiae_is_thinned_out(self):
        checkered = np.indices((400, 400)).sum(axis=0) % 2 == 0
        facts = fingerprint_facts(
            n_minutiae=2000,
            mask=np.ones((400, 400), dtype=bool),
            quality_map=checkered.astype(float),
            cell_px=1.0,
            size_px=(400, 400),
        )

        root, svg = drawn((FINGER, image(facts)))

        assert len(svg.encode()) <= 150_000
        assert len(classed(root, "mark")) == 200 + 3  # And those of the legend.


class TestAccessibility:
    def test_says_in_words_what_it_shows(self):
        root, _ = drawn(*EVERYTHING)
        title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")

        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
        assert title.text == "What the service sees in the recordings"
        assert "1 · ECG, lead I: accepted, quality" in description.text
        assert "6 · Fingerprint, right index: not accepted." in description.text

    def test_suits_light_and_dark(self):
        _, svg = drawn(*EVERYTHING)

        assert svg.count("prefers-color-scheme:dark") == 1


class TestCards:
    def test_lie_one_below_the_other(self):
        root, _ = drawn(*EVERYTHING)
        height = float(root.get("viewBox").split()[3])

        cards = classed(root, "card", "rect")
        titles = [one.text for one in classed(root, "title", "text")]

        assert len(cards) == len(EVERYTHING)
        assert sum(float(card.get("height")) + 10.0 for card in cards) + 10.0 == pytest.approx(
            height, abs=1.0
        )
        assert [one[0] for one in titles] == list("12345678")

    def test_say_why_a_recording_was_not_accepted(self):
        root, _ = drawn((FACE, rejected("multiple_faces", "found 2 faces")))

        assert "not accepted" in words(root)
        assert "There are several faces in the picture." in words(root)
        assert "Found 2 faces." in words(root)


class TestEcg:
    def test_every_beat_is_marked_where_it_is(self):
        truth = strip(seconds=10.0)

        root, _ = drawn(ecg(truth.ecg_mv))

        marks = sorted(float(re.match(r"M([\d.]+)", one.get("d"))[1]) for one in classed(root, "peak"))
        left, right = 84.0, 904.0
        expected = left + (right - left) * truth.r_times_s / 10.0
        assert len(marks) == truth.r_times_s.size
        assert np.abs(np.array(marks) - expected).max() < 1.0

    def test_what_is_not_used_is_hatched_and_named(self):
        root, _ = drawn(ecg(loose_strip()))

        assert len(classed(root, "bad", "rect")) == 1
        assert len(classed(root, "hatch")) == 1
        assert "not used: flat" in words(root)
        assert classed(root, "off")

    def test_long_strips_are_broken_into_rows(self):
        root, _ = drawn(ecg(strip(seconds=50.0).ecg_mv))

        assert len(classed(root, "raw")) == len(classed(root, "main")) == 3
        assert "50 s" in words(root)

    def test_axes_have_units(self):
        root, _ = drawn(ecg(1000 * strip().ecg_mv, unit="uV"))

        assert "µV" in words(root)
        assert "10 s" in words(root)
        assert "200 ms" in words(root)
        assert "beats per minute" in words(root)

    def test_beats_are_overlaid_with_their_mean(self):
        root, _ = drawn(ecg(strip(seconds=10.0).ecg_mv))

        assert len(classed(root, "mean")) == 1
        assert 10 <= len(classed(root, "beat")) <= 12

    def test_no_rate_is_drawn_across_what_is_not_used(self):
        root, _ = drawn(ecg(loose_strip()))

        assert len(classed(root, "rate")) == 2

    def test_a_strip_that_cannot_be_filtered_is_shown_as_sent(self):
        root, _ = drawn(ecg(np.zeros(2500)))

        assert len(classed(root, "raw")) == 1
        assert classed(root, "main") == []

    @pytest.mark.parametrize("seconds", [3.0, 119.99, 120.0])
    def test_any_length_is_drawn(self, seconds):
        root, _ = drawn(ecg(strip(250.0, seconds).ecg_mv))

        assert classed(root, "main")


class TestFingerprint:
    def test_every_minutia_is_marked_where_it_is_and_as_sure_as_it_is(self):
        facts = fingerprint_facts(n_minutiae=20)

        root, _ = drawn((FINGER, image(facts)))

        marks = classed(root, "mark")[:20]
        scale = 420.0 / 360.0
        by_quality = np.argsort(-facts.minutiae.quality, kind="stable")
        starts = [float(re.match(r"M(-?[\d.]+)", one.get("d"))[1]) + 3.2 for one in marks]
        assert starts == pytest.approx((scale * facts.minutiae.xy[by_quality, 0]).tolist(), abs=0.11)
        kinds = [one.get("class").split()[1] for one in marks]
        assert kinds.count("strong") == (facts.minutiae.quality >= 0.67).sum()

    def test_figures_are_in_words(self):
        root, _ = drawn((FINGER, image(fingerprint_facts())))

        assert "40ridge endings and forks" in words(root)
        assert "0.46mm from ridge to ridge" in words(root)
        assert "144 mm² of ridges" in words(root)

    @pytest.mark.parametrize(
        "changes",
        [
            {"ridge_period_px": None},
            {"n_minutiae": 0},
            {"mask": np.zeros((45, 35), dtype=bool)},
            {"size_px": (1, 1)},
        ],
    )
    def test_what_is_missing_is_left_out(self, changes):
        root, _ = drawn((FINGER, image(fingerprint_facts(**changes))))

        numbers = [value for one in root.iter() for value in one.attrib.values()]
        assert classed(root, "card", "rect")
        assert not [value for value in numbers if "nan" in value or "inf" in value]


class TestFace:
    def test_landmarks_lie_where_they_were_found(self):
        root, _ = drawn((FACE, image(face_facts())))

        dots = [(float(one.get("cx")), float(one.get("cy"))) for one in classed(root, "dot", "circle")]

        scale = 420.0 / 640.0
        assert np.array(dots) == pytest.approx(scale * face_facts().landmarks, abs=0.06)

    def test_low_parts_of_the_quality_stand_out(self):
        facts = face_facts(quality_parts={"sharpness": 0.9, "frontal": 0.2})

        root, _ = drawn((FACE, image(facts)))

        assert len(classed(root, "low", "rect")) == 1
        assert "85pixels between the eyes" in words(root)

    def test_what_reaches_beyond_the_picture_ends_at_its_edge(self):
        root, _ = drawn((FACE, image(face_facts(box=(-50.0, -50.0, 900.0, 900.0)))))

        (box,) = classed(root, "box", "rect")
        assert (float(box.get("width")), float(box.get("height"))) == (420.0, 315.0)
