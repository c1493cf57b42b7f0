"""Alembic's entry: runs on the connection that `app.adapters.db.migrating` opened and locked."""

from alembic import context

from app.adapters.db.tables import metadata


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise SystemExit(
            "pulseprint: only `python -m app.cli migrate` migrates: it takes the locks that this needs."
        )
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        # On PostgreSQL a migration may leave its transaction (autocommit_block) to build an index
        # concurrently; it must not commit the half of another. SQLite's one transaction is begun already.
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
