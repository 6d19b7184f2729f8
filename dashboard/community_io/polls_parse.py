"""What a poll file says: who was in which chat at one moment, in any of the forms such files have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dashboard.analytics.communities.inputs import UNKNOWN
from dashboard.community_io.names import plain
from dashboard.community_io.numbers import parse_count, parse_number
from dashboard.community_io.texts import read_text, short_name
from dashboard.errors import RecordingError

_PEOPLE: Final = (
    "spect",
    "spectators",
    "spects",
    "chatters",
    "viewers",
    "users",
    "logins",
    "people",
    "viewerlist",
    "chatterlist",
    "members",
    "names",
    "userlist",
)
_CHANNEL: Final = (
    "channel",
    "streamer",
    "login",
    "userlogin",
    "broadcasterlogin",
    "broadcaster",
    "channelname",
    "username",
    "name",
    "room",
    "roomlogin",
    "displayname",
)
_PERSON: Final = ("userlogin", "login", "username", "name")
_GAME: Final = ("gamename", "game", "category", "categoryname")
_LANGUAGE: Final = ("language", "lang", "broadcasterlanguage")
_VIEWERS: Final = ("viewercount", "viewers", "viewerscount", "ccv", "nviewers", "chattercount")
_TIME: Final = ("timestamp", "time", "at", "polledat", "capturedat", "date", "datetime", "createdat")
_WRAPPERS: Final = (
    "channels",
    "data",
    "streams",
    "streamers",
    "polls",
    "captures",
    "results",
    "rooms",
    "poll",
)
_STAMP: Final = re.compile(r"(20\d\d)[-_.]?(\d\d)[-_.]?(\d\d)(?:[T_ -]+(\d\d)[-_.:h]?(\d\d))?")


@dataclass(slots=True)
class Seen:
    """One channel at one moment."""

    channel: str
    people: list[str]
    game: str = ""
    language: str = ""
    viewers: int = UNKNOWN


@dataclass(slots=True)
class Poll:
    """All channels at one moment."""

    name: str
    at: int = 0
    """Instant; 0 where unknown."""
    seen: list[Seen] = field(default_factory=list)
    skipped: int = 0
    """Entries without a list of people."""


def parse_polls(path: Path) -> list[Poll]:
    """Reads the polls of a file: JSON or a JSON value a line, also gzipped.

    Raises:
        RecordingError: It is no JSON, or there are no lists of people in it.
    """
    polls = list(_polls(_load(path), short_name(path), _instant_in(path.name)))
    polls = [poll for poll in polls if poll.seen]
    if not polls:
        raise RecordingError(
            f"{path}: no lists of people in it. A poll is "
            '{"channel": {"spect": ["login", …], "game_name": "…", "viewer_count": 1}, …}.'
        )
    return polls


def _load(path: Path) -> Any:
    text = read_text(path)
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
        if len(lines) > 1 and error.msg == "Extra data":
            return _lines(path, lines)
        cure = (
            "The file is cut off: download it again."
            if error.pos >= len(text.rstrip()) - 1
            else "Polls are JSON; put that place right."
        )
        raise RecordingError(
            f"{path}, line {error.lineno}, column {error.colno}: {error.msg}. {cure}"
        ) from None
    except RecursionError:
        raise RecordingError(f"{path}: nested too deeply to be a poll.") from None


def _lines(path: Path, lines: list[tuple[int, str]]) -> list[Any]:
    found = []
    for number, line in lines:
        try:
            found.append(json.loads(line, strict=False))
        except json.JSONDecodeError as error:
            raise RecordingError(
                f"{path}, line {number}: {error.msg}. One JSON value a line, or one for the whole file."
            ) from None
    return found


def _polls(value: Any, name: str, at: int, depth: int = 0) -> Iterator[Poll]:
    """The polls in a value, however they are wrapped."""
    if depth > 4:
        return
    if isinstance(value, Mapping):
        at = _told_instant(value) or at
        entry = _entry(value)
        if entry is not None:
            yield Poll(name, at, [entry])
            return
        seen = [found for channel, told in value.items() if (found := _seen(str(channel), told)) is not None]
        if seen:
            yield Poll(name, at, seen, len(value) - len(seen))
            return
        for key, inner in value.items():
            if isinstance(inner, Mapping | list) and (plain(key) in _WRAPPERS or _instant_in(str(key))):
                yield from _polls(inner, name, _instant_in(str(key)) or at, depth + 1)
    elif isinstance(value, list):
        yield from _listed(value, name, at, depth)


def _listed(value: list[Any], name: str, at: int, depth: int) -> Iterator[Poll]:
    """A list is either channels of one poll or a poll each."""
    by_time: dict[int, Poll] = {}
    for element in value:
        entry = _entry(element) if isinstance(element, Mapping) else _pair(element)
        if entry is not None:
            moment = (_told_instant(element) if isinstance(element, Mapping) else 0) or at
            by_time.setdefault(moment, Poll(name, moment)).seen.append(entry)
        elif isinstance(element, Mapping | list):
            yield from _polls(element, name, at, depth + 1)
    yield from by_time.values()


def _entry(told: Mapping[str, Any]) -> Seen | None:
    """A record that names its channel: {"channel": "x", "chatters": [...]}."""
    fields = {plain(key): value for key, value in told.items()}
    channel = next((fields[key] for key in _CHANNEL if isinstance(fields.get(key), str | int)), None)
    if channel is None or isinstance(channel, bool) or not str(channel).strip():
        return None
    return _seen(str(channel), told)


def _pair(element: Any) -> Seen | None:
    """["channel", ["login", …]]."""
    is_pair = isinstance(element, list) and len(element) == 2 and isinstance(element[0], str)
    return _seen(element[0], element[1]) if is_pair and isinstance(element[1], list | Mapping) else None


def _seen(channel: str, told: Any) -> Seen | None:
    if isinstance(told, list):
        people = _logins(told)
        return Seen(channel, people) if people is not None else None
    if not isinstance(told, Mapping):
        return None
    fields = {plain(key): value for key, value in told.items()}
    people = None
    for key in _PEOPLE:
        if isinstance(fields.get(key), list | Mapping):
            people = _logins(fields[key])
            if people is not None:
                break
    if people is None:
        return None
    return Seen(
        channel,
        people,
        _word(fields, _GAME),
        _word(fields, _LANGUAGE).lower(),
        next((parse_count(fields[k]) for k in _VIEWERS if parse_number(fields.get(k)) is not None), UNKNOWN),
    )


def _logins(value: Any) -> list[str] | None:
    """The people of a list, or of lists by role ({"moderators": […], "viewers": […]})."""
    if isinstance(value, Mapping):
        lists = [_logins(inner) for inner in value.values() if isinstance(inner, list)]
        known = [people for people in lists if people is not None]
        return [login for people in known for login in people] if known else None
    found: list[str] = []
    for element in value:
        if isinstance(element, Mapping):
            fields = {plain(key): inner for key, inner in element.items()}
            if any(isinstance(fields.get(key), list | Mapping) for key in _PEOPLE):
                return None  # A list of channels, each with its people.
            element = next((fields[key] for key in _PERSON if fields.get(key)), "")
        if isinstance(element, bool) or not isinstance(element, str | int):
            return found or None
        if login := str(element).strip().lower():
            found.append(login)
    return found


def _word(fields: Mapping[str, Any], names: Sequence[str]) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, Mapping):
            value = value.get("name")
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _told_instant(told: Mapping[str, Any]) -> int:
    for key, value in told.items():
        if plain(key) in _TIME:
            if isinstance(value, str):
                return _instant_in(value)
            number = parse_number(value)
            if number and 1e9 < number < 4e15:
                # Seconds, milliseconds or microseconds since 1970.
                return int(number * (1_000_000 if number < 1e11 else 1_000 if number < 1e14 else 1))
    return 0


def _instant_in(text: str) -> int:
    """The instant that a name or a text tells, taken for UTC; 0 where it tells none."""
    try:
        if re.match(r"20\d\d-\d\d-\d\dT", text):
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return int(moment.timestamp() * 1_000_000)
        found = _STAMP.search(text)
        if not found:
            return 0
        year, month, day, hour, minute = (int(part or 0) for part in found.groups())
        return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        return 0
