"""Elements of Helix' lists of people and clips as events; what is missing or odd is ``None``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dashboard.events import Event, Instant, synthetic_id
from dashboard.events_eventsub import Follow, follow_id
from dashboard.events_helix import Chatter, Clip, Subscriber
from dashboard.instants import parse_instant
from dashboard.job_handle import Room

SOURCE = "helix"


_DAY_US = 86_400 * 1_000_000


def utc_midnight(at: Instant) -> Instant:
    """The first instant of the UTC day of an instant."""
    return Instant(at - at % _DAY_US)


def utc_day(at: Instant) -> str:
    """The UTC day of an instant, as ``YYYY-MM-DD``."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%d")


def parse_subscriber(raw: Mapping[str, Any], room: Room, at: Instant) -> Subscriber | None:
    """Reads one element of Get Broadcaster Subscriptions; ``None`` without a user id.

    Args:
        raw: The element.
        room: The channel.
        at: When it was asked.

    Returns:
        The same event for the same person, channel and UTC day, however often it is asked.
    """
    user_id = _text(raw, "user_id")
    if not user_id:
        return None
    return Subscriber(
        event_id=synthetic_id(Subscriber.kind, room.room_id, utc_day(at), user_id),
        source=SOURCE,
        room_login=room.room_login,
        room_id=room.room_id,
        sent_at=utc_midnight(at),
        received_at=at,
        user_id=user_id,
        user_login=_login(raw, "user_login"),
        user_display_name=_text(raw, "user_name"),
        tier=_text(raw, "tier"),
        plan_name=_text(raw, "plan_name"),
        is_gift=_flag(raw, "is_gift"),
        gifter_id=_text(raw, "gifter_id"),
        gifter_login=_login(raw, "gifter_login"),
        gifter_display_name=_text(raw, "gifter_name"),
    )


def parse_follow(raw: Mapping[str, Any], room: Room, at: Instant) -> Event | None:
    """Reads one element of Get Channel Followers; ``None`` without a user id or a time.

    Returns:
        The same event as EventSub's notification of this follow, so that it counts once.
    """
    user_id, followed_at = _text(raw, "user_id"), parse_instant(raw.get("followed_at"))
    if not user_id or followed_at is None:
        return None
    return Follow(
        event_id=follow_id(room.room_id, user_id, followed_at),
        source=SOURCE,
        room_login=room.room_login,
        room_id=room.room_id,
        sent_at=followed_at,
        received_at=at,
        user_id=user_id,
        user_login=_login(raw, "user_login"),
        user_display_name=_text(raw, "user_name"),
        followed_at=followed_at,
    )


def parse_chatter(
    raw: Mapping[str, Any], room: Room, capture_id: str, at: Instant, told_at: Instant
) -> Chatter | None:
    """Reads one element of Get Chatters; ``None`` without a user id.

    Args:
        raw: The element.
        room: The channel.
        capture_id: The capture it belongs to.
        at: The one time of the whole capture.
        told_at: When Twitch told it.
    """
    user_id = _text(raw, "user_id")
    if not user_id:
        return None
    return Chatter(
        event_id=synthetic_id(Chatter.kind, capture_id, user_id),
        source=SOURCE,
        room_login=room.room_login,
        room_id=room.room_id,
        sent_at=at,
        received_at=told_at,
        capture_id=capture_id,
        user_id=user_id,
        user_login=_login(raw, "user_login"),
        user_display_name=_text(raw, "user_name"),
    )


def parse_clip(raw: Mapping[str, Any], room: Room, at: Instant) -> Clip | None:
    """Reads one element of Get Clips; ``None`` without an id."""
    clip_id = _text(raw, "id")
    if not clip_id:
        return None
    duration = raw.get("duration")
    is_number = isinstance(duration, (int, float)) and not isinstance(duration, bool)
    return Clip(
        event_id=synthetic_id(Clip.kind, clip_id, utc_day(at)),
        source=SOURCE,
        room_login=room.room_login,
        room_id=room.room_id,
        sent_at=utc_midnight(at),
        received_at=at,
        clip_id=clip_id,
        url=_text(raw, "url"),
        title=_text(raw, "title"),
        creator_id=_text(raw, "creator_id"),
        creator_display_name=_text(raw, "creator_name"),
        view_count=_whole(raw, "view_count"),
        created_at=parse_instant(raw.get("created_at")),
        duration_s=float(duration) if is_number and duration is not None else None,
        video_id=_text(raw, "video_id"),
        vod_offset_s=_whole(raw, "vod_offset"),
        game_id=_text(raw, "game_id"),
        language=_text(raw, "language"),
        thumbnail_url=_text(raw, "thumbnail_url"),
        is_featured=_flag(raw, "is_featured"),
    )


def _text(raw: Mapping[str, Any], name: str) -> str | None:
    """A text; Twitch writes "" for what there is none of."""
    value = raw.get(name)
    return value if isinstance(value, str) and value else None


def _login(raw: Mapping[str, Any], name: str) -> str | None:
    text = _text(raw, name)
    return text.lower() if text else None


def _flag(raw: Mapping[str, Any], name: str) -> bool | None:
    value = raw.get(name)
    return value if isinstance(value, bool) else None


def _whole(raw: Mapping[str, Any], name: str) -> int | None:
    value = raw.get(name)
    return value if type(value) is int else None
