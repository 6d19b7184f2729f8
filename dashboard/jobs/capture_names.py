"""What a capture learns of accounts: creation dates, and names that changed, each stored once.

A name that was met earlier than the newest one known is no change: people are met out of order, for a
message of ten minutes ago is read after today's list of who is connected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboard.events import Event, Instant, synthetic_id
from dashboard.events_accounts import Account, Rename
from dashboard.job_handle import AccountFacts

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.storage.store import Store


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a capture."""

    user_id: str
    user_login: str | None
    user_display_name: str | None
    met_at: Instant
    """When they had this name."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the lake knows of an account."""

    created_at: Instant | None
    user_login: str | None
    user_display_name: str | None
    named_at: Instant
    """When the newest name was met first."""
    asked_at: Instant | None = None
    """When Twitch did not tell of it, the last time."""


def account_events(
    people: Iterable[Person],
    known: Mapping[str, Known],
    told: Mapping[str, AccountFacts],
    asked: Collection[str],
    *,
    capture_id: str,
    source: str,
    now: Instant,
) -> list[Event]:
    """The rows that are new: accounts met for the first time, aged, or under a new name; and renames.

    Args:
        people: Of a capture, each once.
        known: What the lake knows, by user id.
        told: What Twitch told just now, by user id.
        asked: Ids that Twitch was asked for; those it did not tell of keep an unknown age.
        capture_id: Of which capture.
        source: Who told of the people.
        now: When.

    Returns:
        Events with ids that are the same whoever finds the same change, from whichever capture.
    """
    events: list[Event] = []
    for person in people:
        before, facts = known.get(person.user_id), told.get(person.user_id)
        login = person.user_login or (facts.user_login if facts else None)
        display_name = person.user_display_name or (facts.user_display_name if facts else None)
        is_renamed = before is not None and person.met_at > before.named_at
        is_renamed = is_renamed and _has_changed(before, login, display_name)
        is_learnt = person.user_id in asked and (before is None or before.created_at is None)
        if is_renamed and before is not None:
            events.append(_rename(person, before, login, display_name, capture_id, source, now))
        elif before is not None:
            login, display_name = before.user_login or login, before.user_display_name or display_name
        if is_renamed or is_learnt:
            events.append(_account(person, before, facts, (login, display_name), capture_id, source, now))
    return events


def read_known(store: Store, user_ids: Collection[str]) -> dict[str, Known]:
    """What the lake knows of some accounts, in one question."""
    frame = store.query("capture_known", user_ids=list(user_ids))
    names = ("user_id", "created_at", "user_login", "user_display_name", "named_at", "asked_at")
    return {
        user_id: Known(
            _instant(created_at),
            _text(login),
            _text(display_name),
            Instant(int(named_at)),
            _instant(asked_at),
        )
        for user_id, created_at, login, display_name, named_at, asked_at in _rows(frame, names)
    }


def read_people(store: Store, query: str, capture_id: str, started_at: Instant) -> list[Person]:
    """The people of a capture as far as they are stored.

    Args:
        store: The lake.
        query: ``capture_people`` or ``capture_speakers``.
        capture_id: Which capture.
        started_at: The time that its rows bear.
    """
    window = (started_at, Instant(started_at + 1))
    frame = store.query(query, window=window, capture=capture_id, started_at=started_at)
    names = ("user_id", "user_login", "user_display_name", "met_at")
    return [
        Person(user_id, _text(login), _text(display_name), Instant(int(met_at)))
        for user_id, login, display_name, met_at in _rows(frame, names)
    ]


def _has_changed(before: Known | None, login: str | None, display_name: str | None) -> bool:
    """A name that is not told is no change."""
    return before is not None and (
        (login is not None and before.user_login is not None and login != before.user_login)
        or (
            display_name is not None
            and before.user_display_name is not None
            and display_name != before.user_display_name
        )
    )


def _rename(
    person: Person,
    before: Known,
    login: str | None,
    display_name: str | None,
    capture_id: str,
    source: str,
    now: Instant,
) -> Rename:
    return Rename(
        # Not of the capture: two that run at once find the same change.
        event_id=synthetic_id(Rename.kind, person.user_id, before.named_at, login, display_name),
        source=source,
        room_login="",
        sent_at=person.met_at,
        received_at=now,
        user_id=person.user_id,
        old_login=before.user_login,
        user_login=login or before.user_login,
        old_display_name=before.user_display_name,
        user_display_name=display_name or before.user_display_name,
        old_name_at=before.named_at,
        capture_id=capture_id,
    )


def _account(
    person: Person,
    before: Known | None,
    facts: AccountFacts | None,
    names: tuple[str | None, str | None],
    capture_id: str,
    source: str,
    now: Instant,
) -> Account:
    created_at = (before.created_at if before else None) or (facts.created_at if facts else None)
    login = names[0] or (before.user_login if before else None)
    display_name = names[1] or (before.user_display_name if before else None)
    named_at = before.named_at if before else None
    return Account(
        event_id=synthetic_id(Account.kind, person.user_id, named_at, login, display_name, created_at),
        source="helix" if facts else source,
        room_login="",
        sent_at=Instant(max(person.met_at, named_at or 0)),
        received_at=now,
        user_id=person.user_id,
        user_login=login,
        user_display_name=display_name,
        account_created_at=created_at,
        broadcaster_type=facts.broadcaster_type if facts else None,
        user_type=facts.user_type if facts else None,
        capture_id=capture_id,
    )


def _rows(frame: pd.DataFrame, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Rows by column: a mapping for each of 10,000 people would take longer than the question."""
    return zip(*(frame[name].tolist() for name in names), strict=True)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _instant(value: Any) -> Instant | None:
    # A column with holes comes as floats: 2**53 µs are enough until the year 2255.
    return None if value is None or value != value else Instant(int(value))
