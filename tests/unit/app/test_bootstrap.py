from pathlib import Path

import pytest

from app.bootstrap import database_exists, database_url
from app.config import Settings
from app.domain.errors import ConfigurationError

UNREADABLE = "postgresql//user:hunter2@host/db"


def with_password(folder: Path, url: str) -> Settings:
    (folder / "password").write_text("p/w@:?\n")
    return Settings(_env_file=None, database_url=url, database_password_file=folder / "password")


class TestDatabaseUrl:
    def test_a_password_kept_apart_may_hold_anything(self, tmp_path):
        url = database_url(with_password(tmp_path, "postgresql://user@host/db"))

        assert url.endswith("://user:p%2Fw%40%3A%3F@host/db")

    def test_what_is_no_url_is_refused_and_not_repeated(self, tmp_path):
        with pytest.raises(ConfigurationError) as refused:
            database_url(with_password(tmp_path, UNREADABLE))

        assert "hunter2" not in str(refused.value)


class TestDatabaseExists:
    def test_what_is_no_url_is_refused_and_not_repeated(self):
        with pytest.raises(ConfigurationError) as refused:
            database_exists(Settings(_env_file=None, database_url=UNREADABLE))

        assert "hunter2" not in str(refused.value)

    def test_a_file_that_is_not_there_is_not_created(self, tmp_path):
        settings = Settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/none.db")

        assert not database_exists(settings)
        assert list(tmp_path.iterdir()) == []
