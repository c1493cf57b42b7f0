from __future__ import annotations

import datetime
import json

import numpy as np
import pytest

from ml.data.readers import (
    LAYOUTS,
    DataError,
    read_cinc2017,
    read_csv,
    read_ecg_id,
    read_folder,
    read_ludb,
    read_mit_bih,
    read_motion,
    read_ptb,
    read_qtdb,
)
from tests.unit.ml.data.wfdb_files import write_annotations, write_record

COUNTS = np.array([[10, 20], [30, 40], [50, 60]])


def pack(folder, dataset, **arrays):
    """Two records of three and two samples, in steps of 5 µV."""
    folder.mkdir(parents=True, exist_ok=True)
    signal = np.array([200, 400, 600, 800, 1000], dtype=np.int16)
    defaults = {
        "signal_delta": np.diff(signal, prepend=np.int16(0)),
        "offsets": np.array([0, 3, 5]),
        "record_id": np.array(["r2", "r1"]),
        "subject_id": np.array(["p", "p"]),
    }
    np.savez(folder / "ecg.npz", **(defaults | arrays))
    meta = {"dataset": dataset, "fs_hz": 250, "unit_uv_per_lsb": 5.0}
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    return folder


@pytest.fixture
def ecg_id(tmp_path):
    for person, record in (("Person_02", 1), ("Person_01", 10), ("Person_01", 2)):
        comments = ["Age: 25", "Sex: female", f"ECG date: {record:02d}.12.2004"]
        leads = ("ECG I", "ECG I filtered")
        write_record(tmp_path / person, f"rec_{record}", COUNTS, leads=leads, comments=comments)
    return tmp_path


class TestReadEcgId:
    def test_sorts_by_person_and_by_the_number_of_the_recording(self, ecg_id):
        assert [r.record_id for r in read_ecg_id(ecg_id)] == [
            "Person_01/rec_2",
            "Person_01/rec_10",
            "Person_02/rec_1",
        ]

    def test_takes_date_age_and_sex_from_the_header(self, ecg_id):
        record = read_ecg_id(ecg_id)[1]

        assert record.subject_id == "Person_01"
        assert record.recorded_on == datetime.date(2004, 12, 10)
        assert (record.labels["age"], record.labels["sex"]) == (25, "F")

    @pytest.mark.parametrize(
        ("channel", "lead", "first_mv"), [(0, "ECG I", 0.05), (1, "ECG I filtered", 0.10)]
    )
    def test_channel_chooses_raw_or_filtered(self, ecg_id, channel, lead, first_mv):
        record = read_ecg_id(ecg_id, channel)[0]

        assert (record.lead, record.fs_hz) == (lead, 500.0)
        assert record.signal[0] == pytest.approx(first_mv)

    def test_reads_annotations_where_they_are(self, ecg_id):
        write_annotations(ecg_id / "Person_01" / "rec_2.atr", [(1, "N"), (2, "t")])

        record = read_ecg_id(ecg_id)[0]

        assert record.labels["r_peaks"].tolist() == [1]
        assert record.labels["mark_symbols"].tolist() == ["t"]

    def test_says_what_it_expected(self, tmp_path):
        with pytest.raises(DataError, match="expected ECG-ID"):
            read_ecg_id(tmp_path)

    @pytest.mark.real_data
    def test_the_real_set_has_310_recordings_of_90_people(self, data_dir):
        records = read_ecg_id(data_dir / "ecg" / "ecg_id")

        assert len(records) == 310
        assert len({r.subject_id for r in records}) == 90
        assert {(r.fs_hz, r.signal.size) for r in records} == {(500.0, 10_000)}
        assert sum(r.labels["sex"] == "M" for r in records if r.record_id.endswith("/rec_1")) == 44
        by_day = {(r.subject_id, r.recorded_on) for r in records}
        assert None not in {day for _, day in by_day}
        assert sum(1 for p in {r.subject_id for r in records} if sum(q == p for q, _ in by_day) > 1) == 20
        assert all(np.isfinite(r.signal).all() for r in records)
        assert 0.5 < np.median([np.abs(r.signal).max() for r in records]) < 2.0


class TestReadPtb:
    def test_chooses_the_lead_by_name_and_reads_day_first_dates(self, tmp_path):
        comments = ["age: 81", "sex: female", "ECG date: 01/10/1990", "Reason for admission: Healthy control"]
        write_record(
            tmp_path / "patient001", "s0010_re", COUNTS, fs_hz=1000, leads=("i", "vx"), comments=comments
        )

        (record,) = read_ptb(tmp_path, lead="VX")

        assert (record.record_id, record.subject_id) == ("patient001/s0010_re", "patient001")
        assert (record.lead, record.fs_hz) == ("vx", 1000.0)
        assert record.recorded_on == datetime.date(1990, 10, 1)
        assert record.labels["reason for admission"] == "Healthy control"
        assert record.signal == pytest.approx([0.1, 0.2, 0.3])

    def test_unknown_age_and_date_are_none(self, tmp_path):
        write_record(
            tmp_path / "patient001", "s1", COUNTS, leads=("i", "ii"), comments=["age: n/a", "ECG date: n/a"]
        )

        (record,) = read_ptb(tmp_path)

        assert record.recorded_on is None
        assert record.labels["age"] is None
        assert record.labels["sex"] is None

    def test_says_what_to_download_when_the_folder_is_missing(self, tmp_path):
        with pytest.raises(DataError, match=r"Download https://physionet\.org/content/ptbdb/1\.0\.0/"):
            read_ptb(tmp_path / "absent")

    def test_lists_the_leads_it_found(self, tmp_path):
        write_record(tmp_path / "patient001", "s1", COUNTS, leads=("i", "ii"))

        with pytest.raises(DataError, match=r"expected lead 'v9', found \['i', 'ii'\]"):
            read_ptb(tmp_path, lead="v9")


