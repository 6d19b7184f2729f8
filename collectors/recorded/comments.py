"""One comment of a VOD's chat in any of its forms, and the events in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from collectors.recorded.notices import notice_from_text
from collectors.recorded.times import SECOND, parse_instant
from dashboard.events import Bits, ChatMessage, Event, Instant, OtherNotice

_ANNOUNCED = ("sub", "resub", "subgift", "submysterygift", "raid")


@dataclass(slots=True)
class Comment:
    """What a comment tells, the same for every form."""

    comment_id: str
    offset_us: int
    created_at: Instant | None
    text: str
    room_id: str | None = None
    video_id: str | None = None
    user_id: str | None = None
    user_login: str | None = None
    user_display_name: str | None = None
    color: str | None = None
    badges: list[tuple[str, str]] = field(default_factory=list)
    bits: int | None = None
    is_action: bool | None = None
    msg_id: str | None = None
    emotes: str | None = None
    emote_names: str | None = None

    def has_badge(self, *names: str) -> bool:
        """Whether the person showed one of these badges."""
        return any(name in names for name, _ in self.badges)


@dataclass(slots=True)
class Video:
    """What is known of the video apart from its chat."""

    video_id: str | None = None
    start_at: Instant | None = None
    duration_us: int | None = None
    room_login: str | None = None
    room_id: str | None = None
    title: str | None = None
    game_name: str | None = None
    language: str | None = None


def comment_from(item: dict[str, Any]) -> Comment:
    """Reads a comment.

    Args:
        item: As TwitchDownloader or Twitch wrote it (``content_offset_seconds`` or
            ``contentOffsetSeconds``, ``_id`` or ``id``; empty values may be ``{}``).

    Returns:
        The comment; a deleted account leaves no user in it.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: It is not a comment.
    """
    message = item["message"]
    commenter = item.get("commenter") or {}
    fragments = message.get("fragments") or []
    offset_s = _first(item, "contentOffsetSeconds", "content_offset_seconds")
    body = message.get("body")
    emotes, names = _emotes(fragments)
    return Comment(
        comment_id=_required_text(item, "id", "_id"),
        offset_us=round(float(offset_s) * SECOND),
        created_at=parse_instant(_text(item, "createdAt", "created_at") or ""),
        text=body if isinstance(body, str) else "".join(str(part["text"]) for part in fragments),
        room_id=_text(item, "channelId", "channel_id"),
        video_id=_text(item, "contentId", "content_id"),
        user_id=_text(commenter, "id", "_id"),
        user_login=_text(commenter, "login", "name"),
        user_display_name=_text(commenter, "displayName", "display_name"),
        color=_text(message, "userColor", "user_color"),
        badges=_badges(message.get("userBadges") or message.get("user_badges") or []),
        bits=int(_first(message, "bitsSpent", "bits_spent") or 0) or None,
        is_action=message.get("is_action"),
        msg_id=_text(message.get("user_notice_params") or {}, "msg_id", "msg-id"),
        emotes=emotes,
        emote_names=names,
    )


def video_from(document: Any, sibling: Any) -> Video:
    """What the document and a ``vod.json`` beside it tell of the video.

    Args:
        document: The chat's document; TwitchDownloader's holds ``video`` and ``streamer``.
        sibling: The content of ``vod.json``, if there is one.
    """
    video: dict[str, Any] = {}
    streamer: dict[str, Any] = {}
    if isinstance(document, dict):
        video = document.get("video") if isinstance(document.get("video"), dict) else {}  # type: ignore[assignment]
        streamer = document.get("streamer") if isinstance(document.get("streamer"), dict) else {}  # type: ignore[assignment]
    beside = sibling if isinstance(sibling, dict) else {}
    created_at = _text(video, "created_at", "createdAt") or _text(beside, "created_at", "createdAt") or ""
    name = (
        _text(streamer, "login", "name")
        or _text(video, "user_login")
        or _text(beside, "user_login", "channel")
    )
    length_s = _number(video, "length", "duration") or _number(beside, "duration", "length")
    return Video(
        video_id=_text(video, "id", "_id") or _text(beside, "vod_id", "id"),
        start_at=parse_instant(created_at),
        duration_us=round(length_s * SECOND) if length_s and length_s > 0 else None,
        room_login=name.lower() if name and name.isascii() else None,
        room_id=_text(streamer, "id") or _text(video, "user_id") or _text(beside, "user_id"),
        title=_text(video, "title") or _text(beside, "title"),
        game_name=_text(video, "game", "game_name"),
        language=_text(video, "language"),
    )


def events_of(
    comment: Comment, *, at: Instant, received_at: Instant, room_login: str, room_id: str | None
) -> list[Event]:
    """The events in a comment: always a message, and beside it what it tells of (bits, a sub, a raid).

    A VOD's chat has Twitch's announcements among the comments. They stay chat messages, so that a
    recording has as many messages as comments, and are events of their kind too, under the same id;
    the message's ``msg_id`` then says which, as in ``resub``.
    """
    common: dict[str, Any] = {
        "event_id": comment.comment_id,
        "source": "import",
        "room_login": room_login,
        "room_id": room_id,
        "sent_at": at,
        "received_at": received_at,
        "user_id": comment.user_id,
        "user_login": comment.user_login,
        "user_display_name": comment.user_display_name,
        "color": comment.color,
        "badges": ",".join(f"{name}/{version}" for name, version in comment.badges) or None,
        "is_subscriber": comment.has_badge("subscriber", "founder"),
        "is_vip": comment.has_badge("vip"),
        "is_mod": comment.has_badge("moderator"),
        "is_turbo": comment.has_badge("turbo"),
    }
    announced = notice_from_text(comment.text, common)
    if announced is None and comment.msg_id in _ANNOUNCED:
        announced = OtherNotice(**common, system_message=comment.text, msg_id=comment.msg_id)
    message = ChatMessage(
        **common,
        text=comment.text,
        is_action=comment.is_action,
        emotes=comment.emotes,
        emote_names=comment.emote_names,
        bits=comment.bits,
        msg_id=comment.msg_id or (announced.msg_id if announced else None),
    )
    found: list[Event] = [message]
    if announced is not None:
        found.append(announced)
    if comment.bits:
        found.append(Bits(**common, bits=comment.bits, text=comment.text))
    return found


def _emotes(fragments: list[dict[str, Any]]) -> tuple[str | None, str | None]:
    """Emotes in Twitch's form, from the pieces of the text.

    The list ``emoticons`` of the older form is not used: its ends lie too far, and in both forms the
    positions are wrong after emoji.
    """
    places: dict[str, list[str]] = {}
    names: list[str] = []
    start = 0
    for part in fragments:
        text = part["text"]
        emote = part.get("emote") or part.get("emoticon") or {}
        if emote_id := _text(emote, "emoteID", "emoticon_id"):
            places.setdefault(emote_id, []).append(f"{start}-{start + len(text) - 1}")
            names.append(text)
        start += len(text)
    if not places:
        return None, None
    return "/".join(f"{emote}:{','.join(spans)}" for emote, spans in places.items()), " ".join(names)


def _badges(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = [(_text(item, "setID", "_id"), _text(item, "version")) for item in items]
    return [(name, version or "") for name, version in found if name]


def _first(item: dict[str, Any], *keys: str) -> Any:
    for key in keys:
        if item.get(key) is not None:
            return item[key]
    return None


def _text(item: dict[str, Any], *keys: str) -> str | None:
    """The first value that is a text or a number; empty ones and ``{}`` are not told."""
    for key in keys:
        value = item.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value:
            return str(value)
        if isinstance(value, str) and value:
            return value
    return None


def _required_text(item: dict[str, Any], *keys: str) -> str:
    value = _text(item, *keys)
    if value is None:
        raise KeyError(keys[0])
    return value


def _number(item: dict[str, Any], *keys: str) -> float | None:
    value = _first(item, *keys)
    try:
        return float(value) if value is not None else None
    except (TypeError, ValueError):
        return None
