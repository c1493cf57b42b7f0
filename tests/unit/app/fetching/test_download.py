"""A pinned file over HTTP, from a server that breaks off."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.fetching.download import download
from app.fetching.errors import UnreachableError, WrongBytesError
from app.fetching.pins import PinnedFile

CONTENT = bytes(range(256)) * 800  # 200 kB.


class Server:
    """Serves `content`, with ranges if it has any, and breaks off the first answers after some bytes."""

    def __init__(self):
        self.content, self.ranges, self.breaks_after, self.asked = CONTENT, True, [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers.get("Range", "")
                outer.asked.append(asked)
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and outer.ranges else 0
                body = outer.content[start:]
                self.send_response(206 if outer.ranges else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                cut = outer.breaks_after.pop(0) if outer.breaks_after else len(body)
                self.wfile.write(body[:cut])
                if cut < len(body):
                    self.wfile.flush()
                    self.connection.shutdown(2)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/weights"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    running = Server()
    yield running
    running.close()


def pinned(server, content=CONTENT):
    return PinnedFile("weights", hashlib.sha256(content).hexdigest(), len(content), url=server.url)


def nothing(_there, _wanted):
    pass


class TestDownload:
    def test_it_brings_the_bytes_and_says_how_far_it_is(self, server, tmp_path):
        told = []

        found = download(pinned(server), tmp_path, lambda there, wanted: told.append((there, wanted)))

        assert found == CONTENT
        assert told[-1] == (len(CONTENT), len(CONTENT))
        assert list(tmp_path.iterdir()) == []

    def test_it_goes_on_where_a_connection_broke(self, server, tmp_path):
        server.breaks_after = [100_000]

        assert download(pinned(server), tmp_path, nothing) == CONTENT
        assert server.asked[0] == "bytes=0-"
        assert int(server.asked[1].removeprefix("bytes=").rstrip("-")) > 0

    def test_what_arrived_is_kept_for_the_next_call(self, server, tmp_path):
        server.breaks_after = [50_000] * 4
        with pytest.raises(UnreachableError):
            download(pinned(server), tmp_path, nothing)

        server.breaks_after, server.asked = [], []
        assert download(pinned(server), tmp_path, nothing) == CONTENT
        assert len(server.asked) == 1
        assert server.asked[0] != "bytes=0-"

    def test_a_server_without_ranges_starts_anew(self, server, tmp_path):
        server.ranges, server.breaks_after = False, [100_000]

        assert download(pinned(server), tmp_path, nothing) == CONTENT

    def test_other_bytes_are_refused_and_not_kept(self, server, tmp_path):
        file = pinned(server)
        server.content = CONTENT[::-1]

        with pytest.raises(WrongBytesError, match="is not the pinned file: expected SHA-256"):
            download(file, tmp_path, nothing)
        assert list(tmp_path.iterdir()) == []

    def test_more_bytes_than_pinned_end_the_download(self, server, tmp_path):
        file = pinned(server)
        server.content = CONTENT * 3

        with pytest.raises(WrongBytesError, match="more than the 204800 bytes"):
            download(file, tmp_path, nothing)

    def test_nobody_there_is_one_line(self, server, tmp_path):
        file = pinned(server)
        server.close()

        with pytest.raises(UnreachableError) as caught:
            download(file, tmp_path, nothing)
        assert "\n" not in caught.value.detail
        assert "cannot be reached" in caught.value.detail
