"""What people call the communities of the map."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "community_names",
        sa.Column("community_key", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("named_by", sa.String(64), nullable=False),
        sa.Column("named_at", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
