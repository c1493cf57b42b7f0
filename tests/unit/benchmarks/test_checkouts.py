from pathlib import Path

from benchmarks.checkouts import Checkout
from benchmarks.serving import python_environment

FILLER = """
import contextlib, types
from pathlib import Path

@contextlib.contextmanager
def sqlite_database(subjects):
    file = Path("gone-afterwards.db")
    file.write_text(f"{subjects} subjects")
    yield types.SimpleNamespace(url=f"sqlite:///{file}", master_key="key", token="token")
    file.unlink()
"""


class TestCheckout:
    def test_its_own_code_fills_a_database_that_outlives_the_process(self, tmp_path, monkeypatch):
        monkeypatch.setattr("benchmarks.checkouts.CACHE", tmp_path / "cache")
        (tmp_path / "benchmarks").mkdir()
        (tmp_path / "benchmarks" / "filled_databases.py").write_text(FILLER)

        with Checkout(tmp_path).filled(7) as database:
            content = Path(database.url.removeprefix("sqlite:///")).read_text()

        assert content == "7 subjects"
        assert (database.master_key, database.token) == ("key", "token")

    def test_a_folder_that_is_no_checkout_has_no_revision(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

        assert Checkout(tmp_path).revision == "unknown"


class TestPythonEnvironment:
    def test_a_checkout_runs_its_own_code_with_no_settings_of_ours(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PULSEPRINT_WORKERS", "4")

        environment = python_environment(tmp_path)

        assert environment["PYTHONPATH"] == str(tmp_path)
        assert "PULSEPRINT_WORKERS" not in environment
