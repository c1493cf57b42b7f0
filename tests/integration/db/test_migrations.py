"""Migrations keep what is there (DESIGN §6, Alembic)."""

import ast
import io
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, create_engine, inspect, text

from app.adapters.crypto import EnvelopeVault
from app.adapters.db.binding_key import open_binding
from app.adapters.db.engine import open_engine
from app.adapters.db.key_check import ensure_key_check
from app.adapters.db.migrating import ADVISORY_LOCK, MIGRATIONS, downgrade, migrate
from app.adapters.db.schema import check_schema
from app.adapters.db.tables import SCHEMA_REVISION, metadata
from app.adapters.db.unit_of_work import SqlStore
from app.domain.policies import DistancePolicy, DistanceRule, Metric
from app.domain.ports.answers import StoredAnswer
from app.domain.references import Modality
from app.domain.subjects import ApiClient, Consent, Scope
from tests.stored import NOW, a_gallery, a_reference, a_subject, a_transform, later, master_key

ROOT = Path(__file__).parents[3]
SCRIPTS = ScriptDirectory(str(MIGRATIONS))

# Copies `galleries` and `subjects` row by row, as batch mode does for most changes on SQLite.
THROW_AWAY = """
import sqlalchemy as sa
from alembic import op

revision = "29991231_2359"
down_revision = "{head}"
branch_labels = None
depends_on = None


def recreate():
    return "always" if op.get_bind().dialect.name == "sqlite" else "never"


def upgrade():
    for table in ("galleries", "subjects"):
        with op.batch_alter_table(table, recreate=recreate()) as batch:
            batch.add_column(sa.Column("note", sa.String(16)))


def downgrade():
    for table in ("galleries", "subjects"):
        with op.batch_alter_table(table, recreate=recreate()) as batch:
            batch.drop_column("note")
"""
CONCURRENT_INDEX = """
from alembic import op

revision = "29991231_2359"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("ix_subjects_note", "subjects", ["subject_id"], postgresql_concurrently=True)


def downgrade():
    op.drop_index("ix_subjects_note", "subjects")
"""
HALF_WAY = """
from alembic import op

revision = "29991231_2359"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade():
    op.drop_table("idempotency_keys")
    raise RuntimeError("in the middle of it")


def downgrade():
    pass
"""
ORPHANING = """
from alembic import op

revision = "29991231_2359"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("DELETE FROM galleries")


def downgrade():
    pass
"""


@pytest.fixture
def migrations_with(tmp_path):
    """A copy of the migrations with one more at the end."""

    def add(source: str) -> Path:
        folder = tmp_path / "migrations"
        shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        text = source.format(head=SCHEMA_REVISION)
        (folder / "versions" / "2999-12-31-2359_throw_away.py").write_text(text)
        return folder

    return add


def fill(engine: Engine) -> None:
    """At least one row in every table, children of every parent included."""
    ensure_key_check(engine, EnvelopeVault([master_key()]))
    gallery = a_gallery(policy=DistancePolicy({Modality.ECG: DistanceRule(Metric.COSINE, 0.25)}))
    subject = a_subject(gallery, consent=Consent("text-1", later(-5)))
    client = ApiClient("id", "name", b"\1" * 32, frozenset(Scope), frozenset("*"), NOW, later(1), later(2))
    answer = StoredAnswer("id", "POST", "/enroll", "key", b"\2" * 32, 201, b"{}", subject.uuid, NOW)
    open_binding(engine, EnvelopeVault([master_key()]))
    with SqlStore(engine).writing() as uow:
        uow.galleries.add(gallery)
        uow.transforms.add(a_transform(gallery))
        uow.changes.record(gallery.uuid, [subject.uuid])
        uow.subjects.add_all([subject, a_subject(gallery, 101)])
        uow.references.add_all([a_reference(subject, number, captured_at=NOW) for number in (1, 2, 3)])
        uow.answers.add(answer)
        uow.clients.add(client)


def rows(engine: Engine) -> dict[str, list[str]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in metadata.sorted_tables
        }


@pytest.fixture
def filled(engine):
    fill(engine)
    assert all(rows(engine).values()), "a table without rows proves nothing"
    return engine


