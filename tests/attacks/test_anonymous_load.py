"""Whoever has no API key can neither fill the service's memory nor keep others out of it.

Real sockets before a real server process; every attack is bounded in bytes and time, and on the loopback.
"""

import asyncio
import contextlib
import os
import resource
import time
from pathlib import Path

import pytest

from app.adapters.connections import MAX_DISCARDED_BYTES
from tests.api.application import MASTER_KEY
from tests.attacks.odd_bodies import MIB
from tests.integration.server import ServerProcess, cli, environment

LONG = os.environ.get("PULSEPRINT_ATTACKS") == "long"
CLIENT_TIMEOUT_S = 2.0  # Ten seconds by default: the tests would take as long.
HALF_OPEN = 1_100
KEYLESS, KEYLESS_BODY = 150, (8 if LONG else 2) * MIB
UNKNOWN_KEY = f"pp_{'0' * 16}_{'A' * 43}"

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="peaks are read from Linux"
)


class Attacked:
    """A server under attack, and what the attack costs it."""

    def __init__(self, server, key):
        self.port = server.port
        self.key = key
        self._proc = Path(f"/proc/{server.pid}")

    @contextlib.contextmanager
    def costs_at_most(self, *, mib, cpu_s=None):
        """The resident memory of the (only) process, at its highest, and the processor time."""
        (self._proc / "clear_refs").write_text("5")
        before_mib, before_s = self._status_mib("VmRSS"), self._cpu_s()
        yield
        took_mib, took_s = self._status_mib("VmHWM") - before_mib, self._cpu_s() - before_s
        assert took_mib < mib
        assert cpu_s is None or took_s < cpu_s

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def get(self, path):
        """Seconds that another client's request takes, connection included."""
        started_s = time.perf_counter()
        reader, writer = await self.connect()
        writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path)
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200")
        return time.perf_counter() - started_s

    async def slowest_healthz_s(self, seconds=1.0):
        """Of as many as fit in this time."""
        end_s, slowest = time.perf_counter() + seconds, 0.0
        while time.perf_counter() < end_s:
            slowest = max(slowest, await self.get(b"/healthz"))
            await asyncio.sleep(0.02)
        return slowest

    def _status_mib(self, field):
        lines = (self._proc / "status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))

    def _cpu_s(self):
        ticks = (self._proc / "stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def attacked(sqlite_template, tmp_path_factory):
    with serving(sqlite_template, tmp_path_factory.mktemp("attacked")) as attacked:
        yield attacked


@contextlib.contextmanager
def serving(template, folder, **settings):
    path = folder / "pulseprint.db"
    path.write_bytes(template.read_bytes())
    settings = {"client_timeout_s": str(CLIENT_TIMEOUT_S), **settings}
    env = environment(folder, f"sqlite:///{path}", MASTER_KEY, **settings)
    key = cli(
        folder, env, "keys", "create", "--name", "k", "--scopes", "verify", "--galleries", "*"
    ).stdout.strip()
    with ServerProcess(folder, env, key) as server:
        yield Attacked(server, key)


@pytest.fixture(scope="module", autouse=True)
def room_for_sockets():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * HALF_OPEN
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this machine allows no {wanted} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def post(key, *headers, path=b"/verify"):
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: x", b"Content-Type: application/json", *headers]
    return b"\r\n".join([*lines, b"Authorization: Bearer " + key.encode(), b"", b""])


async def pour(writer, unit, n_bytes):
    """Send the same again and again; how much was taken before the server closed."""
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < n_bytes and not writer.is_closing():
            writer.write(unit)
            await writer.drain()
            sent += len(unit)
            await asyncio.sleep(0)
    return sent


async def is_closed(reader, within_s=0.0):
    """Whether the server ends the connection; what it says before does not matter."""
    try:
        async with asyncio.timeout(within_s + 0.01):
            while await reader.read(65_536):
                pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


CHUNKED = post(UNKNOWN_KEY, b"Transfer-Encoding: chunked")
ENDLESS = {
    "a path": (b"GET /", b"a" * 65_536),
    "a query": (b"GET /subjects?", b"a=b&" * 16_384),
    "a header": (b"GET / HTTP/1.1\r\nx: ", b"a" * 65_536),
    "the name of a header": (b"GET / HTTP/1.1\r\n", b"a" * 65_536),
    "headers": (b"GET / HTTP/1.1\r\n", b"a:b\r\n" * 13_107),
    "lines before a request": (b"", b"\r\n" * 32_768),
    "pipelined requests": (b"", b"GET /models HTTP/1.1\r\n\r\n" * 2_730),
    "an upgrade": (b"GET /healthz HTTP/1.1\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", b"a" * 65_536),
    "a tunnel": (b"CONNECT x:1 HTTP/1.1\r\n\r\n", b"a" * 65_536),
    "a chunk's size": (CHUNKED, b"0" * 65_536),
    "a chunk's extension": (CHUNKED + b"1;", b"a" * 65_536),
    "a trailer": (CHUNKED + b"0\r\nx: ", b"a" * 65_536),
    "trailers": (CHUNKED + b"0\r\n", b"a:b\r\n" * 13_107),
}
ENDLESS_BODIES = {
    "refused": (CHUNKED, b"10000\r\n" + b"a" * 65_536 + b"\r\n"),
    "in small chunks": (CHUNKED, b"1\r\na\r\n" * 10_000),
    "for a call without one": (
        b"GET /healthz HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"a" * 65_536,
    ),
}
SOCKET_BUFFERS = 12 * MIB  # What kernels hold of a connection on the loopback.


class TestWithoutEnd:
    @pytest.mark.parametrize(("start", "unit"), ENDLESS.values(), ids=ENDLESS)
    def test_a_head_is_cut_off_at_little_cost(self, attacked, start, unit):
        with attacked.costs_at_most(mib=16, cpu_s=0.5):
            sent, healthz_s = asyncio.run(self._pour_in(attacked, start, unit))

        assert sent < SOCKET_BUFFERS
        assert healthz_s < 1.0

    @pytest.mark.parametrize(("start", "unit"), ENDLESS_BODIES.values(), ids=ENDLESS_BODIES)
    def test_a_body_is_cut_off_after_the_largest_that_may_come(self, attacked, start, unit):
        with attacked.costs_at_most(mib=16, cpu_s=3.0):
            sent, healthz_s = asyncio.run(self._pour_in(attacked, start, unit))

        assert sent < MAX_DISCARDED_BYTES + SOCKET_BUFFERS
        assert healthz_s < 1.0

    async def _pour_in(self, attacked, start, unit):
        _, writer = await attacked.connect()
        writer.write(start)
        sent = await pour(writer, unit, 128 * MIB)
        writer.close()
        return sent, await attacked.get(b"/healthz")


class TestBodiesWithoutKey:
    @pytest.mark.parametrize("framing", [b"Content-Length: %d" % KEYLESS_BODY, b"Transfer-Encoding: chunked"])
    def test_take_no_memory(self, attacked, framing):
        chunk = b"a" * 65_536
        unit = b"10000\r\n" + chunk + b"\r\n" if b"chunked" in framing else chunk

        async def client():
            reader, writer = await attacked.connect()
            writer.write(post(UNKNOWN_KEY, framing))
            await pour(writer, unit, KEYLESS_BODY - 65_536)
            status = (await reader.readline()).split()[1]
            return status, writer  # Held open, the last part not sent.

        async def attack():
            clients = asyncio.gather(*(client() for _ in range(KEYLESS)))
            slowest_s = await attacked.slowest_healthz_s()
            answers = await clients
            for _, writer in answers:
                writer.close()
            return slowest_s, {status for status, _ in answers}

        with attacked.costs_at_most(mib=64):
            slowest_s, statuses = asyncio.run(attack())

        assert statuses <= {b"401", b"503"}
        assert slowest_s < 1.0

    def test_bodies_of_those_who_have_a_key_are_bounded_all_together(self, attacked):
        """30 bodies of 4 MiB that do not end: 120 MiB, where 64 may be in flight."""
        head = post(attacked.key, b"Content-Length: %d" % (4 * MIB))

        async def client():
            reader, writer = await attacked.connect()
            writer.write(head)
            await pour(writer, b"a" * 65_536, 4 * MIB - 65_536)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    return (await reader.readline()).split()[1], writer
            return b"reading", writer

        async def attack():
            answers = await asyncio.gather(*(client() for _ in range(30)))
            healthz_s = await attacked.get(b"/healthz")
            for _, writer in answers:
                writer.close()
            return [status for status, _ in answers], healthz_s

        with attacked.costs_at_most(mib=128):
            statuses, healthz_s = asyncio.run(attack())

        assert set(statuses) == {b"reading", b"503"}
        assert 12 <= statuses.count(b"reading") <= 17
        assert healthz_s < 1.0


class TestHalfOpen:
    def test_connections_keep_nobody_out_and_end(self, attacked):
        with attacked.costs_at_most(mib=32):
            self._attack(attacked)

    @pytest.mark.long_form
    def test_nor_do_they_before_two_workers(self, sqlite_template, tmp_path):
        with serving(sqlite_template, tmp_path, workers="2") as attacked:
            self._attack(attacked)

    def _attack(self, attacked):
        slowest_s, still_open = asyncio.run(self._open_half(attacked))

        assert slowest_s < 1.0
        assert still_open == 0

    async def _open_half(self, attacked):
        others = asyncio.create_task(attacked.slowest_healthz_s(2.0))
        starts = (b"", b"GET / HTTP/1.1\r\nHost", post(UNKNOWN_KEY, b"Content-Length: 9"))
        connections = []
        for number in range(HALF_OPEN):
            connections.append(await attacked.connect())
            connections[-1][1].write(starts[number % 3])
        end_s = time.perf_counter() + CLIENT_TIMEOUT_S
        while time.perf_counter() < end_s:  # A byte now and then is no reason to wait longer.
            for _, writer in connections[1::3]:
                writer.write(b"x")
            await asyncio.sleep(0.2)
        ended = await asyncio.gather(*(is_closed(reader, 1.0) for reader, _ in connections))
        for _, writer in connections:
            writer.close()
        return await others, ended.count(False)
