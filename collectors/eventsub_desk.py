"""The three transports behind one face: told what is wanted, they see to it that it comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from collectors.eventsub_book import Book, Helix, Totals, listed
from collectors.eventsub_conduit import Conduit
from collectors.eventsub_connection import KeptConnection
from collectors.eventsub_plan import CONNECTIONS_PER_TOKEN, SUBSCRIPTIONS_PER_CONNECTION, Wanted
from collectors.waiting import cancelled
from dashboard.events import Instant
from dashboard.storage.eventsub_state import Subscription

if TYPE_CHECKING:
    from collectors.eventsub_socket import EventSubSocket

MakeSocket = Callable[[str], "EventSubSocket"]
"""Builds a socket for a transport, ``websocket`` or ``conduit``."""
OnLost = Callable[[Sequence[str], str, "Instant | None"], None]
"""Told which rooms were lost, why, and when Twitch was last heard."""
_LIST_EVERY_S = 300.0
_LIST_PENDING_EVERY_S = 5.0
_PENDING = "verification_pending"


class Desk(Protocol):
    """One token's subscriptions on one transport."""

    def want(self, wanted: Sequence[Wanted]) -> None:
        """Sets what there should be."""

    async def sync(self) -> None:
        """Makes it so, as far as that goes now."""

    def rows(self) -> list[Subscription]:
        """What is wanted, as it stands."""

    def connections(self) -> list[dict[str, Any]]:
        """The WebSockets, for the page."""

    @property
    def totals(self) -> Totals | None:
        """Count and cost as Twitch said last."""

    def revoked(self, subscription_id: str, status: str) -> bool:
        """Takes note that Twitch ended one."""

    def retry(self) -> int:
        """Tries what failed again at once; how many those are."""

    async def close(self) -> None:
        """Ends the connections."""


class _Slot:
    """One connection and the subscriptions on it."""

    def __init__(self, book: Book, make: MakeSocket, on_lost: OnLost, first_wait_s: float) -> None:
        self.book = book
        self._on_lost = on_lost
        self._lock = asyncio.Lock()
        self.connection = KeptConnection(
            lambda: make("websocket"), self._begin, self._end, first_wait_s=first_wait_s
        )
        self._task: asyncio.Task[None] | None = None

    async def sync(self) -> None:
        if self.book.is_empty:
            await self.close()
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self.connection.run(), name="eventsub-websocket")
        if self._lock.locked():
            return  # A session is just being filled; nobody else has to wait for it.
        async with self._lock:
            await self.book.sync()

    async def close(self) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            await cancelled([task])
            self.book.lost("the collector stopped")

    async def _begin(self, session_id: str) -> None:
        async with self._lock:
            self.book.started({"method": "websocket", "session_id": session_id})
            await self.book.sync()

    def _end(self, reason: str, heard_at: Instant | None) -> None:
        rooms = sorted({row.room_login for row in self.book.rows()})
        self.book.lost(reason)
        self._on_lost(rooms, reason, heard_at)


class WebsocketDesk:
    """One person's token: up to three connections with up to 300 subscriptions each."""

    def __init__(
        self,
        helix: Helix,
        make: MakeSocket,
        on_lost: OnLost,
        *,
        per_connection: int = SUBSCRIPTIONS_PER_CONNECTION,
        first_wait_s: float = 1.0,
    ) -> None:
        self._per_connection = per_connection
        self._slots = [_Slot(Book(helix), make, on_lost, first_wait_s) for _ in range(CONNECTIONS_PER_TOKEN)]
        self._places: dict[str, int] = {}

    def want(self, wanted: Sequence[Wanted]) -> None:
        """Spreads them over the connections; what has a place keeps it."""
        keys = {one.key for one in wanted}
        self._places = {key: place for key, place in self._places.items() if key in keys}
        counts = [list(self._places.values()).count(place) for place in range(len(self._slots))]
        for one in wanted:
            if one.key in self._places:
                continue
            place = next((i for i, count in enumerate(counts) if count < self._per_connection), None)
            if place is None:
                continue  # The plan allows no more than there is room for.
            self._places[one.key] = place
            counts[place] += 1
        for number, slot in enumerate(self._slots):
            slot.book.want([one for one in wanted if self._places.get(one.key) == number])

    async def sync(self) -> None:
        """Opens, fills and closes connections."""
        for slot in self._slots:
            await slot.sync()

    def rows(self) -> list[Subscription]:
        """What is wanted, as it stands."""
        return [row for slot in self._slots for row in slot.book.rows()]

    def connections(self) -> list[dict[str, Any]]:
        """The connections that are needed."""
        return [
            _described(slot.connection, "websocket", len(slot.book.rows()))
            for slot in self._slots
            if not slot.book.is_empty
        ]

    @property
    def totals(self) -> Totals | None:
        """Count and cost as Twitch said last."""
        return next((slot.book.totals for slot in reversed(self._slots) if slot.book.totals), None)

    def revoked(self, subscription_id: str, status: str) -> bool:
        """Takes note that Twitch ended one."""
        return any(slot.book.revoked(subscription_id, status) for slot in self._slots)

    def retry(self) -> int:
        """Tries what failed again at once; how many those are."""
        return sum(slot.book.retry() for slot in self._slots)

    async def close(self) -> None:
        """Ends the connections."""
        for slot in self._slots:
            await slot.close()


