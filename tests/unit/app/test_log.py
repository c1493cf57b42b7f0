"""Logs: what libraries say while they load is no event of ours."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.log import configure_logging


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    loaders = [logging.getLogger(name) for name in ("alembic.runtime.plugins", "faiss.loader")]
    levels = [logger.level for logger in loaders]
    yield io.StringIO()
    root.handlers = handlers
    root.setLevel(level)
    for logger, before in zip(loaders, levels, strict=True):
        logger.setLevel(before)
    structlog.reset_defaults()


class TestConfigureLogging:
    def test_libraries_do_not_announce_the_parts_they_load(self, stream: io.StringIO) -> None:
        configure_logging("info", "json", stream)

        logging.getLogger("alembic.runtime.plugins").info("setup plugin")
        logging.getLogger("faiss.loader").info("Loading faiss.")

        assert stream.getvalue() == ""

    def test_an_event_is_one_line_of_json(self, stream: io.StringIO) -> None:
        configure_logging("info", "json", stream)

        structlog.get_logger("pulseprint").info("verification.decided", decision="match")

        (line,) = stream.getvalue().splitlines()
        assert json.loads(line)["event"] == "verification.decided"
        assert json.loads(line)["decision"] == "match"
