"""Events for the tests of storage: numbered messages, and any event of any kind."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args, get_type_hints

from hypothesis import strategies as st

from dashboard.events import KINDS, ChatMessage, Event, Instant, Observation

T0 = 1_700_000_000_000_000
"""2023-11-14T22:13:20Z."""
DAY = 86_400_000_000

_FLOAT = st.floats(allow_nan=False, allow_infinity=False)
_INT64 = st.integers(-(2**63), 2**63 - 1)
# Up to the end of the year 9999: what a date can name.
_INSTANT = st.integers(-(10**15), 253_402_300_799_999_999)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def message(number: int, *, room: str = "alpha", at: int | None = None, **values: Any) -> ChatMessage:
    """A message; the same number is the same event."""
    defaults: dict[str, Any] = {"user_id": "7", "user_login": "seven", "text": f"text {number}"}
    return ChatMessage(
        event_id=f"m{number}",
        source="irc",
        room_login=room,
        sent_at=Instant(T0 + number * 1000 if at is None else at),
        received_at=Instant(T0 + number * 1000 + 50),
        **(defaults | values),
    )


def messages(first: int, last: int, **values: Any) -> list[ChatMessage]:
    """Messages with the numbers from first to last, both included."""
    return [message(number, **values) for number in range(first, last + 1)]


def observation(state: str, at_s: int, *, room: str = "alpha", collector: str = "irc") -> Observation:
    """What a collector saw of a room from so many seconds after :data:`T0` on."""
    return Observation(
        event_id=f"o-{collector}-{room}-{state}-{at_s}",
        source="irc",
        room_login=room,
        sent_at=Instant(T0 + at_s * 1_000_000),
        received_at=Instant(T0 + at_s * 1_000_000),
        collector=collector,
        state=state,
        reason=None if state == "joined" else f"{state} at {at_s}",
    )


def any_event(text: st.SearchStrategy[str] = _TEXT, *, is_full: bool = False) -> st.SearchStrategy[Event]:
    """Events of every kind with any values; ``is_full`` leaves no field ``None``."""
    return st.sampled_from(sorted(KINDS)).flatmap(lambda kind: event_of(kind, text, is_full=is_full))


def event_of(kind: str, text: st.SearchStrategy[str] = _TEXT, *, is_full: bool = False) -> Any:
    """Events of one kind with any values."""
    cls = KINDS[kind]
    hints = get_type_hints(cls)
    values = {}
    for field in fields(cls):
        hint = hints[field.name]
        is_optional = type(None) in get_args(hint)
        base = get_args(hint)[0] if is_optional else hint
        value = {str: text, int: _INT64, bool: st.booleans(), Instant: _INSTANT, float: _FLOAT}[base]
        values[field.name] = st.none() | value if is_optional and not is_full else value
    values["event_id"] = text.filter(bool)
    return st.builds(cls, **values)
