"""Captures of a room's people, and the sessions that they are looked at in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_IS_OPEN = sa.text("state IN ('asked', 'listing', 'ageing')")


def upgrade() -> None:
    """Makes their tables."""
    op.create_table(
        "captures",
        sa.Column("capture_id", sa.String(32), primary_key=True),
        sa.Column("room_id", sa.String(20), nullable=False),
        sa.Column("room_login", sa.String(25), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("window_s", sa.Integer),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("page_count", sa.Integer, nullable=False),
        sa.Column("listed_count", sa.Integer, nullable=False),
        sa.Column("told_count", sa.Integer),
        sa.Column("known_count", sa.Integer, nullable=False),
        sa.Column("unknown_count", sa.Integer, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("is_cancel_wanted", sa.Boolean, nullable=False),
        if_not_exists=True,
    )
    op.create_index("captures_by_room", "captures", ["room_id", "asked_at"], if_not_exists=True)
    op.create_index("captures_by_time", "captures", ["asked_at"], if_not_exists=True)
    op.create_index(
        "captures_one_open",
        "captures",
        ["room_id", "source"],
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
        if_not_exists=True,
    )
    op.create_table(
        "analysis_sessions",
        sa.Column("session_id", sa.String(36), primary_key=True),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.Column("saved_at", sa.BigInteger),
        sa.Column("expires_at", sa.BigInteger),
    )
    op.create_index("analysis_sessions_by_owner", "analysis_sessions", ["owner_id", "used_at"])
    op.create_index("analysis_sessions_by_end", "analysis_sessions", ["expires_at"])
    op.create_table(
        "analysis_session_captures",
        sa.Column("session_id", sa.String(36), primary_key=True),
        sa.Column("capture_id", sa.String(32), primary_key=True),
        sa.Column("added_at", sa.BigInteger, nullable=False),
    )
