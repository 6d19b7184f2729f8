"""What Helix answers, as values: one dataclass a thing, read leniently.

A field that is missing or of another type is ``None`` ("not told"); only a thing without its id
is dropped, because it could never be told from another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.events import Instant
from dashboard.instants import parse_instant


@dataclass(slots=True, kw_only=True, frozen=True)
class Stream:
    """A stream that is live now.

    Source: Helix Get Streams, Get Followed Streams.
    """

    stream_id: str
    user_id: str
    user_login: str
    user_display_name: str | None = None
    viewer_count: int | None = None
    game_id: str | None = None
    game_name: str | None = None
    title: str | None = None
    language: str | None = None
    started_at: Instant | None = None
    tags: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True, frozen=True)
class User:
    """An account.

    Source: Helix Get Users.
    """

    user_id: str
    user_login: str
    user_display_name: str | None = None
    created_at: Instant | None = None
    broadcaster_type: str | None = None
    """``partner``, ``affiliate`` or empty."""
    user_type: str | None = None
    profile_image_url: str | None = None


def parse_stream(raw: Mapping[str, Any]) -> Stream | None:
    """Reads one element of Get Streams' ``data``; ``None`` when it has no ids or login."""
    stream_id, user_id, login = (_text(raw, name) for name in ("id", "user_id", "user_login"))
    if not (stream_id and user_id and login):
        return None
    viewer_count = raw.get("viewer_count")
    tags = raw.get("tags")
    return Stream(
        stream_id=stream_id,
        user_id=user_id,
        user_login=login.lower(),
        user_display_name=_text(raw, "user_name"),
        viewer_count=viewer_count if type(viewer_count) is int else None,
        # Twitch writes "" for a stream without a game.
        game_id=_text(raw, "game_id") or None,
        game_name=_text(raw, "game_name") or None,
        title=_text(raw, "title"),
        language=_text(raw, "language") or None,
        started_at=parse_instant(raw.get("started_at")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
    )


def parse_user(raw: Mapping[str, Any]) -> User | None:
    """Reads one element of Get Users' ``data``; ``None`` when it has no id or login."""
    user_id, login = _text(raw, "id"), _text(raw, "login")
    if not (user_id and login):
        return None
    return User(
        user_id=user_id,
        user_login=login.lower(),
        user_display_name=_text(raw, "display_name"),
        created_at=parse_instant(raw.get("created_at")),
        broadcaster_type=_text(raw, "broadcaster_type"),
        user_type=_text(raw, "type"),
        profile_image_url=_text(raw, "profile_image_url"),
    )


def _text(raw: Mapping[str, Any], name: str) -> str | None:
    value = raw.get(name)
    return value if isinstance(value, str) else None
