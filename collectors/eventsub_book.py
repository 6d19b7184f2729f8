"""The subscriptions of one session: which are wanted, which are made, and what went wrong.

One book belongs to one WebSocket connection, to the webhook, or to a conduit. It asks Helix for what is
missing and takes back what is no longer wanted.

Source: https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from collectors.eventsub_plan import Wanted
from dashboard.errors import TwitchError, TwitchRefused, TwitchUnauthorized
from dashboard.events import Instant, now_us
from dashboard.instants import parse_instant
from dashboard.storage.eventsub_state import Subscription, why_revoked

log = structlog.get_logger(__name__)

ENABLED, CREATING, LOST, FAILED = "enabled", "creating", "lost", "failed"
PENDING = "webhook_callback_verification_pending"
_PATH = "/eventsub/subscriptions"
_AT_ONCE = 5
_FIRST_RETRY_S = 5
_LONGEST_RETRY_S = 600
_AFTER_REFUSAL_S = 600
"""Twitch's mind changes only when somebody does something; the page's button retries at once."""
_SECOND = 1_000_000


class Helix(Protocol):
    """What of the Helix client is needed."""

    async def request(
        self,
        method: str,
        path: str,
        params: Sequence[tuple[str, str]] = (),
        json: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One call."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What Twitch says of a token's subscriptions: how many, and their cost against the limit."""

    total: int
    total_cost: int
    max_total_cost: int


@dataclass(slots=True)
class _Entry:
    row: Subscription
    retry_at: int = 0
    tries: int = 0


