import pytest

from ml.bundle import BundleError, default_bundle, preference
from tests.bundles import write_network_bundle, write_tiny_bundle


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

    def test_a_folder_without_one_is_named(self, tmp_path):
        write_tiny_bundle(tmp_path)

        with pytest.raises(BundleError, match="no bundle <id>@<version> for face in"):
            default_bundle(tmp_path, "face")
