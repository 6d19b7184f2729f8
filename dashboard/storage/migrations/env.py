"""What Alembic runs: the steps on the connection that it was given, within its transaction."""

from __future__ import annotations

from alembic import context

from dashboard.storage.migrations import all_tables

context.configure(
    connection=context.config.attributes["connection"], target_metadata=all_tables(), render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
