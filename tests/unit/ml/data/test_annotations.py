from __future__ import annotations

import numpy as np
import pytest

from ml.data.annotations import Annotation, beat_labels, read_annotations
from ml.data.records import DataError
from tests.unit.ml.data.wfdb_files import skip, text, word, write_annotations

N, V, NOTE, RHYTHM = 1, 5, 22, 28
NUM, SUB, CHN = 60, 61, 62
END = word(0, 0)


def read(tmp_path, raw: bytes, fs_hz: float = 360.0):
    path = tmp_path / "r.atr"
    path.write_bytes(raw)
    return read_annotations(path, fs_hz)


class TestReadAnnotations:
    def test_intervals_add_up_to_samples(self, tmp_path):
        path = write_annotations(tmp_path / "r.atr", [(5, "N"), (1028, "V"), (1028, "+")])

        found = read_annotations(path, 360.0)

        assert [(a.sample, a.symbol) for a in found] == [(5, "N"), (1028, "V"), (1028, "+")]

    @pytest.mark.parametrize("interval", [1024, 65535, 65536, 70_000_000])
    def test_long_intervals_are_skipped_high_word_first(self, tmp_path, interval):
        found = read(tmp_path, skip(interval) + word(N, 3) + END)

        assert found == (Annotation(interval + 3, "N"),)

    def test_a_skip_may_go_back(self, tmp_path):
        found = read(tmp_path, word(N, 10) + skip(-1) + word(V, 1) + END)

        assert [a.sample for a in found] == [10, 10]

    def test_channel_and_number_stay_in_force_and_subtype_does_not(self, tmp_path):
        marked = word(N, 1) + word(SUB, 2) + word(CHN, 1) + word(NUM, 7)

        found = read(tmp_path, marked + word(V, 1) + word(SUB, -1) + word(N, 1) + word(CHN, 0) + END)

        assert found == (
            Annotation(1, "N", subtype=2, channel=1, number=7),
            Annotation(2, "V", subtype=-1, channel=1, number=7),
            Annotation(3, "N", channel=0, number=7),
        )

    @pytest.mark.parametrize("note", ["(AFIB", "(N", "odd"])
    def test_texts_are_padded_to_even_length(self, tmp_path, note):
        found = read(tmp_path, word(RHYTHM, 1) + text(note) + word(N, 1) + END)

        assert [(a.sample, a.text) for a in found] == [(1, note), (2, "")]

    def test_notes_about_the_file_itself_are_left_out(self, tmp_path):
        # The way the WFDB library writes it: the note, back by one, and on by one without a mark.
        preamble = word(NOTE, 0) + text("## time resolution: 360") + skip(-1) + word(0, 1)

        found = read(tmp_path, preamble + word(N, 9) + END)

        assert found == (Annotation(9, "N"),)

    def test_refuses_another_time_resolution_than_the_recording_s(self, tmp_path):
        with pytest.raises(DataError, match=r"expected 500\.0 ticks per second, found 360"):
            read(tmp_path, word(NOTE, 0) + text("## time resolution: 360") + END, fs_hz=500.0)

    @pytest.mark.parametrize(
        ("raw", "message"),
        [
            (b"", "ends within an annotation"),
            (word(N, 1), "ends within an annotation"),
            (skip(5)[:4], "ends within an annotation"),
            (word(N, 1) + text("hello")[:4], "ends within an annotation"),
            (word(15, 1) + END, "unknown annotation code 15"),
            (word(58, 1) + END, "unknown annotation code 58"),
            (word(NUM, 1) + END, "before the first annotation"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path, raw, message):
        with pytest.raises(DataError, match=message):
            read(tmp_path, raw)


class TestBeatLabels:
    def test_heartbeats_are_parted_from_other_marks(self):
        labels = beat_labels(np.array([3, 5, 8, 9], dtype=np.int32), np.array(["+", "N", "[", "V"]))

        assert labels["r_peaks"].tolist() == [5, 9]
        assert labels["r_peaks"].dtype == np.int64
        assert labels["beat_symbols"].tolist() == ["N", "V"]
        assert labels["marks"].tolist() == [3, 8]
        assert labels["mark_symbols"].tolist() == ["+", "["]

    def test_no_annotations_give_empty_labels(self):
        labels = beat_labels(np.array([], dtype=np.int64), np.array([], dtype=np.str_))

        assert labels["r_peaks"].size == labels["marks"].size == 0
