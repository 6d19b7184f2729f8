"""The tables from before there were versions; those that are there already stay as they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_IS_OPEN = sa.text("state IN ('requested', 'running')")


def upgrade() -> None:
    """Makes what is missing."""
    _people()
    _jobs()
    _eventsub()
    _table(
        "followed_channels",
        sa.Column("room_login", sa.String(25), primary_key=True),
        sa.Column("followed_by", sa.String(64), nullable=False),
        sa.Column("followed_at", sa.BigInteger, nullable=False),
    )
    _table(
        "statuses",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )


def _people() -> None:
    _table(
        "accounts",
        sa.Column("user_id", sa.String(20), primary_key=True),
        sa.Column("user_login", sa.String(25), nullable=False),
        sa.Column("user_display_name", sa.String(64), nullable=False),
        sa.Column("moderated_logins", sa.Text, nullable=False),
        sa.Column("moderated_at", sa.BigInteger),
        sa.Column("logged_in_at", sa.BigInteger, nullable=False),
    )
    _table(
        "sessions",
        sa.Column("session_hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(20), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(120), nullable=False),
    )
    _index("sessions_by_user", "sessions", ["user_id"])
    _table(
        "user_tokens",
        sa.Column("user_id", sa.String(20), primary_key=True),
        sa.Column("user_login", sa.String(25), nullable=False),
        sa.Column("user_display_name", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("access_sealed", sa.Text, nullable=False),
        sa.Column("refresh_sealed", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("validated_at", sa.BigInteger),
        sa.Column("error", sa.String(300)),
        sa.Column("lease_holder", sa.String(64)),
        sa.Column("lease_until", sa.BigInteger),
    )
    _table(
        "api_keys",
        sa.Column("prefix", sa.String(12), primary_key=True),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("used_at", sa.BigInteger),
    )
    _index("api_keys_by_user", "api_keys", ["user_id"])
    big_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    _table(
        "audit",
        sa.Column("entry_id", big_number, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("user_id", sa.String(20), nullable=False),
        sa.Column("user_login", sa.String(25), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("detail", sa.String(300), nullable=False),
    )
    _index("audit_by_user", "audit", ["user_id", "entry_id"])
    _index("audit_by_time", "audit", ["at"])


def _jobs() -> None:
    _table(
        "job_runs",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("requested_by", sa.String(64), nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("worker", sa.String(120), nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("heartbeat_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("is_cancel_wanted", sa.Boolean, nullable=False),
        sa.Column("done", sa.BigInteger),
        sa.Column("total", sa.BigInteger),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("error", sa.Text, nullable=False),
    )
    _index("job_runs_by_name", "job_runs", ["name", "requested_at"])
    _index("job_runs_by_time", "job_runs", ["requested_at"])
    op.create_index(
        "job_runs_one_open",
        "job_runs",
        ["name"],
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
        if_not_exists=True,
    )
    _index("job_runs_one_a_time", "job_runs", ["name", "due_at", "attempt"], unique=True)
    _table(
        "job_lines",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("line_no", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("line", sa.String(500), nullable=False),
    )


def _eventsub() -> None:
    _table(
        "eventsub_subscriptions",
        sa.Column("key", sa.String(160), primary_key=True),
        sa.Column("eventsub_type", sa.String(80), nullable=False),
        sa.Column("version", sa.String(10), nullable=False),
        sa.Column("room_login", sa.String(25), nullable=False),
        sa.Column("room_id", sa.String(20), nullable=False),
        sa.Column("transport", sa.String(10), nullable=False),
        sa.Column("status", sa.String(60), nullable=False),
        sa.Column("condition", sa.JSON, nullable=False),
        sa.Column("user_id", sa.String(20)),
        sa.Column("subscription_id", sa.String(64)),
        sa.Column("cost", sa.Integer),
        sa.Column("created_at", sa.BigInteger),
        sa.Column("error", sa.String(300)),
        sa.Column("needs_scope", sa.String(80)),
    )
    _table(
        "eventsub_last_events",
        sa.Column("subscription_id", sa.String(64), primary_key=True),
        sa.Column("last_event_at", sa.BigInteger, nullable=False),
        sa.Column("event_count", sa.BigInteger, nullable=False),
    )
    _table(
        "eventsub_choices",
        sa.Column("eventsub_type", sa.String(80), primary_key=True),
        sa.Column("room_login", sa.String(25), primary_key=True),
        sa.Column("is_wanted", sa.Boolean, nullable=False),
    )
    _table(
        "eventsub_wishes",
        sa.Column("wish_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("eventsub_type", sa.String(80), nullable=False),
        sa.Column("room_login", sa.String(25), nullable=False),
        sa.Column("wished_by", sa.String(64), nullable=False),
        sa.Column("wished_at", sa.BigInteger, nullable=False),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("result", sa.Text),
    )
    _table(
        "eventsub_revocations",
        sa.Column("message_id", sa.String(80), primary_key=True),
        sa.Column("subscription_id", sa.String(64), nullable=False),
        sa.Column("eventsub_type", sa.String(80), nullable=False),
        sa.Column("status", sa.String(60), nullable=False),
        sa.Column("condition", sa.JSON, nullable=False),
        sa.Column("transport", sa.String(10), nullable=False),
        sa.Column("revoked_at", sa.BigInteger, nullable=False),
    )
    _index("eventsub_revocations_at", "eventsub_revocations", ["revoked_at"])


def _table(name: str, *columns: sa.Column) -> None:
    op.create_table(name, *columns, if_not_exists=True)


def _index(name: str, table: str, columns: list[str], *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, if_not_exists=True)
