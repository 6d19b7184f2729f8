"""Analysis sessions: captures that somebody looks at together, for a day or as long as they like.

One that is not saved ends :data:`LIFE_H` hours after its last use, and then its rows are deleted: by
whoever asks for it next, and by the worker's upkeep; that it ended is in the audit log. Somebody else's
session is as good as none.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.events import Instant, now_us
from dashboard.storage.audit import SESSION_EXPIRED, AuditEntry, add_entry, tell
from dashboard.storage.state_db import METADATA, StateDatabase

LIFE_H = 24
MOST_UNSAVED = 50
"""Of one person; beyond it the one that was not used for longest goes."""
MOST_CAPTURES = 100
"""In one session."""
_LONGEST_NAME = 80
_LIFE_US = LIFE_H * 3600 * 1_000_000
_NOTE_USE_EVERY_US = 60 * 1_000_000

_SESSIONS = Table(
    "analysis_sessions",
    METADATA,
    Column("session_id", String(36), primary_key=True),
    Column("owner_id", String(64), nullable=False),
    Column("name", String(_LONGEST_NAME), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Column("saved_at", BigInteger),
    Column("expires_at", BigInteger),
    Index("analysis_sessions_by_owner", "owner_id", "used_at"),
    Index("analysis_sessions_by_end", "expires_at"),
)
_PARTS = Table(
    "analysis_session_captures",
    METADATA,
    Column("session_id", String(36), primary_key=True),
    Column("capture_id", String(32), primary_key=True),
    Column("added_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class AnalysisSession:
    """Captures of one or more channels, looked at together by one person."""

    session_id: str
    """A UUID."""
    owner_id: str
    name: str
    """Empty until its owner gives it one."""
    created_at: Instant
    used_at: Instant
    """To the minute."""
    saved_at: Instant | None
    expires_at: Instant | None
    """None: it is saved and stays until it is deleted."""
    capture_ids: tuple[str, ...]
    """In the order they were added."""

    @property
    def is_saved(self) -> bool:
        """Whether it stays until its owner deletes it."""
        return self.saved_at is not None


_Work = Callable[[Connection, AnalysisSession], None]


class AnalysisSessions:
    """Keeps everybody's sessions apart; safe to share between threads and processes, opened on first use.

    Args:
        data_dir: The data folder.
        url: A SQLAlchemy address instead of the SQLite file.
        most_saved: How many one person may save.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
    """

    def __init__(self, data_dir: Path, url: str = "", *, most_saved: int = 20) -> None:
        self._database = StateDatabase(data_dir, url)
        self.most_saved = most_saved

    def create(self, owner_id: str, name: str = "", capture_ids: Iterable[str] = ()) -> AnalysisSession:
        """Starts a session.

        Args:
            owner_id: Whose.
            name: What its owner calls it, if they do.
            capture_ids: What it begins with.

        Raises:
            StorageError: There are too many captures for one session.
        """
        now = now_us()
        wanted = tuple(dict.fromkeys(capture_ids))
        session = AnalysisSession(
            str(uuid.uuid4()), owner_id, _named(name), now, now, None, Instant(now + _LIFE_US), wanted
        )
        values = {key: getattr(session, key) for key in _SESSIONS.c.keys()}  # noqa: SIM118 (columns)
        with self._database.write() as con:
            noted = _purge(con, now)
            con.execute(insert(_SESSIONS).values(**values))
            _add(con, session, wanted)
            noted += _crowd_out(con, owner_id)
        tell(noted)
        return session

    def get(self, session_id: str, owner_id: str) -> AnalysisSession | None:
        """A session of somebody's, which counts as using it.

        Args:
            session_id: Which; anything.
            owner_id: Who asks.

        Returns:
            None when there is none of that id, when it is over, and when it is somebody else's.
        """
        now = now_us()
        with self._database.read() as con:
            session = _find(con, session_id, owner_id)
        if session is None:
            return None
        if session.expires_at is not None and session.expires_at <= now:
            self.purge(now)
            return None
        return self._used(session, now)

    def of_owner(self, owner_id: str) -> list[AnalysisSession]:
        """Somebody's sessions, the one used last first; those that are over are gone by it."""
        self.purge(now_us())
        with self._database.read() as con:
            return _some(con, _SESSIONS.c.owner_id == owner_id)

    def add_captures(
        self, session_id: str, owner_id: str, capture_ids: Iterable[str]
    ) -> AnalysisSession | None:
        """Puts captures into a session; one that is in it already stays where it is.

        Returns:
            The session as it is now; None when the person has none of that id.

        Raises:
            StorageError: There would be too many captures in it.
        """
        return self._change(session_id, owner_id, lambda con, session: _add(con, session, capture_ids))

    def remove_captures(
        self, session_id: str, owner_id: str, capture_ids: Iterable[str]
    ) -> AnalysisSession | None:
        """Takes captures out of a session; they themselves stay.

        Returns:
            The session as it is now; None when the person has none of that id.
        """
        gone = list(capture_ids)

        def remove(con: Connection, session: AnalysisSession) -> None:
            mine = _PARTS.c.session_id == session.session_id
            con.execute(delete(_PARTS).where(mine, _PARTS.c.capture_id.in_(gone)))

        return self._change(session_id, owner_id, remove)

    def rename(self, session_id: str, owner_id: str, name: str) -> AnalysisSession | None:
        """Gives a session another name, cut at 80 letters.

        Returns:
            The session as it is now; None when the person has none of that id.
        """

        def rename(con: Connection, session: AnalysisSession) -> None:
            _set(con, session, name=_named(name))

        return self._change(session_id, owner_id, rename)

    def save(self, session_id: str, owner_id: str, name: str = "") -> AnalysisSession | None:
        """Keeps a session until it is deleted.

        Args:
            session_id: Which.
            owner_id: Who asks.
            name: Another name for it; empty leaves the one it has.

        Returns:
            The session as it is now; None when the person has none of that id.

        Raises:
            StorageError: The person has saved as many as may be.
        """

        def save(con: Connection, session: AnalysisSession) -> None:
            is_mine = (_SESSIONS.c.owner_id == owner_id) & _SESSIONS.c.saved_at.is_not(None)
            saved = con.scalars(select(_SESSIONS.c.session_id).where(is_mine)).all()
            if not session.is_saved and len(saved) >= self.most_saved:
                raise StorageError(
                    f"You have saved {len(saved)} sessions, and {self.most_saved} is the most. "
                    "Delete one that is not needed."
                )
            saved_at = session.saved_at or now_us()
            _set(con, session, name=_named(name) or session.name, saved_at=saved_at, expires_at=None)

        return self._change(session_id, owner_id, save)

    def delete(self, session_id: str, owner_id: str) -> bool:
        """Deletes a session of somebody's, saved or not; False when they have none of that id."""
        with self._database.write() as con:
            session = _find(con, session_id, owner_id)
            _delete(con, [session] if session else [])
        return session is not None

    def delete_all(self, owner_id: str) -> int:
        """Deletes every session of somebody's, saved or not; says how many there were."""
        with self._database.write() as con:
            mine = _some(con, _SESSIONS.c.owner_id == owner_id)
            _delete(con, mine)
        return len(mine)

    def purge(self, now: Instant) -> int:
        """Deletes what is over by now, everybody's; says how many there were."""
        with self._database.read() as con:  # Mostly for nothing: no write lock for that.
            is_due = con.scalar(select(_SESSIONS.c.session_id).where(_SESSIONS.c.expires_at <= now).limit(1))
        if is_due is None:
            return 0
        with self._database.write() as con:
            noted = _purge(con, now)
        tell(noted)
        return len(noted)

    def captures_in_use(self) -> frozenset[str]:
        """The ids of every capture that is in a session; they are not to be forgotten."""
        with self._database.read() as con:
            return frozenset(con.scalars(select(_PARTS.c.capture_id).distinct()))

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()

    def _used(self, session: AnalysisSession, now: Instant) -> AnalysisSession:
        if now - session.used_at < _NOTE_USE_EVERY_US:
            return session
        return self._change(session.session_id, session.owner_id, lambda con, found: None) or session

    def _change(self, session_id: str, owner_id: str, work: _Work) -> AnalysisSession | None:
        now, changed = now_us(), None
        with self._database.write() as con:
            noted = _purge(con, now)
            session = _find(con, session_id, owner_id)
            if session is not None:
                _set(con, session, used_at=now, expires_at=None if session.is_saved else now + _LIFE_US)
                work(con, session)
                changed = _find(con, session_id, owner_id)
        tell(noted)
        return changed