class TestUpDownUp:
    def test_the_first_release_goes_and_comes_back_whole(self, filled, database_url):
        before = rows(filled)

        downgrade(database_url, "base")
        left = set(inspect(filled).get_table_names())
        migrate(database_url)
        fill(filled)

        assert left == {"alembic_version"}
        assert without_secrets(rows(filled)) == without_secrets(before)
        check_schema(filled)

    def test_a_filled_database_keeps_every_row_each_way(self, filled, database_url, migrations_with):
        migrations = migrations_with(THROW_AWAY)
        before = rows(filled)

        migrate(database_url, migrations=migrations)
        columns = {column["name"] for column in inspect(filled).get_columns("subjects")}
        after_up = rows(filled)
        downgrade(database_url, SCHEMA_REVISION, migrations=migrations)
        after_down = rows(filled)
        migrate(database_url, migrations=migrations)

        assert "note" in columns
        assert after_up == before
        assert after_down == before
        assert rows(filled) == before

    def test_a_default_resolution_is_all_that_the_release_before_loses(self, filled, database_url):
        with filled.begin() as connection:
            connection.execute(text("UPDATE galleries SET fingerprint_dpi = 569"))
        before = without_secrets(rows(filled))

        downgrade(database_url, "20261120_1020")
        columns = {column["name"] for column in inspect(filled).get_columns("galleries")}
        migrate(database_url)

        assert "fingerprint_dpi" not in columns
        after = without_secrets(rows(filled))
        assert {name for name, found in after.items() if found != before[name]} == {"galleries"}
        with filled.begin() as connection:
            connection.execute(text("UPDATE galleries SET fingerprint_dpi = 569"))
        assert without_secrets(rows(filled)) == before

    def test_migrating_twice_changes_nothing(self, filled, database_url):
        before = rows(filled)

        migrate(database_url)

        assert rows(filled) == before


def without_secrets(tables: dict[str, list[str]]) -> dict[str, list[str]]:
    """The key-check value and the key of the rows are drawn anew."""
    others = ("key_check", "row_binding", "reference_changes")
    return {name: found for name, found in tables.items() if name not in others}


class TestBatchModeOnSqlite:
    def test_foreign_keys_left_on_empty_the_child_tables_silently(self, sqlite_url, migrations_with):
        """What was measured, and why the migration switches them off before BEGIN."""
        engine = open_engine(sqlite_url)
        fill(engine)
        plain = create_engine(sqlite_url)

        with plain.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            with Operations(MigrationContext.configure(connection)).batch_alter_table(
                "subjects", recreate="always"
            ) as batch:
                batch.add_column(Column("note", String(16)))
            connection.commit()
        plain.dispose()

        found = rows(engine)
        engine.dispose()
        assert len(found["subjects"]) == 2
        assert found["biometric_references"] == []

    def test_a_migration_that_orphans_rows_is_refused_and_changes_nothing(self, sqlite_url, migrations_with):
        engine = open_engine(sqlite_url)
        fill(engine)
        before = rows(engine)

        with pytest.raises(Exception, match="orphan"):
            migrate(sqlite_url, migrations=migrations_with(ORPHANING))

        assert rows(engine) == before
        check_schema(engine)
        engine.dispose()

    def test_foreign_keys_are_on_again_afterwards(self, sqlite_url):
        migrate(sqlite_url)

        engine = open_engine(sqlite_url)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        engine.dispose()


class TestConcurrentCalls:
    def test_three_processes_migrate_one_database_safely(self, empty_database_url):
        code = "import sys; from app.adapters.db.migrating import migrate; migrate(sys.argv[1])"
        command = [sys.executable, "-W", "error", "-c", code, empty_database_url]

        processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        outcomes = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]

        assert outcomes == [("", 0)] * 3
        engine = open_engine(empty_database_url)
        check_schema(engine)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
        engine.dispose()

    def test_who_waits_for_the_lock_does_not_hold_up_an_index_built_concurrently(self, postgres_url):
        """Such a build waits for every older snapshot; a session waiting inside a statement has one."""
        waiter = Thread(target=migrate, args=(postgres_url,))
        asking = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND query LIKE '%advisory_lock%'"
        )
        pause = Event()

        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(f"SELECT pg_advisory_lock({ADVISORY_LOCK})")
            waiter.start()
            while waiter.is_alive() and not other.execute(asking).fetchone()[0]:
                pause.wait(0.01)
            waited = waiter.is_alive()
            other.execute("SET statement_timeout = '5s'")
            other.execute("CREATE INDEX CONCURRENTLY ix_subjects_note ON subjects (subject_id)")
        waiter.join(20.0)

        assert waited
        assert not waiter.is_alive()


