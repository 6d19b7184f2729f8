"""Accounts: when they were made, what they are called and were called, and who spoke in a stretch of time.

A list of people who spoke comes in many rows, as a list of people connected does: it counts only when
the row that closes it (``speaker_polls``) is there. The two are never mixed: who spoke was in chat, who
is connected may never have said a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dashboard.events_base import Event, Instant


@dataclass(slots=True, kw_only=True)
class Account(Event):
    """One row per account and name it was met under; its newest row has its newest name.

    ``sent_at`` is when it was met under that name; somebody who takes an old name back gets a row again.
    An account that Twitch did not tell of (deleted, suspended) has a row without a creation date, which
    is asked for anew another time.
    """

    kind: ClassVar[str] = "accounts"

    user_id: str
    user_login: str | None = None
    user_display_name: str | None = None
    account_created_at: Instant | None = None
    """When the account was made; it never changes."""
    broadcaster_type: str | None = None
    """``partner`` or ``affiliate``; NULL for everybody else."""
    user_type: str | None = None
    """``staff``, ``admin`` or ``global_mod``; NULL for everybody else."""
    capture_id: str | None = None
    """The capture that met it so."""


@dataclass(slots=True, kw_only=True)
class Rename(Event):
    """One row per change of an account's login or display name, however many captures met it.

    ``sent_at`` is when the new name was met first: the change itself happened at some time between then
    and the last time the old one was met.
    """

    kind: ClassVar[str] = "renames"

    user_id: str
    old_login: str | None = None
    user_login: str | None = None
    """The new one."""
    old_display_name: str | None = None
    user_display_name: str | None = None
    """The new one."""
    old_name_at: Instant | None = None
    """When the old name was met first."""
    capture_id: str | None = None
    """The capture that met the new one."""


@dataclass(slots=True, kw_only=True)
class SpeakerPoll(Event):
    """One row per complete list of the people who spoke in a chat; it closes its ``speakers``."""

    kind: ClassVar[str] = "speaker_polls"

    capture_id: str
    speaker_count: int
    """How many rows the list has."""
    message_count: int | None = None
    """How many messages they wrote."""
    start_at: Instant | None = None
    """From here on, until ``end_at``, they spoke."""
    end_at: Instant | None = None
    observed_s: float | None = None
    """How much of that stretch somebody read the chat; nobody who spoke in the rest is listed."""
    known_count: int | None = None
    """Of them, whose creation date was known when the list was closed."""
    duration_s: float | None = None


@dataclass(slots=True, kw_only=True)
class Speaker(Event):
    """One row per person in a list of people who spoke in a chat in a stretch of time."""

    kind: ClassVar[str] = "speakers"

    capture_id: str
    user_id: str
    user_login: str | None = None
    user_display_name: str | None = None
    message_count: int | None = None
    """In that stretch."""
    first_at: Instant | None = None
    last_at: Instant | None = None


KINDS_ACCOUNTS: tuple[type[Event], ...] = (Account, Rename, SpeakerPoll, Speaker)
