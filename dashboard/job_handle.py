"""What long work is told and tells while it runs, whoever runs it: a job, a command, a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dashboard.errors import JobCancelled, JobError
from dashboard.events import Event, Instant


class JobHandle(Protocol):
    """One run, as the work sees it."""

    def progress(self, done: int, total: int | None, text: str) -> None:
        """Says how far it is; may be called often."""

    def tell(self, text: str) -> None:
        """Says what it is doing, as far as it is."""

    def log(self, line: str) -> None:
        """Adds a line to the log of the run."""

    def check(self) -> None:
        """Stops the work where it was cancelled.

        Raises:
            JobCancelled: Somebody asked for it, or the run was given up.
        """


class SilentHandle:
    """A handle that listens to nothing, for work without an audience."""

    def progress(self, done: int, total: int | None, text: str) -> None:
        """Says nothing."""

    def tell(self, text: str) -> None:
        """Says nothing."""

    def log(self, line: str) -> None:
        """Says nothing."""

    def check(self) -> None:
        """Never stops."""


def cancelled() -> JobCancelled:
    """The error that ends cancelled work."""
    return JobCancelled("Stopped as asked. What was stored whole stays.")


def too_long(timeout_s: float) -> JobError:
    """The error that ends work whose time is over."""
    return JobError(f"It took longer than {timeout_s:g} s and was ended. What was stored whole stays.")


@dataclass(frozen=True, slots=True)
class Room:
    """A channel by its identity and its login at the moment."""

    room_id: str
    room_login: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list at Twitch, as events."""

    events: list[Event]
    total: int | None = None
    """How many there are in all, as Twitch tells it with the page."""
    points: int | None = None
    cursor: str = ""
    """Where the next page begins; empty after the last."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account as Twitch tells of it."""

    user_id: str
    user_login: str | None = None
    user_display_name: str | None = None
    created_at: Instant | None = None
    broadcaster_type: str | None = None
    user_type: str | None = None
