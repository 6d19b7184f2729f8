"""JSON values turned into what the events hold; what can't be read is ``None``, never an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from collectors.irc_values import room_login
from dashboard.errors import ParseError
from dashboard.events import Instant
from dashboard.eventsub_message import EventSubMessage
from dashboard.instants import parse_instant

Told = Mapping[str, Any]
Reader = Callable[[Any], Any]

_INT64 = 2**63
_FLAGS = {"true": True, "false": False}

instant: Callable[[object], Instant | None] = parse_instant
"""An instant from RFC 3339."""


def text(value: object) -> str | None:
    """A text; ids that come as numbers become texts, and an empty text tells nothing."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def whole(value: object) -> int | None:
    """A whole number that the lake can hold, also one written as text."""
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
            return None
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64:
        return value
    return None


def flag(value: object) -> bool | None:
    """Yes or no, also written as text, as some of Twitch's messages do."""
    if isinstance(value, bool):
        return value
    return _FLAGS.get(value) if isinstance(value, str) else None


def json_text(value: object) -> str | None:
    """A list or an object as JSON text."""
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else None


def told(value: object) -> Told:
    """The object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def login_of_room(value: object) -> str | None:
    """The login of a channel as the lake has it, in lower case; ``None`` for what can't be one."""
    if not isinstance(value, str):
        return None
    try:
        return room_login([value])
    except ParseError:
        return None


def badges(value: object) -> tuple[str | None, str | None]:
    """Badges and what goes with them, as IRC writes them.

    Args:
        value: ``[{"set_id": "subscriber", "id": "12", "info": "16"}]``.

    Returns:
        ``subscriber/12`` and ``subscriber/16``; ``None`` each where there is nothing.
    """
    if not isinstance(value, list) or not value:
        return None, None
    worn, infos = [], []
    for badge in value:
        if not isinstance(badge, dict) or not (name := text(badge.get("set_id"))):
            continue
        worn.append(f"{name}/{badge.get('id', '')}")
        if info := badge.get("info"):
            infos.append(f"{name}/{info}")
    return ",".join(worn) or None, ",".join(infos) or None


def badge_names(value: object) -> frozenset[str] | None:
    """Names of the badges that somebody wears; ``None`` where badges are not told."""
    if not isinstance(value, list):
        return None
    return frozenset(name for badge in value if (name := text(told(badge).get("set_id"))))


def rest_of(event: Told, known: Iterable[str]) -> dict[str, Any]:
    """What an object tells under other names than the known ones."""
    names = frozenset(known)
    return {key: value for key, value in event.items() if value is not None and key not in names}


@dataclass(frozen=True, slots=True)
class Room:
    """The channel that a message is about."""

    login: str
    room_id: str | None
    display_name: str | None


def room_of(message: EventSubMessage, event: Told, prefix: str = "broadcaster_user") -> Room | None:
    """The channel under a prefix of field names.

    Returns:
        ``None`` where the message names none: the lake files every event under a login.
    """
    login = login_of_room(event.get(f"{prefix}_login"))
    if login is None:
        return None
    condition = told(message.subscription.get("condition"))
    room_id = text(event.get(f"{prefix}_id")) or text(condition.get(f"{prefix}_id"))
    return Room(login, room_id, text(event.get(f"{prefix}_name")))
