"""What the kinds that EventSub tells have in common, and the record of its messages as they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dashboard.events_base import Event, Instant, RoomEvent, synthetic_id

_SECOND_US = 1_000_000


def follow_id(room_id: str | None, user_id: str | None, followed_at: Instant) -> str:
    """The id of a follow, whoever tells of it.

    Args:
        room_id: Of the channel.
        user_id: Of the follower.
        followed_at: When; EventSub tells it to the nanosecond, Helix to the second.

    Returns:
        The same id for both.
    """
    return synthetic_id("follows", room_id, user_id, followed_at // _SECOND_US * _SECOND_US)


@dataclass(slots=True, kw_only=True)
class Notification(Event):
    """One row per EventSub message as it came: the record of everything, and the only one of some types.

    ``room_login`` is empty where the message belongs to no channel.
    """

    kind: ClassVar[str] = "notifications"

    eventsub_type: str
    transport: str
    """``webhook``, ``websocket`` or ``conduit``."""
    body: str | None = None
    """Verbatim: the request's body, or the WebSocket's whole frame."""
    eventsub_version: str | None = None
    subscription_id: str | None = None
    message_type: str | None = None
    """``notification`` or ``revocation``."""
    user_id: str | None = None
    """Whom it is about, where it is about one person: who wrote, followed, gave, was banned."""
    user_login: str | None = None


@dataclass(slots=True, kw_only=True)
class EventSubEvent(RoomEvent):
    """What the kinds of EventSub have in common."""

    eventsub_type: str | None = None
    """``channel.follow``…; None when another source told of it."""
    eventsub_version: str | None = None
    room_display_name: str | None = None
    other_fields: str | None = None
    """JSON object of what Twitch told besides; fields that this version does not know."""


@dataclass(slots=True, kw_only=True)
class EventSubUserEvent(EventSubEvent):
    """With somebody it is about; all None when that person is anonymous."""

    user_id: str | None = None
    user_login: str | None = None
    user_display_name: str | None = None


@dataclass(slots=True, kw_only=True)
class EventSubModeratorEvent(EventSubUserEvent):
    """With somebody who acted; the event's user is the one it was done to."""

    moderator_id: str | None = None
    moderator_login: str | None = None
    moderator_display_name: str | None = None
