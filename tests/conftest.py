"""Fixtures for every test; databases come from tests/databases.py."""

import os

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"  # Before numpy is imported anywhere: two cores, many libraries.

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

settings.register_profile("test", max_examples=50, derandomize=True, deadline=None)
settings.register_profile("fuzz", max_examples=500, derandomize=True, deadline=None)
settings.load_profile(os.environ.get("PULSEPRINT_HYPOTHESIS_PROFILE", "test"))

pytest_plugins = ["tests.databases", "tests.face_weights"]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder that holds `ecg/`: PULSEPRINT_DATA, else `shared/data` beside the checkout."""
    folder = Path(os.environ.get("PULSEPRINT_DATA", ROOT.parent / "shared" / "data"))
    if (folder / "ecg").is_dir():
        return folder
    if os.environ.get("PULSEPRINT_REQUIRE_DATA") == "1":
        pytest.fail(f"PULSEPRINT_REQUIRE_DATA=1, and there are no recordings under {folder}")
    pytest.skip("no real recordings here (set PULSEPRINT_DATA)")
