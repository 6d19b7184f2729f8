"""Which channels a connection should be in and how far it got with each: pure bookkeeping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from collectors.irc_limits import IrcLimits, jittered
from dashboard.events import Instant

Phase = Literal["waiting", "asked", "joined"]

NOT_CONFIRMED = "Twitch did not confirm the join; it will be tried again."


@dataclass(slots=True)
class Channel:
    """One channel of a connection. Times ending in ``_s`` are on the monotonic clock."""

    login: str
    room_id: str | None = None
    phase: Phase = "waiting"
    due_s: float = 0.0
    """While waiting: when to ask; when asked: how long to wait for the confirmation."""
    attempts: int = 0
    error: str | None = None
    message_count: int = 0
    last_message_at: Instant | None = None

    @property
    def is_joined(self) -> bool:
        """Whether chat of this channel is coming in."""
        return self.phase == "joined"


class JoinBook:
    """The channels of one connection: asked for, confirmed, to be tried again."""

    def __init__(self, limits: IrcLimits) -> None:
        self._limits = limits
        self.channels: dict[str, Channel] = {}

    def add(self, login: str) -> None:
        """Wants a channel; joined as soon as the limits allow."""
        self.channels.setdefault(login, Channel(login))

    def remove(self, login: str) -> Channel | None:
        """Wants a channel no more; gives what it was."""
        return self.channels.pop(login, None)

    def due(self, now_s: float) -> list[Channel]:
        """The channels to ask for now, those with the fewest attempts first."""
        found = [c for c in self.channels.values() if c.phase == "waiting" and c.due_s <= now_s]
        return sorted(found, key=lambda channel: channel.attempts)

    def asked(self, channels: list[Channel], now_s: float) -> None:
        """Notes that a JOIN was sent."""
        for channel in channels:
            channel.phase = "asked"
            channel.due_s = now_s + self._limits.join_confirm_s

    def confirm(self, login: str) -> Channel | None:
        """Notes a sign that we are in; gives the channel when that is new."""
        channel = self.channels.get(login)
        if channel is None or channel.is_joined:
            return None
        channel.phase = "joined"
        channel.attempts = 0
        channel.error = None
        return channel

    def refuse(self, login: str, reason: str, now_s: float) -> None:
        """Notes that Twitch will not let us in; tried again after a growing wait."""
        channel = self.channels.get(login)
        if channel is None:
            return
        channel.error = reason
        if channel.phase == "asked":
            self._postpone(channel, now_s)

    def expel(self, login: str, reason: str, now_s: float) -> Channel | None:
        """Notes that Twitch put us out; gives the channel if we were in."""
        channel = self.channels.get(login)
        if channel is None or not channel.is_joined:
            return None
        channel.error = reason
        self._postpone(channel, now_s)
        return channel

    def expire(self, now_s: float) -> None:
        """Gives up on joins that nobody confirmed in time, for now."""
        for channel in self.channels.values():
            if channel.phase == "asked" and channel.due_s <= now_s:
                channel.error = channel.error or NOT_CONFIRMED
                self._postpone(channel, now_s)

    def restart(self) -> list[Channel]:
        """Starts over after a lost connection; gives the channels that were joined."""
        joined = [channel for channel in self.channels.values() if channel.is_joined]
        for channel in self.channels.values():
            if channel.phase != "waiting":
                channel.phase, channel.due_s = "waiting", 0.0
        return joined

    def next_s(self) -> float | None:
        """When there is something to do again; ``None`` when all are joined."""
        return min((c.due_s for c in self.channels.values() if not c.is_joined), default=None)

    def _postpone(self, channel: Channel, now_s: float) -> None:
        wait_s = jittered(self._limits.join_retry_s, channel.attempts, self._limits.join_retry_max_s)
        channel.phase = "waiting"
        channel.due_s = now_s + wait_s
        channel.attempts += 1