class TestReadMitBih:
    @pytest.fixture
    def packed(self, tmp_path):
        return pack(
            tmp_path,
            "MIT-BIH Arrhythmia Database (mitdb 1.0.0)",
            lead=np.array(["MLII", "V5"]),
            age=np.array([69, -1]),
            sex=np.array(["M", "F"]),
            beat_sample=np.array([0, 1, 0], dtype=np.int32),
            beat_symbol=np.array(["+", "N", "V"]),
            beat_offsets=np.array([0, 2, 3]),
        )

    def test_packed_records_carry_beats_leads_and_people(self, packed):
        second, first = read_mit_bih(packed)

        assert (first.record_id, first.lead, first.labels["age"]) == ("r2", "MLII", 69)
        assert (second.record_id, second.lead, second.labels["age"]) == ("r1", "V5", None)
        assert first.signal == pytest.approx([1.0, 2.0, 3.0])
        assert first.unit == "mV"
        assert first.labels["r_peaks"].tolist() == [1]
        assert first.labels["marks"].tolist() == [0]
        assert second.labels["beat_symbols"].tolist() == ["V"]

    def test_the_physionet_layout_gives_the_same_fields(self, tmp_path):
        comments = ["69 M 1085 1629 x1", "Aldomet, Inderal"]
        leads = ("MLII", "V5")
        write_record(
            tmp_path, "100", COUNTS, fs_hz=360, signal_format=212, adc_zero=10, leads=leads, comments=comments
        )
        write_annotations(tmp_path / "100.atr", [(0, "+"), (1, "N")])

        (record,) = read_mit_bih(tmp_path)

        assert (record.record_id, record.subject_id, record.fs_hz, record.lead) == (
            "100",
            "100",
            360.0,
            "MLII",
        )
        assert (record.labels["age"], record.labels["sex"]) == (69, "M")
        assert record.labels["r_peaks"].tolist() == [1]
        assert record.signal == pytest.approx([0.0, 0.1, 0.2])

    def test_records_201_and_202_are_one_person(self, tmp_path):
        for name in ("200", "201", "202"):
            write_record(tmp_path, name, COUNTS, leads=("MLII", "V1"))

        assert [r.subject_id for r in read_mit_bih(tmp_path)] == ["200", "201_202", "201_202"]

    def test_says_what_it_expected(self, tmp_path):
        with pytest.raises(DataError, match="expected MIT-BIH"):
            read_mit_bih(tmp_path)


class TestReadCinc2017:
    @pytest.fixture
    def packed(self, tmp_path):
        labels = np.array(["N", "~"])
        people = np.array(["r1", "r2"])
        return pack(
            tmp_path, "PhysioNet/CinC Challenge 2017 (AF)", subject_id=people, label=labels, label_v0=labels
        )

    def test_carries_the_rhythm_class(self, packed):
        assert [(r.subject_id, r.labels["rhythm"], r.lead) for r in read_cinc2017(packed)] == [
            ("r1", "N", "I"),
            ("r2", "~", "I"),
        ]

    def test_reads_only_the_requested_people(self, packed):
        assert [r.subject_id for r in read_cinc2017(packed, subjects={"r2"})] == ["r2"]


class TestReadQtdb:
    def test_marks_who_is_surely_a_distinct_person(self, tmp_path):
        texts = np.array(["edb", "mitdb"])
        folder = pack(
            tmp_path, "QT Database (qtdb 1.0.0)", lead=texts, origin=texts, comment=texts,
            distinct_person=np.array([True, False]),
        )  # fmt: skip

        assert [(r.labels["origin"], r.labels["distinct_person"]) for r in read_qtdb(folder)] == [
            ("mitdb", False),
            ("edb", True),
        ]


class TestReadLudb:
    @pytest.fixture
    def packed(self, tmp_path):
        texts = np.array(["M", "F"])
        return pack(
            tmp_path, "Lobachevsky University Electrocardiography Database (ludb 1.0.1)",
            sex=texts, rhythm=texts, diagnoses=texts,
            age=np.array([51, 64]), qrs_sample=np.array([1, 2, 0], dtype=np.int32),
            qrs_offsets=np.array([0, 2, 3]), signal_ii=np.arange(0, 1000, 200, dtype=np.int16),
        )  # fmt: skip

    def test_carries_manual_r_peaks(self, packed):
        assert [r.labels["r_peaks"].tolist() for r in read_ludb(packed)] == [[0], [1, 2]]

    @pytest.mark.parametrize(("lead", "name", "first_mv"), [("i", "I", 4.0), ("ii", "II", 3.0)])
    def test_gives_the_requested_lead(self, packed, lead, name, first_mv):
        record = read_ludb(packed, lead)[0]

        assert (record.lead, record.signal[0]) == (name, pytest.approx(first_mv))


