"""Time and ids, which services are given so that tests are exact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

Clock = Callable[[], datetime]
NewId = Callable[[], UUID]
