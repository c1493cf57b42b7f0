from app.domain.quality import Finding, QualityReport, explain, explain_rejection
from tests.fakes import FakeEcgFacts
from tests.image_facts import face_facts


class TestExplain:
    def test_gives_each_code_its_sentence_once_and_in_order(self):
        first, second = explain(["no_heartbeat", "signal_flat", "no_heartbeat"])

        assert "no heartbeat" in first
        assert "does not change" in second

    def test_prefers_what_was_measured_to_general_words(self):
        assert explain(["blurred"], [Finding("blurred", "Twice.")]) == ("Twice.",)

    def test_leaves_out_codes_without_words(self):
        assert explain(["zq7"]) == ()

    def test_of_a_rejected_recording_speaks_of_all_of_it(self):
        (part,), (whole,) = explain(["no_heartbeat"]), explain_rejection("no_heartbeat")

        assert part.startswith("Part of the strip shows")
        assert whole.startswith("The strip shows")


class TestReport:
    def test_has_the_heart_rate_of_an_ecg(self):
        assert QualityReport(True, 0.9, (), facts=FakeEcgFacts(72.0, object())).heart_rate_bpm == 72.0

    def test_has_none_of_anything_else(self):
        assert QualityReport(True, 0.9, (), facts=face_facts()).heart_rate_bpm is None

    def test_does_not_show_its_facts(self):
        assert "facts" not in repr(QualityReport(True, 0.9, (), facts=FakeEcgFacts(72.0, "zq7marker")))
        assert "zq7marker" not in repr(QualityReport(True, 0.9, (), facts=FakeEcgFacts(72.0, "zq7marker")))
