"""What the Chatters page shows, as values: rooms, captures, sessions, the question, the analysis.

No drawing, no formatting, no SQL. Instants are :data:`dashboard.events.Instant` (µs since the epoch,
UTC); days are whole days since 1970-01-01 UTC, as in ``dashboard.analytics.account_ages``. ``None``
means "not known" and comes with a reason in words. The people are in ``chatters_people_model``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, cast, get_args

from dashboard.events import Instant

Source = Literal["connected", "spoke"]
Grain = Literal["day", "week", "month", "year"]
Trait = Literal["silent", "spoke", "first_seen", "follows"]

GRAINS: Final[tuple[Grain, ...]] = get_args(Grain)
TRAITS: Final[tuple[Trait, ...]] = get_args(Trait)


def source_words(source: str, window_s: int | None = None) -> str:
    """The name of a source, the same everywhere.

    Args:
        source: ``connected`` or ``spoke``.
        window_s: Of ``spoke``: how far back was looked.
    """
    if source == "connected":
        return "connected to chat"
    return f"spoke in the last {(window_s or 0) // 60:,} min" if window_s else "spoke"


@dataclass(frozen=True, slots=True)
class CaptureLine:
    """One capture: a list of people made at one time, from one source."""

    capture_id: str
    room_id: str
    room_login: str
    source: str
    """``connected`` or ``spoke``: never mixed in one count."""
    window_s: int | None
    """Of ``spoke``: how far back was looked."""
    state: str
    """``asked``, ``listing``, ``ageing``, ``complete``, ``failed`` or ``cancelled``."""
    asked_by: str
    """``you``, ``the clock`` or ``another moderator``."""
    asked_at: Instant
    started_at: Instant | None = None
    finished_at: Instant | None = None
    listed_count: int = 0
    told_count: int | None = None
    """Twitch's own total; people come and go while the pages are read."""
    known_count: int = 0
    """Of the people listed, whose age is known."""
    unknown_count: int = 0
    """Of the people listed, whose age is not known yet."""
    error: str | None = None
    is_cancel_wanted: bool = False

    @property
    def source_words(self) -> str:
        """``connected to chat`` or ``spoke in the last 10 min``."""
        return source_words(self.source, self.window_s)

    @property
    def is_running(self) -> bool:
        """Whether it is still being made."""
        return self.state in ("asked", "listing", "ageing")

    @property
    def at(self) -> Instant:
        """The instant that it stands for: when the list was begun, or asked for."""
        return self.started_at or self.asked_at

    @property
    def progress(self) -> float | None:
        """0 to 1 of the part under way (the list, then the ages); None while nothing is told."""
        if self.state == "listing" and self.told_count:
            return min(1.0, self.listed_count / self.told_count)
        if self.state == "ageing" and self.listed_count:
            return min(1.0, self.known_count / self.listed_count)
        return 1.0 if self.state == "complete" else None


@dataclass(frozen=True, slots=True)
class RoomChoice:
    """One channel that a person may capture, or the reason why not."""

    room_id: str
    room_login: str
    role: str
    """``owner``, ``moderator``, ``public`` or ``local`` (no login: everything of this machine)."""
    is_live: bool
    viewer_count: int | None
    game_name: str | None
    can_list_connected: bool
    why_not: str | None = None
    """Why the people connected can't be listed, in words."""
    can_list_spoke: bool = True
    why_not_spoke: str | None = None
    """Why the people who spoke can't be listed: the chat is not collected."""
    last_capture: CaptureLine | None = None


@dataclass(frozen=True, slots=True)
class SessionLine:
    """An analysis session: captures kept together under a name."""

    session_id: str
    name: str
    is_saved: bool
    created_at: Instant
    used_at: Instant
    expires_at: Instant | None
    """None for a saved one."""
    capture_ids: tuple[str, ...]
    captures: tuple[CaptureLine, ...] = ()
    """Of those that there still are, oldest first."""
    rooms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """The question: which captures, and which of their accounts.

    ``traits`` choose accounts: ``silent`` and ``spoke`` together mean either, the others must hold as
    well. Cohorts, verdict and what is expected are computed over the accounts that the traits leave.
    ``last_days`` only cuts the picture and the table, the range of days and the cohort only the table: they
    never change a test.
    """

    capture_ids: tuple[str, ...] = ()
    session_id: str = ""
    """Instead of captures: all complete captures of this session."""
    rooms: tuple[str, ...] = ()
    """Only these channels of them (logins); empty is every one."""
    grain: Grain = "month"
    last_days: int | None = None
    """Only accounts created in the last so many days before the newest capture."""
    traits: frozenset[Trait] = frozenset()
    cohort: int | None = None
    """Only the accounts of the cohort with this number."""
    start_day: int | None = None
    """Only accounts created from this day on (a brush, or a bar that was clicked)."""
    end_day: int | None = None
    """Up to and including this day."""

    def to_payload(self) -> dict[str, Any]:
        """The selection as plain values, for the browser to keep."""
        return {
            "capture_ids": list(self.capture_ids),
            "session_id": self.session_id,
            "rooms": list(self.rooms),
            "grain": self.grain,
            "last_days": self.last_days,
            "traits": sorted(self.traits),
            "cohort": self.cohort,
            "start_day": self.start_day,
            "end_day": self.end_day,
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any] | None) -> Self:
        """Reads what a browser sent; anything that is no selection is left out."""
        told = payload or {}
        grain = told.get("grain")
        return cls(
            capture_ids=_texts(told.get("capture_ids")),
            session_id=str(told.get("session_id") or ""),
            rooms=_texts(told.get("rooms")),
            grain=cast(Grain, grain) if grain in GRAINS else "month",
            last_days=_whole(told.get("last_days"), least=1),
            traits=frozenset(t for t in TRAITS if t in _texts(told.get("traits"))),
            cohort=_whole(told.get("cohort"), least=1),
            start_day=_whole(told.get("start_day"), least=0),
            end_day=_whole(told.get("end_day"), least=0),
        )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()