class TestReadMotion:
    @pytest.fixture
    def packed(self, tmp_path):
        texts = np.array(["rest", "squats"])
        folder = pack(
            tmp_path, 'Kalouskova, "Automatic detection"', activity=texts, electrode=texts,
            fs_effective=np.array([497.5, 498.0]),
            seg_start=np.array([0, 2, 0]), seg_artifact=np.array([1, 4, 2]), seg_offsets=np.array([0, 2, 3]),
            gap_record=np.array([1]), gap_sample=np.array([1]), gap_seconds=np.array([5.9]),
        )  # fmt: skip
        (folder / "meta.json").write_text('{"dataset": "Kalouskova, ...", "fs_hz": 500}', encoding="utf-8")
        return folder

    def test_gives_counts_at_the_measured_rate(self, packed):
        second, first = read_motion(packed)

        assert (first.fs_hz, second.fs_hz) == (497.5, 498.0)
        assert first.signal.tolist() == [200.0, 400.0, 600.0]
        assert first.unit == "raw"

    def test_carries_activity_artifacts_and_gaps(self, packed):
        second, first = read_motion(packed)

        assert (first.labels["activity"], second.labels["activity"]) == ("rest", "squats")
        assert first.labels["segment_artifacts"].tolist() == [1, 4]
        assert first.labels["gap_samples"].tolist() == []
        assert second.labels["gap_seconds"].tolist() == [5.9]


class TestReadCsv:
    @pytest.mark.parametrize(
        ("text", "choice", "expected_mv", "lead"),
        [
            ("1.5\n-2\n", {}, [1.5, -2.0], "unknown"),
            ("time,II\n0,100\n1,200\n", {"column": 1, "unit": "uV"}, [0.1, 0.2], "II"),
            ("0;1e-3\n1;2e-3\n", {"column": 1, "unit": "V"}, [1.0, 2.0], "unknown"),
            ("\ufefflead\n3\n", {}, [3.0], "lead"),
        ],
    )
    def test_reads_a_column_in_millivolts(self, tmp_path, text, choice, expected_mv, lead):
        path = tmp_path / "strip.csv"
        path.write_text(text, encoding="utf-8")

        record = read_csv(path, 300.0, **choice)

        assert (record.record_id, record.fs_hz, record.lead) == ("strip", 300.0, lead)
        assert record.signal == pytest.approx(expected_mv)

    @pytest.mark.parametrize(
        ("text", "unit", "message"),
        [
            ("1\n2\n", "mmHg", "expected unit mV, uV or V, found 'mmHg'"),
            ("ecg\n1\nx\n", "mV", "expected a number in line 3, column 0; found 'x'"),
            ("ecg\n", "mV", "found none"),
            ("", "mV", "found none"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path, text, unit, message):
        path = tmp_path / "strip.csv"
        path.write_text(text, encoding="utf-8")

        with pytest.raises(DataError, match=message):
            read_csv(path, 300.0, unit=unit)


class TestReadFolder:
    def test_recognizes_a_wfdb_layout_by_its_names(self, ecg_id):
        assert len(read_folder(ecg_id)) == 3

    def test_recognizes_a_packed_set_by_what_it_says_of_itself(self, tmp_path):
        labels = np.array(["N", "O"])
        pack(tmp_path, "PhysioNet/CinC Challenge 2017 (AF)", label=labels, label_v0=labels)

        assert [r.labels["rhythm"] for r in read_folder(tmp_path)] == ["O", "N"]

    def test_lists_the_known_layouts_when_it_knows_none_of_them(self, tmp_path):
        with pytest.raises(DataError, match="no known layout") as caught:
            read_folder(tmp_path)

        assert all(layout.name in str(caught.value) for layout in LAYOUTS)

    def test_says_that_a_folder_is_missing(self, tmp_path):
        with pytest.raises(DataError, match="found no such folder"):
            read_folder(tmp_path / "absent")

    @pytest.mark.real_data
    @pytest.mark.parametrize(
        ("name", "n_records", "n_subjects"),
        [("mit_bih", 48, 47), ("qtdb", 105, 105), ("ludb", 200, 200), ("kalouskova_motion", 150, 10)],
    )
    def test_reads_every_set_of_the_data_folder(self, data_dir, name, n_records, n_subjects):
        records = read_folder(data_dir / "ecg" / name)

        assert len(records) == n_records
        assert len({r.subject_id for r in records}) == n_subjects
        for record in records:
            peaks = record.labels.get("r_peaks", np.array([0]))
            assert record.signal.dtype == np.float32
            assert 0 <= peaks.min() <= peaks.max() < record.signal.size
