"""The collector as a process: chat and Helix in, events out, its state told once a second."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import structlog

from collectors.helix import HelixPoller
from collectors.helix_client import open_client
from collectors.irc import IrcCollector
from collectors.waiting import cancelled
from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.events import Event, Instant, Observation, now_us, synthetic_id
from dashboard.storage.ingest import Ingest, ease_garbage_collection
from dashboard.storage.recovery import read_opt_out
from dashboard.storage.state import State

log = structlog.get_logger(__name__)

STATUS_NAME = "collector"
_TICK_S = 1.0
_DURABLE_WITHIN_S = 10.0


class IngestSink:
    """The ingest as collectors see it."""

    def __init__(self, ingest: Ingest, source: str = "irc") -> None:
        self._ingest = ingest
        self._source = source

    async def put(self, events: Sequence[Event]) -> None:
        """Waits while the queue is full."""
        await self._ingest.aput(events)

    async def reject(self, line: str, reason: str) -> None:
        """Keeps a broken line."""
        self._ingest.reject(line, reason, self._source)


def run_collector(settings: Settings, channels: Sequence[str] = ()) -> None:
    """Collects until SIGTERM or Ctrl-C.

    Args:
        settings: Where Twitch is, and which channels to follow from the start.
        channels: To follow besides those.

    Raises:
        LockedError: Another collector writes to the data folder.
        StorageError: Events can't be kept any more; what was acknowledged is safe.
    """
    ease_garbage_collection()
    state = State(settings.data_dir, settings.database_url.get_secret_value())
    opt_out = read_opt_out(settings.opt_out_file) if settings.opt_out_file else frozenset()
    with Ingest(
        settings.data_dir,
        queue_events=settings.ingest_queue_events,
        flush_interval_s=settings.flush_interval_s,
        opt_out=opt_out,
    ) as ingest:
        ingest.put(lost_sight(state))
        state.follow([*settings.twitch_channels, *channels], by="settings")
        asyncio.run(_Service(settings, state, ingest, opt_out).run())


def lost_sight(state: State) -> list[Event]:
    """Closes what a collector that died without a word left open.

    Args:
        state: Has the last sign of life of the collector before this one.

    Returns:
        One ``lost`` a room that it was reading, from its last sign of life on; none after a clean stop.
    """
    last = state.read_status(STATUS_NAME)
    if last is None or last.payload.get("stopped_at"):
        return []
    rooms = [login for login, channel in last.payload.get("channels", {}).items() if channel.get("is_joined")]
    return [
        Observation(
            event_id=synthetic_id("observations", "irc", login, last.updated_at, "lost"),
            source="irc",
            room_login=login,
            sent_at=last.updated_at,
            received_at=now_us(),
            collector="irc",
            state="lost",
            reason="the collector stopped without a word",
        )
        for login in rooms
    ]


class _Service:
    def __init__(
        self, settings: Settings, state: State, ingest: Ingest, opt_out: Collection[str] = ()
    ) -> None:
        self._settings = settings
        self._opt_out = opt_out
        self._state = state
        self._ingest = ingest
        self._started_at = now_us()
        self._stop = asyncio.Event()
        self._followed = state.followed()
        self._trouble: str | None = None
        sink = IngestSink(ingest)
        self._irc = IrcCollector(
            settings.irc_url,
            sink,
            login=settings.irc_login,
            token=settings.irc_token if settings.irc_token.get_secret_value() else None,
        )
        self._client = open_client(settings)
        memory_path = settings.data_dir / "state" / "helix_streams.json"
        self._helix = HelixPoller(self._client, sink, lambda: self._followed, memory_path=memory_path)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        tasks = [
            asyncio.create_task(self._irc.run(), name="irc"),
            asyncio.create_task(self._follow_state(), name="follow"),
        ]
        if self._client is not None:
            tasks.append(asyncio.create_task(self._helix.run(), name="helix"))
        # Not among those whose end is the collector's: chat goes on without EventSub.
        eventsub = asyncio.create_task(self._run_eventsub(), name="eventsub")
        stopped = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                task.result()
        finally:
            await cancelled([eventsub])
            await self._wind_down([*tasks, stopped])

    async def _run_eventsub(self) -> None:
        from collectors.eventsub_run import run_eventsub

        await run_eventsub(
            self._settings,
            IngestSink(self._ingest, "eventsub"),
            state=self._state,
            followed=lambda: self._followed,
            wait_durable=lambda: self._ingest.sync(_DURABLE_WITHIN_S),
            opt_out=self._opt_out,
        )

    async def _wind_down(self, tasks: list[asyncio.Task[Any]]) -> None:
        with suppress(StorageError):
            await self._irc.close()
            if self._client is not None:
                await self._helix.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
        stopped_at = now_us()
        await self._ask_state(lambda: self._tell(stopped_at))

    async def _follow_state(self) -> None:
        while True:
            await self._ask_state(self._read_followed)
            await self._irc.set_channels(self._followed)
            await self._ask_state(self._tell)
            await asyncio.sleep(_TICK_S)

    async def _ask_state(self, question: Callable[[], None]) -> None:
        """The state only says what to read: chat goes on without it, on a full disk for one."""
        try:
            await asyncio.to_thread(question)
        except StorageError as error:
            if str(error) != self._trouble:  # once, not every second
                log.warning("state can't be used; collecting goes on", error=str(error))
            self._trouble = str(error)
        else:
            self._trouble = None

    def _read_followed(self) -> None:
        self._followed = self._state.followed()

    def _tell(self, stopped_at: Instant | None = None) -> None:
        irc, ingest = self._irc.stats(), self._ingest.stats()
        payload: dict[str, Any] = {
            "pid": os.getpid(),
            "started_at": self._started_at,
            "stopped_at": stopped_at,
            "channels": {
                login: {
                    "is_joined": channel.is_joined,
                    "message_count": channel.message_count,
                    "last_message_at": channel.last_message_at,
                    "error": channel.error,
                }
                for login, channel in irc.channels.items()
            },
            "message_count": irc.message_count,
            "messages_per_s": irc.messages_per_s,
            "lag_p95_ms": irc.lag_p95_ms,
            "connection_count": irc.connection_count,
            "queue_count": ingest.queued_count,
            # The way in waits when it is full and throws nothing away; what a closed connection kept from
            # us is a gap, and its size is not known.
            "drop_count": 0,
            "reject_count": ingest.rejected_count,
            "duplicate_count": ingest.duplicate_count,
            "acknowledged_count": ingest.acknowledged_count,
            "written_count": ingest.written_count,
            "helix": asdict(self._helix.stats()),
            "error": ingest.trouble or irc.error,
        }
        self._state.write_status(STATUS_NAME, payload)
