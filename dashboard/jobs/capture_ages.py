"""The ages of a capture's people, and their names: asked for once in a lifetime, stored as they come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dashboard.errors import LockedError, TwitchError
from dashboard.events import Instant
from dashboard.events_accounts import Rename
from dashboard.job_handle import AccountFacts
from dashboard.jobs.capture_names import Known, Person, account_events, read_known
from dashboard.storage.files import FolderLock

if TYPE_CHECKING:
    from dashboard.jobs.context import JobContext, Twitch
    from dashboard.storage.ingest import Ingest

_BATCH: Final = 100
"""Ids a call of Get Users."""
_AT_ONCE: Final = 10
"""Calls under way; the rate limit holds for all of them together."""
_CHUNK: Final = 2_000
"""Accounts asked for before what was told is stored."""
_ASK_AGAIN_US: Final = 3_600 * 1_000_000
"""An account that Twitch did not tell of is not asked for again so soon."""
_LONGEST_LOCK_S: Final = 60


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of the ages one run may take on; the rest is asked for another time."""

    account_count: int
    until_s: float
    """On the monotonic clock."""


@dataclass(slots=True)
class Ages:
    """Learns the ages and names of the people of one capture."""

    context: JobContext
    twitch: Twitch
    ingest: Ingest
    capture_id: str
    started_at: Instant
    source: str
    user_id: str | None
    """Whose rate limit is used; None is the application's own."""
    rename_count: int = field(default=0, init=False)

    async def learn(
        self, people: Sequence[Person], bounds: Bounds | None, tell: Callable[[int], None]
    ) -> int:
        """Asks for the ages that are not known yet, and looks for new names.

        Args:
            people: Each once.
            bounds: How much of it; None is all.
            tell: Takes how many ages are known, again and again.

        Returns:
            How many ages are known now.

        Raises:
            TwitchError: Some were not told; what was told before is stored.
        """
        known = read_known(self.context.store, [person.user_id for person in people])
        aged = {user_id for user_id, facts in known.items() if facts.created_at is not None}
        asked_since = min(self.started_at, self.context.now() - _ASK_AGAIN_US)
        wanted = [person for person in people if _is_wanted(known.get(person.user_id), asked_since)]
        wanted = wanted if bounds is None else wanted[: bounds.account_count]
        done: set[str] = set()
        tell(len(aged))
        for start in range(0, len(wanted), _CHUNK):
            if bounds is not None and time.monotonic() > bounds.until_s:
                break
            chunk = wanted[start : start + _CHUNK]
            told, asked, error = await self._ask(chunk)
            aged |= self._settle([person for person in chunk if person.user_id in asked], told, asked)
            done |= asked
            tell(len(aged))
            if error is not None:
                raise error
        self._settle([person for person in people if person.user_id not in done], {}, frozenset())
        return len(aged)

    async def _ask(
        self, people: Sequence[Person]
    ) -> tuple[dict[str, AccountFacts], frozenset[str], TwitchError | None]:
        """What Twitch tells of some accounts, whom it was asked for, and what went wrong with the others."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def ask(ids: list[str]) -> list[AccountFacts]:
            async with gate:
                return await self.twitch.accounts_of(ids, as_user=self.user_id)

        ids = [person.user_id for person in people]
        batches = [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]
        answers = await asyncio.gather(*map(ask, batches), return_exceptions=True)
        told: dict[str, AccountFacts] = {}
        asked: set[str] = set()
        error: TwitchError | None = None
        for batch, answer in zip(batches, answers, strict=True):
            if isinstance(answer, TwitchError):
                error = answer
            elif isinstance(answer, BaseException):
                raise answer
            else:
                told.update((facts.user_id, facts) for facts in answer)
                asked.update(batch)
        return told, frozenset(asked), error

    def _settle(
        self, people: Sequence[Person], told: dict[str, AccountFacts], asked: frozenset[str]
    ) -> set[str]:
        """Stores what is new of some people; gives whose age is known of those asked for.

        One at a time on this machine: two captures that meet the same change must not both store it.
        """
        if not people:
            return set()
        with self._alone():
            known = read_known(self.context.store, [person.user_id for person in people])
            events = account_events(
                people,
                known,
                told,
                asked,
                capture_id=self.capture_id,
                source=self.source,
                now=self.context.now(),
            )
            self.ingest.put(events)
            self.ingest.flush()
        self.rename_count += sum(isinstance(event, Rename) for event in events)
        return {user_id for user_id in asked if _is_aged(known.get(user_id), told.get(user_id))}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = FolderLock(self.context.settings.data_dir / "state" / "names", "capture")
        limit_s = time.monotonic() + _LONGEST_LOCK_S
        while True:
            try:
                lock.acquire()
                break
            except LockedError:
                if time.monotonic() > limit_s:
                    raise
        try:
            yield
        finally:
            lock.release()


def _is_wanted(known: Known | None, asked_since: int) -> bool:
    if known is None:
        return True
    return known.created_at is None and (known.asked_at is None or known.asked_at < asked_since)


def _is_aged(known: Known | None, facts: AccountFacts | None) -> bool:
    if known is not None and known.created_at is not None:
        return True
    return facts is not None and facts.created_at is not None
