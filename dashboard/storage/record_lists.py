"""Lists made of many events: the rooms, the people, the modes that chats are in."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from dashboard.events import Instant
from dashboard.storage.catalog import Catalog, LiveFile
from dashboard.storage.records import Conditions, condition_texts, filled, live_files, one_of
from dashboard.storage.store import Store
from dashboard.storage.views import empty_select, select_files

_MOST_IDS = 1_000
_MOST_REMEMBERED = 10_000
"""Files; beyond it those that the question at hand does not need are forgotten."""
_ROOM_SOURCES = {"chat_messages": "api_rooms", "observations": "api_rooms_watched"}


@dataclass(frozen=True, slots=True)
class RoomSeen:
    """What is known of one room."""

    room_login: str
    room_id: str | None
    first_seen_at: Instant
    last_seen_at: Instant
    message_count: int
    """Written in it; what was mirrored from another room's chat counts there."""


class RoomBook:
    """Which rooms there are, without reading a finished file twice.

    Args:
        store: Opened data folder.

    Caveats:
        An event that came in twice counts twice until compaction has merged it (minutes).
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[str, dict[int, list[RoomSeen]]] = {kind: {} for kind in _ROOM_SOURCES}

    def rooms(self, conditions: Conditions = Conditions()) -> list[RoomSeen]:  # noqa: B008 (frozen)
        """Every room that was watched or written in.

        Args:
            conditions: Stretch of time and rooms; others do not count here.

        Returns:
            By login.
        """

        def run(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, lake: Path) -> list[RoomSeen]:
            return [
                room
                for kind in _ROOM_SOURCES
                for room in self._of_kind(cursor, catalog, lake, kind, conditions)
            ]

        wanted = conditions.rooms
        seen = self._store.read(run)
        return _merged(room for room in seen if wanted is None or room.room_login in wanted)

    def _of_kind(
        self,
        cursor: duckdb.DuckDBPyConnection,
        catalog: Catalog,
        lake: Path,
        kind: str,
        conditions: Conditions,
    ) -> list[RoomSeen]:
        with catalog.reading():
            files = catalog.live(kind, conditions.window)
        is_everything = conditions.start_at is None and conditions.end_at is None
        start, end = conditions.window
        whole = [file for file in files if start <= file.first_at and file.last_at <= end]
        parts = [file for file in files if not (start <= file.first_at and file.last_at <= end)]
        with self._lock:
            known = dict(self._known[kind])
        new = [file for file in whole if file.file_id not in known]
        known |= _look(cursor, catalog, lake, kind, new, Conditions())
        seen = [room for file in whole for room in known.get(file.file_id, [])]
        partly = _look(cursor, catalog, lake, kind, parts, conditions)
        seen += [room for rooms in partly.values() for room in rooms]
        with self._lock:
            if is_everything or len(known) > _MOST_REMEMBERED:
                listed = {file.file_id for file in files}
                known = {file_id: rooms for file_id, rooms in known.items() if file_id in listed}
            self._known[kind] = known
        return seen


def _look(
    cursor: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    lake: Path,
    kind: str,
    files: Sequence[LiveFile],
    conditions: Conditions,
) -> dict[int, list[RoomSeen]]:
    if not files:
        return {}
    texts, params = condition_texts(Conditions(conditions.start_at, conditions.end_at))
    sql = filled(
        _ROOM_SOURCES[kind],
        files=select_files(kind, files, catalog, lake, with_path=True),
        conditions=" and ".join(texts),
    )
    file_ids = {str((lake / file.path).absolute()): file.file_id for file in files}
    found: dict[int, list[RoomSeen]] = {file.file_id: [] for file in files}
    for path, *room in cursor.sql(sql, params=params).fetchall():
        found[file_ids[path]].append(RoomSeen(*room))
    return found


def _merged(rooms: Iterable[RoomSeen]) -> list[RoomSeen]:
    merged: dict[str, RoomSeen] = {}
    for room in rooms:
        other = merged.get(room.room_login)
        if other is None:
            merged[room.room_login] = room
            continue
        newer, older = (room, other) if room.last_seen_at > other.last_seen_at else (other, room)
        merged[room.room_login] = RoomSeen(
            room.room_login,
            newer.room_id or older.room_id,
            min(room.first_seen_at, other.first_seen_at),
            max(room.last_seen_at, other.last_seen_at),
            room.message_count + other.message_count,
        )
    return [merged[login] for login in sorted(merged)]


def read_users(
    store: Store, conditions: Conditions, *, limit: int, after: str = "", login: str | None = None
) -> pa.Table:
    """People who wrote, once each.

    Args:
        store: Opened data folder.
        conditions: What their messages must fit.
        limit: At most so many.
        after: The key (``who``) that the page before ended with.
        login: Only people who ever wrote under it (with all their later and earlier logins).

    Returns:
        By ``who`` (the user id, or ``@`` and the login where a source told no id): ``user_id``,
        ``user_login`` and ``user_display_name`` as they were last, ``first_seen_at``, ``last_seen_at``,
        ``message_count``, ``room_count`` and ``logins`` (all that were used, in the order of the alphabet).
    """

    def run(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, lake: Path) -> pa.Table:
        files = live_files(catalog, "chat_messages", conditions)
        texts, params = condition_texts(conditions)
        source = _source(catalog, lake, "chat_messages", files)

        def people(*more: str) -> pa.Table:
            where = " and ".join([*texts, *more])
            sql = filled("api_users", files=source, conditions=where, count=str(limit))
            return cursor.sql(sql, params=params | {"after": after}).to_arrow_table()

        if login is None:
            return people()
        ids_sql = filled("api_user_ids", files=source, conditions=" and ".join(texts))
        params["login"] = login
        ids = cursor.sql(f"{ids_sql} limit {_MOST_IDS}", params=dict(params)).fetchall()
        # Apart from each other: only a plain comparison lets the Bloom filters help.
        nameless = people("user_login = $login", "user_id is null")
        del params["login"]
        known = people(one_of("user_id", "id", [user_id for (user_id,) in ids], params))
        return pa.concat_tables([nameless, known])[:limit]

    return store.read(run)


def read_room_modes(store: Store, conditions: Conditions, *, limit: int, after: str = "") -> pa.Table:
    """The modes that chats are in at the end of a stretch of time.

    Args:
        store: Opened data folder.
        conditions: Stretch of time and rooms.
        limit: At most so many rooms.
        after: The login that the page before ended with.

    Returns:
        By login: ``room_login``, ``room_id``, ``changed_at`` and the modes; NULL where none was ever told.
    """

    def run(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, lake: Path) -> pa.Table:
        files = live_files(catalog, "room_states", conditions)
        texts, params = condition_texts(conditions)
        sql = filled(
            "api_room_modes",
            files=_source(catalog, lake, "room_states", files),
            conditions=" and ".join(texts),
            count=str(limit),
        )
        return cursor.sql(sql, params=params | {"after": after}).to_arrow_table()

    return store.read(run)


def _source(catalog: Catalog, lake: Path, kind: str, files: Sequence[LiveFile]) -> str:
    return select_files(kind, files, catalog, lake) if files else empty_select(kind)
