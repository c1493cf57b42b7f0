"""`/docs`: Swagger UI from here, under a policy that lets nothing else in."""

import re
from hashlib import sha256

import pytest

from app.api.errors import PROBLEMS

# Of npm's swagger-ui-dist 5.34.0, which fastapi-swagger 0.4.64 carries.
SWAGGER_UI_SHA256 = "3f6abf70480db7e07914df4c98a77385f22ea585eaf457a3e6415ba0eae2d167"


@pytest.fixture
def docs(shared_api):
    return shared_api.get("/docs", key=None)


class TestDocs:
    def test_allows_nothing_inline_and_nothing_from_elsewhere(self, docs):
        policy = dict(part.split(" ", 1) for part in docs.headers["content-security-policy"].split("; "))

        assert docs.status_code == 200
        assert policy["default-src"] == "'none'"
        assert {policy[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
        assert re.findall(r"<style|style=|<script>|\son\w+=", docs.text) == []
        assert [
            link for link in re.findall(r'(?:src|href)="([^"]*)"', docs.text) if link[0] not in "#/"
        ] == []

    def test_serves_what_it_loads_to_be_kept(self, shared_api, docs):
        paths = re.findall(r'(?:src|href)="(/docs/[^"]*)"', docs.text)

        answers = [shared_api.get(path, key=None) for path in paths]

        assert len(paths) == 5
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.headers["cache-control"] for answer in answers} == {
            "public, max-age=31536000, immutable"
        }
        assert {answer.headers["content-type"].partition(";")[0] for answer in answers} == {
            "text/javascript",
            "text/css",
            "image/png",
        }

    def test_runs_swagger_ui_as_its_makers_published_it(self, shared_api, docs):
        (path,) = re.findall(r'src="(/docs/[^"]*bundle.js)"', docs.text)

        assert sha256(shared_api.get(path, key=None).content).hexdigest() == SWAGGER_UI_SHA256

    @pytest.mark.parametrize("name", ["other.js", "..%2Fdocs_page.py", "__init__.py"])
    def test_serves_no_other_file(self, shared_api, docs, name):
        (folder,) = set(re.findall(r'src="(/docs/[^/"]*)/', docs.text))

        assert shared_api.get(f"{folder}/{name}", key=None).status_code == 404
        assert shared_api.get("/docs/0000000000000000/page.js", key=None).status_code == 404

    def test_leads_to_every_operation_and_explains_every_code(self, shared_api, docs):
        for item in shared_api.openapi["paths"].values():
            for operation in item.values():
                assert f'href="#/{operation["tags"][0]}/{operation["operationId"]}"' in docs.text
        for code in PROBLEMS:
            assert f'id="{code}"' in docs.text