def open_sessions(settings: Settings) -> AnalysisSessions:
    """The analysis sessions of an installation; nothing is read or written before the first call."""
    url = settings.database_url.get_secret_value()
    return AnalysisSessions(settings.data_dir, url, most_saved=settings.max_saved_sessions)


def _named(name: str) -> str:
    return " ".join(name.split())[:_LONGEST_NAME]


def _find(con: Connection, session_id: str, owner_id: str) -> AnalysisSession | None:
    is_meant = (_SESSIONS.c.session_id == session_id) & (_SESSIONS.c.owner_id == owner_id)
    row = con.execute(select(_SESSIONS).where(is_meant)).mappings().first()
    return _session(con, row) if row else None


def _session(con: Connection, row: Any) -> AnalysisSession:
    parts = select(_PARTS.c.capture_id).where(_PARTS.c.session_id == row["session_id"])
    in_order = con.scalars(parts.order_by(_PARTS.c.added_at, _PARTS.c.capture_id)).all()
    return AnalysisSession(**row, capture_ids=tuple(in_order))


def _set(con: Connection, session: AnalysisSession, **values: Any) -> None:
    con.execute(update(_SESSIONS).where(_SESSIONS.c.session_id == session.session_id).values(**values))


def _add(con: Connection, session: AnalysisSession, capture_ids: Iterable[str]) -> None:
    query = select(_PARTS.c.capture_id, _PARTS.c.added_at).where(_PARTS.c.session_id == session.session_id)
    there = {row.capture_id: row.added_at for row in con.execute(query)}
    new = [capture_id for capture_id in dict.fromkeys(capture_ids) if capture_id not in there]
    if len(there) + len(new) > MOST_CAPTURES:
        raise StorageError(f"A session holds {MOST_CAPTURES} captures at most. Start another one.")
    # A microsecond apart, so that they stay in their order.
    now = max(now_us(), *(added_at + 1 for added_at in there.values()), 0)
    rows = [
        {"session_id": session.session_id, "capture_id": capture_id, "added_at": now + number}
        for number, capture_id in enumerate(new)
    ]
    if rows:
        con.execute(insert(_PARTS), rows)


