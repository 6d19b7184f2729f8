"""The rooms of the chat server: who is in them, what they hear and when."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping

from dashboard.sandbox import chance
from dashboard.sandbox.faults import Faults
from dashboard.sandbox.feed import Feed
from dashboard.sandbox.irc import ChatBackend, Client, Identity, IrcLimits, Limiter, Room
from dashboard.sandbox.oauth import OAuth
from dashboard.sandbox.replay import Replay
from dashboard.sandbox.wire import Line
from dashboard.sandbox.world import World

_DUPLICATE_SHARE = 0.0003
_CATCH_UP_S = 30.0
"""After a longer pause (at the world's speed) a room goes on with the present."""
_MAY_READ = {"chat:read", "chat:edit", "user:read:chat"}


class Hall(ChatBackend):
    """All rooms.

    Args:
        world: What happens.
        oauth: Who tokens stand for.
        faults: What is broken on order.
        replays: Recordings that are served as channels, by login.
        limits: The chat server's limits.
        now_s: What time it is in the world.
        speed: How much faster than the clock the world goes.
    """

    def __init__(
        self,
        world: World,
        oauth: OAuth,
        faults: Faults,
        replays: Mapping[str, Replay],
        limits: IrcLimits,
        now_s: Callable[[], float],
        speed: float = 1.0,
    ) -> None:
        self.limits = limits
        self.clients: set[Client] = set()
        self._world, self._oauth, self._faults = world, oauth, faults
        self._replays = replays
        self._now_s = now_s
        self._catch_up_s = _CATCH_UP_S * max(1.0, speed)
        self._rooms: dict[str, set[Client]] = {}
        self._feeds: dict[str, Feed] = {}
        self._told_at: dict[str, float] = {}
        self._members_at: dict[str, int] = {}
        self._auths = Limiter(limits.auths, limits.window_s)
        self.on_said: Callable[[str, Line], None] = lambda login, line: None
        """Called with the room and what a client with a token wrote there."""

    # -- delivering --------------------------------------------------------------------------

    def deliver(self) -> None:
        """Sends every room what happened since the last time.

        After a long sleep of the machine the room goes on with the present: nobody repeats what
        was said meanwhile, as on Twitch.
        """
        now = self._now_s()
        for login, clients in list(self._rooms.items()):
            since = self._told_at.get(login, now)
            if now <= since:
                continue
            if now - since > self._catch_up_s:
                self._feeds.pop(login, None)
                since = now - 1
            self._told_at[login] = now
            for line in self._lines(login, since, now):
                is_twice = chance.unit(0, line.tags.get("id", line.at_s)) < _DUPLICATE_SHARE
                for client in tuple(clients):
                    client.put_line(line)
                    if is_twice and line.command == "PRIVMSG":
                        client.put_line(line)
            self._deliver_members(login, int(now // 60))

    def _lines(self, login: str, start: float, end: float) -> list[Line]:
        if login in self._replays:
            return self._replays[login].lines(start, end)
        if login not in self._feeds:
            self._feeds[login] = Feed(self._world, login, start)
        return self._feeds[login].take(end)

    def _deliver_members(self, login: str, minute: int) -> None:
        """JOIN and PART of the last minute, in a bunch, in small rooms only."""
        before = self._members_at.get(login, minute)
        self._members_at[login] = minute
        listeners = [c for c in self._rooms[login] if "twitch.tv/membership" in c.caps]
        if minute == before or not listeners or login in self._replays:
            return
        now, then = self._name_set(login, minute - 1), self._name_set(login, before - 1)
        if not now or not then:
            return
        for names, command in ((now - then, "JOIN"), (then - now, "PART")):
            for name in sorted(names):
                for client in listeners:
                    client.put(f":{name}!{name}@{name}.tmi.twitch.tv {command} #{login}")

    def _name_set(self, login: str, minute: int) -> frozenset[str]:
        channel = self._world.channel(login)
        if (
            channel is None
            or len(self._world.audience.chatters(channel.index, minute)) >= self.limits.names_below
        ):
            return frozenset()
        return self._world.audience.chatter_logins(channel.index, minute)

    # -- what chat asks ----------------------------------------------------------------------

    def identify(self, token: str) -> Identity | None:
        found = self._oauth.read(token)
        user = self._oauth.user_of(found) if found and found.kind == "user" else None
        if found is None or user is None or not _MAY_READ & set(found.scopes):
            return None
        return Identity(user.login, user.user_id, user.display_name, user.color)

    def room(self, login: str) -> Room | None:
        if login in self._replays:
            return Room(login, self._replays[login].room_id)
        channel = self._world.channel(login)
        return Room(login, channel.user_id) if channel else None

    def room_state(self, login: str) -> dict[str, str]:
        return self._world.room_modes(login, self._now_s())

    def names(self, login: str) -> list[str]:
        return sorted(self._name_set(login, int(self._now_s() // 60) - 1))

    def user_state(self, who: Identity, login: str | None) -> dict[str, str]:
        tags = {
            "badge-info": "",
            "badges": "",
            "color": who.color,
            "display-name": who.display_name,
            "emote-sets": "0",
            "user-type": "",
        }
        if login is None:
            return tags | {"user-id": who.user_id}
        channel, user = self._world.channel(login), self._world.population.by_login(who.login)
        tags |= {"mod": "0", "subscriber": "0"}
        if channel and user:
            standing = self._world.standings.of(user, channel, self._now_s())
            tags |= {
                "badge-info": standing.badge_info,
                "badges": standing.badges,
                "mod": str(int(standing.is_mod)),
                "subscriber": str(int(standing.months > 0)),
                "user-type": "mod" if standing.is_mod else "",
            }
        return tags

    def joined(self, client: Client, login: str) -> None:
        if login not in self._rooms:
            self._rooms[login] = set()
            self._told_at[login] = self._now_s()
        self._rooms[login].add(client)

    def left(self, client: Client, login: str) -> None:
        clients = self._rooms.get(login, set())
        clients.discard(client)
        if not clients:
            self._rooms.pop(login, None)
            self._feeds.pop(login, None)

    def said(self, client: Client, login: str, text: str) -> None:
        who, room = client.identity, client.rooms[login]
        assert who is not None
        state = self.user_state(who, login)
        tags = {key: value for key, value in state.items() if key != "emote-sets"} | {
            "emotes": "",
            "first-msg": "0",
            "flags": "",
            "id": str(uuid.uuid4()),
            "returning-chatter": "0",
            "room-id": room.room_id,
            "tmi-sent-ts": str(int(self._now_s() * 1000)),
            "turbo": "0",
            "user-id": who.user_id,
        }
        source = f"{who.login}!{who.login}@{who.login}.tmi.twitch.tv"
        line = Line(self._now_s(), "PRIVMSG", tags, f":{source} PRIVMSG #{login} :{text}")
        self.on_said(login, line)
        for other in self._rooms.get(login, set()):
            if other is not client:
                other.put_line(line)

    def is_silent(self) -> bool:
        return self._faults.is_half_open

    def may_log_in(self) -> bool:
        return self._auths.takes(time.monotonic())

    # -- trouble on order --------------------------------------------------------------------

    def drop_connections(self) -> int:
        """Cuts every chat connection; returns how many there were."""
        clients = list(self.clients)
        for client in clients:
            client.close()
            client.abort()
        return len(clients)

    def send_reconnect(self, *, then_close: bool = True) -> None:
        """Tells every chat client to reconnect, and closes its connection."""
        for client in list(self.clients):
            client.put(":tmi.twitch.tv RECONNECT")
            if then_close:
                client.close()

    def inject(self, text: str) -> None:
        """Sends a raw line, however broken, to every chat client."""
        for client in list(self.clients):
            client.put(text)
