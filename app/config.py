"""Typed settings, read from PULSEPRINT_* variables and `.env`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.errors import ConfigurationError

MIB = 1024 * 1024
ACTIVITY = "activity"  # What PULSEPRINT_ENCODERS calls the bundle that tells activities.

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")


class Settings(BaseSettings):
    """Everything an operator may set; see docs/operations.md."""

    model_config = SettingsConfigDict(
        env_prefix="PULSEPRINT_", env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    database_url: str = "sqlite:///var/pulseprint.db"
    database_password_file: Path | None = None
    index: Literal["faiss", "exact"] = "faiss"
    master_keys: str = Field(default="", repr=False)
    master_keys_file: Path | None = None
    models_dir: Path = Path("models")
    encoders: str = ""
    allow_retired: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    encoder_threads: int = Field(default=0, ge=0, le=256)
    # Of one request: what any call takes, and the two that carry long recordings.
    max_body_bytes: int = Field(default=4 * MIB, ge=1024)
    max_enroll_body_bytes: int = Field(default=8 * MIB, ge=1024)
    max_activity_body_bytes: int = Field(default=8 * MIB, ge=1024)
    # Of each worker: the bodies of all requests together, and connections.
    max_bytes_in_flight: int = Field(default=64 * MIB, ge=16 * MIB)
    max_connections: int = Field(default=512, ge=16, le=65_536)
    client_timeout_s: float = Field(default=10.0, ge=0.5, le=600.0)
    # Of a body with a valid key: at most, on average after the first seconds, and how many may be that slow.
    body_timeout_s: float = Field(default=300.0, ge=1.0, le=3600.0)
    min_body_bytes_per_s: int = Field(default=500, ge=1, le=1_000_000)
    max_slow_bodies: int = Field(default=32, ge=0, le=65_536)
    cors_origins: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "text"] = "json"

    @property
    def executor_threads(self) -> int:
        """Threads of the bounded executor; by default the cores shared among the workers."""
        return self.encoder_threads or max(1, _cores() // self.workers)

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, text: str) -> str:
        if not all(origin == "*" or _ORIGIN.fullmatch(origin) for origin in _words(text)):
            raise ValueError("expected *, or https://host[:port] without a path, separated by commas")
        return text

    @property
    def allowed_origins(self) -> list[str]:
        """Of pages that browsers let call this service; none by default."""
        return _words(self.cors_origins)

    @property
    def chosen_encoders(self) -> dict[str, str]:
        """`ecg=ecg@2026.11,face=…` as modality → encoder id."""
        return {modality: bundle for modality, bundle in self._chosen.items() if modality != ACTIVITY}

    @property
    def chosen_recognizer(self) -> str | None:
        """`activity=activity@2026.11.3` among them: the bundle that tells activities."""
        return self._chosen.get(ACTIVITY)

    @property
    def _chosen(self) -> dict[str, str]:
        chosen = dict(part.partition("=")[::2] for part in _words(self.encoders))
        wrong = [modality for modality, encoder in chosen.items() if "@" not in encoder]
        if wrong:
            raise ConfigurationError(
                f"PULSEPRINT_ENCODERS: expected modality=id@version, got {', '.join(wrong)!r}."
            )
        return chosen

    def master_key_text(self) -> str:
        """The configured master keys, from the variable or its file."""
        if self.master_keys_file is None:
            return self.master_keys
        if self.master_keys:
            raise ConfigurationError("Set PULSEPRINT_MASTER_KEYS or PULSEPRINT_MASTER_KEYS_FILE, not both.")
        return _read_secret(self.master_keys_file, "PULSEPRINT_MASTER_KEYS_FILE")

    def database_password(self) -> str | None:
        """The database password kept apart from the URL, if there is one."""
        if self.database_password_file is None:
            return None
        return _read_secret(self.database_password_file, "PULSEPRINT_DATABASE_PASSWORD_FILE")


def load_settings() -> Settings:
    """Settings of this process.

    Raises:
        ConfigurationError: One line naming the variable at fault, never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"PULSEPRINT_{name}: {first['msg']}.") from None


def _words(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _cores() -> int:
    """Those this process may run on: a container or taskset may leave it fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # Not on macOS and Windows.
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _read_secret(path: Path, variable: str) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(f"{variable}: cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{variable}: cannot read {path}: it holds no text.") from None
