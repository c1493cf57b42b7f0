"""Readers of the face sets."""

import pytest

from ml.data.faces import read_ar, read_cmu, read_orl, read_yale
from ml.data.records import DataError


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"picture")


class TestReadAr:
    def test_names_hold_person_sex_and_session(self, tmp_path):
        touch(tmp_path, "m001_07.png", "w051_08.png")

        first, second = read_ar(tmp_path)

        assert (first.subject_id, dict(first.labels)) == ("m001", {"number": "7", "session": "1", "sex": "m"})
        assert (second.subject_id, second.labels["session"], second.labels["sex"]) == ("w051", "2", "w")
        assert first.image == b"picture"


class TestReadOrl:
    def test_folders_are_people(self, tmp_path):
        touch(tmp_path, "s7/10.png")

        (record,) = read_orl(tmp_path)

        assert (record.record_id, record.subject_id, record.labels["number"]) == ("s7/10", "s7", "10")


class TestReadYale:
    def test_names_hold_the_condition(self, tmp_path):
        touch(tmp_path, "subject04.sad.jpg")

        (record,) = read_yale(tmp_path)

        assert (record.subject_id, record.labels["condition"]) == ("subject04", "sad")


class TestReadCmu:
    def test_names_hold_pose_expression_and_eyes(self, tmp_path):
        touch(tmp_path, "bob/bob_up_angry_sunglasses.png")

        (record,) = read_cmu(tmp_path)

        assert dict(record.labels) == {"pose": "up", "expression": "angry", "eyes": "sunglasses"}

    def test_other_names_are_refused(self, tmp_path):
        touch(tmp_path, "bob/holiday.png")

        with pytest.raises(DataError, match="person_pose_expression_eyes"):
            read_cmu(tmp_path)


class TestEmptyFolder:
    @pytest.mark.parametrize("read", [read_ar, read_orl, read_yale, read_cmu])
    def test_is_an_error(self, read, tmp_path):
        with pytest.raises(DataError, match="found none"):
            read(tmp_path)


@pytest.mark.real_data
class TestRealSets:
    def test_they_are_complete(self, data_dir):
        faces = data_dir / "face"

        counts = {
            read.__name__: len(read(faces / folder))
            for read, folder in (
                (read_ar, "ar_99"),
                (read_orl, "orl"),
                (read_yale, "yalefaces"),
                (read_cmu, "cmu_faces_half"),
            )
        }

        assert counts == {"read_ar": 1386, "read_orl": 400, "read_yale": 164, "read_cmu": 624}
