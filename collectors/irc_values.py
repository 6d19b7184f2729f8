"""Tag values turned into what the events hold; what can't be read is ``None``, never an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from dashboard.errors import ParseError
from dashboard.events import Instant

Tags = dict[str, str]

_MAX_DIGITS = 18  # more would not fit the lake's 64-bit columns
_EARLIEST_MS = 1_000_000_000_000  # 2001-09-09; Twitch is younger
_LATEST_MS = 4_102_444_800_000  # 2100-01-01: keeps a broken clock from opening odd date folders

_FLAGS: dict[str | None, bool] = {"1": True, "0": False, "true": True, "false": False}

flag: Callable[[str | None], bool | None] = _FLAGS.get
"""``0``/``1`` and ``false``/``true``; ``None`` for nothing and for anything else."""

_ROOM_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_:-")
_MAX_ROOM_LENGTH = 80

_rooms: dict[str, str] = {}
_MAX_ROOMS = 20_000


@dataclass(slots=True)
class Line:
    """One line in its parts, with what the collector knows about it besides."""

    tags: Tags
    origin: str | None
    command: str
    params: list[str]
    received_at: Instant
    fallback_at: Instant
    """When it happened, for lines without a time of their own."""
    source: str
    raw: str

    @property
    def sent_at(self) -> Instant:
        """When it happened."""
        return instant(self.tags.get("tmi-sent-ts"), self.fallback_at)

    @property
    def text(self) -> str:
        """Everything after the first parameter; text may come without its colon."""
        return " ".join(self.params[1:])

    def room(self) -> str:
        """Login of the room in the first parameter; ParseError where there is none."""
        return room_login(self.params)


def number(value: str | None) -> int | None:
    """A whole number ≥ 0; ``None`` for nothing and for anything else."""
    if value and value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS:
        return int(value)
    return None


def signed_number(value: str | None) -> int | None:
    """A whole number, perhaps with a minus sign; ``None`` for anything else."""
    if value and value[0] == "-":
        magnitude = number(value[1:])
        return None if magnitude is None else -magnitude
    return number(value)


def instant(milliseconds: str | None, fallback: Instant) -> Instant:
    """When it happened, from Twitch's milliseconds; the fallback where they tell no possible time."""
    value = number(milliseconds)
    if value is None or not _EARLIEST_MS <= value < _LATEST_MS:
        return fallback
    return Instant(value * 1000)


def room_login(params: list[str]) -> str:
    """The room a line is about, from its first parameter.

    Args:
        params: Of the line; the first is ``#login`` (very old lines have it without ``#``).

    Returns:
        The login, lower case, without ``#``.

    Raises:
        ParseError: There is no room, or it can't be one.
    """
    if not params:
        raise ParseError("the line names no room")
    name = params[0]
    login = _rooms.get(name)
    if login is None:
        login = name.removeprefix("#").lower()
        if not login or len(login) > _MAX_ROOM_LENGTH or not _ROOM_CHARACTERS.issuperset(login):
            raise ParseError(f"“{name[:_MAX_ROOM_LENGTH]}” is not a room")
        if len(_rooms) >= _MAX_ROOMS:
            _rooms.clear()
        _rooms[name] = login
    return login


def json_text(values: Mapping[str, str]) -> str:
    """The values as the JSON object that the lake keeps."""
    return orjson.dumps(values).decode()


def is_vip(tags: Tags) -> bool | None:
    """Whether the user is a VIP here: Twitch's tag, else the badge, else not told."""
    told = tags.get("vip")
    if told:
        return _FLAGS.get(told)
    badges = tags.get("badges")
    return None if badges is None else badges.startswith("vip/") or ",vip/" in badges


def emote_names(emotes: str | None, text: str) -> str | None:
    """The emotes of a text as words, in order of appearance.

    Args:
        emotes: Twitch's tag, ``25:0-4,12-16/1902:6-10``; positions count code points.
        text: What the positions point into (of a ``/me`` message, the unwrapped text).

    Returns:
        The words joined by a space, or ``None`` without emotes.

    Caveats:
        Twitch does send wrong positions (outside of the text, across words); those are left out.
    """
    if not emotes:
        return None
    found: list[tuple[int, str]] = []
    for group in emotes.split("/"):
        for span in group.partition(":")[2].split(","):
            first, _, last = span.partition("-")
            start, stop = number(first), number(last)
            if start is None or stop is None or not start <= stop < len(text):
                continue
            word = text[start : stop + 1]
            if " " not in word:
                found.append((start, word))
    if not found:
        return None
    if len(found) > 1:
        found.sort()
    return " ".join([word for _, word in found])
