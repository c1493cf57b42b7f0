"""Alembic's entry: runs on the connection that ``app.adapters.db.schema`` opened, locked and will commit."""

from alembic import context

from app.adapters.db.rows import metadata


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise SystemExit(
            "pulseprint: only `python -m app.cli migrate` migrates: it takes the locks that this needs."
        )
    # One transaction, opened by the caller: a half-done migration leaves nothing behind.
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True
    )
    context.run_migrations()


run()
