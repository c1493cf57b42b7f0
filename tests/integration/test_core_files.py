"""The server's memory is never written to a core file."""

import subprocess
import sys

import pytest

from tests.integration.server import ROOT

PROBE = """
import ctypes, resource
from app.core_files import forbid_core_files
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
forbid_core_files()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="as Linux says it")
def test_neither_by_limit_nor_through_a_pipe():
    found = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "(0, 0) 0"
