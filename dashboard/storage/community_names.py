"""What people call the communities of the map; the names outlive the runs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, String, Table, delete, insert, select

from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.events import Instant, now_us
from dashboard.storage.state_db import METADATA, StateDatabase

LONGEST_NAME = 60
_NAMES = Table(
    "community_names",
    METADATA,
    Column("community_key", String(64), primary_key=True),
    Column("name", String(LONGEST_NAME), nullable=False),
    Column("named_by", String(64), nullable=False),
    Column("named_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class CommunityName:
    """What somebody called a community."""

    community_key: str
    name: str
    named_by: str
    named_at: Instant


class CommunityNames:
    """The given names by the key of a community; safe to share between threads and processes.

    Args:
        database: Where they are kept.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
    """

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def all(self) -> dict[str, CommunityName]:
        """Every given name, by the key of its community."""
        with self._database.read() as con:
            rows = con.execute(select(_NAMES)).mappings().all()
        return {
            row["community_key"]: CommunityName(
                row["community_key"], row["name"], row["named_by"], Instant(row["named_at"])
            )
            for row in rows
        }

    def names(self) -> dict[str, str]:
        """Only the names, by key: what an analysis is told."""
        return {key: named.name for key, named in self.all().items()}

    def rename(self, community_key: str, name: str, by: str) -> str:
        """Gives a community a name of one's own.

        Args:
            community_key: ``MapCommunity.key``.
            name: Blanks around and doubled are taken out; empty takes the given name back.
            by: Who.

        Returns:
            The name as it is kept.

        Raises:
            StorageError: It is too long, or another community is called so.
        """
        name = " ".join(name.split())
        if len(name) > LONGEST_NAME:
            raise StorageError(f"A name may have {LONGEST_NAME} characters; this has {len(name)}.")
        with self._database.write() as con:
            if name:
                rows = con.execute(select(_NAMES.c.community_key, _NAMES.c.name)).all()
                if any(key != community_key and other.lower() == name.lower() for key, other in rows):
                    raise StorageError(f"Another community is called “{name}” already.")
            con.execute(delete(_NAMES).where(_NAMES.c.community_key == community_key))
            if name:
                con.execute(
                    insert(_NAMES).values(
                        community_key=community_key, name=name, named_by=by[:64], named_at=now_us()
                    )
                )
        return name

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()


def open_names(settings: Settings) -> CommunityNames:
    """The given names of an installation; nothing is read or written before the first call."""
    return CommunityNames(StateDatabase(settings.data_dir, settings.database_url.get_secret_value()))
