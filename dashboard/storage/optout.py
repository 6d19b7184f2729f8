"""People who do not want to be in the lake: their events are dropped before anything is written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import fields, replace
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.events import KINDS, Event
from dashboard.storage.batch import Batch

_OWNERS = ("user_id", "user_login", "old_login", "target_user_id", "target_user_login")
# Who else an event can name: the fields that say who, and what goes with them.
_ROLES = (
    (
        ("reply_parent_user_id", "reply_parent_user_login"),
        ("reply_parent_message_id", "reply_parent_display_name", "reply_parent_text"),
    ),
    (
        ("thread_parent_user_id", "thread_parent_user_login"),
        ("thread_parent_message_id", "thread_parent_display_name"),
    ),
    (("recipient_id", "recipient_login"), ("recipient_display_name",)),
    (("gifter_id", "gifter_login"), ("gifter_display_name",)),
    (("prior_gifter_id", "prior_gifter_login"), ("prior_gifter_display_name",)),
    (("moderator_id", "moderator_login"), ("moderator_display_name",)),
    (("requester_id", "requester_login"), ("requester_display_name",)),
    (("from_room_id", "from_room_login"), ("from_room_display_name",)),
    (("to_room_id", "to_room_login"), ("to_room_display_name",)),
    (("creator_id",), ("creator_display_name",)),
)
# These repeat in words or raw tags what the fields above say.
_RETOLD = ("system_message", "tags", "other_tags")
# JSON that can name anybody, in lists or in what came verbatim.
_JSON = (
    "body",
    "tags",
    "other_tags",
    "other_fields",
    "fragments",
    "outcomes",
    "top_contributions",
    "last_contribution",
    "shared_participants",
    "shared_ban_channel_ids",
)
_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"')


def without_people(events: Iterable[Event], people: Collection[str]) -> list[Event]:
    """Leaves out the events of some people, and their names and words where others mention them.

    Args:
        events: Of any kinds.
        people: User ids and lower-case logins.

    Returns:
        Events somebody else caused. A gift to one of the people, or a reply to one, stays
        without the recipient's name and without the words replied to; so does what EventSub sent,
        without the message as it came and without the lists that name one of the people.

    Caveats:
        A name that somebody typed into a message stays.
    """
    kept = []
    for event in events:
        owners, roles, json_columns = _fields_of(event.kind)
        if any(_is_named(getattr(event, name), people) for name in owners):
            continue
        hidden: set[str] = set()
        for who, what in roles:
            if any(_is_named(getattr(event, name), people) for name in who):
                hidden.update(who, what)
        hidden.update(name for name in json_columns if names_somebody(getattr(event, name), people))
        nothing: dict[str, Any] = dict.fromkeys(hidden)
        kept.append(replace(event, **nothing) if hidden else event)
    return kept


def names_somebody(json_text: str | None, people: Collection[str]) -> bool:
    """Whether JSON text has the id or login of one of some people as a value.

    Args:
        json_text: As it came; None names nobody.
        people: User ids and lower-case logins.
    """
    if not json_text:
        return False
    return any(value in people for value in _QUOTED.findall(json_text.lower()))


def rows_without_people(batch: Batch, people: Collection[str]) -> Batch:
    """Leaves out rows of some people from what is read back from the journal."""
    table, values = batch.table, pa.array(sorted(people), pa.string())
    for name in _fields_of(batch.kind)[0]:
        table = table.filter(pc.invert(pc.is_in(pc.utf8_lower(table[name]), value_set=values)))
    return Batch(batch.kind, batch.day, table)


def _is_named(value: str | None, people: Collection[str]) -> bool:
    return value is not None and value.lower() in people


@cache
def _fields_of(
    kind: str,
) -> tuple[tuple[str, ...], tuple[tuple[tuple[str, ...], tuple[str, ...]], ...], tuple[str, ...]]:
    there = {field.name for field in fields(KINDS[kind])}
    retold = tuple(name for name in _RETOLD if name in there)
    roles = []
    for who, what in _ROLES:
        named = tuple(name for name in who if name in there)
        if named:
            roles.append((named, (*(name for name in what if name in there), *retold)))
    owners = tuple(name for name in _OWNERS if name in there)
    return owners, tuple(roles), tuple(name for name in _JSON if name in there)