def _crowd_out(con: Connection, owner_id: str) -> list[AuditEntry]:
    unsaved = _some(con, (_SESSIONS.c.owner_id == owner_id) & _SESSIONS.c.saved_at.is_(None))
    return _end(con, unsaved[MOST_UNSAVED:])


def _purge(con: Connection, now: Instant) -> list[AuditEntry]:
    return _end(con, _some(con, _SESSIONS.c.expires_at <= now))


def _some(con: Connection, is_meant: ColumnElement[bool]) -> list[AnalysisSession]:
    """The one used last first."""
    query = select(_SESSIONS).where(is_meant).order_by(_SESSIONS.c.used_at.desc(), _SESSIONS.c.session_id)
    return [_session(con, row) for row in con.execute(query).mappings().all()]


def _delete(con: Connection, sessions: Iterable[AnalysisSession]) -> None:
    for session in sessions:
        con.execute(delete(_PARTS).where(_PARTS.c.session_id == session.session_id))
        con.execute(delete(_SESSIONS).where(_SESSIONS.c.session_id == session.session_id))


def _end(con: Connection, sessions: Sequence[AnalysisSession]) -> list[AuditEntry]:
    _delete(con, sessions)
    # Not its name: what is over is to be gone.
    return [
        add_entry(con, SESSION_EXPIRED, user_id=session.owner_id, detail=session.session_id)
        for session in sessions
    ]
