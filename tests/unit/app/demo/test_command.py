from __future__ import annotations

import json
from base64 import b64decode
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from app.demo import computed_people
from app.demo.command import Target, app, play
from app.demo.computed_people import computed_cast
from app.demo.people import Cast, Person
from app.demo.recorded_people import recorded_cast
from app.demo.recordings import Picture
from app.demo.server import DemoError
from tests.unit.app.demo.demo_fakes import FakeService, cast, person, with_picture
from tests.unit.ml.data.wfdb_files import write_record


def record(folder, subject, number, *, day=1, seconds=25, offset=0):
    counts = (np.arange(seconds * 10) % 7 + offset).reshape(-1, 1)
    comments = [f"ECG date: {day:02d}.12.2004"]
    write_record(folder / subject, f"rec_{number}", counts, fs_hz=10, leads=("ECG I",), comments=comments)


class TestComputedCast:
    def test_has_members_and_strangers_with_three_strips_and_three_prints_each(self, monkeypatch):
        monkeypatch.setattr(computed_people, "MEMBERS", 3)
        monkeypatch.setattr(computed_people, "STRANGERS", 1)

        seen: list[int] = []
        cast_ = computed_cast(lambda seeds: (seen.append(seed) or seed for seed in seeds))

        assert seen == [1, 2, 3, 4]
        assert (len(cast_.members), len(cast_.strangers), cast_.strangers_join) == (3, 1, False)
        everybody = [*cast_.members, *cast_.strangers]
        assert len({person_.subject_id for person_ in everybody}) == 4
        strips = [[*p.enrollment[:2], p.probe] for p in everybody]
        assert {len(strip.signal) for of_person in strips for strip in of_person} == {5000}
        assert all(len({strip.captured_at for strip in of_person}) == 3 for of_person in strips)
        assert all(len({p.image for p in (*one.enrollment[2:], *one.pictures)}) == 3 for one in everybody)


class TestSample:
    def test_prints_a_recording_that_another_take_does_not_repeat(self):
        takes = [CliRunner().invoke(app, ["sample", "--take", str(take)]).stdout for take in (1, 2)]

        bodies = [json.loads(text) for text in takes]
        assert [body["modality"] for body in bodies] == ["ecg", "ecg"]
        assert len(bodies[0]["signal"]) == len(bodies[1]["signal"]) == 5000
        assert bodies[0]["signal"] != bodies[1]["signal"]

    def test_prints_more_than_two_minutes_as_bytes_of_the_same_signal(self):
        longer, numbers = (
            json.loads(CliRunner().invoke(app, ["sample", "--seconds", seconds]).stdout)
            for seconds in ("121", "120")
        )

        samples = np.frombuffer(b64decode(longer["signal_b64"]), dtype="<i2")
        assert (longer["dtype"], longer["unit"], samples.size) == ("int16", "uV", 121 * 250)
        assert (numbers["unit"], len(numbers["signal"])) == ("mV", 120 * 250)
        assert np.abs(samples / 1000.0).max() == pytest.approx(np.abs(numbers["signal"]).max(), rel=0.3)


class TestRecordedCast:
    def test_enrolls_by_the_first_recording_and_probes_by_the_second(self, tmp_path):
        for subject in ("Person_01", "Person_02"):
            for number in (1, 2, 3):
                record(tmp_path, subject, number, offset=100 * number)

        first = recorded_cast(tmp_path).members[0]

        assert first.subject_id == "Person_01"
        (enrollment,) = first.enrollment
        assert enrollment.signal[0] == pytest.approx(0.5)
        assert first.probe.signal[0] == pytest.approx(1.0)
        assert (enrollment.lead, enrollment.unit, enrollment.fs_hz) == ("I", "mV", 10.0)

    def test_cuts_strips_to_twenty_seconds(self, tmp_path):
        for subject in ("Person_01", "Person_02"):
            for number in (1, 2):
                record(tmp_path, subject, number, seconds=25)

        assert len(recorded_cast(tmp_path).members[0].enrollment[0].signal) == 200

    def test_one_in_six_comes_as_a_stranger_and_joins(self, tmp_path):
        for subject in range(1, 13):
            record(tmp_path, f"Person_{subject:02d}", 1)
            record(tmp_path, f"Person_{subject:02d}", 2)

        cast_ = recorded_cast(tmp_path)

        assert [p.subject_id for p in cast_.strangers] == ["Person_11", "Person_12"]
        assert cast_.strangers_join

    def test_a_person_with_one_recording_is_not_probed(self, tmp_path):
        record(tmp_path, "Person_01", 1)
        record(tmp_path, "Person_02", 1)
        record(tmp_path, "Person_02", 2)

        assert recorded_cast(tmp_path).members[0].probe is None

    def test_the_two_ends_of_a_recording_serve_where_nobody_has_two(self, tmp_path):
        for subject in ("Person_01", "Person_02"):
            record(tmp_path, subject, 1, seconds=15)

        first = recorded_cast(tmp_path).members[0]

        # 75 samples each, none of them in both.
        assert (len(first.enrollment[0].signal), len(first.probe.signal)) == (75, 75)
        assert first.probe.signal[0] == pytest.approx((75 % 7) / 200, abs=1e-4)

    @pytest.mark.parametrize(("second_day", "caution"), [(1, "SAME-DAY"), (2, "one day for 0 of 2 people")])
    def test_says_whether_the_figures_are_of_one_day(self, tmp_path, second_day, caution):
        for subject in ("Person_01", "Person_02"):
            record(tmp_path, subject, 1, day=1)
            record(tmp_path, subject, 2, day=second_day)

        assert caution in recorded_cast(tmp_path).caution

    def test_says_what_is_wrong_with_a_folder(self, tmp_path):
        record(tmp_path / "one", "Person_01", 1)

        with pytest.raises(DemoError, match="no known layout"):
            recorded_cast(tmp_path)
        with pytest.raises(DemoError, match="at least two people, found 1"):
            recorded_cast(tmp_path / "one")

    @pytest.mark.real_data
    def test_ecg_id_gives_75_members_15_strangers_and_89_probes(self, data_dir):
        cast_ = recorded_cast(data_dir / "ecg" / "ecg_id")

        everybody = [*cast_.members, *cast_.strangers]
        assert (len(cast_.members), len(cast_.strangers)) == (75, 15)
        assert [p.subject_id for p in everybody if p.probe is None] == ["Person_74"]
        assert cast_.caution.startswith("SAME-DAY")


