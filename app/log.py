"""Structured logging: events with a request id, as JSON lines or as text, on standard error.

Recordings, templates and keys are never given to it; exceptions are logged as type and place, without
their message, because a message may quote the input.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

REQUEST_ID = "transaction_id"


def configure_logging(
    level: str = "info", log_format: Literal["json", "text"] = "json", stream: TextIO | None = None
) -> None:
    """Send structlog's events and the standard library's records to one stream in one form.

    Events go there directly: a line per request through the standard library's handlers, with the caches
    full of something else, was a quarter of what the event loop did.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        log_format: One JSON object per line, or text for people.
        stream: Where to; default standard error.
    """
    stamp: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _place_instead_of_message,
    ]
    renderers = _renderers(log_format)
    stream = stream or sys.stderr
    # cache_logger_on_first_use stays off: tests reconfigure.
    structlog.configure(
        processors=[*stamp, *renderers],
        logger_factory=structlog.WriteLoggerFactory(stream),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamp,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], name != "uvicorn.access"
    for name in ("alembic.runtime.plugins", "faiss.loader"):
        logging.getLogger(name).setLevel(logging.WARNING)  # At info they list the parts they loaded.
    # The access log is our own event, which names the route instead of the path.
    logging.getLogger("uvicorn.access").disabled = True


def place_of(error: BaseException) -> dict[str, object]:
    """What may be logged of an exception: its type, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "at": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-6:]],
    }


def _renderers(log_format: Literal["json", "text"]) -> list[Processor]:
    if log_format == "json":
        return [_first_things_first, structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(colors=False)]


def _first_things_first(_: object, __: str, event: EventDict) -> EventDict:
    """Lines are read by people too: when, how bad, what, and then the rest."""
    first = {name: event.pop(name) for name in ("timestamp", "level", "event", REQUEST_ID) if name in event}
    return {**first, **event}


def _place_instead_of_message(_: object, __: str, event: EventDict) -> EventDict:
    """Replace an attached exception, ours or another library's, by its type and place."""
    record = event.get("_record")
    attached = event.pop("exc_info", None)
    if isinstance(record, logging.LogRecord) and record.exc_info:
        attached, record.exc_info, record.exc_text = record.exc_info, None, None
    error = sys.exc_info()[1] if attached is True else attached
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event.update(place_of(error))
    return event
