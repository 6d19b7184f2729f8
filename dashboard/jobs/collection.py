"""Collecting channels: start, watch, stop, and how the collector is doing.

The collector is a process of its own that reads the list of followed channels from the state;
here that list is changed and the collector's own reports are read. So a collection goes on
when the page, or the whole web server, is closed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.access import LOCAL, Access
from dashboard.config import parse_channels
from dashboard.errors import AccessDenied, StreamLensError
from dashboard.events import Instant, now_us

if TYPE_CHECKING:
    from dashboard.storage.state import State

STATUS_NAME = "collector"
DEAD_AFTER_S = 10
"""A collector that has not reported for so long is taken for not running."""
JOIN_TIMEOUT_S = 120


class CollectionError(StreamLensError):
    """A collection could not be started as asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """One followed channel as the collector sees it."""

    room_login: str
    is_joined: bool
    message_count: int
    last_message_at: Instant | None
    may_be_stopped: bool = True
    """By whoever looks at this."""


@dataclass(frozen=True, slots=True)
class CollectorStatus:
    """How the collector is doing."""

    is_running: bool
    reported_at: Instant | None
    channels: tuple[ChannelStatus, ...] = ()
    message_count: int = 0
    messages_per_s: float | None = 0.0
    """Of all channels together; None for who may not see all."""
    lag_p95_ms: float | None = None
    queue_count: int = 0
    drop_count: int = 0
    reject_count: int = 0
    error: str = ""
    helix: str = ""
    """Trouble with Twitch's API in words; empty while it is fine."""

    @property
    def joined_count(self) -> int:
        """How many channels are being read."""
        return sum(channel.is_joined for channel in self.channels)

    def is_joined(self, room: str) -> bool:
        """Whether the room is being read right now."""
        return self.is_running and any(c.room_login == room and c.is_joined for c in self.channels)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the start of a collection is."""

    wanted_count: int
    joined_count: int
    message_count: int
    messages_per_s: float | None
    elapsed_s: float
    is_running: bool

    @property
    def is_complete(self) -> bool:
        """Whether every channel asked for is being read."""
        return self.joined_count >= self.wanted_count


def collector_status(state: State, *, now: Instant) -> CollectorStatus:
    """How the collector is doing, with every followed channel in the list.

    Args:
        state: Where the collector reports.
        now: The wall clock.

    Returns:
        The last report; ``is_running`` is False when it is older than :data:`DEAD_AFTER_S`.
    """
    row = state.read_status(STATUS_NAME)
    followed = state.followed()
    if row is None:
        return CollectorStatus(False, None, tuple(ChannelStatus(login, False, 0, None) for login in followed))
    told: dict[str, Any] = row.payload
    is_running = now - row.updated_at <= DEAD_AFTER_S * 1_000_000 and not told.get("stopped_at")
    helix = told.get("helix") or {}
    return CollectorStatus(
        is_running=is_running,
        reported_at=row.updated_at,
        channels=tuple(_channel(login, told.get("channels") or {}, is_running) for login in followed),
        message_count=int(told.get("message_count") or 0),
        messages_per_s=float(told.get("messages_per_s") or 0.0) if is_running else 0.0,
        lag_p95_ms=told.get("lag_p95_ms"),
        queue_count=int(told.get("queue_count") or 0),
        drop_count=int(told.get("drop_count") or 0),
        reject_count=int(told.get("reject_count") or 0),
        error=str(told.get("error") or ""),
        helix=str(helix.get("error") or ""),
    )


def visible_to(access: Access, status: CollectorStatus) -> CollectorStatus:
    """The part of a report that somebody may see.

    Args:
        access: Who asks. Who manages the collectors sees all channels that they read.
        status: The whole report.

    Returns:
        Only their channels; without the words and sums that are about others too.
    """
    if access.rooms is None or access.is_admin:
        return status
    channels = tuple(
        replace(channel, may_be_stopped=channel.room_login == access.user_login)
        for channel in status.channels
        if access.may_see(channel.room_login)
    )
    count = sum(channel.message_count for channel in channels)
    return replace(
        status,
        channels=channels,
        message_count=count,
        messages_per_s=None,
        lag_p95_ms=None,
        error="",
        helix="",
    )


def require_start(access: Access, logins: Sequence[str]) -> None:
    """Stops here unless somebody may start to collect all these channels.

    Raises:
        AccessDenied: They neither manage the collectors nor may see one of them.
    """
    if not access.is_admin:
        for login in logins:
            access.require_room(login)


def require_stop(access: Access, logins: Sequence[str]) -> None:
    """Stops here unless somebody may end the collection of all these channels.

    Raises:
        AccessDenied: They neither manage the collectors nor own one of them: a channel that many see is
            not one person's to stop.
    """
    strange = [login for login in logins if login != access.user_login]
    if strange and not access.is_admin:
        raise AccessDenied(f"Only its owner, or who manages the collectors, may stop {', '.join(strange)}.")


def _channel(login: str, told: dict[str, Any], is_running: bool) -> ChannelStatus:
    entry = told.get(login) or {}
    last = entry.get("last_message_at")
    return ChannelStatus(
        room_login=login,
        is_joined=is_running and bool(entry.get("is_joined")),
        message_count=int(entry.get("message_count") or 0),
        last_message_at=None if last is None else Instant(int(last)),
    )


def typed_channels(text: str) -> tuple[str, ...]:
    """The channels in what a person typed.

    Args:
        text: Logins or addresses, parted by spaces, commas or new lines.

    Returns:
        Logins, each once.

    Raises:
        CollectionError: Nothing was typed, or a part is not a login.
    """
    try:
        logins = parse_channels(text.replace(",", " ").replace(";", " ").split())
    except ValueError as error:
        raise CollectionError(f"{error}. Nothing was changed.") from None
    if not logins:
        raise CollectionError("Type at least one channel, as in its address: twitch.tv/name.")
    return logins


def start_collection(
    state: State,
    logins: Sequence[str],
    *,
    by: str,
    now: Callable[[], Instant] = now_us,
    sleep: Callable[[float], None] = time.sleep,
    timeout_s: float = JOIN_TIMEOUT_S,
    access: Access = LOCAL,
) -> Iterator[Progress]:
    """Follows channels and tells how the collector takes them up.

    Args:
        state: Where the list of followed channels is kept.
        logins: Channels to collect.
        by: Who asked.
        now: The wall clock.
        sleep: Waits between two looks.
        timeout_s: Gives up watching (not collecting) after so long.
        access: What they may see and do.

    Yields:
        Progress, about twice a second, until every channel is read or the time is over.

    Raises:
        AccessDenied: They may not start one of them; nothing was changed.
    """
    require_start(access, logins)
    state.follow(list(logins), by=by)
    began_at = now()
    while True:
        status = visible_to(access, collector_status(state, now=now()))
        progress = _progress(status, logins, (now() - began_at) / 1_000_000)
        yield progress
        if progress.is_complete or progress.elapsed_s >= timeout_s:
            return
        if not progress.is_running and progress.elapsed_s >= DEAD_AFTER_S:
            return
        sleep(0.5)


def _progress(status: CollectorStatus, logins: Sequence[str], elapsed_s: float) -> Progress:
    wanted = set(logins)
    mine = [channel for channel in status.channels if channel.room_login in wanted]
    return Progress(
        wanted_count=len(wanted),
        joined_count=sum(channel.is_joined for channel in mine),
        message_count=sum(channel.message_count for channel in mine),
        messages_per_s=status.messages_per_s,
        elapsed_s=elapsed_s,
        is_running=status.is_running,
    )


def stop_collection(state: State, logins: Sequence[str], *, access: Access = LOCAL) -> None:
    """Ends the collection of channels; what was collected stays.

    Args:
        state: Where the list of followed channels is kept.
        logins: Channels to leave.
        access: What who asks may do.

    Raises:
        AccessDenied: They may not; nothing was changed.
    """
    require_stop(access, logins)
    state.unfollow(list(logins))


def open_state(data_dir: str, database_url: str) -> State:
    """Opens the state in a job's own process.

    Args:
        data_dir: Data folder of the settings.
        database_url: Address of the state's database; empty for the one in the folder.

    Returns:
        A state; the caller's process owns it.
    """
    from dashboard.storage.state import State

    return State(Path(data_dir), database_url)
