"""EventSub notifications turned into events.

==============================================  ==================================================
a notification of                               becomes, besides its row in ``notifications``
==============================================  ==================================================
``channel.chat.message``                        ``ChatMessage``, with bits also ``Bits``, as from IRC
``channel.chat.notification``                   the class of its ``notice_type``, as from IRC
``channel.chat.clear`` and ``…message_delete``  ``Moderation``
``stream.online``, ``stream.offline``           ``StreamChange``, as from Helix
``channel.follow``                              ``Follow``, as from Helix
every other type of the tables                  the class in the tables (``FORMS``, ``MODERATION_FORMS``)
any other type, any other message               nothing more
==============================================  ==================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from collectors.eventsub_events.chat import chat_message
from collectors.eventsub_events.fields import Form, fill
from collectors.eventsub_events.forms import FORMS
from collectors.eventsub_events.moderation import MODERATION_FORMS, ban, moderate
from collectors.eventsub_events.notices import chat_notice
from collectors.eventsub_events.rooms import (
    StreamMemory,
    chat_cleared,
    follow,
    message_deleted,
    raid,
    raid_room,
    stream_ended,
    stream_started,
    user_cleared,
)
from collectors.eventsub_events.values import Room, Told, room_of, text, told
from dashboard.events import Event
from dashboard.events_eventsub import Notification
from dashboard.eventsub_message import NOTIFICATION, EventSubMessage

__all__ = ["TYPED", "StreamMemory", "parse_notification"]

log = structlog.get_logger(__name__)

Builder = Callable[[EventSubMessage, Told, Room], list[Event]]

_BUILDERS: dict[str, Builder] = {
    "channel.chat.message": chat_message,
    "channel.chat.notification": chat_notice,
    "channel.chat.clear": chat_cleared,
    "channel.chat.clear_user_messages": user_cleared,
    "channel.chat.message_delete": message_deleted,
    "channel.follow": follow,
    "channel.raid": raid,
    "channel.ban": ban,
    "channel.moderate": moderate,
}
_STREAMS: dict[str, Callable[[EventSubMessage, Told, Room, StreamMemory], list[Event]]] = {
    "stream.online": stream_started,
    "stream.offline": stream_ended,
}
_FORMS: dict[str, Form] = {**FORMS, **MODERATION_FORMS}

TYPED: Final = frozenset({*_BUILDERS, *_STREAMS, *_FORMS})
"""The EventSub types that become events of their own; of all others the raw record is everything."""

_ROOM_PREFIXES = ("broadcaster_user", "to_broadcaster_user", "from_broadcaster_user", "broadcaster")
_PEOPLE = ("chatter_user", "target_user", "user", "guest_user", "from_user")


def parse_notification(message: EventSubMessage, memory: StreamMemory | None = None) -> list[Event]:
    """Turns one EventSub message into what happened.

    Args:
        message: From whichever transport.
        memory: One for all messages of the process: it gives the end of a stream the id of its start.

    Returns:
        First the message itself as it came (``notifications``), then its events. Messages other than
        notifications (revocations), types without events of their own and messages that do
        not say what they should have the first only.

    Caveats:
        Never raises: what Twitch sends is kept even where it can't be understood.
    """
    event = told(message.event)
    events: list[Event] = []
    if message.message_type == NOTIFICATION and message.eventsub_type in TYPED:
        try:
            events = _typed(message, event, memory)
        except Exception as error:
            # The raw row must survive whatever Twitch (or somebody posing as it) makes of a message.
            log.warning(
                "EventSub message could not be read", type=message.eventsub_type, error=type(error).__name__
            )
    return [_notification(message, event, events), *events]


def _typed(message: EventSubMessage, event: Told, memory: StreamMemory | None) -> list[Event]:
    name = message.eventsub_type
    room = raid_room(message, event) if name == "channel.raid" else room_of(message, event)
    if room is None:
        return []
    if (build := _BUILDERS.get(name)) is not None:
        return build(message, event, room)
    if (follow_stream := _STREAMS.get(name)) is not None:
        return follow_stream(message, event, room, memory or StreamMemory())
    return [fill(_FORMS[name], message, event, room)]


def _notification(message: EventSubMessage, event: Told, events: list[Event]) -> Notification:
    if events:
        first = events[0]
        room_login, room_id = first.room_login, first.room_id
    else:
        room_login, room_id = _room(message, event)
    user_id, user_login = _person(event)
    if user_id is None and user_login is None and events:
        # Of what moderators do, the person is told deeper inside.
        user_id = getattr(events[0], "user_id", None)
        user_login = getattr(events[0], "user_login", None)
    return Notification(
        event_id=message.message_id,
        source="eventsub",
        room_login=room_login,
        sent_at=message.sent_at,
        received_at=message.received_at,
        room_id=room_id,
        eventsub_type=message.eventsub_type,
        transport=message.transport,
        body=message.body,
        eventsub_version=message.version,
        subscription_id=text(message.subscription.get("id")),
        message_type=message.message_type,
        user_id=user_id,
        user_login=user_login,
    )


def _room(message: EventSubMessage, event: Told) -> tuple[str, str | None]:
    """The channel by its login, or at least by the id that the subscription names."""
    for prefix in _ROOM_PREFIXES:
        if (room := room_of(message, event, prefix)) is not None:
            return room.login, room.room_id
    condition = told(message.subscription.get("condition"))
    ids = (
        text(event.get(f"{prefix}_id")) or text(condition.get(f"{prefix}_id")) for prefix in _ROOM_PREFIXES
    )
    return "", next(filter(None, ids), None)


def _person(event: Told) -> tuple[str | None, str | None]:
    for prefix in _PEOPLE:
        user_id, login = text(event.get(f"{prefix}_id")), text(event.get(f"{prefix}_login"))
        if user_id or login:
            return user_id, login
    return None, None
