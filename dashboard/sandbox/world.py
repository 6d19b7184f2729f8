"""The invented platform as a whole: ask it what is, was or will be at any time."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboard.sandbox import chance
from dashboard.sandbox.audience import Audience
from dashboard.sandbox.cast import helper
from dashboard.sandbox.chat import Chat
from dashboard.sandbox.follows import Follows
from dashboard.sandbox.minute import CHUNK_S
from dashboard.sandbox.people import Standings
from dashboard.sandbox.plan import Plan, Planner
from dashboard.sandbox.scene import Channel, Community, Game, build_scene
from dashboard.sandbox.schedule import Schedule
from dashboard.sandbox.shared import SharedChats
from dashboard.sandbox.trains import Trains
from dashboard.sandbox.users import Population
from dashboard.sandbox.wire import Line


@dataclass(frozen=True, slots=True)
class StreamState:
    """What Get Streams tells about a live stream."""

    stream_id: str
    channel: Channel
    viewer_count: int
    game: Game
    title: str
    language: str
    started_s: int


class World:
    """Channels, people and everything they do, as functions of the seed and the time.

    Args:
        seed: Same seed, same world.
        channel_count: How many channels; the first three are always live.

    Caveats:
        Times are Unix seconds. Nothing depends on when the world is made: any past or coming
        stretch can be asked for, and two worlds of one seed agree on it.
    """

    def __init__(self, seed: int = 7, channel_count: int = 40) -> None:
        self.seed = seed
        self.communities: tuple[Community, ...]
        self.channels: tuple[Channel, ...]
        self.communities, self.channels = build_scene(seed, channel_count)
        self.population = Population(seed, self.communities, self.channels)
        self.schedule = Schedule(seed, self.channels, self.population)
        self.audience = Audience(seed, self.channels, self.schedule, self.population)
        self.helper = helper(self.channels, self.schedule, self.population)
        """The number of somebody who moderates two home channels."""
        self.standings = Standings(seed, self.channels, self.population, self.helper)
        self.planner = Planner(seed, self.channels, self.schedule, self.population, self.standings)
        self.chat = Chat(
            seed, self.channels, self.schedule, self.planner, self.audience, self.population, self.standings
        )
        self.shared = SharedChats(seed, self.channels, self.schedule, self.chat, self.standings)
        self.trains = Trains(self.planner)
        self.follows = Follows(seed, self.channels, self.schedule, self.population)
        self._by_login = {channel.login: channel for channel in self.channels}
        self._by_id = {channel.user_id: channel for channel in self.channels}
        self._boosts: dict[int, float] = {}

    @property
    def home(self) -> tuple[Channel, ...]:
        """The channels that are always live, the first is the best to show."""
        return tuple(channel for channel in self.channels if channel.is_home)

    def channel(self, login: str) -> Channel | None:
        """The channel with this login."""
        return self._by_login.get(login)

    def channel_by_id(self, user_id: str) -> Channel | None:
        """The channel with this user id."""
        return self._by_id.get(user_id)

    def stream_at(self, login: str, t: float) -> StreamState | None:
        """The live stream of a channel at a time.

        Args:
            login: The channel.
            t: Unix time.

        Returns:
            What Get Streams would have told, or ``None`` when it was not live or does not exist.
            The viewer count moves every 30 s, as Twitch's does every minute or so.
        """
        channel = self._by_login.get(login)
        session = self.schedule.session_at(channel.index, t) if channel else None
        if channel is None or session is None:
            return None
        counted_at = max(float(session.started_s), t // 30 * 30)
        return StreamState(
            stream_id=session.stream_id,
            channel=channel,
            viewer_count=self.schedule.viewers(channel.index, counted_at),
            game=session.game_at(t),
            title=session.title,
            language=channel.language,
            started_s=session.started_s,
        )

    def live_at(self, t: float) -> list[StreamState]:
        """All live streams by falling viewers."""
        states = [state for channel in self.channels if (state := self.stream_at(channel.login, t))]
        return sorted(states, key=lambda state: (-state.viewer_count, state.stream_id))

    def plan_at(self, login: str, t: float) -> Plan | None:
        """What the stream that is on has in store (the truth behind it)."""
        channel = self._by_login.get(login)
        session = self.schedule.session_at(channel.index, t) if channel else None
        return self.planner.plan(session) if session else None

    def lines(self, login: str, start: float, end: float) -> list[Line]:
        """What a room hears with ``start <= at_s < end``, as it is sent (floods apart)."""
        channel = self._by_login[login]
        c, found = channel.index, []
        first, last = self.chat.minute_number(c, start), self.chat.minute_number(c, end)
        for key in range(first, last + 1):
            begin = self.chat.minute_start(c, key)
            lines = self.shared.minute_lines(c, key, begin, begin + CHUNK_S)
            low = bisect_left(lines, start, key=lambda line: line.at_s)
            high = bisect_left(lines, end, key=lambda line: line.at_s)
            found += lines[low:high]
        return found

    def minute_end(self, login: str, t: float) -> float:
        """When the channel's minute ends that a time is in: lines are made in whole minutes."""
        c = self._by_login[login].index
        return self.chat.minute_start(c, self.chat.minute_number(c, t) + 1)

    def raw_lines(self, login: str, start: float, end: float) -> Iterator[str]:
        """The raw IRC lines of a stretch, exactly as the server sent or will send them.

        Args:
            login: The channel.
            start: Unix time, included.
            end: Unix time, not included.

        Yields:
            Lines without line ends; ids are those that a live client gets, so duplicates are found.
        """
        at = start
        while at < end:
            until = min(end, at + 300)
            for line in self.lines(login, at, until):
                yield line.raw
            at = until

    def room_modes(self, login: str, t: float) -> dict[str, str]:
        """The tags of a full ROOMSTATE at a time, without the room's id."""
        modes = {"emote-only": "0", "followers-only": "-1", "r9k": "0", "slow": "0", "subs-only": "0"}
        plan = self.plan_at(login, t)
        for mode in plan.modes if plan else ():
            if mode.start_s <= t < mode.end_s:
                modes[mode.tag] = str(mode.value)
        return modes

    # -- load --------------------------------------------------------------------------------

    def boost(self, login: str, messages_per_s: float) -> None:
        """Floods a channel, for load tests.

        Args:
            login: The channel.
            messages_per_s: How many plain messages a second come on top; 0 ends the flood.
        """
        c = self._by_login[login].index
        self._boosts.pop(c, None)
        if messages_per_s > 0:
            self._boosts[c] = messages_per_s

    def flood(self, login: str, start: float, end: float) -> list[Line]:
        """The messages of a :meth:`boost` with ``start <= at_s < end``: cheap, at even distances.

        The n-th of a channel and rate is always the same, and the text ends with n, so a test can
        see what is missing.
        """
        channel = self._by_login[login]
        rate = self._boosts.get(channel.index)
        lines: list[Line] = []
        if not rate:
            return lines
        gap = 1 / rate
        for n in range(math.ceil(start / gap), math.ceil(end / gap)):
            at = n * gap
            user = self.population.user(n * 7919 % min(5000, self.population.regular_count))
            high, low = n >> 32 & 0xFFFF, n & 0xFFFFFFFF
            tail = f"b005-{self.seed & 0xFFFFFFFFFFFF:012x}"
            tags = {
                "badge-info": "",
                "badges": "",
                "color": user.color,
                "display-name": user.display_name,
                "emotes": "25:0-4",
                "first-msg": "0",
                "flags": "",
                "id": f"{low:08x}-{high:04x}-4{channel.index & 0xFFF:03x}-{tail}",
                "mod": "0",
                "returning-chatter": "0",
                "room-id": channel.user_id,
                "subscriber": "0",
                "tmi-sent-ts": str(int(at * 1000)),
                "turbo": "0",
                "user-id": user.user_id,
                "user-type": "",
            }
            source = f"{user.login}!{user.login}@{user.login}.tmi.twitch.tv"
            lines.append(
                Line(at, "PRIVMSG", tags, f":{source} PRIVMSG #{channel.login} :Kappa flood {n}", user.index)
            )
        return lines

    # -- truth -------------------------------------------------------------------------------

    def ground_truth(
        self, start: float, end: float, logins: Sequence[str] | None = None
    ) -> dict[str, object]:
        """What really happened in a stretch, so that detectors can be scored.

        Args:
            start: Unix time.
            end: Unix time.
            logins: Channels whose EventSub happenings are counted; by default the home channels.

        Returns:
            A JSON-able mapping: communities, bots, waves, streams, hype moments, bursts, raids,
            gift bombs, shared chats, and under ``eventsub`` how often each type was told in the
            last six hours of the stretch. Times are Unix seconds.
        """
        from dashboard.sandbox.truth import ground_truth

        return ground_truth(self, start, end, logins)

    def key(self, *parts: object) -> int:
        """A number that belongs to this world and key (for tokens and cursors of the server)."""
        return chance.number(self.seed, *parts)
