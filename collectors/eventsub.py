"""EventSub beside chat: plans subscriptions, keeps them and their connections, hands on what comes.

Nothing in here may end the collector: what fails is said, and tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from collectors.eventsub_desk import ConduitDesk, Desk, WebhookDesk, WebsocketDesk
from collectors.eventsub_directory import Directory
from collectors.eventsub_ledger import Ledger, lost_without_a_word, observed_rooms
from collectors.eventsub_plan import CONDUIT, WEBHOOK, WEBSOCKET, Grant, Impossible, Plan, plan
from collectors.sink import EventSink
from dashboard.config import Settings
from dashboard.errors import StreamLensError
from dashboard.events import Event, Instant, now_us
from dashboard.eventsub_message import REVOCATION, EventSubMessage
from dashboard.eventsub_types import CALLBACK_PATH, NO_SUCH_ROOM
from dashboard.storage.eventsub_people import names_somebody
from dashboard.storage.eventsub_secret import eventsub_secret
from dashboard.storage.eventsub_state import (
    CREATE_ALL,
    RETRY,
    EventSubState,
    Subscription,
    Wish,
    revocation_of,
    why_revoked,
)
from dashboard.storage.state import State

if TYPE_CHECKING:
    from collectors.eventsub_socket import EventSubSocket

log = structlog.get_logger(__name__)

STATUS_NAME = "eventsub"
_TICK_S = 2.0
_APP = ""
"""Key of the desk that works with the application's token."""


class Tail(Protocol):
    """Keeps the raw record."""

    def put(self, message: EventSubMessage) -> None:
        """Takes a notification that was handed to the ingest; never waits."""


def transport_of(settings: Settings) -> str | None:
    """How notifications come; None when EventSub is off."""
    if settings.eventsub_transport == "off":
        return None
    if settings.eventsub_transport != "auto":
        return settings.eventsub_transport
    # Twitch delivers to HTTPS on port 443 only.
    return WEBHOOK if settings.public_url.startswith("https://") else WEBSOCKET