class Book:
    """Keeps what is made equal to what is wanted. One at a time calls :meth:`sync`.

    Args:
        helix: Asks with the token that the subscriptions are made with.
        now: The clock.
    """

    def __init__(self, helix: Helix, now: Callable[[], Instant] = now_us) -> None:
        self.helix = helix
        self.transport: dict[str, str] | None = None
        """As the request names it; None while there is no session, and nothing can be made."""
        self.totals: Totals | None = None
        self._now = now
        self._wanted: dict[str, Wanted] = {}
        self._entries: dict[str, _Entry] = {}

    def want(self, wanted: Sequence[Wanted]) -> None:
        """Sets what there should be; :meth:`sync` makes it so."""
        self._wanted = {one.key: one for one in wanted}
        for key, one in self._wanted.items():
            if key not in self._entries:
                self._entries[key] = _Entry(_row(one, CREATING))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is wanted; Twitch closes a connection without subscriptions after 10 s."""
        return not self._wanted

    def rows(self) -> list[Subscription]:
        """What is wanted, as it stands."""
        return [entry.row for key, entry in self._entries.items() if key in self._wanted]

    def started(self, transport: Mapping[str, str], *, keeps: bool = False) -> None:
        """Begins a session; what was made in the last one is gone unless the session ``keeps`` it."""
        self.transport = dict(transport)
        if not keeps:
            for entry in self._entries.values():
                entry.row = replace(entry.row, status=CREATING, subscription_id=None, error=None)
                entry.retry_at = entry.tries = 0

    def lost(self, reason: str) -> None:
        """Ends a session: Twitch has dropped, or will drop, what was made in it."""
        self.transport = None
        for entry in self._entries.values():
            if entry.row.status in (ENABLED, CREATING):
                entry.row = replace(entry.row, status=LOST, error=reason)

    def retry(self) -> int:
        """Tries what failed again at once; how many those are."""
        failed = [entry for entry in self._entries.values() if self._is_due_some_day(entry)]
        for entry in failed:
            entry.retry_at = entry.tries = 0
        return len(failed)

    def revoked(self, subscription_id: str, status: str) -> bool:
        """Takes note that Twitch ended one; it is made anew later. False if it is not in this book."""
        for entry in self._entries.values():
            if entry.row.subscription_id == subscription_id:
                self._put_off(entry, status, why_revoked(status), after_s=_AFTER_REFUSAL_S)
                entry.row = replace(entry.row, subscription_id=None)
                return True
        return False

    async def adopt(self, found: Sequence[Mapping[str, Any]], *, is_shared: bool = False) -> None:
        """Takes over what Twitch lists: after a restart, or its newest state.

        Args:
            found: Elements of Get EventSub Subscriptions with this book's own transport.
            is_shared: Others make subscriptions with it too; what nobody here wants is left alone.

        Raises:
            TwitchError: One that nobody wants could not be deleted.
        """
        by_place = {
            _place(one.eventsub_type, one.version, one.condition): key for key, one in self._wanted.items()
        }
        seen: set[str] = set()
        for told in found:
            key = by_place.get(_place(told.get("type"), told.get("version"), told.get("condition")))
            is_alive = _may_live(str(told.get("status")))
            if key is None or key in seen or not is_alive:
                # Ended ones still take the place of a new one (409).
                if not (is_shared and key is None and is_alive):
                    await self._delete(str(told.get("id") or ""))
                continue
            seen.add(key)
            entry = self._entries[key]
            entry.row = _told(entry.row, told)
        for key, entry in self._entries.items():
            if key not in seen and entry.row.subscription_id:
                entry.row = replace(entry.row, status=CREATING, subscription_id=None)

    async def sync(self) -> bool:
        """Deletes what is no longer wanted and makes what is missing.

        Returns:
            Whether anything changed. Failures stand in the rows and are tried again later.
        """
        is_changed = False
        for key in [key for key in self._entries if key not in self._wanted]:
            entry = self._entries.pop(key)
            is_changed = True
            if entry.row.subscription_id and self.transport:
                try:
                    await self._delete(entry.row.subscription_id)
                except TwitchError as error:
                    log.warning(
                        "EventSub subscription not deleted", type=entry.row.eventsub_type, error=str(error)
                    )
        missing = [
            (wanted, entry)
            for key, wanted in self._wanted.items()
            if not (entry := self._entries[key]).row.subscription_id and entry.retry_at <= self._now()
        ]
        for start in range(0, len(missing), _AT_ONCE):
            if self.transport is None:
                break
            chunk = missing[start : start + _AT_ONCE]
            failures = await asyncio.gather(*(self._create(*one) for one in chunk))
            is_changed = True
            if silence := next(filter(None, failures), None):
                # Nobody answers: the others would only wait for their time-outs, one after another.
                for _, entry in missing[start + _AT_ONCE :]:
                    self._put_off(entry, FAILED, silence)
                break
        return is_changed

    async def _create(self, wanted: Wanted, entry: _Entry) -> str | None:
        """Makes one; why nobody answers, if nobody does."""
        request = {
            "type": wanted.eventsub_type,
            "version": wanted.version,
            "condition": dict(wanted.condition),
            "transport": self.transport,
        }
        try:
            answer = await self.helix.request("POST", _PATH, json=request)
        except TwitchRefused as error:
            self._put_off(entry, FAILED, str(error), after_s=_AFTER_REFUSAL_S)
        except TwitchUnauthorized as error:
            self._put_off(entry, FAILED, str(error), after_s=_LONGEST_RETRY_S)
        except TwitchError as error:
            self._put_off(entry, FAILED, str(error))
            return str(error)
        else:
            self._note_totals(answer)
            data = answer.get("data")
            told = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
            entry.row = _told(entry.row, told)
            entry.retry_at = entry.tries = 0
            if not entry.row.subscription_id:
                self._put_off(entry, FAILED, "Twitch's answer names no subscription.")
        return None

    async def _delete(self, subscription_id: str) -> None:
        try:
            await self.helix.request("DELETE", _PATH, [("id", subscription_id)])
        except TwitchRefused:
            return  # Not found: it is gone already.

    def _put_off(self, entry: _Entry, status: str, error: str, *, after_s: int | None = None) -> None:
        wait_s = after_s or min(_FIRST_RETRY_S * 2**entry.tries, _LONGEST_RETRY_S)
        entry.tries += 1
        entry.retry_at = self._now() + wait_s * _SECOND
        entry.row = replace(entry.row, status=status, error=error)

    def _is_due_some_day(self, entry: _Entry) -> bool:
        return not entry.row.subscription_id and entry.retry_at > 0

    def _note_totals(self, answer: Mapping[str, Any]) -> None:
        numbers = [answer.get(name) for name in ("total", "total_cost", "max_total_cost")]
        if all(isinstance(number, int) for number in numbers):
            total, cost, most = (int(number or 0) for number in numbers)
            self.totals = Totals(total, cost, most)


async def listed(helix: Helix) -> tuple[list[dict[str, Any]], Totals]:
    """All subscriptions of a token, page by page, with their cost.

    Args:
        helix: Asks with that token.

    Returns:
        The elements as Twitch sent them, and the totals.

    Raises:
        TwitchError: Twitch did not give them.
    """
    found: list[dict[str, Any]] = []
    numbers = {"total": 0, "total_cost": 0, "max_total_cost": 0}
    cursor = ""
    seen = {cursor}
    while True:
        page = await helix.request("GET", _PATH, [("after", cursor)] if cursor else [])
        data = page.get("data")
        found += [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []
        numbers = {name: int(page.get(name) or 0) for name in numbers}
        pagination = page.get("pagination")
        cursor = str(pagination.get("cursor") or "") if isinstance(pagination, dict) else ""
        if cursor in seen:
            return found, Totals(**numbers)
        seen.add(cursor)


def _row(wanted: Wanted, status: str) -> Subscription:
    return Subscription(
        key=wanted.key,
        eventsub_type=wanted.eventsub_type,
        version=wanted.version,
        room_login=wanted.room_login,
        room_id=wanted.room_id,
        transport=wanted.transport,
        status=status,
        condition=dict(wanted.condition),
        user_id=wanted.user_id,
    )


def _told(row: Subscription, told: Mapping[str, Any]) -> Subscription:
    cost = told.get("cost")
    return replace(
        row,
        status=str(told.get("status") or ENABLED),
        subscription_id=str(told.get("id") or "") or None,
        cost=cost if isinstance(cost, int) else None,
        created_at=parse_instant(told.get("created_at")),
        error=None,
    )


def _may_live(status: str) -> bool:
    return status in (ENABLED, PENDING)


def _place(name: Any, version: Any, condition: Any) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    parts = condition.items() if isinstance(condition, Mapping) else ()
    return str(name), str(version), tuple(sorted((str(k), str(v)) for k, v in parts if v))
