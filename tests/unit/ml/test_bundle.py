import pytest

from ml.bundle import preference


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