class TestPlay:
    @pytest.fixture
    def shown(self, tmp_path):
        service = FakeService()
        console = Console(width=200, record=True, quiet=False, file=(tmp_path / "out").open("w"))
        members = [person("ann", 1), person("bob", 2)]
        with console.file:
            target = Target("http://demo", "pp_demo_key", transport=service.transport)
            play(console, target, cast(members, [person("zoe", 9)]), tmp_path / "var" / "probe.json")
        return console.export_text()

    def test_shows_table_summary_and_caution(self, shown):
        for part in (
            "identified: 2 of 2",
            "strangers rejected: 1 of 1",
            "equal error rate seen: 0 % over 2 mated and 4 non-mated comparisons",
            "false matches seen at the policy's fmr of 1 %: 0 of 4",
            "not corrected: too few people yet",
            "largest change of a score 0 dB",
            "a caution",
        ):
            assert part in shown

    def test_prints_a_command_that_sends_the_body_it_wrote(self, shown, tmp_path):
        sample = tmp_path / "var" / "probe.json"

        assert "curl -s http://demo/identify -H 'Authorization: Bearer pp_demo_key'" in shown
        assert f"--data @{sample}" in shown
        assert json.loads(sample.read_text())["recordings"][0]["modality"] == "ecg"

    def test_everything_is_shown_where_people_bring_two_modalities(self, tmp_path):
        members = [with_picture(person("ann", 1), 1), with_picture(person("bob", 2), 2)]

        shown = played(FakeService(), cast(members, [with_picture(person("zoe", 9), 9)]), tmp_path)

        assert "By each modality, together, and with one spoiled" in shown
        sent = json.loads((tmp_path / "probe.json").read_text())["recordings"]
        assert [recording["modality"] for recording in sent] == ["ecg", "fingerprint"]

    def test_what_is_not_served_is_named_and_not_sent(self, tmp_path):
        service = FakeService()
        service.served = ["ecg"]

        shown = played(service, cast([with_picture(person("ann", 1), 1), person("bob", 2)]), tmp_path)

        assert "fingerprint is not served here and left out." in shown
        sent = [one for _, body in service.requests for one in body.get("recordings", [])]
        assert {recording["modality"] for recording in sent} == {"ecg"}

    def test_people_without_ecg_are_recognized_by_what_they_bring(self, tmp_path):
        service = FakeService()
        service.served = ["face", "fingerprint"]
        ann, zoe = (of_pictures(name, number) for name, number in (("ann", 1), ("zoe", 9)))

        shown = played(service, cast([ann], [zoe]), tmp_path)

        assert "By ECG alone" not in shown
        assert "enrolled: 1" in shown
        assert "face + fingerprint" in shown


def of_pictures(name: str, identity: int) -> Person:
    pictures = tuple(Picture(modality, bytes([identity])) for modality in ("face", "fingerprint"))
    return Person(name, pictures, None, pictures)


def played(service: FakeService, cast_: Cast, folder: Path) -> str:
    console = Console(width=200, record=True, file=StringIO())
    target = Target("http://demo", "pp_demo_key", transport=service.transport)
    play(console, target, cast_, folder / "probe.json")
    return console.export_text()


class TestCommandLine:
    def test_a_service_that_is_not_there_gives_a_message_and_no_trace(self, tmp_path):
        arguments = ["run", "--url", "http://127.0.0.1:1", "--api-key", "k", "--data", str(tmp_path)]

        result = CliRunner().invoke(app, arguments)

        assert result.exit_code == 1
        assert "The demo stopped. " in result.output
        assert "no known layout" in result.output

    def test_a_directory_that_is_not_a_demo_s_stops_it(self, tmp_path):
        (tmp_path / "thesis.txt").write_text("years of work")

        result = CliRunner().invoke(app, ["serve-and-run", "--dir", str(tmp_path), "--port", "0"])

        assert result.exit_code == 1
        assert "does not look like a demo directory" in result.output


class TestServeAndRun:
    def test_starts_the_real_service_recognizes_people_and_stops_it(self, tmp_path, monkeypatch):
        monkeypatch.setattr(computed_people, "MEMBERS", 3)
        monkeypatch.setattr(computed_people, "STRANGERS", 1)
        directory = tmp_path / "demo"

        result = CliRunner().invoke(app, ["serve-and-run", "--dir", str(directory), "--port", "0", "--exit"])

        assert result.exit_code == 0, result.output
        assert "enrolled: 3" in result.output
        assert "same decision for 3 of 3" in result.output
        assert "Application shutdown complete" in (directory / "server.log").read_text()
