"""The Helix poller: once a minute, who of the followed channels is live, with how many viewers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import structlog

from collectors.helix_client import HelixClient
from collectors.helix_watch import Memory, durable_part, load_memory, lose, observe, save_memory
from collectors.rate_limit import SECOND
from collectors.sink import EventSink
from dashboard.errors import StorageError, TwitchError, TwitchUnauthorized
from dashboard.events import Event, Instant, now_us

log = structlog.get_logger(__name__)

OFF = "Viewer counts need TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps)."
_LONGEST_JITTER_S = 3.0
_LOOK_FOR_NEW_CHANNELS_S = 1.0
_ASK_AGAIN_S = 3600
"""For accounts that were not found: a typo stays one."""


@dataclass(slots=True, frozen=True)
class HelixStats:
    """How the poller is doing, for the collectors panel."""

    state: Literal["off", "waiting", "ok", "unauthorized", "error"]
    """``waiting``: before the first answer, or until Twitch's rate limit lets calls through."""
    last_poll_at: Instant | None
    """The last poll that was answered."""
    error: str | None
    """What is wrong and what to do about it, in words."""
    channel_count: int
    live_count: int
    poll_count: int
    failed_poll_count: int
    sample_count: int
    unknown_logins: tuple[str, ...]
    """Followed channels that Twitch does not know."""


