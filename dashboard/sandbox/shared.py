"""Shared chats: for a while two channels of a community hear each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dashboard.sandbox import chance
from dashboard.sandbox.chat import Chat
from dashboard.sandbox.people import Standings
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import Schedule
from dashboard.sandbox.wire import Line

BLOCK_S = 3 * 3600
_MIRRORED = {"sub", "resub", "subgift", "submysterygift", "raid", "announcement", "giftpaidupgrade"}


@dataclass(frozen=True, slots=True)
class SharedChat:
    """One session between two channels."""

    start_s: float
    end_s: float
    host: int
    guest: int

    def partner(self, c: int) -> int:
        """The other one."""
        return self.guest if c == self.host else self.host


class SharedChats:
    """All shared chats, and the mirrored lines that come of them."""

    def __init__(
        self, seed: int, channels: tuple[Channel, ...], schedule: Schedule, chat: Chat, standings: Standings
    ) -> None:
        self._seed = seed
        self._channels = channels
        self._schedule = schedule
        self._chat = chat
        self._standings = standings
        self._neighbours: dict[int, list[int]] = {}
        for channel in channels:
            self._neighbours.setdefault(channel.community.index, []).append(channel.index)
        self._in_block = lru_cache(maxsize=1024)(self._find)
        self.minute_lines = lru_cache(maxsize=64)(self._minute_lines)

    def session(self, c: int, t: float) -> SharedChat | None:
        """The shared chat that a channel is in at this time."""
        found = self._in_block(self._channels[c].community.index, int(t // BLOCK_S))
        if found and c in (found.host, found.guest) and found.start_s <= t < found.end_s:
            return found
        return None

    def between(self, start: float, end: float) -> list[SharedChat]:
        """All shared chats that touch the stretch."""
        blocks = range(int(start // BLOCK_S), int(end // BLOCK_S) + 1)
        found = [self._in_block(g, block) for g in self._neighbours for block in blocks]
        return [session for session in found if session and session.end_s > start and session.start_s < end]

    def _find(self, community: int, block: int) -> SharedChat | None:
        """At most one session a community in three hours, and only among channels that are live then."""
        random = chance.dice(self._seed, "shared", community, block)
        start = block * BLOCK_S + random.uniform(600, 5400)
        end = start + random.uniform(1500, 4200)
        live = [c for c in self._neighbours[community] if self._schedule.session_at(c, start)]
        if len(live) < 2 or random.random() > 0.35:
            return None
        host, guest = random.sample(live, 2)
        for c in (host, guest):
            session = self._schedule.session_at(c, start)
            assert session is not None
            if not self._channels[c].is_always_live:
                end = min(end, session.ended_s)
        return SharedChat(start, end, host, guest)

    def _minute_lines(self, c: int, key: int, start: float, end: float) -> list[Line]:
        """A channel's minute as its room hears it: its own lines, and those of its partner."""
        lines = []
        for line in self._chat.minute_lines(c, key):
            session = self.session(c, line.at_s)
            lines.append(self._marked(line) if session and "user-id" in line.tags else line)
        session = self.session(c, start) or self.session(c, end)
        if session:
            since, until = max(start, session.start_s), min(end, session.end_s)
            for line in self._chat.own_lines(session.partner(c), since, until):
                if mirrored := self._mirrored(line, c):
                    lines.append(mirrored)
            lines.sort(key=lambda line: line.at_s)
        return lines

    @staticmethod
    def _source_tags(tags: dict[str, str]) -> dict[str, str]:
        source = {
            "source-badge-info": tags["badge-info"],
            "source-badges": tags["badges"],
            "source-id": tags["id"],
            "source-room-id": tags["room-id"],
        }
        if "msg-id" in tags and "system-msg" in tags:
            source["source-msg-id"] = tags["msg-id"]
        return source

    def _marked(self, line: Line) -> Line:
        return Line(line.at_s, line.command, line.tags | self._source_tags(line.tags), line.rest, line.user)

    def _mirrored(self, line: Line, c: int) -> Line | None:
        """The same message in the partner's room: an id of its own, badges of that room."""
        if line.user is None or (line.command == "USERNOTICE" and line.tags["msg-id"] not in _MIRRORED):
            return None
        target, source = self._channels[c], line.rest.split(" ", 3)
        user = self._chat.population.user(line.user)
        standing = self._standings.of(user, target, line.at_s)
        tags = line.tags | self._source_tags(line.tags)
        tags |= {
            "badge-info": standing.badge_info,
            "badges": standing.badges,
            "id": chance.uuid(self._seed, "mirror", c, line.tags["id"]),
            "mod": str(int(standing.is_mod)),
            "room-id": target.user_id,
            "subscriber": str(int(standing.months > 0)),
            "user-type": "mod" if standing.is_mod else "",
        }
        tags.pop("vip", None)
        if standing.is_vip:
            tags["vip"] = "1"
        if line.command == "USERNOTICE":
            tags["msg-id"] = "sharedchatnotice"
        source[2] = f"#{target.login}"
        return Line(line.at_s, line.command, tags, " ".join(source), line.user)
