import os

import pytest

from app.config import Settings
from app.domain.errors import ConfigurationError


def _settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux binds a process to cores")
class TestExecutorThreads:
    @pytest.fixture(autouse=True)
    def _one_core(self):
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(before)})
        yield
        os.sched_setaffinity(0, before)

    def test_are_as_many_as_the_cores_the_process_may_run_on(self):
        assert _settings().executor_threads == 1

    def test_are_what_was_set(self):
        assert _settings(encoder_threads=3).executor_threads == 3

    def test_are_at_least_one_for_more_workers_than_cores(self):
        assert _settings(workers=4).executor_threads == 1


class TestSecretFiles:
    def test_are_read_without_their_last_newline(self, tmp_path):
        (tmp_path / "key").write_text("secret\n")

        assert _settings(master_keys_file=tmp_path / "key").master_key_text() == "secret"

    @pytest.mark.parametrize("content", [None, b"\xff\xfe binary"])
    def test_that_cannot_be_read_are_named(self, tmp_path, content):
        if content is not None:
            (tmp_path / "key").write_bytes(content)

        with pytest.raises(ConfigurationError, match=r"PULSEPRINT_MASTER_KEYS_FILE: cannot read .*key"):
            _settings(master_keys_file=tmp_path / "key").master_key_text()


class TestChosenBundles:
    def test_encoders_are_by_modality_and_the_recognizer_apart(self):
        settings = _settings(encoders="ecg=ecg@1, activity=activity@2,face=face@3")

        assert settings.chosen_encoders == {"ecg": "ecg@1", "face": "face@3"}
        assert settings.chosen_recognizer == "activity@2"

    def test_none_need_be_chosen(self):
        assert (_settings().chosen_encoders, _settings().chosen_recognizer) == ({}, None)

    def test_what_is_no_bundle_is_named(self):
        with pytest.raises(ConfigurationError, match="expected modality=id@version, got 'activity'"):
            _ = _settings(encoders="activity=latest").chosen_recognizer
