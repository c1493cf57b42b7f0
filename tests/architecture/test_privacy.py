"""Nothing leaves the service, not even from a library."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class TestOnnxRuntime:
    def test_its_telemetry_is_off_before_its_first_import(self, tmp_path):
        """Left on, it writes a device id into the home directory at import and reports over the network."""
        code = "import ml.runtime.encoder, onnxruntime, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
        kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}

        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=kept | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

        assert done.stdout.strip() == "1"
        assert list(tmp_path.rglob("*")) == []
