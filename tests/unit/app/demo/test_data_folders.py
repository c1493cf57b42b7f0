from __future__ import annotations

import json
from base64 import b64encode

import cv2
import numpy as np
import pytest

from app.demo.captured_people import MOST_ENROLLED
from app.demo.data_folders import cast_of
from app.demo.recordings import png
from app.demo.server import DemoError
from ml.runtime.image.opening import open_image
from tests.unit.ml.data.wfdb_files import write_record


def picture(brightness: int) -> bytes:
    return png(np.full((60, 40), brightness, np.uint8))


def ecg(value: float) -> dict:
    return {"modality": "ecg", "fs_hz": 10, "unit": "mV", "lead": "I", "signal": [value] * 250}


def captures(folder, person, *, modalities=("ecg", "face", "fingerprint"), count=2):
    """Files as the API takes them; every capture is one brighter, or one millivolt higher, than the last."""
    for modality in modalities:
        (folder / person / modality).mkdir(parents=True)
        for number in range(count):
            file = folder / person / modality / f"{number}"
            if modality == "ecg":
                file.with_suffix(".json").write_text(json.dumps(ecg(number)))
            else:
                file.with_suffix(".png").write_bytes(picture(number))


def brightness(recording) -> int:
    return int(cv2.imdecode(np.frombuffer(recording.image, np.uint8), cv2.IMREAD_GRAYSCALE)[0, 0])


class TestCaptures:
    def test_the_last_capture_of_each_modality_is_the_probe(self, tmp_path):
        for person in ("ann", "bob"):
            captures(tmp_path, person, count=3)

        (ann,) = cast_of(tmp_path).members

        assert (ann.subject_id, set(ann.probes)) == ("ann", {"ecg", "face", "fingerprint"})
        assert ann.probe.signal[0] == 2.0
        assert [brightness(one) for one in ann.pictures] == [2, 2]
        assert [one.modality for one in ann.enrollment] == ["ecg"] * 2 + ["face"] * 2 + ["fingerprint"] * 2
        assert [brightness(one) for one in ann.enrollment[2:]] == [0, 1, 0, 1]

    def test_the_last_sixth_are_strangers_who_stay_away(self, tmp_path):
        for number in range(12):
            captures(tmp_path, f"person-{number:02d}", modalities=("face", "fingerprint"))

        cast_ = cast_of(tmp_path)

        assert [one.subject_id for one in cast_.strangers] == ["person-10", "person-11"]
        assert not cast_.strangers_join
        assert cast_.members[0].probe is None

    def test_whoever_lacks_a_modality_is_left_out(self, tmp_path):
        for person in ("ann", "bob"):
            captures(tmp_path, person)
        captures(tmp_path, "cat", modalities=("ecg", "face"))

        cast_ = cast_of(tmp_path)

        assert [one.subject_id for one in (*cast_.members, *cast_.strangers)] == ["ann", "bob"]
        assert "2 of the 3 people" in cast_.about

    def test_enrolls_no_more_than_a_request_takes(self, tmp_path):
        for person in ("ann", "bob"):
            captures(tmp_path, person, modalities=("ecg",), count=20)

        assert len(cast_of(tmp_path).members[0].enrollment) == MOST_ENROLLED

    def test_takes_strips_as_bytes_and_cuts_them(self, tmp_path):
        for person in ("ann", "bob"):
            captures(tmp_path, person, modalities=("ecg",))
            samples = b64encode(np.arange(900, dtype="<i2").tobytes()).decode()
            body = {"fs_hz": 20, "unit": "uV", "signal_b64": samples, "dtype": "int16"}
            (tmp_path / person / "ecg" / "9.json").write_text(json.dumps(body))

        strip = cast_of(tmp_path).members[0].probe

        assert (len(strip.signal), strip.signal[3], strip.unit, strip.lead) == (400, 3.0, "uV", "unknown")

    def test_a_resolution_is_stated_only_for_files_that_do_not(self, tmp_path):
        for person in ("ann", "bob"):
            captures(tmp_path, person, modalities=("fingerprint",))
        header = b"BM" + bytes(36) + (39_370).to_bytes(4, "little") * 2
        whole = bytes(cv2.imencode(".bmp", np.zeros((60, 40), np.uint8))[1])
        stated = whole[:38] + header[38:46] + whole[46:]
        (tmp_path / "ann" / "fingerprint" / "9.bmp").write_bytes(stated)

        ann = cast_of(tmp_path).members[0]

        assert open_image(stated).header.dpi == 1000
        assert [one.dpi for one in (*ann.enrollment, *ann.pictures)] == [500, 500, None]

    def test_a_file_that_is_no_recording_ends_the_demo(self, tmp_path):
        for person in ("ann", "bob"):
            captures(tmp_path, person)
        (tmp_path / "bob" / "ecg" / "1.json").write_text("[]")

        with pytest.raises(DemoError, match=r"1\.json is not an ECG recording: TypeError"):
            cast_of(tmp_path)

    def test_one_person_is_too_few(self, tmp_path):
        captures(tmp_path, "ann")

        with pytest.raises(DemoError, match="at least two people, found 1"):
            cast_of(tmp_path)


class TestOtherFolders:
    def test_a_set_of_ecg_is_read_as_before(self, tmp_path):
        for subject in ("Person_01", "Person_02"):
            for number in (1, 2):
                counts = (np.arange(250) % 7).reshape(-1, 1)
                write_record(tmp_path / subject, f"rec_{number}", counts, fs_hz=10, leads=("ECG I",))

        assert [one.subject_id for one in cast_of(tmp_path).members] == ["Person_01"]

    def test_what_is_no_folder_is_said(self, tmp_path):
        with pytest.raises(DemoError):
            cast_of(tmp_path / "nowhere")

    @pytest.mark.real_data
    def test_research_sets_become_virtual_people_of_all_three(self, data_dir):
        cast_ = cast_of(data_dir)

        everybody = [*cast_.members, *cast_.strangers]
        assert (len(cast_.members), len(cast_.strangers)) == (49, 9)
        assert all(list(one.probes) == ["ecg", "face", "fingerprint"] for one in everybody)
        assert (
            len({one.enrollment[1].image for one in everybody} | {one.pictures[0].image for one in everybody})
            == 116
        )
        assert (
            len({one.enrollment[2].image for one in everybody} | {one.pictures[1].image for one in everybody})
            == 116
        )
