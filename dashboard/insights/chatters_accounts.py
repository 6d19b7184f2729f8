"""The accounts of a selection as columns, and one account whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from dashboard.analytics.timebins import DAY_US
from dashboard.errors import AccessDenied
from dashboard.events import Instant
from dashboard.insights.chatters_crowd import UNKNOWN, Flags, Numbers, seconds
from dashboard.insights.chatters_model import CohortLine
from dashboard.insights.chatters_people_model import (
    MANY_RENAMES,
    AccountDetail,
    AccountTable,
    MessageDay,
    Rename,
    Sighting,
)
from dashboard.insights.chatters_services import ServiceAccounts
from dashboard.insights.chatters_tested import Tested
from dashboard.insights.live_sources import Lake, records, whole, words

MOST_SIGHTINGS: Final = 300
_LABELS: Final = {"active_monitoring": "monitored", "restricted": "restricted"}
_EVENT_WORDS: Final = {"follow": "Followed", "join": "Came into chat", "part": "Left chat"}


def table_of(tested: Tested, those: Flags, title: str) -> AccountTable:
    """Some of the accounts of a test as columns, newest account first.

    Args:
        tested: Knows everything about them.
        those: Which.
        title: What they are, in words.
    """
    crowd, chat = tested.crowd, tested.chat
    at = np.flatnonzero(those)
    # Unknown ages are -1, so they come last; of equal dates in the order of the ids.
    at = at[np.argsort(-crowd.created_s[at], kind="stable")]
    created = crowd.created_s[at]
    age = crowd.as_of_day - crowd.created_day[at]
    is_counted = crowd.source == "spoke" or chat.is_observed
    first, last = _met(tested)
    rows = at.tolist()
    return AccountTable(
        row_count=len(rows),
        user_id=[crowd.user_id[i] for i in rows],
        user_login=[crowd.user_login[i] for i in rows],
        user_display_name=[crowd.user_display_name[i] for i in rows],
        created_s=[None if value == UNKNOWN else value for value in created.tolist()],
        age_days=[
            None if value == UNKNOWN else max(0, days)
            for value, days in zip(created.tolist(), age.tolist(), strict=True)
        ],
        seen_count=crowd.seen_count[at].tolist(),
        first_seen_s=seconds(first[at]),
        last_seen_s=seconds(last[at]),
        message_count=chat.message_count[at].tolist() if is_counted else [None] * len(rows),
        rename_count=crowd.rename_count[at].tolist(),
        evidence=_evidence(tested, at),
        cohort=[number or None for number in tested.cohort[at].tolist()],
        words=f"{len(rows):,} {title}",
    )


def _met(tested: Tested) -> tuple[Numbers, Numbers]:
    """First and last list or message of each person."""
    crowd, chat = tested.crowd, tested.chat
    wrote = chat.first_message_at != UNKNOWN
    first = np.where(wrote, np.minimum(crowd.first_listed_at, chat.first_message_at), crowd.first_listed_at)
    return first, np.maximum(crowd.last_listed_at, chat.last_message_at)


def _evidence(tested: Tested, at: Numbers) -> list[str]:
    """A few words an account; the same words are the same text, so that they cost nothing."""
    crowd, chat = tested.crowd, tested.chat
    parts: list[tuple[Flags, str]] = [
        (tested.traits[name], text)
        for name, text in (("silent", "silent"), ("first_seen", "first seen"), ("follows", "follows"))
        if name in tested.traits
    ]
    parts += [
        (np.array([label == status for label in chat.label], dtype=np.bool_), f"{text} by Twitch")
        for status, text in _LABELS.items()
    ]
    parts.append((crowd.rename_count >= MANY_RENAMES, "many renames"))
    code = np.zeros(len(at), dtype=np.int64)
    for bit, (has, _) in enumerate(parts):
        code += has[at].astype(np.int64) << bit
    code += tested.cohort[at] << len(parts)
    texts = {int(value): _words_of(int(value), [text for _, text in parts]) for value in np.unique(code)}
    return [texts[value] for value in code.tolist()]


def _words_of(code: int, texts: Sequence[str]) -> str:
    number = code >> len(texts)
    found = [f"cohort {number}"] if number else []
    return ", ".join([*found, *(text for bit, text in enumerate(texts) if code >> bit & 1)])


def account_detail(
    lake: Lake,
    user_id: str,
    *,
    rooms: Sequence[str],
    managed: Sequence[str],
    services: ServiceAccounts,
    cohort: CohortLine | None,
    kept_days: int,
    now: Instant,
) -> AccountDetail:
    """One account in some channels.

    Args:
        lake: The store.
        user_id: Who.
        rooms: Channels whose chat may be read.
        managed: Channels whose lists, follows and labels may be read.
        services: Knows service accounts.
        cohort: Theirs, in the analysis that is looked at.
        kept_days: How long messages are kept; 0 is for ever.
        now: The wall clock.

    Raises:
        AccessDenied: They were met in none of these channels, so there is nothing to tell.
    """
    lists = list(
        records(
            lake.query("chatters_account_lists", user_id=user_id, rooms=list(rooms), managed=list(managed))
        )
    )
    days = list(records(lake.query("chatters_account_days", user_id=user_id, rooms=list(rooms))))
    if not lists and not days:
        raise AccessDenied("This account was not met in the channels that you may see.")
    told = next(records(lake.query("chatters_account", user_id=user_id)))
    login = words(told["user_login"]) or _newest(lists, days, "user_login")
    name = words(told["user_display_name"]) or _newest(lists, days, "user_display_name") or login
    renames = tuple(
        Rename(
            Instant(int(row["sent_at"])),
            words(row["old_login"]),
            words(row["new_login"]),
            words(row["old_display_name"]),
            words(row["new_display_name"]),
        )
        for row in records(lake.query("chatters_account_renames", user_id=user_id))
    )
    events = lake.query(
        "chatters_account_events",
        user_id=user_id,
        user_login=login.lower(),
        rooms=list(rooms),
        managed=list(managed),
        most=MOST_SIGHTINGS + 1,
    )
    timeline = _timeline(lists, days, renames, list(records(events)))
    created_at = whole(told["created_at"])
    return AccountDetail(
        user_id=user_id,
        user_login=login,
        user_display_name=name,
        created_at=None if created_at is None else Instant(created_at),
        age_days=None if created_at is None else int(now // DAY_US - created_at // DAY_US),
        is_service=services.listed_by(user_id, login) is not None,
        renames=renames,
        timeline=tuple(timeline[:MOST_SIGHTINGS]),
        is_timeline_cut=len(timeline) > MOST_SIGHTINGS,
        capture_count=len(lists),
        message_days=tuple(
            MessageDay(int(row["day"]), row["room_login"], int(row["message_count"])) for row in days
        ),
        message_count=sum(int(row["message_count"]) for row in days),
        first_message_at=Instant(min(int(row["first_at"]) for row in days)) if days else None,
        last_message_at=Instant(max(int(row["last_at"]) for row in days)) if days else None,
        rooms=tuple(sorted({row["room_login"] for row in [*lists, *days]})),
        cohort=cohort,
        notes=(f"Messages are kept for {kept_days} days: what is older is not counted.",)
        if kept_days
        else (),
    )


def _newest(lists: list[dict[str, Any]], days: list[dict[str, Any]], key: str) -> str:
    found = [words(row[key]) for row in [*lists, *reversed(days)]]
    return next((name for name in found if name), "")


def _timeline(
    lists: list[dict[str, Any]],
    days: list[dict[str, Any]],
    renames: Sequence[Rename],
    events: list[dict[str, Any]],
) -> list[Sighting]:
    found = [
        Sighting(Instant(int(row["sent_at"])), "capture", row["room_login"], _list_words(row))
        for row in lists
    ]
    found += [
        Sighting(
            Instant(int(row["first_at"])),
            "message",
            row["room_login"],
            f"{int(row['message_count']):,} message{'s' if row['message_count'] != 1 else ''} on this day",
        )
        for row in days
    ]
    found += [Sighting(rename.at, "rename", "", rename_words(rename)) for rename in renames]
    found += [
        Sighting(Instant(int(row["at_us"])), row["category"], row["room_login"], _event_words(row))
        for row in events
    ]
    return sorted(found, key=lambda sighting: (-sighting.at, sighting.category))


def _list_words(row: dict[str, Any]) -> str:
    if row["source"] == "connected":
        return "Connected to chat"
    count = whole(row["message_count"])
    return "Spoke" if count is None else f"Spoke: {count:,} message{'s' if count != 1 else ''}"


def rename_words(rename: Rename) -> str:
    """``old → new``, of the login where it changed, else of the display name."""
    if rename.old_login != rename.new_login:
        return f"{rename.old_login or '?'} → {rename.new_login or '?'}"
    return f"{rename.old_display_name or '?'} → {rename.new_display_name or '?'}"


def _event_words(row: dict[str, Any]) -> str:
    if row["category"] == "suspicious":
        return f"Twitch's label: {str(row['words'] or 'none').replace('_', ' ')}"
    return _EVENT_WORDS[row["category"]]
