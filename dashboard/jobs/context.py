"""What a job works with. Twitch comes in from outside: the dashboard knows only what it has to do."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from dashboard.errors import JobCancelled
from dashboard.events import Event, Instant, now_us
from dashboard.job_handle import AccountFacts, JobHandle, Page, Room, cancelled, too_long

if TYPE_CHECKING:
    from dashboard.config import Settings
    from dashboard.storage.accounts import Accounts
    from dashboard.storage.ingest import Ingest
    from dashboard.storage.job_runs import JobRuns
    from dashboard.storage.state import State
    from dashboard.storage.store import Store
    from dashboard.storage.tokens import TokenVault

_PROGRESS_EVERY_S = 0.5
_CHECK_EVERY_S = 0.5


class Twitch(Protocol):
    """What jobs ask of Twitch; every call may raise :class:`dashboard.errors.TwitchError`."""

    async def find_rooms(self, logins: Iterable[str]) -> list[Room]:
        """The channels behind logins; ones that don't exist are missing."""

    def subscriber_pages(self, user_id: str, room: Room) -> AsyncIterator[Page]:
        """Everybody subscribed to a person's own channel."""

    def follower_pages(self, user_id: str | None, room: Room) -> AsyncIterator[Page]:
        """Followers, the newest first; without a person only the total, on one empty page."""

    def chatter_pages(
        self, user_id: str, room: Room, capture_id: str, *, at: Instant, cursor: str = ""
    ) -> AsyncIterator[Page]:
        """Everybody connected to a chat, as of an instant, from a page on."""

    async def accounts_of(self, user_ids: Sequence[str], *, as_user: str | None = None) -> list[AccountFacts]:
        """What Twitch tells of at most 100 accounts; those that don't exist (any more) are missing."""

    def waits_until(self) -> Instant | None:
        """When calls go on that Twitch's rate limit holds back; None while it holds none."""

    def clip_pages(self, room: Room, start_at: Instant, end_at: Instant) -> AsyncIterator[Page]:
        """Clips made in a stretch of time, however many."""

    async def survey(
        self,
        channel_count: int,
        minutes: float,
        done_today: Collection[str],
        keep: Callable[[Sequence[Event]], None],
        handle: JobHandle,
    ) -> int:
        """Reads the chat of the largest live channels; gives how many were read to the end."""

    async def moderated_rooms(self, user_id: str) -> list[Room]:
        """The channels that a person moderates, without their own."""

    async def check_logins(self, handle: JobHandle) -> str:
        """Validates every stored login; gives what was found, in words."""


OpenTwitch = Callable[["Settings", "TokenVault"], AbstractAsyncContextManager[Twitch]]


class RunHandle:
    """A run's own way to tell and to be told; writes no more often than anybody looks.

    Args:
        runs: Where runs are kept.
        run_id: Of which run.
        is_stopping: Whether the worker is going down.
        timeout_s: The run may take so long.
    """

    def __init__(
        self,
        runs: JobRuns,
        run_id: str,
        is_stopping: Callable[[], bool] = lambda: False,
        *,
        timeout_s: float = float("inf"),
    ) -> None:
        self._runs = runs
        self.run_id = run_id
        self._is_stopping = is_stopping
        self._timeout_s = timeout_s
        self._ends_s = time.monotonic() + timeout_s
        self._told_s = self._checked_s = float("-inf")
        self._newest: tuple[int | None, int | None, str] = None, None, ""
        self._is_new = False

    def progress(self, done: int, total: int | None, text: str) -> None:
        """Says how far it is."""
        self._newest, self._is_new = (done, total, text), True
        if time.monotonic() - self._told_s >= _PROGRESS_EVERY_S:
            self.write()

    def tell(self, text: str) -> None:
        """Says what it is doing, as far as it is."""
        done, total, _ = self._newest
        self.progress(done or 0, total, text)

    def write(self) -> None:
        """Writes the newest progress, if it is not written yet."""
        if self._is_new:
            self._runs.progress(self.run_id, *self._newest)
            self._told_s, self._is_new = time.monotonic(), False

    def log(self, line: str) -> None:
        """Adds a line to the log."""
        self._runs.log(self.run_id, line)

    def check(self) -> None:
        """Stops the work where it was cancelled, or where its time is over."""
        if self._is_stopping():
            raise cancelled()
        if time.monotonic() > self._ends_s:
            raise too_long(self._timeout_s)
        if time.monotonic() - self._checked_s >= _CHECK_EVERY_S:
            self._checked_s = time.monotonic()
            if self._runs.is_cancelled(self.run_id):
                raise cancelled()


@dataclass(slots=True)
class JobContext:
    """One run's surroundings."""

    name: str
    settings: Settings
    store: Store
    state: State
    vault: TokenVault
    accounts: Accounts
    handle: JobHandle
    open_twitch: OpenTwitch | None = None
    params: dict[str, Any] = field(default_factory=dict)
    now: Callable[[], Instant] = now_us
    failures: list[str] = field(default_factory=list)
    """What went wrong with parts of the work while the rest went on."""

    def twitch(self) -> AbstractAsyncContextManager[Twitch]:
        """Access to Twitch for the time of a ``with``."""
        if self.open_twitch is None:
            raise RuntimeError("this process was started without Twitch")
        return self.open_twitch(self.settings, self.vault)

    @contextlib.contextmanager
    def ingest(self) -> Iterator[Ingest]:
        """The way in for the time of a ``with``; afterwards everything is visible.

        It bears the job's name: a job runs once at a time, so nobody else holds it.
        """
        from dashboard.storage.ingest import Ingest
        from dashboard.storage.recovery import read_opt_out

        opt_out = read_opt_out(self.settings.opt_out_file) if self.settings.opt_out_file else frozenset()
        name = f"job-{self.name.replace('_', '-')}"
        with Ingest(self.settings.data_dir, name, dedupe_against_lake=True, opt_out=opt_out) as ingest:
            yield ingest

    def is_cancelled(self) -> bool:
        """The same as ``handle.check()`` for those who want to be told instead of stopped."""
        try:
            self.handle.check()
        except JobCancelled:
            return True
        return False

    def failed(self, what: str, error: BaseException) -> None:
        """Notes that a part failed; the run goes on and ends as failed."""
        line = f"{what}: {error}"
        self.failures.append(line)
        self.handle.log(line)