class _AppDesk:
    """What webhook and conduit have in common: the application's token, and subscriptions that outlive us."""

    is_shared = False

    def __init__(self, helix: Helix) -> None:
        self.book = Book(helix)
        self._totals: Totals | None = None
        self._listed_s: float | None = None

    def want(self, wanted: Sequence[Wanted]) -> None:
        """Sets what there should be."""
        self.book.want(wanted)

    async def sync(self) -> None:
        """Takes over what is there, and makes what is missing."""
        if self.book.transport is None:
            return
        waits = any(row.status.endswith(_PENDING) for row in self.book.rows())
        every_s = _LIST_PENDING_EVERY_S if waits else _LIST_EVERY_S
        if self._listed_s is None or time.monotonic() - self._listed_s >= every_s:
            found, self._totals = await listed(self.book.helix)
            await self.book.adopt([one for one in found if self._is_ours(one)], is_shared=self.is_shared)
            self._listed_s = time.monotonic()
        if await self.book.sync():
            self._totals = self.book.totals or self._totals

    def _is_ours(self, told: dict[str, Any]) -> bool:
        transport, ours = told.get("transport"), self.book.transport or {}
        names = ("method", "callback", "conduit_id")
        return isinstance(transport, dict) and all(
            transport.get(name) == ours[name] for name in names if name in ours
        )

    def rows(self) -> list[Subscription]:
        """What is wanted, as it stands."""
        return self.book.rows()

    def connections(self) -> list[dict[str, Any]]:
        """None: Twitch comes to us."""
        return []

    @property
    def totals(self) -> Totals | None:
        """Count and cost as Twitch said last."""
        return self._totals

    def revoked(self, subscription_id: str, status: str) -> bool:
        """Takes note that Twitch ended one."""
        return self.book.revoked(subscription_id, status)

    def retry(self) -> int:
        """Tries what failed again at once, and asks Twitch how things are."""
        self._listed_s = None
        return self.book.retry()

    async def close(self) -> None:
        """Leaves everything as it is: Twitch goes on delivering."""


class WebhookDesk(_AppDesk):
    """Deliveries to the web server; the collector only subscribes."""

    def __init__(self, helix: Helix, callback: str, secret: str) -> None:
        super().__init__(helix)
        self.book.started({"method": "webhook", "callback": callback, "secret": secret}, keeps=True)


class ConduitDesk(_AppDesk):
    """One shard of the application's conduit, over a WebSocket."""

    is_shared = True

    def __init__(self, helix: Helix, make: MakeSocket, on_lost: OnLost, *, first_wait_s: float = 1.0) -> None:
        super().__init__(helix)
        self._conduit = Conduit(helix)
        self._on_lost = on_lost
        self._connection = KeptConnection(
            lambda: make("conduit"), self._begin, self._end, first_wait_s=first_wait_s
        )
        self._task: asyncio.Task[None] | None = None

    async def sync(self) -> None:
        """Holds the shard, and the subscriptions as the webhook does."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._connection.run(), name="eventsub-conduit")
        await super().sync()

    def connections(self) -> list[dict[str, Any]]:
        """The shard's connection."""
        told = _described(self._connection, "conduit", len(self.book.rows()))
        shard = {"conduit_id": self._conduit.conduit_id, "shard_id": self._conduit.shard_id}
        return [told | shard | {"shard_count": self._conduit.shard_count}]

    async def close(self) -> None:
        """Lets go of the shard; the subscriptions stay for the other machines."""
        if self._task is not None:
            await cancelled([self._task])

    async def _begin(self, session_id: str) -> None:
        await self._conduit.bind(session_id)
        transport = {"method": "conduit", "conduit_id": self._conduit.conduit_id}
        self.book.started(transport, keeps=True)
        self._listed_s = None

    def _end(self, reason: str, heard_at: Instant | None) -> None:
        rooms = sorted({row.room_login for row in self.book.rows()})
        self.book.lost(reason)
        self._on_lost(rooms, reason, heard_at)


def _described(connection: KeptConnection, transport: str, subscription_count: int) -> dict[str, Any]:
    return {
        "transport": transport,
        "is_connected": connection.is_connected,
        "connected_at": connection.connected_at,
        "heard_at": connection.heard_at,
        "error": connection.error,
        "handover_count": connection.handover_count,
        "loss_count": connection.loss_count,
        "close_codes": {str(code): count for code, count in connection.close_codes.items()},
        "subscription_count": subscription_count,
    }
