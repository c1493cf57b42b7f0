"""Paths of the benchmarks."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MODELS = PROJECT / "models"
CACHE = PROJECT / "var" / "bench-cache"