class TestConcurrentIndexes:
    def test_a_migration_may_leave_its_transaction_for_one(self, postgres_url, migrations_with):
        migrate(postgres_url, migrations=migrations_with(CONCURRENT_INDEX))

        engine = open_engine(postgres_url)
        assert "ix_subjects_note" in {index["name"] for index in inspect(engine).get_indexes("subjects")}
        engine.dispose()


class TestFailedMigration:
    def test_it_leaves_the_database_as_it_was_and_frees_it(self, filled, database_url, migrations_with):
        before = rows(filled)

        with pytest.raises(RuntimeError, match="in the middle"):
            migrate(database_url, migrations=migrations_with(HALF_WAY))

        assert rows(filled) == before
        check_schema(filled)
        migrate(database_url)


class TestMigratedSchema:
    def differences(self, connection: Connection, wanted: MetaData) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), wanted)

    def test_it_is_the_one_of_the_rows(self, engine):
        with engine.connect() as connection:
            assert self.differences(connection, metadata) == []

    def test_a_difference_would_be_seen(self, engine):
        other = MetaData()
        for table in metadata.tables.values():
            table.to_metadata(other)
        other.tables["subjects"].append_column(Column("forgotten", Integer))
        other.tables["galleries"].c.name.type = Integer()

        with engine.connect() as connection:
            found = self.differences(connection, other)

        assert len(found) == 2

    def test_constraints_carry_the_names_of_the_rows(self, engine):
        inspector = inspect(engine)

        found = {
            name: {inspector.get_pk_constraint(name)["name"]}
            | {constraint["name"] for constraint in inspector.get_foreign_keys(name)}
            | {constraint["name"] for constraint in inspector.get_unique_constraints(name)}
            | {constraint["name"] for constraint in inspector.get_check_constraints(name)}
            for name in metadata.tables
        }

        assert found == {
            name: {str(constraint.name) for constraint in table.constraints}
            for name, table in metadata.tables.items()
        }

    def test_the_code_names_the_newest_revision(self):
        assert SCRIPTS.get_current_head() == SCHEMA_REVISION


class TestVersionFiles:
    @pytest.fixture(params=sorted((MIGRATIONS / "versions").glob("*.py")), ids=lambda path: path.stem)
    def version_file(self, request) -> Path:
        return request.param

    def test_they_import_nothing_from_app(self, version_file):
        imported = [
            name
            for node in ast.walk(ast.parse(version_file.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            )
        ]

        assert [name for name in imported if name.split(".")[0] in ("app", "ml")] == []

    def test_their_names_and_revisions_begin_with_one_date(self, version_file):
        day, slug = version_file.stem.split("_", 1)

        assert f'revision = "{day[:10].replace("-", "")}_{day[11:]}"' in version_file.read_text()
        assert slug

    def test_they_say_why(self, version_file):
        docstring = ast.get_docstring(ast.parse(version_file.read_text()))

        assert docstring is not None
        assert "Reason:" in docstring

    def test_revisions_in_their_order_ascend_as_text(self):
        revisions = [script.revision for script in SCRIPTS.walk_revisions()][::-1]

        assert revisions == sorted(revisions)

    def test_a_new_file_gets_a_dated_name_and_revision(self, tmp_path):
        shutil.copytree(MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(ROOT / "alembic.ini", tmp_path / "alembic.ini")

        command.revision(Config(tmp_path / "alembic.ini", stdout=io.StringIO()), "add a column")

        [written] = (tmp_path / "migrations" / "versions").glob("*_add_a_column.py")
        assert written.stem[:10].count("-") == 2
        assert f'revision = "{written.stem[:10].replace("-", "")}_' in written.read_text()


class TestAlembicOnItsOwn:
    def test_it_points_to_the_command_that_migrates(self, sqlite_url):
        done = subprocess.run(
            [sys.executable, "-m", "alembic", "upgrade", "head"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert done.returncode != 0
        assert "app.cli migrate" in done.stderr
