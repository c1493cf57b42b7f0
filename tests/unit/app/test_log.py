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

    def test_text_is_for_people(self, stream: io.StringIO) -> None:
        configure_logging("info", "text", stream)

        structlog.get_logger("pulseprint").info("app.started", port=8000)

        assert "app.started" in stream.getvalue()
        assert "port=8000" in stream.getvalue()

    def test_the_level_is_kept(self, stream: io.StringIO) -> None:
        configure_logging("warning", "json", stream)

        structlog.get_logger("pulseprint").info("quiet")
        logging.getLogger("library").info("quiet")
        structlog.get_logger("pulseprint").warning("loud")

        assert len(stream.getvalue().splitlines()) == 1


class TestExceptions:
    """Messages of exceptions may quote the input, so that only type and place are logged."""

    @pytest.mark.parametrize("log_format", ["json", "text"])
    def test_of_libraries_are_logged_without_their_message(
        self, stream: io.StringIO, log_format: str
    ) -> None:
        configure_logging("info", log_format, stream)

        try:
            raise ValueError("zq7marker")
        except ValueError:
            logging.getLogger("library").exception("it failed")

        assert "zq7marker" not in stream.getvalue()
        assert "ValueError" in stream.getvalue()
        assert "test_log.py" in stream.getvalue()

    @pytest.mark.parametrize("log_format", ["json", "text"])
    def test_of_ours_too(self, stream: io.StringIO, log_format: str) -> None:
        configure_logging("info", log_format, stream)

        try:
            raise ValueError("zq7marker")
        except ValueError:
            structlog.get_logger("pulseprint").exception("it.failed")

        assert "zq7marker" not in stream.getvalue()
        assert "ValueError" in stream.getvalue()
