"""E4 on a small PTB in its PhysioNet layout, because the real one is not kept here."""

from pathlib import Path

import numpy as np
import pytest

from ml.data.records import DataError
from ml.evaluation.protocols.catalogue import PROTOCOLS
from tests.unit.ml.data.wfdb_files import write_record

LEADS = ("i", "ii", "vx")


def write(data: Path, patient: str, record: str, date: str, seconds: int = 12) -> None:
    rng = np.random.default_rng(int(record[1:5]))
    counts = rng.integers(-900, 900, size=(seconds * 1000, len(LEADS)))
    folder = data / "ecg" / "ptb" / patient
    write_record(folder, record, counts, fs_hz=1000, gain="2000", leads=LEADS, comments=[f"ECG date: {date}"])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path, "patient001", "s0010_re", "01/10/1990")
    write(tmp_path, "patient002", "s0015_re", "10/10/1990", seconds=130)
    write(tmp_path, "patient002", "s0012_re", "20/11/1990")
    write(tmp_path, "patient002", "s0016_re", "30/11/1990")
    write(tmp_path, "patient003", "s0021_re", "01/10/1990")
    write(tmp_path, "patient003", "s0020_re", "01/10/1990")
    return tmp_path


class TestPtbMultiRecord:
    def test_people_with_one_record_take_no_part(self, data: Path) -> None:
        for trials in PROTOCOLS["E4"].build(data):
            assert [p.subject_id for p in trials.gallery] == ["patient002", "patient003"]

    def test_the_first_record_by_date_then_name_is_enrolled_and_all_later_ones_probe(
        self, data: Path
    ) -> None:
        whole, _ = PROTOCOLS["E4"].build(data)

        enrolled = [p.cuts[0].record.record_id for p in whole.gallery]
        probes = [probe.presentation.cuts[0].record.record_id for probe in whole.probes]
        assert enrolled == ["patient002/s0015_re", "patient003/s0020_re"]
        assert probes == ["patient002/s0012_re", "patient002/s0016_re", "patient003/s0021_re"]

    def test_no_recording_is_longer_than_a_request_may_hold(self, data: Path) -> None:
        whole, short = PROTOCOLS["E4"].build(data)

        assert whole.gallery[0].cuts[0].signal.size == 120_000
        assert {probe.presentation.cuts[0].signal.size for probe in short.probes} == {10_000}

    def test_lead_i_in_millivolts_at_1000_hz(self, data: Path) -> None:
        record = PROTOCOLS["E4"].build(data)[0].gallery[0].cuts[0].record

        assert (record.lead, record.fs_hz, record.unit) == ("i", 1000.0, "mV")

    def test_an_absent_set_says_in_one_line_what_to_download(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"physionet\.org/content/ptbdb") as error:
            PROTOCOLS["E4"].build(tmp_path)

        assert "\n" not in str(error.value)

    def test_a_set_in_which_nobody_came_twice_is_an_error(self, tmp_path: Path) -> None:
        write(tmp_path, "patient001", "s0010_re", "01/10/1990")

        with pytest.raises(DataError, match="several records"):
            PROTOCOLS["E4"].build(tmp_path)
