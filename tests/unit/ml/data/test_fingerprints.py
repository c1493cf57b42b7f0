"""Sets of fingerprints: names, resolutions, and people who never cross parts."""

from pathlib import Path

import pytest

from ml.data.fingerprints import (
    FCJ_CALIBRATION_PEOPLE,
    FCJ_TEST_PEOPLE,
    SOCOFING_DPI,
    read_fcj,
    read_fvc,
    read_socofing,
)
from ml.data.records import DataError


def laid_out(root: Path, *names: str) -> Path:
    for name in names:
        path = root / "fingerprint" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


class TestReadFvc:
    def test_fingers_impressions_and_resolution_come_from_names(self, tmp_path: Path) -> None:
        data = laid_out(tmp_path, "fvc2002/DB2_B/102_1.png", "fvc2002/DB2_B/101_2.png")

        files = read_fvc(data, "fvc2002/DB2_B")

        assert [(file.finger, file.impression, file.dpi) for file in files] == [
            ("fvc2002/DB2_B/101", 2, 569),
            ("fvc2002/DB2_B/102", 1, 569),
        ]

    def test_an_empty_folder_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no fingerprints"):
            read_fvc(tmp_path, "fvc2002/DB1_B")


class TestReadFcj:
    def test_people_of_other_parts_and_mislabeled_pictures_are_left_out(self, tmp_path: Path) -> None:
        names = ["101_4_1", "101_5_1", "125_7_6", "126_4_1"]
        data = laid_out(tmp_path, *(f"fcj2020/FCJ2020_DB1/{name}.jp2" for name in names))

        files = read_fcj(data, FCJ_CALIBRATION_PEOPLE)

        assert [file.path.stem for file in files] == ["101_4_1", "125_7_6"]
        assert {file.person for file in files} == {"fcj2020/101", "fcj2020/125"}

    def test_calibration_and_test_people_differ(self) -> None:
        assert not set(FCJ_CALIBRATION_PEOPLE) & set(FCJ_TEST_PEOPLE)


class TestReadSocofing:
    def test_people_with_pictures_of_others_are_left_out(self, tmp_path: Path) -> None:
        names = ["1__M_Left_index_finger", "1__M_Left_thumb_finger", "511__M_Left_index_finger"]
        data = laid_out(tmp_path, *(f"socofing/Real/{name}.png" for name in names))

        files = read_socofing(data)

        assert {file.person for file in files} == {"socofing/1"}
        assert len({file.finger for file in files}) == 2
        assert {file.dpi for file in files} == {SOCOFING_DPI}
