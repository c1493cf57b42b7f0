"""Metrics of one process and of several."""

import os
import subprocess
import sys
from pathlib import Path

from app.adapters.metrics import PrometheusMetrics, encoding_time

ROOT = Path(__file__).parents[4]
WORKER = """
from app.adapters.metrics import PrometheusMetrics
metrics = PrometheusMetrics()
metrics.decided(use_case="identify", decision="match")
print(metrics.render(queued=2)[0].decode())
"""


class TestOneProcess:
    def test_requests_are_counted_by_route_and_status(self):
        metrics = PrometheusMetrics()

        metrics.request_finished(method="GET", route="/unit", status=200, seconds=0.003)

        text = metrics.render(queued=3)[0].decode()
        assert 'pulseprint_requests_total{method="GET",route="/unit",status="200"} 1.0' in text
        assert 'pulseprint_request_seconds_count{method="GET",route="/unit"} 1.0' in text
        assert "pulseprint_queue_depth 3.0" in text

    def test_encoding_times_are_kept_per_encoder(self):
        with encoding_time("unit@1"):
            pass

        text = PrometheusMetrics().render(queued=0)[0].decode()

        assert 'pulseprint_encode_seconds_count{encoder="unit@1"} 1.0' in text


class TestSeveralProcesses:
    def test_numbers_of_all_workers_are_added(self, tmp_path):
        environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

        outputs = [
            subprocess.run(
                [sys.executable, "-c", WORKER],
                cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60,
            ).stdout
            for _ in range(2)
        ]  # fmt: skip

        counted = 'pulseprint_decisions_total{decision="match",use_case="identify"}'
        assert f"{counted} 1.0" in outputs[0]
        assert f"{counted} 2.0" in outputs[1]
