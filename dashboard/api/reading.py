"""From a checked question to rows: the one step between parameters and formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from dashboard.api.parameters import Asked
from dashboard.events import Instant
from dashboard.insights.records import Listing, Records
from dashboard.storage.records import Conditions


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of rows."""

    table: pa.Table
    place: tuple[str | int, ...] | None
    """Where it ended; None when there is no more."""
    meta: dict[str, Any]


def read_answer(records: Records, asked: Asked, visible: Conditions) -> Answer:
    """Reads one page.

    Args:
        records: What is asked.
        asked: The question.
        visible: Rooms that may be told of.

    Returns:
        Rows in the resource's columns.

    Raises:
        StorageError: It took too long, or could not be read.
    """
    conditions = _conditions(asked, visible)
    if asked.resource.form == "events" and not asked.is_current:
        page = records.page(
            asked.resource.kind,
            conditions,
            limit=asked.limit,
            newest_first=asked.is_newest_first,
            after=asked.place,
        )
        place = None if page.next is None else (page.next.sent_at, page.next.event_id, page.next.room_login)
        return Answer(page.table, place, _meta(asked, conditions, page.table, page.fresh_at))
    listing = _listing(records, asked, conditions)
    kind = "room_states" if asked.is_current else "chat_messages"
    meta = _meta(asked, listing.conditions, listing.table, records.fresh_at(kind))
    if listing.next is None:
        return Answer(listing.table, None, meta)
    if asked.resource.form != "users":
        return Answer(listing.table, (listing.next,), meta)
    start = listing.conditions.start_at
    return Answer(listing.table, (listing.next, 0 if start is None else start), meta)


def read_stream(records: Records, asked: Asked, visible: Conditions) -> Iterator[pa.Table]:
    """Reads any number of events, a table at a time."""
    return records.chunks(
        asked.resource.kind,
        _conditions(asked, visible),
        limit=asked.limit,
        newest_first=asked.is_newest_first,
        after=asked.place,
    )


def rfc3339(at: Instant | None) -> str | None:
    """An instant as the API tells it."""
    if at is None:
        return None
    seconds, fraction = divmod(at, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:06}Z"


def _conditions(asked: Asked, visible: Conditions) -> Conditions:
    return replace(
        visible,
        start_at=asked.start_at,
        end_at=asked.end_at,
        equal=(*visible.equal, *asked.equal),
        words=asked.words,
    )


def _listing(records: Records, asked: Asked, conditions: Conditions) -> Listing:
    if asked.is_current:
        return records.room_modes(conditions, limit=asked.limit, after=asked.after)
    if asked.resource.form == "rooms":
        return records.rooms(conditions, limit=asked.limit, after=asked.after)
    if asked.cursor is not None:
        # The first page may have chosen the stretch of time; the next ones keep to it.
        conditions = replace(conditions, start_at=Instant(int(asked.cursor[1])) or None)
    return records.users(conditions, login=asked.user_login, limit=asked.limit, after=asked.after)


def _meta(asked: Asked, conditions: Conditions, table: pa.Table, fresh_at: Instant | None) -> dict[str, Any]:
    return {
        "resource": asked.resource.name,
        "window": {"start": rfc3339(conditions.start_at), "end": rfc3339(conditions.end_at)},
        "row_count": table.num_rows,
        "fresh_at": rfc3339(fresh_at),
    }
