"""What events have in common: the instant, the room, the person, the notice."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import ClassVar, NewType

Instant = NewType("Instant", int)
"""Microseconds since 1970-01-01T00:00:00Z."""


def now_us() -> Instant:
    """The wall clock as an instant."""
    return Instant(time.time_ns() // 1000)


@dataclass(slots=True, kw_only=True)
class Event:
    """What every kind has in common.

    ``event_id`` is Twitch's own id where there is one, else :func:`synthetic_id`; the same
    happening always has the same id, so it can be received twice and is stored once.
    """

    kind: ClassVar[str] = ""

    event_id: str
    source: str
    """Who told us: ``irc``, ``helix``, ``eventsub`` or ``import``."""
    room_login: str
    """Login of the channel at that time, lower case, without ``#``."""
    sent_at: Instant
    received_at: Instant
    room_id: str | None = None


@dataclass(slots=True, kw_only=True)
class RoomEvent(Event):
    """An event seen in a room, perhaps through a shared chat.

    When ``source_room_id`` is set and differs from ``room_id``, the message was written in
    another room and mirrored here: every count leaves it to its source room.
    """

    source_room_id: str | None = None
    source_message_id: str | None = None


@dataclass(slots=True, kw_only=True)
class UserEvent(RoomEvent):
    """An event with somebody behind it. ``user_id`` is the identity; logins change."""

    user_id: str | None = None
    user_login: str | None = None
    user_display_name: str | None = None
    color: str | None = None
    badges: str | None = None
    """In Twitch's own form: ``subscriber/12,premium/1``."""
    badge_info: str | None = None
    is_subscriber: bool | None = None
    is_vip: bool | None = None
    is_mod: bool | None = None
    is_turbo: bool | None = None
    user_type: str | None = None
    source_badges: str | None = None
    source_badge_info: str | None = None
    is_source_only: bool | None = None


@dataclass(slots=True, kw_only=True)
class UserNotice(UserEvent):
    """What all USERNOTICEs have in common; their raw tags are kept whole."""

    msg_id: str | None = None
    system_message: str | None = None
    text: str | None = None
    emotes: str | None = None
    emote_names: str | None = None
    flags: str | None = None
    tags: str | None = None
    """JSON object of every tag as it came (unescaped)."""


@dataclass(slots=True, kw_only=True)
class Goal(UserNotice):
    """A notice that can move a channel's goal forward."""

    goal_contribution_type: str | None = None
    goal_current_contributions: int | None = None
    goal_target_contributions: int | None = None
    goal_user_contributions: int | None = None
    goal_description: str | None = None


def synthetic_id(*parts: object) -> str:
    """Gives an event without an id of Twitch's one that is the same each time it is met.

    Args:
        parts: What makes the happening unique (kind, room, instant, who, what, occurrence).

    Returns:
        ``x-`` and 32 hex digits; Twitch's ids never start so.
    """
    joined = "\x1f".join("" if part is None else str(part) for part in parts)
    return "x-" + hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
