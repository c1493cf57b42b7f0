import hashlib
import json

import pytest

from ml.runtime.bundle import BundleError, default_bundle, preference, read_bundle
from ml.runtime.encoder import load_bundle
from tests.bundles import write_activity_files, write_network_bundle, write_tiny_bundle


class TestPreference:
    @pytest.mark.parametrize(
        ("lower", "higher"),
        [
            ("ecg@2026.9", "ecg@2026.11"),
            ("ecg@2026", "ecg@2026.1"),
            ("ecg@next", "ecg@0"),
            ("ecg-beat@2027.1", "ecg@2026.11"),
            ("ecg-edge@2026.11", "ecg-beat@2026.12"),
            ("ecg-beat@2026.11", "ecg-edge@2026.11"),
        ],
    )
    def test_the_modalitys_own_name_then_newer_versions_win(self, lower, higher):
        assert preference(lower, "ecg") < preference(higher, "ecg")


class TestDefaultBundle:
    def test_is_the_newest_of_the_modalitys_own_name(self, tmp_path):
        write_tiny_bundle(tmp_path)
        for encoder_id in ("ecg@2026.9", "ecg@2026.11", "ecg-edge@2027.1"):
            write_network_bundle(tmp_path, encoder_id)

        assert default_bundle(tmp_path, "ecg") == tmp_path / "ecg@2026.11"

    def test_no_activity_bundle_is_anybodys_encoder(self, tmp_path):
        write_network_bundle(tmp_path, "ecg@2026.11")
        write_activity_files(tmp_path, "ecg@2027.1")

        assert default_bundle(tmp_path, "ecg") == tmp_path / "ecg@2026.11"

    def test_a_folder_without_one_is_named(self, tmp_path):
        write_tiny_bundle(tmp_path)

        with pytest.raises(BundleError, match="no bundle <id>@<version> for face in"):
            default_bundle(tmp_path, "face")


class TestActivityBundle:
    def test_says_what_it_tells_apart(self, tmp_path):
        info = read_bundle(write_activity_files(tmp_path, "activity@2026.11"))

        assert (info.encoder_id, info.kind, info.licence) == ("activity@2026.11", "activity", "GPL-3.0")
        assert info.classes == ("rest", "walk", "run")
        assert info.groups == {"rest": ["rest"], "moving": ["walk", "run"]}
        assert (info.vector_size, info.metric) == (0, "")

    def test_changed_weights_are_refused(self, tmp_path):
        bundle = write_activity_files(tmp_path)
        (bundle / "model.onnx").write_bytes(b"another network")

        with pytest.raises(BundleError, match=r"^bundle activity@1: checksum of model\.onnx: expected"):
            read_bundle(bundle)

    def test_encodes_nobody(self, tmp_path):
        with pytest.raises(BundleError, match="bundle activity@1: kind 'activity' encodes nobody"):
            load_bundle(write_activity_files(tmp_path))

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"classes": ["rest"]}, "two or more different names"),
            ({"classes": ["rest", "walk", "walk"]}, "two or more different names"),
            ({"classes": ["rest", 1, "run"]}, "classes: expected names"),
            ({"classes": ["rest", "", "run"]}, "classes: expected names"),
            ({"groups": {"moving": ["walk", "run"]}}, "groups: expected each of"),
            ({"groups": {"rest": "rest", "moving": ["walk", "run"]}}, "groups: expected each of"),
            ({"groups": {"a": ["rest", "walk"], "b": ["walk", "run"]}}, "groups: expected each of"),
            ({"vector_size": 8}, "unknown fields: vector_size"),
            ({"groups": []}, "groups: expected dict, found list"),
        ],
    )
    def test_a_field_that_says_something_else_is_refused(self, tmp_path, fields, message):
        bundle = write_activity_files(tmp_path, **fields)

        with pytest.raises(BundleError, match=message):
            read_bundle(bundle)

    def test_need_not_be_grouped(self, tmp_path):
        assert read_bundle(write_activity_files(tmp_path, groups={})).groups == {}


class TestFurtherFiles:
    """A face bundle holds its detector, and nothing of it lies in git."""

    def write(self, models, **fields):
        written = write_network_bundle(models, "ecg@1").info
        folder = models / "face@1"
        (models / "ecg@1").rename(folder)
        content = json.loads((folder / "bundle.json").read_text())
        content |= {"id": "face", "kind": "face", "modality": "face", **fields}
        (folder / "detector.onnx").write_bytes(b"finds faces")
        content["files"] = {**written.files, "detector.onnx": hashlib.sha256(b"finds faces").hexdigest()}
        (folder / "bundle.json").write_text(json.dumps(content))
        return folder

    def test_they_belong_to_the_bundle(self, tmp_path):
        assert "detector.onnx" in read_bundle(self.write(tmp_path)).files

    def test_without_one_it_is_refused(self, tmp_path):
        folder = self.write(tmp_path)
        (folder / "detector.onnx").unlink()

        with pytest.raises(BundleError, match=r"expected the files .*detector\.onnx"):
            read_bundle(folder)

    def test_a_changed_one_is_refused(self, tmp_path):
        folder = self.write(tmp_path)
        (folder / "detector.onnx").write_bytes(b"finds nothing")

        with pytest.raises(BundleError, match=r"checksum of detector\.onnx"):
            read_bundle(folder)

    def test_only_what_never_enters_git_may_be_large(self, tmp_path, monkeypatch):
        fetched = self.write(tmp_path)
        monkeypatch.setattr("ml.runtime.bundle.MAX_BUNDLE_BYTES", 10)

        read_bundle(fetched)
        with pytest.raises(BundleError, match="is larger than 10 bytes"):
            read_bundle(write_activity_files(tmp_path))


class TestOneToOneOnly:
    def test_bundles_may_be_searched_by_unless_they_say_otherwise(self, tmp_path):
        assert not write_network_bundle(tmp_path).info.one_to_one_only

    def test_it_is_read(self, tmp_path):
        folder = TestFurtherFiles().write(tmp_path, one_to_one_only=True)

        assert read_bundle(folder).one_to_one_only

    def test_it_is_a_truth_value(self, tmp_path):
        folder = TestFurtherFiles().write(tmp_path, one_to_one_only="no")

        with pytest.raises(BundleError, match="one_to_one_only: expected bool, found str"):
            read_bundle(folder)
