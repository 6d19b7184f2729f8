"""The captures of a room's people: asked for, being listed, being aged, past.

``asked`` → ``listing`` → ``ageing`` → ``complete``, ``failed`` or ``cancelled``. Only what is needed to go
on after a crash is here; who was seen is in the lake, under the capture's id.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from dashboard.config import Settings
from dashboard.errors import JobBusy
from dashboard.events import Instant, now_us
from dashboard.job_handle import Room
from dashboard.logs import scrub
from dashboard.storage.state_db import METADATA, StateDatabase

CONNECTED, SPOKE = "connected", "spoke"
SOURCES = (CONNECTED, SPOKE)
"""Everybody in the chat by Twitch's word; or those who wrote in the last minutes. Never mixed."""
OPEN = ("asked", "listing", "ageing")
STATES = (*OPEN, "complete", "failed", "cancelled")
KEPT_DAYS = 30
_LONGEST_ERROR = 2_000

_CAPTURES = Table(
    "captures",
    METADATA,
    Column("capture_id", String(32), primary_key=True),
    Column("room_id", String(20), nullable=False),
    Column("room_login", String(25), nullable=False),
    Column("source", String(16), nullable=False),
    Column("window_s", Integer),
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("cursor", Text, nullable=False),
    Column("page_count", Integer, nullable=False),
    Column("listed_count", Integer, nullable=False),
    Column("told_count", Integer),
    Column("known_count", Integer, nullable=False),
    Column("unknown_count", Integer, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("error", Text, nullable=False),
    Column("is_cancel_wanted", Boolean, nullable=False),
)
Index("captures_by_room", _CAPTURES.c.room_id, _CAPTURES.c.asked_at)
Index("captures_by_time", _CAPTURES.c.asked_at)
_IS_OPEN = _CAPTURES.c.state.in_(OPEN)
Index(
    "captures_one_open",
    _CAPTURES.c.room_id,
    _CAPTURES.c.source,
    unique=True,
    sqlite_where=_IS_OPEN,
    postgresql_where=_IS_OPEN,
)


@dataclass(frozen=True, slots=True)
class Capture:
    """One capture of the people in one room."""

    capture_id: str
    room_id: str
    room_login: str
    """At the time it was asked for."""
    source: str
    """``connected`` or ``spoke``."""
    window_s: int | None
    """Of ``spoke``: how far back; None of ``connected``."""
    asked_by: str
    """``clock``, or the id of the person."""
    asked_at: Instant
    state: str
    cursor: str
    """Of the page to be read next; empty at the first page, and after the last."""
    page_count: int
    """Pages that are listed and durable."""
    listed_count: int
    told_count: int | None
    """How many Twitch says there are; None while it has not said."""
    known_count: int
    """Of the listed ones: those whose creation date is known."""
    unknown_count: int
    started_at: Instant | None
    """When its listing began; a resumed one keeps its first start."""
    finished_at: Instant | None
    error: str
    """What failed, in words; of an open one, what it waits for."""
    is_cancel_wanted: bool

    @property
    def is_open(self) -> bool:
        """Whether it is asked for or being done."""
        return self.state in OPEN

    @property
    def is_complete(self) -> bool:
        """Whether it came to its end; only then may it be shown as everybody."""
        return self.state == "complete"


class Captures:
    """Keeps the captures; safe to share between threads and processes, opened on first use.

    Args:
        data_dir: The data folder.
        url: A SQLAlchemy address instead of the SQLite file.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
    """

    def __init__(self, data_dir: Path, url: str = "") -> None:
        self._database = StateDatabase(data_dir, url)

    def ask(
        self, room: Room, source: str, *, by: str, window_s: int | None = None, capture_id: str | None = None
    ) -> Capture:
        """Asks for a capture; who asks twice gets the one that is open already.

        Args:
            room: Of which channel.
            source: Of :data:`SOURCES`.
            by: The id of the person, or ``clock``.
            window_s: Of ``spoke``: how far back.
            capture_id: To be known under; None makes one up.

        Returns:
            The new capture, or the open one of this room, source and window.

        Raises:
            JobBusy: One of this room and source is open, with another window.
            ValueError: There is no such source, or the window does not fit it.
        """
        if source not in SOURCES or (window_s is not None and window_s > 0) != (source == SPOKE):
            raise ValueError("a source is connected, or spoke with a window")
        is_same = _IS_OPEN & (_CAPTURES.c.room_id == room.room_id) & (_CAPTURES.c.source == source)
        capture = Capture(
            capture_id=capture_id or uuid.uuid4().hex,
            room_id=room.room_id,
            room_login=room.room_login,
            source=source,
            window_s=window_s,
            asked_by=by,
            asked_at=now_us(),
            state="asked",
            cursor="",
            page_count=0,
            listed_count=0,
            told_count=None,
            known_count=0,
            unknown_count=0,
            started_at=None,
            finished_at=None,
            error="",
            is_cancel_wanted=False,
        )
        with self._database.write() as con:
            row = con.execute(select(_CAPTURES).where(is_same)).mappings().first()
            if row is None:
                con.execute(insert(_CAPTURES).values(**asdict(capture)))
                return capture
        if row["window_s"] != window_s:
            raise JobBusy(
                f"A capture of {room.room_login} over {row['window_s']} s is being done. "
                "Wait for its end, or cancel it."
            )
        return _capture(row)

    def get(self, capture_id: str) -> Capture | None:
        """One capture, or None if there is none of that id."""
        with self._database.read() as con:
            return self._get(con, capture_id)

    def some(self, capture_ids: Iterable[str]) -> list[Capture]:
        """Those of these captures that there are, in the order given."""
        wanted = list(dict.fromkeys(capture_ids))
        with self._database.read() as con:
            rows = con.execute(select(_CAPTURES).where(_CAPTURES.c.capture_id.in_(wanted))).mappings()
            found = {row["capture_id"]: _capture(row) for row in rows}
        return [found[capture_id] for capture_id in wanted if capture_id in found]

    def of_room(
        self, room_id: str, limit: int = 50, *, source: str | None = None, states: Collection[str] = STATES
    ) -> list[Capture]:
        """The captures of a room, newest first.

        Args:
            room_id: Which.
            limit: At most so many.
            source: Only of this one.
            states: Only in one of these.
        """
        return self.recent(limit, room_ids=(room_id,), source=source, states=states)

    def recent(
        self,
        limit: int = 50,
        *,
        room_ids: Collection[str] | None = None,
        source: str | None = None,
        states: Collection[str] = STATES,
    ) -> list[Capture]:
        """The captures of several rooms, newest first; None is every room."""
        query = select(_CAPTURES).where(_CAPTURES.c.state.in_(list(states)))
        if room_ids is not None:
            query = query.where(_CAPTURES.c.room_id.in_(list(room_ids)))
        if source is not None:
            query = query.where(_CAPTURES.c.source == source)
        query = query.order_by(_CAPTURES.c.asked_at.desc(), _CAPTURES.c.capture_id).limit(limit)
        with self._database.read() as con:
            return [_capture(row) for row in con.execute(query).mappings()]

    def waiting(self) -> list[Capture]:
        """What is asked for or was left in the middle: all that is open, the one asked first first."""
        query = select(_CAPTURES).where(_IS_OPEN).order_by(_CAPTURES.c.asked_at, _CAPTURES.c.capture_id)
        with self._database.read() as con:
            return [_capture(row) for row in con.execute(query).mappings()]

    def start(self, capture_id: str) -> Capture | None:
        """Begins a capture, or goes on with one that was left in the middle.

        Returns:
            It as it stands, with the cursor to go on from; None when it is over or cancelled.
        """
        waits = (_CAPTURES.c.capture_id == capture_id) & (_CAPTURES.c.state == "asked")
        with self._database.write() as con:
            con.execute(update(_CAPTURES).where(waits).values(state="listing", started_at=now_us()))
            capture = self._get(con, capture_id)
        return capture if capture and capture.is_open else None

    def listed(
        self, capture_id: str, *, cursor: str, page_count: int, listed_count: int, told_count: int | None
    ) -> bool:
        """Says that pages are listed. To be called only once their people are durable in the lake.

        Args:
            capture_id: Which.
            cursor: Of the next page; empty when there is none.
            page_count: So far.
            listed_count: So far, each person once.
            told_count: How many Twitch says there are.

        Returns:
            Whether the capture is still open.
        """
        values = {"cursor": cursor, "page_count": page_count}
        values |= {"listed_count": listed_count, "told_count": told_count}
        return self._change(capture_id, values)

    def waits(self, capture_id: str, words: str) -> bool:
        """Says what an open capture waits for, until it gets on; False when it is over."""
        return self._change(capture_id, {"error": words[:_LONGEST_ERROR]})

    def restart(self, capture_id: str) -> bool:
        """Begins the listing anew, for a cursor that Twitch takes no longer."""
        values: dict[str, Any] = {"state": "listing", "cursor": "", "page_count": 0, "listed_count": 0}
        return self._change(capture_id, values | {"told_count": None})

    def aged(self, capture_id: str, *, known_count: int, unknown_count: int) -> bool:
        """Says that everybody is listed, and of how many the creation date is known so far.

        Returns:
            Whether the capture is still open.
        """
        values = {"state": "ageing", "known_count": known_count, "unknown_count": unknown_count}
        return self._change(capture_id, values)

    def complete(
        self,
        capture_id: str,
        *,
        listed_count: int | None = None,
        known_count: int | None = None,
        unknown_count: int | None = None,
    ) -> bool:
        """Ends a capture well. To be called only once its closing row is durable in the lake.

        Args:
            capture_id: Which.
            listed_count: None leaves what was said before; so with the other counts.
            known_count: Of the listed ones, with a creation date.
            unknown_count: Of the listed ones, without.

        Returns:
            Whether it was open until now.
        """
        counts = {"listed_count": listed_count, "known_count": known_count, "unknown_count": unknown_count}
        values = {name: count for name, count in counts.items() if count is not None}
        return self._end(capture_id, "complete", values | {"cursor": ""})

    def fail(self, capture_id: str, error: str) -> bool:
        """Ends a capture that can't be completed; what it listed is never shown as everybody.

        Args:
            capture_id: Which.
            error: What failed, in words.

        Returns:
            Whether it was open until now.
        """
        return self._end(capture_id, "failed", {"error": scrub(error)[:_LONGEST_ERROR]})

    def cancel(self, capture_id: str) -> bool:
        """Asks a capture to stop; one that has not begun is over at once.

        Returns:
            Whether it was open until now.
        """
        waits = (_CAPTURES.c.capture_id == capture_id) & (_CAPTURES.c.state == "asked")
        ended = {"state": "cancelled", "finished_at": now_us(), "is_cancel_wanted": True}
        with self._database.write() as con:
            if con.execute(update(_CAPTURES).where(waits).values(**ended)).rowcount:
                return True
            change = update(_CAPTURES).where(_is_open(capture_id)).values(is_cancel_wanted=True)
            return bool(con.execute(change).rowcount)

    def is_cancel_wanted(self, capture_id: str) -> bool:
        """Whether whoever does the capture should stop: somebody asked for it, or it is over."""
        with self._database.read() as con:
            capture = self._get(con, capture_id)
        return capture is None or not capture.is_open or capture.is_cancel_wanted

    def cancelled(self, capture_id: str) -> bool:
        """Ends a capture because somebody asked for it; False when it was over already."""
        return self._end(capture_id, "cancelled", {})

    def prune(self, now: Instant, *, keep: Collection[str] = ()) -> int:
        """Forgets what ended more than :data:`KEPT_DAYS` ago.

        Args:
            now: The wall clock.
            keep: The ids of captures that saved analysis sessions need.

        Returns:
            How many were forgotten.
        """
        is_old = _CAPTURES.c.finished_at < now - KEPT_DAYS * 86_400_000_000
        with self._database.read() as con:
            old = set(con.scalars(select(_CAPTURES.c.capture_id).where(is_old)))
        gone = sorted(old - set(keep))
        for start in range(0, len(gone), 500):
            some = gone[start : start + 500]
            with self._database.write() as con:
                con.execute(delete(_CAPTURES).where(_CAPTURES.c.capture_id.in_(some)))
        return len(gone)

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()

    def _end(self, capture_id: str, state: str, values: dict[str, Any]) -> bool:
        return self._change(capture_id, values | {"state": state, "finished_at": now_us()})

    def _change(self, capture_id: str, values: dict[str, Any]) -> bool:
        with self._database.write() as con:
            change = update(_CAPTURES).where(_is_open(capture_id)).values(**{"error": "", **values})
            return bool(con.execute(change).rowcount)

    def _get(self, con: Connection, capture_id: str) -> Capture | None:
        query = select(_CAPTURES).where(_CAPTURES.c.capture_id == capture_id)
        row = con.execute(query).mappings().first()
        return _capture(row) if row else None


def open_captures(settings: Settings) -> Captures:
    """The captures of an installation; nothing is read or written before the first call."""
    return Captures(settings.data_dir, settings.database_url.get_secret_value())


def _is_open(capture_id: str) -> Any:
    return (_CAPTURES.c.capture_id == capture_id) & _IS_OPEN


def _capture(row: Any) -> Capture:
    return Capture(**{name: row[name] for name in Capture.__slots__})
