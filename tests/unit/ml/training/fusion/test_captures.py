import base64
import json

import numpy as np
import pytest

from ml.runtime.encoding import Encoding
from ml.runtime.errors import NoVectorError
from ml.runtime.evidence import IMAGES, Evidence
from ml.training.fusion.captures import ImageFile, read_people
from ml.training.fusion.people import FusionDataError


class MeanEncoder:
    """Stands for a bundle: a vector from the mean of what it is given."""

    def __init__(self, of):
        self._of = of

    def encode(self, capture):
        value = float(np.mean(self._of(capture)))
        if value == 0.0:
            raise NoVectorError("nothing")
        return Encoding(np.array([np.cos(value), np.sin(value)], np.float32), Evidence(1.0, IMAGES, 0.5))


ENCODERS = {
    "ecg": MeanEncoder(lambda capture: capture.signal * capture.fs_hz),
    "fingerprint": MeanEncoder(lambda capture: len(capture.image) * capture.dpi),
}


def put_person(folder, name, *, strips=2, prints=2, value=1):
    for number in range(strips):
        path = folder / name / "ecg" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"modality": "ecg", "fs_hz": 250, "signal": [value, value]}))
    for number in range(prints):
        path = folder / name / "fingerprint" / "right_index" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 3)


class TestReadPeople:
    def test_everybody_with_two_captures_of_each_modality_is_read_in_order(self, tmp_path):
        put_person(tmp_path, "b")
        put_person(tmp_path, "a", strips=3)
        put_person(tmp_path, "only-one-strip", strips=1)

        people = read_people(tmp_path, ENCODERS, dpi=500)

        assert [person.name for person in people] == ["a", "b"]
        assert people[0].vectors["ecg"].rows.shape == (3, 2)
        assert people[0].vectors["fingerprint"].quality.tolist() == [0.5, 0.5]

    def test_unusable_captures_are_left_out(self, tmp_path):
        put_person(tmp_path, "silent", value=0)

        assert read_people(tmp_path, ENCODERS, dpi=500) == []

    def test_base64_means_the_same_as_a_list(self, tmp_path):
        put_person(tmp_path, "a")
        coded = base64.b64encode(np.array([1, 1], "<i2").tobytes()).decode()
        (tmp_path / "a" / "ecg" / "1.json").write_text(
            json.dumps({"fs_hz": 250, "signal_b64": coded, "dtype": "int16"})
        )

        rows = read_people(tmp_path, ENCODERS, dpi=500)[0].vectors["ecg"].rows

        assert np.array_equal(rows[0], rows[1])

    def test_a_file_that_is_no_recording_is_named(self, tmp_path):
        put_person(tmp_path, "a")
        (tmp_path / "a" / "ecg" / "1.json").write_text("{}")

        with pytest.raises(FusionDataError, match=r"1\.json is not an ECG recording: KeyError"):
            read_people(tmp_path, ENCODERS)

    def test_a_missing_folder_is_named(self, tmp_path):
        with pytest.raises(FusionDataError, match="there is no folder"):
            read_people(tmp_path / "nowhere", ENCODERS)

    def test_images_show_no_content(self):
        assert repr(ImageFile(b"secret")) == "ImageFile(6 bytes)"
