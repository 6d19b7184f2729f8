"""The people on the Chatters page, as values: the table of accounts, one account, two captures compared."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from dashboard.events import Instant
from dashboard.insights.chatters_model import AgeCurve, CaptureLine, CohortLine

Side = Literal["came", "left", "stayed"]

MANY_RENAMES: Final = 3
"""From so many on, renames are marked."""


@dataclass(frozen=True, slots=True)
class AccountTable:
    """The accounts of a selection as columns of equal length; one row is one user id.

    Newest accounts first; those of unknown age at the end. Seconds are since 1970-01-01 UTC.
    """

    row_count: int
    user_id: list[str]
    user_login: list[str]
    user_display_name: list[str]
    created_s: list[int | None]
    """When the account was made; None: not known yet."""
    age_days: list[int | None]
    """At the newest capture of the selection."""
    seen_count: list[int]
    """In how many captures of these channels (the same source), this selection's or not."""
    first_seen_s: list[int]
    """The first list or message of these channels that they were met in, as far as it is kept."""
    last_seen_s: list[int]
    message_count: list[int | None]
    """In the chat windows of the analysis; None where chat was not read."""
    rename_count: list[int]
    """Changes of the login or the display name that were noticed; many are marked."""
    evidence: list[str]
    """What is known of the account in a few words, ``silent, first seen, cohort 1``."""
    cohort: list[int | None]
    """Number of its cohort in the analysis."""
    words: str = ""
    """What the table holds: ``31 accounts of cohort 1``."""

    def to_payload(self) -> dict[str, Any]:
        """The columns as plain lists, for the browser."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Rename:
    """One change of the login or the display name; the user id stays."""

    at: Instant
    """When it was noticed: it happened between the look before and this one."""
    old_login: str | None
    new_login: str | None
    old_display_name: str | None
    new_display_name: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """One entry of an account's timeline."""

    at: Instant
    category: str
    """``capture``, ``join``, ``part``, ``follow``, ``message``, ``suspicious``, ``rename``."""
    room_login: str
    words: str


@dataclass(frozen=True, slots=True)
class MessageDay:
    """How much somebody wrote in a channel on one UTC day."""

    day: int
    room_login: str
    message_count: int


@dataclass(frozen=True, slots=True)
class AccountDetail:
    """One account, in the channels that the asking person may see."""

    user_id: str
    user_login: str
    user_display_name: str
    created_at: Instant | None
    age_days: int | None
    """At the moment of asking."""
    is_service: bool
    renames: tuple[Rename, ...]
    """Oldest first."""
    timeline: tuple[Sighting, ...]
    """Newest first; cut at a limit."""
    is_timeline_cut: bool
    capture_count: int
    message_days: tuple[MessageDay, ...]
    message_count: int
    first_message_at: Instant | None
    last_message_at: Instant | None
    rooms: tuple[str, ...]
    """Where they were met, of the channels that may be seen."""
    cohort: CohortLine | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_often_renamed(self) -> bool:
        """Whether there are so many renames that they are marked."""
        return len(self.renames) >= MANY_RENAMES


@dataclass(frozen=True, slots=True)
class ComparedAges:
    """Creation dates of who came, left and stayed in the same bins; columns of equal length."""

    start_day: tuple[int, ...]
    end_day: tuple[int, ...]
    """Inclusive."""
    came: tuple[int, ...]
    left: tuple[int, ...]
    stayed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RaidMark:
    """A raid that arrived between or around the captures."""

    at: Instant
    from_login: str
    viewer_count: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two captures of one channel and one source, the earlier one first."""

    before: CaptureLine
    after: CaptureLine
    came_count: int
    left_count: int
    stayed_count: int
    came_unknown_count: int
    """Of those who came, whose age is not known yet."""
    left_unknown_count: int
    stayed_unknown_count: int
    ages: ComparedAges
    came_curve: AgeCurve
    """Those who came; ``expected`` is the first capture, not the baseline."""
    came_median_age_days: float | None
    left_median_age_days: float | None
    stayed_median_age_days: float | None
    words: str
    """The difference in one or two sentences."""
    came_verdict: str
    """The verdict on those who came, tested against the baseline."""
    came_cohorts: tuple[CohortLine, ...]
    start_at: Instant
    """The stretch that the viewer curve covers."""
    end_at: Instant
    viewers_at: tuple[Instant, ...]
    viewers: tuple[int, ...]
    raids: tuple[RaidMark, ...]
    notes: tuple[str, ...] = ()
    """The people themselves: ``ChattersInsights.compared_people(…, side)`` gives an AccountTable."""
