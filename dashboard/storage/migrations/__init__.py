"""The state database from version to version (Alembic), done by whoever opens it first.

A fresh database is made from the tables as the modules describe them; an older one is brought up by the
steps in ``versions/``; one that was made before there were versions counts as the oldest. Both ways lead
to the same tables, which a test makes sure of.

A new step: change the table in its module, add ``versions/v0003_what.py`` (``revision = "0003"``,
``down_revision`` the one before, ``upgrade()`` in words that no later change of a module can alter) and
set :data:`HEAD`. There is no way down: a copy of the database is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
)

from dashboard.errors import StorageError
from dashboard.storage.state_engine import reading, writing

log = structlog.get_logger(__name__)

HEAD = "0003"
"""The version that this code needs."""
FOLDER = Path(__file__).parent

# Alembic's own table. Alembic takes half a second to import, which only older databases cost.
_VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


@dataclass(frozen=True, slots=True)
class Schema:
    """What a state database is like."""

    version: str | None
    """None: it was made before there were versions, or is empty."""
    differences: tuple[str, ...]
    """From the tables that this code describes, in Alembic's words; only looked for at the same version."""
    is_empty: bool = False
    """Whether there is no table in it."""

    @property
    def is_current(self) -> bool:
        """Whether this code can use it as it is."""
        return self.version == HEAD and not self.differences


def bring_up(engine: Engine) -> None:
    """Makes the database what this version needs; one look when it is already.

    Safe when several processes do it at once, also of a database that is not there yet.

    Raises:
        StorageError: It is a newer version's.
    """
    with reading(engine) as con:
        if _version_of(con) == HEAD:
            return
    with writing(engine) as con:
        version = _version_of(con)
        if version == HEAD:  # Somebody was faster.
            return
        _refuse_newer(version)
        if version is None and not inspect(con).get_table_names():
            _make(con)
        else:
            _upgrade(con)
            log.info("the state database was brought to this version", before=version or "none", now=HEAD)


def schema_of(engine: Engine) -> Schema:
    """What a database is like; nothing is changed.

    Raises:
        StorageError: It is a newer version's.
    """
    with reading(engine) as con:
        version = _version_of(con)
        _refuse_newer(version)
        differences = tuple(_differences(con)) if version == HEAD else ()
        return Schema(version, differences, is_empty=not inspect(con).get_table_names())


def all_tables() -> MetaData:
    """Every table of the state."""
    from dashboard.storage import (  # noqa: F401 (each adds its tables)
        accounts,
        analysis_sessions,
        api_keys,
        audit,
        captures,
        community_names,
        eventsub_state,
        job_runs,
        state,
        tokens,
    )
    from dashboard.storage.state_db import METADATA

    return METADATA


def _version_of(con: Connection) -> str | None:
    if not inspect(con).has_table(_VERSION.name):
        return None
    return con.scalar(select(_VERSION.c.version_num))


def _refuse_newer(version: str | None) -> None:
    if version is not None and version > HEAD:
        raise StorageError(
            f"The state database is of a newer version of StreamLens ({version}; this one knows up to "
            f"{HEAD}). Install that version again, or use another DATA_DIR or DATABASE_URL. "
            "Nothing was changed."
        )


def _make(con: Connection) -> None:
    all_tables().create_all(con, checkfirst=False)
    _VERSION.create(con)
    con.execute(insert(_VERSION).values(version_num=HEAD))


def _upgrade(con: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = con
    command.upgrade(config, "head")


def _differences(con: Connection) -> list[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    return [str(found) for found in compare_metadata(MigrationContext.configure(con), all_tables())]
