"""What a request may cost before anyone looks into it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Of one body.

    Attributes:
        body_timeout_s: How long a body may take at most.
        body_pause_s: How long nothing may come; also how long it may take whatever its speed.
        min_body_bytes_per_s: What it must bring on average after that.
    """

    max_body_bytes: int = 4 * 1024 * 1024
    max_enroll_body_bytes: int = 8 * 1024 * 1024
    max_activity_body_bytes: int = 8 * 1024 * 1024
    body_timeout_s: float = 300.0
    body_pause_s: float = 10.0
    min_body_bytes_per_s: int = 500
