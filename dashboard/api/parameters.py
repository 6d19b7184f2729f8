"""From the text of a request to a question: every parameter checked, every mistake named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.api.cursors import read_cursor
from dashboard.api.dates import parse_moment
from dashboard.api.resources import Resource
from dashboard.errors import ParseError
from dashboard.events import Instant
from dashboard.storage.records import Place

DEFAULT_LIMIT = 100
MOST_ROWS = 10_000
"""Of a page; also what a key without the scope ``export`` gets at once."""
MOST_EXPORTED_ROWS = 50_000_000
LONGEST_Q = 200
MOST_WORDS = 10
FORMATS = ("json", "csv", "ndjson", "parquet")
_WORDS = re.compile(r'"([^"]*)"|([^\s"]+)')
_ROOM = re.compile(r"[@#]?[A-Za-z0-9_]{1,25}", re.ASCII)
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_NOT_OF_THE_QUESTION = ("cursor", "limit", "format")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks, checked, before anybody looked at who asks."""

    resource: Resource
    question: dict[str, str]
    """The parameters that a cursor belongs to."""
    room_name: str | None
    room_id: str | None
    equal: tuple[tuple[str, str], ...]
    user_login: str | None
    """Of ``users`` only: a name that somebody has or had."""
    start_at: Instant | None
    end_at: Instant | None
    words: tuple[str, ...]
    is_newest_first: bool
    is_current: bool
    limit: int
    cursor: tuple[str | int, ...] | None
    form: str | None
    """The ``format`` asked for; None leaves it to ``Accept``."""

    @property
    def place(self) -> Place | None:
        """Where the page before ended, of events."""
        if self.cursor is None:
            return None
        at, event_id, room_login = self.cursor
        return Place(Instant(int(at)), str(event_id), str(room_login))

    @property
    def after(self) -> str:
        """The key that the page before ended with, of lists."""
        return "" if self.cursor is None else str(self.cursor[0])


def parse(resource: Resource, values: Mapping[str, list[str]]) -> Asked:
    """Checks the parameters of a request.

    Args:
        resource: What is asked for.
        values: Every value of every parameter, as it came.

    Returns:
        The question.

    Raises:
        ParseError: One of them is unknown, told twice or not what it should be; the message names it.
    """
    given = _known_once(resource, values)
    question = {name: text for name, text in given.items() if name not in _NOT_OF_THE_QUESTION}
    question["resource"] = resource.name
    start, end = _window(given)
    equal = tuple(
        (rule.column, _fitting(name, given[name], rule.pattern, is_login=rule.is_login))
        for name, rule in resource.filters.items()
        if name in given
    )
    user_login = None
    if resource.form == "users":
        user_login = dict(equal).get("user_login")
        equal = tuple(pair for pair in equal if pair[0] != "user_login")
    is_current = _choice(given, "state", ("current", "changes"), "changes") == "current"
    if is_current and {"start-date", "order"} & set(given):
        raise ParseError("state: with state=current there is no start-date and no order, only end-date")
    room = given.get("room-name")
    return Asked(
        resource=resource,
        question=question,
        room_name=None if room is None else _fitting("room-name", room, _ROOM.pattern, is_login=True),
        room_id=None if "room-id" not in given else _fitting("room-id", given["room-id"], _ID.pattern),
        equal=equal,
        user_login=user_login,
        start_at=start,
        end_at=end,
        words=_words(given["q"]) if "q" in given else (),
        is_newest_first=_choice(given, "order", ("desc", "asc"), "desc") == "desc",
        is_current=is_current,
        limit=_limit(given.get("limit")),
        cursor=_cursor(resource, is_current, question, given.get("cursor")),
        form=_choice(given, "format", FORMATS, None),
    )


def _known_once(resource: Resource, values: Mapping[str, list[str]]) -> dict[str, str]:
    unknown = sorted(set(values) - set(resource.parameters))
    if unknown:
        shown = ", ".join(_short(name) for name in unknown[:5])
        if resource.form == "events" and not resource.filters and set(unknown) & {"user-id", "user-name"}:
            shown += " (nobody in particular stands behind these rows)"
        raise ParseError(
            f"unknown parameter: {shown}; {resource.name} takes {', '.join(resource.parameters)}"
        )
    twice = sorted(name for name, texts in values.items() if len(texts) > 1)
    if twice:
        raise ParseError(f"{twice[0]}: given more than once; give it one value")
    given = {name: texts[0] for name, texts in values.items()}
    for name, text in given.items():
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
            raise ParseError(f"{name}: it holds control characters")
    return given


def _window(given: Mapping[str, str]) -> tuple[Instant | None, Instant | None]:
    ends: dict[str, Instant] = {}
    for name, side in (("start-date", 0), ("end-date", 1)):
        if name in given:
            try:
                ends[name] = parse_moment(given[name])[side]
            except ValueError as error:
                raise ParseError(f"{name}: {_short(str(error), 200)}") from None
    start, end = ends.get("start-date"), ends.get("end-date")
    if start is not None and end is not None and start > end:
        raise ParseError("start-date: it lies after end-date")
    return start, end


def _fitting(name: str, text: str, pattern: str, *, is_login: bool = False) -> str:
    if not re.fullmatch(pattern, text, re.ASCII):
        wanted = "a number, as Twitch's ids are" if pattern == _ID.pattern else f"one that fits {pattern}"
        if is_login:
            wanted = "a login: letters, digits and _, at most 25"
        elif "|" in pattern:
            wanted = "one of " + ", ".join(pattern.split("|"))
        raise ParseError(f"{name}: “{_short(text)}” is not {wanted}")
    return text.lstrip("@#").lower() if is_login else text


def _choice(given: Mapping[str, str], name: str, choices: tuple[str, ...], default: str | None) -> str | None:
    text = given.get(name)
    if text is None:
        return default
    if text not in choices:
        raise ParseError(f"{name}: “{_short(text)}” is not one of {', '.join(choices)}")
    return text


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= MOST_EXPORTED_ROWS:
        raise ParseError(
            f"limit: “{_short(text)}” is not a whole number from 1 to {MOST_ROWS} "
            f"(to {MOST_EXPORTED_ROWS} for csv, ndjson and parquet)"
        )
    return int(text)


def _words(text: str) -> tuple[str, ...]:
    if len(text) > LONGEST_Q:
        raise ParseError(f"q: at most {LONGEST_Q} letters")
    if text.count('"') % 2:
        raise ParseError("q: a quotation mark is left open")
    words = [phrase or word for phrase, word in _WORDS.findall(text) if phrase.strip() or word]
    if not words:
        raise ParseError("q: it holds no word; leave it out to get everything")
    if len(words) > MOST_WORDS:
        raise ParseError(f"q: at most {MOST_WORDS} words and phrases")
    return tuple(words)


def _cursor(
    resource: Resource, is_current: bool, question: Mapping[str, str], text: str | None
) -> tuple[str | int, ...] | None:
    if text is None:
        return None
    kinds: tuple[type, ...] = (int, str, str) if resource.form == "events" and not is_current else (str,)
    if resource.form == "users":
        kinds = (str, int)
    return read_cursor(question, text, kinds)


def _short(text: str, most: int = 60) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= most else shown[:most] + "…"