class HelixPoller:
    """Turns Get Streams into viewer samples, stream starts and ends, and the ledger of gaps.

    Polls at whole multiples of the interval plus a fraction of a second to three seconds, the same
    in every round, so that samples are evenly spaced but installations don't all call at once. A
    channel that is newly followed is polled within a second.

    Args:
        client: ``None`` without credentials: the poller is off and says so.
        sink: Takes the events.
        channels: The logins followed at the moment; asked about once a second.
        interval_s: Between polls.
        memory_path: Keeps what is live between runs (``state/helix_streams.json``).
        now: The clock.
        sleep: Waits for seconds.
        chance: A number from 0 to 1, for the jitter.
    """

    def __init__(
        self,
        client: HelixClient | None,
        sink: EventSink,
        channels: Callable[[], Sequence[str]],
        interval_s: float = 60,
        *,
        memory_path: Path | None = None,
        now: Callable[[], Instant] = now_us,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._sink = sink
        self._channels = channels
        self._interval_s = interval_s
        self._memory_path = memory_path
        self._now = now
        self._sleep = sleep
        self._offset_us = round(chance() * min(_LONGEST_JITTER_S, interval_s / 20) * SECOND)
        self._memory = Memory()
        self._asked: tuple[str, ...] = ()
        self._not_found_at: dict[str, Instant] = {}
        self._step: asyncio.Future[None] | None = None
        self._ended = asyncio.Event()
        self._ended.set()
        self._is_closing = False
        self._stats = HelixStats(
            state="waiting" if client else "off",
            last_poll_at=None,
            error=None if client else OFF,
            channel_count=0,
            live_count=0,
            poll_count=0,
            failed_poll_count=0,
            sample_count=0,
            unknown_logins=(),
        )

    def stats(self) -> HelixStats:
        """How the poller is doing now."""
        until = self._client.limiter.waiting_until if self._client else None
        if until is None or self._stats.state not in ("ok", "waiting"):
            return self._stats
        wait_s = max(0, round((until - self._now()) / SECOND))
        return replace(
            self._stats,
            state="waiting",
            error=f"Twitch's rate limit is used up; going on by itself in {wait_s} s.",
        )

    async def run(self) -> None:
        """Polls until :meth:`close`; no error ends it."""
        self._ended.clear()
        try:
            if self._client:
                self._memory = await asyncio.to_thread(load_memory, self._memory_path)
            while not self._is_closing:
                if self._client:
                    await self._interruptible(self.poll())
                await self._rest()
            if self._stats.poll_count:
                await self._leave()
        finally:
            self._ended.set()

    async def close(self) -> None:
        """Ends :meth:`run`, and waits for it: what is seen until now is handed on first."""
        self._is_closing = True
        if self._step:
            self._step.cancel()
        await self._ended.wait()

    async def poll(self) -> None:
        """One poll now; whatever goes wrong is told in :meth:`stats`."""
        began_at = self._now()
        try:
            await self._ask_and_hand_on()
        except TwitchUnauthorized as error:
            await self._failed(began_at, "unauthorized", str(error))
        except (TwitchError, StorageError) as error:
            await self._failed(began_at, "error", f"{str(error).rstrip('.')}. Trying again by itself.")
        except Exception as error:
            log.exception("helix poll failed")
            text = f"Unexpected {type(error).__name__} (details in the log). Trying again by itself."
            await self._failed(began_at, "error", text)

    async def _ask_and_hand_on(self) -> None:
        assert self._client is not None
        channels = self._asked = self._followed()
        streams = await self._client.get_streams(user_logins=channels)
        answered_at = self._now()
        known = {stream.user_login: stream.user_id for stream in streams}
        self._memory.room_ids.update(known)
        await self._find_room_ids(channels)
        before = self._memory
        events, after = observe(before, streams, channels, now=answered_at, interval_s=self._interval_s)
        await self._sink.put(events)
        self._memory = after
        await asyncio.to_thread(save_memory, self._memory_path, durable_part(before, after))
        self._stats = replace(
            self._stats,
            state="ok",
            error=None,
            last_poll_at=answered_at,
            channel_count=len(channels),
            live_count=len(known),
            poll_count=self._stats.poll_count + 1,
            sample_count=self._stats.sample_count + sum(e.kind == "viewer_samples" for e in events),
            unknown_logins=tuple(login for login in channels if login in self._not_found_at),
        )

    async def _find_room_ids(self, channels: Sequence[str]) -> None:
        """Room ids of offline channels too; without them the ledger still has the logins."""
        assert self._client is not None
        now = self._now()
        for login, at in list(self._not_found_at.items()):
            if now - at > _ASK_AGAIN_S * SECOND or login in self._memory.room_ids:
                del self._not_found_at[login]
        known = self._memory.room_ids.keys() | self._not_found_at.keys()
        unknown = [login for login in channels if login not in known]
        try:
            users = await self._client.get_users(logins=unknown)
        except TwitchError as error:
            log.warning("room ids can't be asked for", error=str(error))
            return
        self._memory.room_ids.update((user.user_login, user.user_id) for user in users)
        self._not_found_at.update((login, now) for login in unknown if login not in self._memory.room_ids)

    async def _failed(self, began_at: Instant, state: Literal["unauthorized", "error"], text: str) -> None:
        if text != self._stats.error:  # once, not every minute of an outage
            log.warning("helix poll failed", error=text)
        self._stats = replace(
            self._stats,
            state=state,
            error=text,
            poll_count=self._stats.poll_count + 1,
            failed_poll_count=self._stats.failed_poll_count + 1,
        )
        lost = lose(self._memory, since=began_at, now=self._now(), interval_s=self._interval_s, reason=text)
        await self._hand_on(*lost)

    async def _leave(self) -> None:
        now = self._now()
        told = lose(self._memory, since=now, now=now, interval_s=self._interval_s, reason="collector stopped")
        await self._hand_on(*told)
        save_memory(self._memory_path, self._memory)

    async def _hand_on(self, events: list[Event], after: Memory) -> None:
        try:
            if events:
                await self._sink.put(events)
            self._memory = after
        except StorageError as error:
            log.warning("helix events were not taken", error=str(error))

    def _followed(self) -> tuple[str, ...]:
        try:
            return tuple(dict.fromkeys(login.lower() for login in self._channels()))
        except Exception as error:
            log.warning("followed channels can't be read", error=str(error))
            return self._asked

    async def _rest(self) -> None:
        interval_us = round(self._interval_s * SECOND)
        next_at = (self._now() // interval_us + 1) * interval_us + self._offset_us
        while not self._is_closing:
            left_us = next_at - self._now()
            is_clock_set_back = left_us > 2 * interval_us
            if left_us <= 0 or is_clock_set_back or self._has_new_channels():
                return
            await self._interruptible(self._sleep(min(left_us / SECOND, _LOOK_FOR_NEW_CHANNELS_S)))

    def _has_new_channels(self) -> bool:
        return self._client is not None and not set(self._followed()) <= set(self._asked)

    async def _interruptible(self, work: Awaitable[Any]) -> None:
        """Awaits something that :meth:`close` may cut short."""
        self._step = asyncio.ensure_future(work)
        try:
            await self._step
        except asyncio.CancelledError:
            if not self._is_closing:
                raise
        finally:
            self._step = None
