"""Pages of other origins: shut out by default, let in by PULSEPRINT_CORS_ORIGINS."""

import httpx
import pytest

from app.config import Settings, load_settings
from app.domain.errors import ConfigurationError
from app.main import create_app

KIOSK, OTHER = "https://kiosk.example", "https://other.example"
PREFLIGHT = {
    "Origin": KIOSK,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type, content-encoding, idempotency-key",
}


def ask(api, origins, method, path, headers):
    app = create_app(Settings(_env_file=None, cors_origins=origins), api.services)

    async def answer():
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pulseprint") as client,
        ):
            return await client.request(method, path, headers=headers)

    return api.run(answer())


class TestByDefault:
    def test_no_page_is_let_in(self, sqlite_api):
        preflight = sqlite_api.call("OPTIONS", "/verify", headers=PREFLIGHT, key=None)
        answer = sqlite_api.get("/healthz", headers={"Origin": KIOSK})

        for headers in (preflight.headers, answer.headers):
            assert not [name for name in headers if name.startswith("access-control")]


class TestByASetting:
    @pytest.mark.parametrize("origins", [KIOSK, f"http://localhost:3000, {KIOSK}", "*"])
    def test_a_page_is_let_in(self, sqlite_api, origins):
        preflight = ask(sqlite_api, origins, "OPTIONS", "/verify", PREFLIGHT)
        refused = ask(sqlite_api, origins, "POST", "/verify", {"Origin": KIOSK})

        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] in (KIOSK, "*")
        assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in preflight.headers
        assert preflight.headers["x-request-id"]
        assert refused.status_code == 401  # Which the page may read.
        assert refused.headers["access-control-allow-origin"] in (KIOSK, "*")
        assert "Retry-After" in refused.headers["access-control-expose-headers"]

    def test_a_page_of_another_origin_is_not(self, sqlite_api):
        preflight = ask(sqlite_api, KIOSK, "OPTIONS", "/verify", PREFLIGHT | {"Origin": OTHER})

        assert preflight.status_code == 400
        assert "access-control-allow-origin" not in preflight.headers

    @pytest.mark.parametrize(
        "origins", ["kiosk.example", "https://kiosk.example/", "null", "ftp://x", f"{KIOSK} {OTHER}"]
    )
    def test_what_is_no_origin_is_refused_at_the_start(self, origins, monkeypatch):
        monkeypatch.setenv("PULSEPRINT_CORS_ORIGINS", origins)

        with pytest.raises(ConfigurationError, match=r"PULSEPRINT_CORS_ORIGINS: .*https://host"):
            load_settings()
