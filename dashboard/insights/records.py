"""The questions of the API: pages of events, people, rooms and chat modes, each for one who asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from dashboard.access import Access
from dashboard.events import Instant, now_us
from dashboard.insights.record_rights import Managed, access_to, own_channel, refusal
from dashboard.storage.catalog import Catalog
from dashboard.storage.record_lists import RoomBook, read_room_modes, read_users
from dashboard.storage.records import Conditions, Page, Place, read_chunks, read_page
from dashboard.storage.store import Store

DAY_US = 86_400 * 1_000_000
USERS_DAYS = 1
"""Without a stretch of time, room or person, people are listed who wrote in the last day."""
USERS_ROOM_DAYS = 30
"""Without a stretch of time or person, people of a room are listed who wrote in the last 30 days."""
_INSTANT = pa.timestamp("us", tz="UTC")
_ROOM_SCHEMA = pa.schema(
    [
        ("room_login", pa.string()),
        ("room_id", pa.string()),
        ("first_seen_at", _INSTANT),
        ("last_seen_at", _INSTANT),
        ("message_count", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list that has one row a room or a person."""

    table: pa.Table
    next: str | None
    """The key that the page ended with; None when there are no more."""
    conditions: Conditions
    """With the stretch of time that was really looked at."""


class Records:
    """Reads rows for people and programs.

    Args:
        store: Opened data folder.
        managed: Which channels somebody owns or moderates; without it the own one.
    """

    def __init__(self, store: Store, managed: Managed = own_channel) -> None:
        self._store = store
        self._managed = managed
        self._book = RoomBook(store)

    def page(
        self, kind: str, conditions: Conditions, *, limit: int, newest_first: bool, after: Place | None
    ) -> Page:
        """The next events of a kind; see :func:`dashboard.storage.records.read_page`."""
        return read_page(self._store, kind, conditions, limit=limit, newest_first=newest_first, after=after)

    def chunks(
        self, kind: str, conditions: Conditions, *, limit: int, newest_first: bool, after: Place | None
    ) -> Iterator[pa.Table]:
        """Any number of events; see :func:`dashboard.storage.records.read_chunks`."""
        return read_chunks(self._store, kind, conditions, limit=limit, newest_first=newest_first, after=after)

    def visible(
        self, access: Access, *, kind: str = "", room_name: str | None, room_id: str | None
    ) -> Conditions:
        """The rooms that an answer may tell of.

        Args:
            access: Who asks.
            kind: Of events; empty for lists made of chat.
            room_name: The room asked for, if one was.
            room_id: The same by its id.

        Returns:
            Conditions with rooms (and the id) in them.

        Raises:
            AccessDenied: The room or the kind asked for may not be seen, or nobody here knows the room.
        """
        allowed = access_to(kind, access, self._managed)
        rooms = allowed.rooms
        if room_name is not None:
            if not allowed.may_see(room_name):
                raise refusal(kind, room_name)
            rooms = frozenset({room_name})
        if room_id is None:
            return Conditions(rooms=rooms)
        if allowed.rooms is not None:
            logins = {room.room_login for room in self._book.rooms() if room.room_id == room_id}
            if not logins & allowed.rooms:
                raise refusal(kind, f"room {room_id}")
        return Conditions(rooms=rooms, equal=(("room_id", room_id),))

    def fresh_at(self, kind: str) -> Instant | None:
        """When we learnt of the newest event of a kind; None when there is none."""
        return self._store.read(lambda _, catalog, __: catalog.newest_received_at(kind))

    def freshness(self, kinds: Iterable[str]) -> dict[str, Instant]:
        """The same for several kinds; those without an event are left out."""

        def run(_: object, catalog: Catalog, __: object) -> dict[str, Instant]:
            newest = {kind: catalog.newest_received_at(kind) for kind in kinds}
            return {kind: at for kind, at in newest.items() if at is not None}

        return self._store.read(run)

    def rooms(self, conditions: Conditions, *, limit: int, after: str) -> Listing:
        """Rooms that were watched or written in, by login.

        Args:
            conditions: Stretch of time, rooms, and perhaps the room's id.
            limit: At most so many.
            after: The login that the page before ended with.
        """
        wanted = dict(conditions.equal).get("room_id")
        found = [
            room
            for room in self._book.rooms(replace(conditions, equal=()))
            if room.room_login > after and (wanted is None or room.room_id == wanted)
        ]
        shown = found[:limit]
        columns: dict[str, Sequence[Any]] = {
            name: [getattr(room, name) for room in shown] for name in _ROOM_SCHEMA.names
        }
        arrays = [
            pa.array(columns[f.name], pa.int64()).cast(_INSTANT)
            if f.type == _INSTANT
            else pa.array(columns[f.name], f.type)
            for f in _ROOM_SCHEMA
        ]
        more = shown[-1].room_login if len(found) > limit else None
        return Listing(pa.table(arrays, schema=_ROOM_SCHEMA), more, conditions)

    def users(
        self, conditions: Conditions, *, login: str | None, limit: int, after: str, now: Instant | None = None
    ) -> Listing:
        """People who wrote, by user id.

        Args:
            conditions: Stretch of time, rooms, and perhaps the person's id.
            login: Only who ever wrote under it.
            limit: At most so many.
            after: The key that the page before ended with.
            now: The wall clock, for the stretch of time that holds where none is given.
        """
        is_about_one = login is not None or bool(dict(conditions.equal).get("user_id"))
        if conditions.start_at is None and conditions.end_at is None and not is_about_one:
            is_one_room = conditions.rooms is not None and len(conditions.rooms) == 1
            days = USERS_ROOM_DAYS if is_one_room else USERS_DAYS
            start = Instant((now or now_us()) - days * DAY_US)
            conditions = replace(conditions, start_at=start)
        table = read_users(self._store, conditions, limit=limit + 1, after=after, login=login)
        return _listing(table, "who", limit, conditions, drop="who")

    def room_modes(self, conditions: Conditions, *, limit: int, after: str) -> Listing:
        """The modes of chats, all changes so far put together, by room."""
        table = read_room_modes(self._store, conditions, limit=limit + 1, after=after)
        return _listing(table, "room_login", limit, conditions)


def room_schema() -> pa.Schema:
    """The columns of :meth:`Records.rooms`."""
    return _ROOM_SCHEMA


def _listing(
    table: pa.Table, key: str, limit: int, conditions: Conditions, *, drop: str | None = None
) -> Listing:
    shown = table[:limit]
    more = shown[key][limit - 1].as_py() if table.num_rows > limit else None
    return Listing(shown.drop_columns([drop]) if drop else shown, more, conditions)