def _whole(value: object, *, least: int) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and value >= least else None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Accounts by creation date; the columns have equal lengths, oldest bin first, without holes."""

    grain: Grain
    start_day: tuple[int, ...]
    end_day: tuple[int, ...]
    """Inclusive."""
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    """Of a crowd of the same size out of the baseline."""
    cohort: tuple[int | None, ...]
    """Number of the cohort that overlaps the bin (the most unusual one), or None."""

    @property
    def count(self) -> int:
        """How many accounts are in it."""
        return sum(self.observed)


@dataclass(frozen=True, slots=True)
class AgeCurve:
    """Share of the accounts that are at most so old, beside the baseline's."""

    age_days: tuple[int, ...]
    observed: tuple[float, ...]
    """0 to 1."""
    expected: tuple[float, ...]
    median_age_days: float | None = None
    expected_median_age_days: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence about a cohort, beside the rest of the same crowd."""

    key: str
    """``silent``, ``arrival``, ``names``, ``follow_time``, ``channels``, ``suspicious`` or ``renames``."""
    label: str
    """A few words: ``Have not spoken``."""
    words: str
    """The finding in one line: ``30 of 31 (84–99 %); of the others 61 %``; or why it is not known."""
    count: int | None = None
    of_count: int | None = None
    share: float | None = None
    low: float | None = None
    """95 % interval of the share."""
    high: float | None = None
    rest_count: int | None = None
    rest_of_count: int | None = None
    rest_share: float | None = None
    """The same among the accounts outside of every cohort."""
    is_notable: bool = False
    """Whether it sets the cohort apart from the rest."""
    missing: str | None = None
    """Why there is no figure, in words."""
    details: tuple[str, ...] = ()
    """Names of patterns or channels, the commonest first."""


@dataclass(frozen=True, slots=True)
class CohortLine:
    """An unusual number of accounts created within a few days."""

    number: int
    """1 is the one with the smallest q."""
    start_day: int
    end_day: int
    """Inclusive."""
    window_days: int
    observed: int
    expected: float
    p: float
    q: float
    effect: float
    """Observed over expected."""
    share: float
    """Of all accounts of known age."""
    words: str
    """One sentence: how many, when, how many expected, q, and the strongest evidence."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class TopDay:
    """One of the days on which most of these accounts were created."""

    day: int
    observed: int
    expected: float
    cohort: int | None


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A publicly known service of chats (moderation, alerts, commands): no suspect, kept apart."""

    user_id: str
    user_login: str
    listed_by: str
    """``shipped`` or ``yours``."""


@dataclass(frozen=True, slots=True)
class ChatWindow:
    """The stretch of chat in which "spoke" and "silent" are looked for."""

    room_login: str
    start_at: Instant
    end_at: Instant
    observed_s: float
    """How much of it the chat was read; 0: nobody's silence is known."""
    words: str
    """What it is: ``from the start of the stream to 15 min after the list``…"""

    @property
    def is_observed(self) -> bool:
        """Whether it can be said at all who was silent."""
        return self.observed_s > 0


@dataclass(frozen=True, slots=True)
class ChattersAnalysis:
    """Everything above the table: counts, picture, cohorts, verdict, and how fresh they are."""

    selection: Selection
    captures: tuple[CaptureLine, ...]
    """The complete ones that were read, oldest first."""
    source: str
    """``connected`` or ``spoke``."""
    account_count: int
    """People in these captures, each once, without service accounts."""
    n: int
    """Of them, with a known creation date and the chosen traits: what was tested."""
    n_unknown: int
    """Of them with the chosen traits, whose age is not known yet."""
    shown_count: int
    """How many accounts the dates, the days and the cohort leave for the table; of unknown age only when
    none of them is chosen."""
    services: tuple[ServiceAccount, ...]
    service_count: int
    is_enough: bool
    """Whether there are enough accounts to say anything."""
    verdict: str
    """One or two plain sentences with their uncertainty."""
    tested_words: str
    """Who was tested: ``all accounts`` or ``accounts: silent and first seen in this capture``."""
    cohorts: tuple[CohortLine, ...]
    histogram: Histogram
    top_days: tuple[TopDay, ...]
    age_curve: AgeCurve
    trait_counts: Mapping[str, int | None]
    """How many accounts have each trait; None where it can't be known."""
    trait_missing: Mapping[str, str]
    """Why a trait can't be known, in words."""
    baseline_name: str
    baseline_sample: int
    """How many accounts the baseline is made of."""
    baseline_words: str
    as_of: Instant | None
    """When the newest capture was finished."""
    as_of_day: int
    """The last day an account of these can have been created."""
    chat_windows: tuple[ChatWindow, ...] = ()
    notes: tuple[str, ...] = ()
    """What else the reader has to know, each a sentence."""
    missing: str | None = None
    """Why there is nothing to show (no complete capture…)."""
