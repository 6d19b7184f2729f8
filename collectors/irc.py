"""The chat collector: any number of channels, over as many connections as Twitch's limits ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import SecretStr

from collectors.clock import SteadyClock
from collectors.irc_connection import IrcConnection
from collectors.irc_limits import IrcLimits, WindowLimiter
from collectors.irc_shared import Shared
from collectors.irc_stats import ChannelStats, IrcStats, Meter
from collectors.sink import EventSink
from collectors.waiting import cancelled
from dashboard.events import Instant

__all__ = ["ChannelStats", "IrcCollector", "IrcLimits", "IrcStats"]


class IrcCollector:
    """Reads the chat of channels and puts what happens there into a sink.

    Anonymous unless both a login and a token are given. Every connection lives by itself: when one
    breaks, its channels have a gap in the ledger and the others go on.
    """

    def __init__(
        self,
        url: str,
        sink: EventSink,
        *,
        login: str = "",
        token: SecretStr | None = None,
        now: Callable[[], Instant] | None = None,
        limits: IrcLimits | None = None,
    ) -> None:
        """Prepares a collector; nothing is connected before :meth:`run`.

        Args:
            url: ``wss://``, ``ws://``, ``ircs://`` or ``irc://`` address of the chat.
            sink: Where events and broken lines go.
            login: Our own Twitch login, lower case.
            token: Its OAuth token, with or without ``oauth:``.
            now: The clock for ``received_at``; never goes backwards.
            limits: Twitch's limits and our patience.
        """
        limits = limits or IrcLimits()
        self._limits = limits
        self._shared = Shared(
            url=url,
            sink=sink,
            login=login,
            token=token,
            now=now or SteadyClock(),
            limits=limits,
            joins=WindowLimiter(limits.join_count, limits.join_period_s),
            auths=WindowLimiter(limits.auth_count, limits.auth_period_s),
            meter=Meter(),
        )
        self._connections: list[IrcConnection] = []
        self._tasks: dict[IrcConnection, asyncio.Task[None]] = {}
        self._is_running = False
        self._is_closed = False
        self._changed = asyncio.Event()
        self._changing = asyncio.Lock()

    async def set_channels(self, logins: Iterable[str]) -> None:
        """Follows exactly these channels from now on.

        Args:
            logins: Lower case, without ``#``. New ones are joined as the limits allow, ones that are
                missing are left at once.
        """
        wanted = dict.fromkeys(logins)
        async with self._changing:
            followed = {login: c for c in self._connections for login in c.book.channels}
            for login, connection in followed.items():
                if login not in wanted:
                    await connection.remove(login)
            for login in wanted:
                if login not in followed:
                    self._with_room().add(login)
            for connection in [c for c in self._connections if not c.book.channels]:
                self._connections.remove(connection)
                connection.close()

    async def run(self) -> None:
        """Collects until closed or cancelled; channels that were joined are then noted as left.

        Raises:
            StorageError: What was received can't be kept.
            ConfigError: The address of the chat is of no known kind.
        """
        self._is_running = True
        for connection in self._connections:
            self._start(connection)
        changed: asyncio.Task[Any] | None = None
        try:
            while not (self._is_closed and not self._tasks):
                self._changed.clear()
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait([*self._tasks.values(), changed], return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                self._reap()
        finally:
            self._is_running = False
            await cancelled([*self._tasks.values(), *([changed] if changed else [])])
            self._tasks.clear()
            self._changed.set()

    async def close(self) -> None:
        """Leaves all channels, closes all connections, and waits until everything is handed on."""
        self._is_closed = True
        for connection in self._connections:
            connection.close()
        self._changed.set()
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks)

    def stats(self) -> IrcStats:
        """How it goes; may be called from any thread."""
        shared = self._shared
        connections = list(self._connections)
        channels = [channel for c in connections for channel in list(c.book.channels.values())]
        errors = [shared.login_error, *(c.error for c in connections)]
        return IrcStats(
            channels={
                c.login: ChannelStats(c.is_joined, c.message_count, c.last_message_at, c.error)
                for c in channels
            },
            connection_count=sum(c.is_logged_in for c in connections),
            message_count=shared.meter.message_count,
            messages_per_s=shared.meter.messages_per_s(),
            lag_p95_ms=shared.meter.lag_p95_ms(),
            reject_count=shared.meter.reject_count,
            reconnect_count=shared.meter.reconnect_count,
            error=next(filter(None, errors), None),
        )

    def _with_room(self) -> IrcConnection:
        for connection in self._connections:
            if len(connection.book.channels) < self._limits.channels_per_connection:
                return connection
        connection = IrcConnection(self._shared)
        self._connections.append(connection)
        if self._is_running:
            self._start(connection)
        return connection

    def _start(self, connection: IrcConnection) -> None:
        self._tasks[connection] = asyncio.create_task(connection.run())
        self._changed.set()

    def _reap(self) -> None:
        for connection, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[connection]
                task.result()