class EventSubManager:
    """Runs EventSub for one installation.

    Args:
        settings: Transport, addresses, chat or not.
        sink: Takes the events.
        tail: Takes the notifications for the raw record.
        parse: Turns a notification into events.
        directory: Tokens and ids.
        app: Asks Helix as the application.
        state: Where the report goes.
        known: Subscriptions, wishes, revocations.
        followed: Logins of the followed channels.
        opt_out: People of whom nothing is written.
        now: The clock.
        tick_s: How often everything is looked over.
    """

    def __init__(
        self,
        settings: Settings,
        sink: EventSink,
        tail: Tail,
        parse: Callable[[EventSubMessage], Sequence[Event]],
        *,
        directory: Directory,
        app: Any,
        state: State,
        known: EventSubState,
        followed: Callable[[], Sequence[str]],
        opt_out: Collection[str] = (),
        now: Callable[[], Instant] = now_us,
        tick_s: float = _TICK_S,
    ) -> None:
        self._settings = settings
        self._sink = sink
        self._tail = tail
        self._parse = parse
        self._directory = directory
        self._app = app
        self._state = state
        self._known = known
        self._followed = followed
        self._opt_out = frozenset(opt_out)
        self._now = now
        self._tick_s = tick_s
        self.transport = transport_of(settings)
        self._desks: dict[str, Desk] = {}
        self._grants: dict[str, Grant] = {}
        self._plan = Plan()
        self._logins: list[str] = []
        self._ledger = Ledger()
        self._lost: dict[str, tuple[Instant, str]] = {}
        self._written: list[Subscription] | None = None
        self._wake = asyncio.Event()
        self._started_at = now()
        self._seen_revocation_at = self._started_at
        self._error: str | None = None
        self._message_count = 0
        self._make_socket: Callable[[str], EventSubSocket] | None = None

    async def run(self) -> None:
        """Works until it is cancelled; call :meth:`close` afterwards."""
        await self._safely(self._open_ledger())
        while True:
            self._wake.clear()
            failures = [await self._safely(self._look_over())]
            for desk in list(self._desks.values()):
                failures.append(await self._safely(desk.sync()))
            failures.append(await self._safely(self._keep_ledger()))
            self._error = next(filter(None, failures), None)
            await self._safely(self._report())
            try:
                async with asyncio.timeout(self._tick_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Ends the connections and says so in the ledger."""
        for desk in self._desks.values():
            await self._safely(desk.close())
        await self._safely(self._sink.put(self._ledger.leave_all(self._now())))
        await self._safely(self._report(stopped_at=self._now()))
        await self._safely(self._directory.close())

    async def take(self, message: EventSubMessage) -> None:
        """Hands on what a connection received."""
        self._message_count += 1
        if message.message_type == REVOCATION:
            await self._take_revocation(message)
        if not names_somebody(message.event, self._opt_out):
            await self._sink.put(self._parse(message))
            self._tail.put(message)

    # --- once a tick ------------------------------------------------------------------------

    async def _look_over(self) -> None:
        if self.transport is None:
            return
        if self.transport != WEBHOOK and self._make_socket is None:
            self._make_socket = await asyncio.to_thread(self._load_sockets)
        wishes = await asyncio.to_thread(self._known.open_wishes)
        for wish in wishes:
            result = self._carry_out(wish)
            await asyncio.to_thread(self._known.fulfil, wish, result)
        choices = await asyncio.to_thread(self._known.choices)
        grants = await self._directory.grants()
        by_hand = {room for (_, room), is_wanted in choices.items() if is_wanted}
        followed = list(self._followed())
        self._logins = list(dict.fromkeys([*followed, *sorted(by_hand)]))
        rooms = await self._directory.rooms(self._logins)
        # A channel that is not followed has what was asked for by hand, and nothing else.
        others = {room for room in by_hand if room not in followed}
        for room in rooms:
            if room.room_id is None and room.login in others:
                log.warning("EventSub: Twitch knows no such channel", room_login=room.login)
                await asyncio.to_thread(self._known.drop_room, room.login, NO_SUCH_ROOM)
        made = plan(
            rooms, grants, transport=self.transport, with_chat=self._settings.eventsub_chat, choices=choices
        )
        self._plan = _only_chosen(made, others, choices)
        await self._hire(grants)
        await self._read_revocations()

    async def _hire(self, grants: Sequence[Grant]) -> None:
        by_desk: dict[str, list[Any]] = {}
        for wanted in self._plan.wanted:
            by_desk.setdefault(wanted.user_id or _APP, []).append(wanted)
        now = {grant.user_id: grant for grant in grants}
        for key in by_desk.keys() - self._desks.keys():
            self._desks[key] = self._desk(key)
        for key in self._desks.keys() - by_desk.keys() - {_APP}:
            await self._desks.pop(key).close()
        for key, desk in self._desks.items():
            desk.want(by_desk.get(key, []))
            if now.get(key) != self._grants.get(key):
                desk.retry()  # A new login may allow what was refused.
        self._grants = now

    def _desk(self, key: str) -> Desk:
        if self.transport == WEBHOOK:
            secret = eventsub_secret(self._settings).get_secret_value()
            return WebhookDesk(self._app, f"{self._settings.public_url}{CALLBACK_PATH}", secret)
        assert self._make_socket is not None
        if self.transport == CONDUIT:
            return ConduitDesk(self._app, self._make_socket, self._on_lost)
        return WebsocketDesk(self._directory.client(key), self._make_socket, self._on_lost)

    def _load_sockets(self) -> Callable[[str], EventSubSocket]:
        from collectors.eventsub_socket import EventSubSocket  # TwitchIO: most of a second

        return lambda transport: EventSubSocket(
            self._settings.eventsub_url, self.take, on_reject=self._sink.reject, transport=transport
        )

    def _carry_out(self, wish: Wish) -> str:
        if wish.action in (RETRY, CREATE_ALL):
            count = sum(desk.retry() for desk in self._desks.values())
            return f"{count} that had failed are tried again."
        return "Done."

    def _on_lost(self, rooms: Sequence[str], reason: str, heard_at: Instant | None) -> None:
        for room in rooms:
            self._lost.setdefault(room, (heard_at or self._now(), reason))
        self._wake.set()

    # --- revocations ------------------------------------------------------------------------

    async def _take_revocation(self, message: EventSubMessage) -> None:
        told = message.subscription
        status = str(told.get("status") or "unknown")
        log.warning("EventSub subscription revoked", type=message.eventsub_type, status=status)
        self._drop(str(told.get("id") or ""), status)
        revocation = revocation_of(
            message.message_id, told, transport=message.transport, at=message.received_at
        )
        await self._safely(asyncio.to_thread(self._known.revoke, revocation))
        self._wake.set()

    async def _read_revocations(self) -> None:
        """Those that came to the webhook."""
        since = self._seen_revocation_at
        for told in await asyncio.to_thread(partial(self._known.revocations, 100, since=since)):
            self._seen_revocation_at = max(self._seen_revocation_at, Instant(told.revoked_at + 1))
            if told.transport == WEBHOOK:
                self._drop(told.subscription_id, told.status)

    def _drop(self, subscription_id: str, status: str) -> None:
        for desk in self._desks.values():
            rooms = [row.room_login for row in desk.rows() if row.subscription_id == subscription_id]
            if desk.revoked(subscription_id, status):
                for room in rooms:
                    self._lost.setdefault(room, (self._now(), why_revoked(status)))
                return

    # --- what is told -----------------------------------------------------------------------

    async def _open_ledger(self) -> None:
        last = await asyncio.to_thread(self._state.read_status, STATUS_NAME)
        if last is None or last.payload.get("stopped_at"):
            return
        rooms = [str(room) for room in last.payload.get("rooms", [])]
        await self._sink.put(lost_without_a_word(rooms, last.updated_at, self._now()))

    async def _keep_ledger(self) -> None:
        observed = observed_rooms(row for desk in self._desks.values() for row in desk.rows())
        events = self._ledger.changes(
            observed,
            self._logins,
            now=self._now(),
            lost_at={room: at for room, (at, _) in self._lost.items()},
            reasons={room: reason for room, (_, reason) in self._lost.items()},
        )
        self._lost.clear()
        if events:
            await self._sink.put(events)

    async def _report(self, stopped_at: Instant | None = None) -> None:
        rows = [row for desk in self._desks.values() for row in desk.rows()]
        rows += [_impossible(one, self.transport or "") for one in self._plan.impossible]
        if rows != self._written:
            await asyncio.to_thread(self._known.replace_subscriptions, rows)
            self._written = rows
        people = {grant.user_id: grant.user_login for grant in self._grants.values()}
        payload = {
            "transport": self.transport,
            "started_at": self._started_at,
            "stopped_at": stopped_at,
            "message_count": self._message_count,
            "rooms": sorted(self._ledger.joined),
            "connections": [
                told | {"user_login": people.get(key, "")}
                for key, desk in self._desks.items()
                for told in desk.connections()
            ],
            "totals": [
                {"user_login": people.get(key, ""), **_numbers(desk)} for key, desk in self._desks.items()
            ],
            "people": sorted(people.values()),
            "unusable": self._directory.unusable,
            "error": self._error,
        }
        await asyncio.to_thread(self._state.write_status, STATUS_NAME, payload)

    async def _safely(self, work: Awaitable[object]) -> str | None:
        """Chat goes on whatever happens here; what went wrong is returned in words."""
        try:
            await work
        except StreamLensError as problem:
            error = str(problem)
        except Exception as problem:
            log.exception("EventSub failed; chat goes on")
            return f"An unexpected error ({type(problem).__name__}); the log has the details."
        else:
            return None
        if error != self._error:  # once, not with every look
            log.warning("EventSub waits", error=error)
        return error


def _numbers(desk: Desk) -> dict[str, int | None]:
    totals = desk.totals
    if totals is None:
        return {"total": None, "total_cost": None, "max_total_cost": None}
    return {
        "total": totals.total,
        "total_cost": totals.total_cost,
        "max_total_cost": totals.max_total_cost,
    }


def _only_chosen(made: Plan, others: Collection[str], choices: dict[tuple[str, str], bool]) -> Plan:
    def stays(one: Any) -> bool:
        return one.room_login not in others or choices.get((one.eventsub_type, one.room_login)) is not None

    return replace(
        made,
        wanted=tuple(one for one in made.wanted if stays(one)),
        impossible=tuple(one for one in made.impossible if stays(one)),
    )


def _impossible(one: Impossible, transport: str) -> Subscription:
    return Subscription(
        key=f"{transport}:{one.eventsub_type}:{one.version}:{one.room_login}",
        eventsub_type=one.eventsub_type,
        version=one.version,
        room_login=one.room_login,
        room_id=one.room_id,
        transport=transport,
        status="stopped" if one.is_stopped else "impossible",
        error=one.reason,
        needs_scope=one.needs_scope,
    )
