"""Events read off a table: which field of Twitch's goes into which column, and nothing lost on the way.

A :class:`Form` is one EventSub type as data. What Twitch tells under names that the form does not
have, or in another type than it should, is kept in the event's ``other_fields``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from collectors.eventsub_events.values import Reader, Room, Told, text
from dashboard.events import Instant
from dashboard.events_eventsub import EventSubEvent
from dashboard.eventsub_message import EventSubMessage

Column = tuple[str, Reader]
Tree = Mapping[str, "Column | Tree"]
"""Column and reader by name of the field; for an object inside, a tree of its own."""

_ROOM: Tree = {
    "broadcaster_user_id": ("room_id", text),
    "broadcaster_user_login": ("", text),
    "broadcaster_user_name": ("room_display_name", text),
}
USER: Tree = {
    "user_id": ("user_id", text),
    "user_login": ("user_login", text),
    "user_name": ("user_display_name", text),
}
MODERATOR: Tree = {
    "moderator_user_id": ("moderator_id", text),
    "moderator_user_login": ("moderator_login", text),
    "moderator_user_name": ("moderator_display_name", text),
}


@dataclass(frozen=True, slots=True)
class Form:
    """One EventSub type: the class of its events, its fields, and what its name alone tells."""

    cls: type[EventSubEvent]
    tree: Tree
    fixed: Mapping[str, Any] = field(default_factory=dict)


def fill(form: Form, message: EventSubMessage, event: Told, room: Room, **more: Any) -> EventSubEvent:
    """Makes the event of a message.

    Args:
        form: Of its type.
        message: It came in.
        event: What it tells.
        room: It is about.
        more: Columns that are found otherwise; they go before all others.

    Returns:
        The event under the message's id; a field that is missing or can't be read is ``None``.
    """
    values: dict[str, Any] = dict(form.fixed)
    other = _read(event, {**_ROOM, **form.tree}, values)
    values.pop("", None)
    values.setdefault("room_id", room.room_id)
    values.setdefault("room_display_name", room.display_name)
    values.update(more)
    sent_at: Instant = values.pop("sent_at", message.sent_at)
    return form.cls(
        event_id=values.pop("event_id", message.message_id),
        source="eventsub",
        room_login=room.login,
        sent_at=sent_at,
        received_at=message.received_at,
        eventsub_type=message.eventsub_type,
        eventsub_version=message.version,
        other_fields=orjson.dumps(other).decode() if other else None,
        **values,
    )


def _read(told: Told, tree: Tree, values: dict[str, Any]) -> dict[str, Any]:
    """Fills the columns; gives back what found none."""
    other: dict[str, Any] = {}
    for key, value in told.items():
        if value is None:
            continue
        node = tree.get(key)
        if isinstance(node, tuple):
            column, reader = node
            found = reader(value)
            if found is not None:
                values[column] = found
            elif value != "":
                other[key] = value
        elif node is not None and isinstance(value, dict):
            if rest := _read(value, node, values):
                other[key] = rest
        else:
            other[key] = value
    return other
