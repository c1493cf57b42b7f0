"""Prometheus metrics, in one process or several (`PROMETHEUS_MULTIPROC_DIR`, set before import).

Labels are few and closed: route templates, statuses, decisions, encoders. No subject, no gallery.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

MULTIPROCESS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # A series per series, that nobody asks for.

_requests = Counter("pulseprint_requests", "Requests by route and status.", ["method", "route", "status"])
_latency = Histogram(
    "pulseprint_request_seconds",
    "Time from the request's head to the end of its answer.",
    ["method", "route"],
    buckets=_LATENCY_BUCKETS_S,
)
_decisions = Counter("pulseprint_decisions", "Comparison decisions.", ["use_case", "decision"])
_encodings = Histogram(
    "pulseprint_encode_seconds", "Time to encode one recording.", ["encoder"], buckets=_LATENCY_BUCKETS_S
)
_queued = Gauge("pulseprint_queue_depth", "Jobs waiting for a thread.", multiprocess_mode="livesum")
_null_jumps = Counter(
    "pulseprint_gallery_null_jumps",
    "Corrections of galleries that jumped, by what most likely made them.",
    ["encoder", "reason"],
)
_quarantined = Gauge(
    "pulseprint_quarantined",
    "Stored references and galleries that are passed over: they do not open, or say what they should not.",
    multiprocess_mode="livemax",
)
_damaged_rows = Counter(
    "pulseprint_damaged_rows", "Rows found changed outside of the service, by table.", ["table"]
)
_index_lag = Gauge(
    "pulseprint_index_revision_lag",
    "Revisions the index was behind its database at the last catch-up, all galleries.",
    multiprocess_mode="livemax",
)


class PrometheusMetrics:
    """What the routes report to."""

    def request_finished(self, *, method: str, route: str, status: int, seconds: float) -> None:
        _requests.labels(method, route, status).inc()
        _latency.labels(method, route).observe(seconds)

    def decided(self, *, use_case: str, decision: str) -> None:
        _decisions.labels(use_case, decision).inc()

    def render(self, *, queued: int) -> tuple[bytes, str]:
        """The exposition and its media type; all workers' numbers in one."""
        _queued.set(queued)
        return generate_latest(_registry()), CONTENT_TYPE_LATEST


def encoding_time(encoder: str) -> AbstractContextManager[object]:
    """Measure how long an encoder takes for one recording."""
    return _encodings.labels(encoder).time()


def report_index_lag(revisions: int) -> None:
    """Report how far the index was behind when it caught up."""
    _index_lag.set(revisions)


def report_quarantined(count: int) -> None:
    """Report how much of what is stored is passed over."""
    _quarantined.set(count)


def count_damaged_row(table: str) -> None:
    """Count a row that says something else than the service wrote."""
    _damaged_rows.labels(table).inc()


def count_null_jump(*, encoder: str, reason: str) -> None:
    """Count a gallery's correction that jumped."""
    _null_jumps.labels(encoder, reason).inc()


def forget_worker(pid: int) -> None:
    """Drop the gauges of a worker process that ended."""
    if MULTIPROCESS_DIRECTORY in os.environ:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _registry() -> CollectorRegistry:
    if MULTIPROCESS_DIRECTORY not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
