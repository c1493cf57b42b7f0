from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.data.records import DataError
from ml.data.wfdb import read_header, read_signal
from tests.unit.ml.data.wfdb_files import ENCODERS, write_record


def header_from(tmp_path: Path, text: str):
    path = tmp_path / "r.hea"
    path.write_text(text, encoding="utf-8")
    return read_header(path)


class TestReadHeader:
    def test_reads_rate_length_and_every_field_of_a_signal_line(self, tmp_path):
        header = header_from(
            tmp_path, "r 1 360 650000\nr.dat 212+24 100.5(-7)/uV 11 1024 995 -22131 0 ECG lead II\n"
        )

        signal = header.signals[0]
        assert (header.name, header.fs_hz, header.n_samples) == ("r", 360.0, 650000)
        assert (signal.file_name, signal.format, signal.byte_offset) == ("r.dat", 212, 24)
        assert (signal.gain, signal.baseline, signal.units) == (100.5, -7, "uV")
        assert signal.description == "ECG lead II"

    def test_baseline_is_the_adc_zero_where_it_is_not_given(self, tmp_path):
        header = header_from(tmp_path, "r 1 360 10\nr.dat 212 200 11 1024 995 0 0 MLII\n")

        assert header.signals[0].baseline == 1024

    def test_gain_zero_or_absent_means_200_counts_per_millivolt(self, tmp_path):
        header = header_from(tmp_path, "r 2 360 10\nr.dat 16 0 11 0 0 0 0 a\nr.dat 16\n")

        assert [(s.gain, s.units) for s in header.signals] == [(200.0, "mV"), (200.0, "mV")]

    def test_rate_and_length_may_be_absent(self, tmp_path):
        header = header_from(tmp_path, "r 1\nr.dat 16\n")

        assert (header.fs_hz, header.n_samples) == (250.0, None)

    def test_counter_frequency_time_and_date_do_not_disturb(self, tmp_path):
        header = header_from(tmp_path, "r 1 360/24(3) 10 12:30:00 01/02/1990\nr.dat 16\n")

        assert (header.fs_hz, header.n_samples) == (360.0, 10)

    def test_comments_become_fields_and_blank_lines_are_ignored(self, tmp_path):
        header = header_from(
            tmp_path, "r 1 500 10\nr.dat 16\n\n# Age: 25\n#Sex: male\n# a remark\n# age: 99\n"
        )

        assert dict(header.fields) == {"age": "25", "sex": "male"}
        assert header.comments == ("Age: 25", "Sex: male", "a remark", "age: 99")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "expected a WFDB record line"),
            ("hello world\n", "expected a WFDB record line"),
            ("r/3 2 500 10\n", "several segments"),
            ("r 2 500 10\nr.dat 16\n", "expected 2 signal lines, found 1"),
            ("r 1 500 10\nr.dat 16x4 200\n", "several samples per frame"),
            ("r 1 500 10\nr.dat 16:3 200\n", "skew"),
            ("r 1 500 10\nr.dat sixteen\n", "expected a WFDB signal line"),
            ("r 1 500 10\nr.dat 16 much\n", "expected a WFDB signal line"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path, text, message):
        with pytest.raises(DataError, match=message):
            header_from(tmp_path, text)


class TestReadSignal:
    @pytest.mark.parametrize("signal_format", sorted(ENCODERS))
    @pytest.mark.parametrize("n_leads", [1, 2, 3])
    @pytest.mark.parametrize("n_samples", [4, 5])
    def test_restores_counts_of_every_format(self, tmp_path, signal_format, n_leads, n_samples):
        high = {16: 32767, 80: 127, 212: 2047}[signal_format]
        counts = np.random.default_rng(1).integers(-high, high, (n_samples, n_leads), endpoint=True)
        counts[0], counts[-1] = high, -high
        leads = [f"lead {i}" for i in range(n_leads)]
        path = write_record(tmp_path, "r", counts, signal_format=signal_format, gain="1", leads=leads)

        header = read_header(path)

        for channel in range(n_leads):
            np.testing.assert_array_equal(read_signal(tmp_path, header, channel), counts[:, channel])

    @pytest.mark.parametrize(
        ("gain", "expected_mv"),
        [("200(10)/mV", 0.45), ("200(10)/uV", 0.00045), ("200(10)/V", 450.0), ("200(10)", 0.45)],
    )
    def test_gives_millivolts_whatever_the_unit(self, tmp_path, gain, expected_mv):
        path = write_record(tmp_path, "r", np.array([[100]]), gain=gain)

        ecg_mv = read_signal(tmp_path, read_header(path), 0)

        assert ecg_mv.dtype == np.float32
        assert ecg_mv == pytest.approx([expected_mv])

    @pytest.mark.parametrize(("signal_format", "invalid"), [(16, -32768), (80, -128), (212, -2048)])
    def test_samples_marked_as_invalid_are_nan(self, tmp_path, signal_format, invalid):
        path = write_record(tmp_path, "r", np.array([[1], [invalid], [3]]), signal_format=signal_format)

        ecg_mv = read_signal(tmp_path, read_header(path), 0)

        assert np.isnan(ecg_mv).tolist() == [False, True, False]

    def test_leads_may_lie_in_several_files(self, tmp_path):
        (tmp_path / "r.hea").write_text("r 2 500 2\nr.dat 16 1\nr.xyz 16+4 1\n", encoding="utf-8")
        (tmp_path / "r.dat").write_bytes(ENCODERS[16]([1, 2]))
        (tmp_path / "r.xyz").write_bytes(b"head" + ENCODERS[16]([3, 4]))
        header = read_header(tmp_path / "r.hea")

        assert read_signal(tmp_path, header, 0).tolist() == [1.0, 2.0]
        assert read_signal(tmp_path, header, 1).tolist() == [3.0, 4.0]

    def test_length_is_the_file_s_where_the_header_gives_none(self, tmp_path):
        (tmp_path / "r.hea").write_text("r 1 500\nr.dat 16 1\n", encoding="utf-8")
        (tmp_path / "r.dat").write_bytes(ENCODERS[16]([1, 2, 3]))

        assert read_signal(tmp_path, read_header(tmp_path / "r.hea"), 0).size == 3

    @pytest.mark.parametrize(
        ("signal_line", "message"),
        [
            ("missing.dat 16", "missing"),
            ("r.dat 310", r"expected format \[16, 80, 212\], found 310"),
            ("r.dat 16 200/mmHg", "expected mV, uV or V, found unit 'mmHg'"),
            ("r.dat 16", "expected 9 samples per signal, found 2"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path, signal_line, message):
        (tmp_path / "r.hea").write_text(f"r 1 500 9\n{signal_line}\n", encoding="utf-8")
        (tmp_path / "r.dat").write_bytes(ENCODERS[16]([1, 2]))

        with pytest.raises(DataError, match=message):
            read_signal(tmp_path, read_header(tmp_path / "r.hea"), 0)
