"""Helix: the parts of Twitch's HTTP interface that StreamLens asks, in Twitch's form."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from dashboard.sandbox import catalogue
from dashboard.sandbox.faults import Faults
from dashboard.sandbox.helix_call import Call, HelixError, rfc3339
from dashboard.sandbox.oauth import OAuth, Token
from dashboard.sandbox.scene import GAMES, Channel
from dashboard.sandbox.users import User
from dashboard.sandbox.world import World


@dataclass(slots=True)
class _Bucket:
    points: float
    filled_at: float


Handler = Callable[[Call], Awaitable[dict[str, object]]]


class Helix:
    """All routes under ``/helix``."""

    def __init__(
        self, world: World, oauth: OAuth, faults: Faults, clock: Callable[[], float], rate_limit: int
    ) -> None:
        self._world = world
        self._oauth = oauth
        self._faults = faults
        self._clock = clock
        self.rate_limit = rate_limit
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self.call_count = 0

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        handlers: dict[str, Handler] = {
            "users": self._users,
            "streams": self._streams,
            "games": self._games,
            "games/top": self._top_games,
            "channels": self._channels,
            "channels/followers": self._followers,
            "subscriptions": self._subscriptions,
            "moderation/channels": self._moderated,
            "moderation/moderators": self._moderators,
            "chat/chatters": self._chatters,
            "chat/emotes/global": self._global_emotes,
            "chat/emotes": self._channel_emotes,
            "chat/badges/global": self._global_badges,
            "chat/badges": self._channel_badges,
            "chat/color": self._colors,
            "chat/settings": self._settings,
        }
        routes = [web.get(f"/helix/{path}", self._guarded(handler)) for path, handler in handlers.items()]
        return [*routes, web.route("*", "/helix/{tail:.*}", self._unknown)]

    @staticmethod
    async def _unknown(request: web.Request) -> web.Response:
        return web.json_response({"error": "Not Found", "status": 404, "message": ""}, status=404)

    def _guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            self.call_count += 1
            failure = await self._faults.before_answer(request.path, int(time.time()) + 1)
            if failure is not None:
                return failure
            headers: dict[str, str] = {}
            try:
                token = self._authorised(request)
                self._take(token, headers)
                body = await handler(Call(request, token, self._oauth.user_of(token)))
            except HelixError as error:
                names = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
                name = names.get(error.status, "Too Many Requests")
                failed = {"error": name, "status": error.status, "message": error.message}
                return web.json_response(failed, status=error.status, headers=headers)
            return web.json_response(body, headers=headers)

        return answer

    def _authorised(self, request: web.Request) -> Token:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if not text or scheme.lower() != "bearer":
            raise HelixError(401, "OAuth token is missing")
        token = self._oauth.read(text)
        if token is None or token.kind == "refresh":
            raise HelixError(401, "Invalid OAuth token")
        client_id = request.headers.get("Client-Id", "")
        if not client_id:
            raise HelixError(401, "Client ID is missing")
        if client_id != token.client_id:
            raise HelixError(401, "Client ID and OAuth token do not match")
        return token

    def _take(self, token: Token, headers: dict[str, str]) -> None:
        """One point of the bucket of this app or of this person in this app; refilled within a minute."""
        now = time.time()
        bucket = self._buckets.setdefault((token.client_id, token.login), _Bucket(self.rate_limit, now))
        bucket.points = min(self.rate_limit, bucket.points + (now - bucket.filled_at) * self.rate_limit / 60)
        bucket.filled_at = now
        is_empty = bucket.points < 1
        bucket.points -= 0 if is_empty else 1
        wait_s = (self.rate_limit - bucket.points) * 60 / self.rate_limit
        headers |= {
            "Ratelimit-Limit": str(self.rate_limit),
            "Ratelimit-Remaining": str(int(bucket.points)),
            "Ratelimit-Reset": str(int(now + (60 / self.rate_limit if is_empty else wait_s)) + 1),
        }
        if is_empty:
            raise HelixError(429, "Too many requests")

    # -- pages -------------------------------------------------------------------------------

    def _broadcaster(self, call: Call) -> Channel:
        channel = self._world.channel_by_id(call.one("broadcaster_id"))
        if channel is None:
            raise HelixError(400, "The broadcaster_id is not the ID of a channel")
        return channel

    def _moderates(self, user: User, channel: Channel) -> bool:
        if user.user_id == channel.user_id:
            return True
        return self._world.standings.of(user, channel, self._clock()).is_mod

    # -- answers -----------------------------------------------------------------------------

    async def _users(self, call: Call) -> dict[str, object]:
        ids, logins = call.all("id"), call.all("login")
        if len(ids) + len(logins) > 100:
            raise HelixError(400, "The sum of ids and logins must not be greater than 100")
        found: dict[str, User] = {}
        if not ids and not logins:
            user = call.need()
            found[user.user_id] = user
        for user_or_none in [
            *map(self._world.population.by_id, ids),
            *(self._world.population.by_login(login.lower()) for login in logins),
        ]:
            if user_or_none is not None and user_or_none.created_s < self._clock():
                found[user_or_none.user_id] = user_or_none
        return {"data": [self._user(user, call) for user in found.values()]}

    def _user(self, user: User, call: Call) -> dict[str, object]:
        channel = self._world.channel_by_id(user.user_id)
        status = "" if channel is None else "partner" if channel.usual_viewers > 150 else "affiliate"
        picture = f"https://static-cdn.jtvnw.net/user-default-pictures-uv/sandbox-{user.user_id}-profile_image-300x300.png"
        body: dict[str, object] = {
            "id": user.user_id,
            "login": user.login,
            "display_name": user.display_name,
            "type": "",
            "broadcaster_type": status,
            "description": channel.description if channel else "",
            "profile_image_url": picture,
            "offline_image_url": "",
            "view_count": 0,
            "created_at": rfc3339(user.created_s),
        }
        if call.user == user and "user:read:email" in call.token.scopes:
            body["email"] = f"{user.login}@sandbox.invalid"
        return body

    async def _streams(self, call: Call) -> dict[str, object]:
        ids, logins = set(call.all("user_id")), {login.lower() for login in call.all("user_login")}
        games, languages = set(call.all("game_id")), set(call.all("language"))
        kind = call.request.query.get("type", "all")
        items: list[dict[str, object]] = []
        for state in self._world.live_at(self._clock()) if kind in ("all", "live") else []:
            channel = state.channel
            if (ids or logins) and channel.user_id not in ids and channel.login not in logins:
                continue
            if (games and state.game.game_id not in games) or (languages and state.language not in languages):
                continue
            items.append(
                {
                    "id": state.stream_id,
                    "user_id": channel.user_id,
                    "user_login": channel.login,
                    "user_name": channel.display_name,
                    "game_id": state.game.game_id,
                    "game_name": state.game.name,
                    "type": "live",
                    "title": state.title,
                    "tags": [catalogue.LANGUAGE_NAMES[state.language]],
                    "viewer_count": state.viewer_count,
                    "started_at": rfc3339(state.started_s),
                    "language": state.language,
                    "thumbnail_url": "https://static-cdn.jtvnw.net/previews-ttv/live_user_"
                    f"{channel.login}-{{width}}x{{height}}.jpg",
                    "tag_ids": [],
                    "is_mature": False,
                }
            )
        page, pagination = call.page(items, call.first(20, 100))
        return {"data": page, "pagination": pagination}

    async def _games(self, call: Call) -> dict[str, object]:
        ids, names, igdb = call.all("id"), {n.lower() for n in call.all("name")}, call.all("igdb_id")
        if not ids and not names and not igdb:
            raise HelixError(400, 'Missing required parameter "id", "name" or "igdb_id"')
        return {
            "data": [
                catalogue.game(game)
                for game in GAMES.values()
                if game.game_id in ids
                or game.name.lower() in names
                or (game.igdb_id and game.igdb_id in igdb)
            ]
        }

    async def _top_games(self, call: Call) -> dict[str, object]:
        viewers: dict[str, int] = {}
        for state in self._world.live_at(self._clock()):
            viewers[state.game.name] = viewers.get(state.game.name, 0) + state.viewer_count
        ranked = sorted(viewers, key=lambda name: -viewers[name])
        page, pagination = call.page([catalogue.game(GAMES[name]) for name in ranked], call.first(20, 100))
        return {"data": page, "pagination": pagination}

    async def _channels(self, call: Call) -> dict[str, object]:
        ids = call.all("broadcaster_id")
        if not ids:
            raise HelixError(400, 'The parameter "broadcaster_id" is missing')
        data = []
        for channel in filter(None, map(self._world.channel_by_id, ids)):
            state = self._world.stream_at(channel.login, self._clock())
            game = state.game if state else channel.community.games[0]
            data.append(
                {
                    "broadcaster_id": channel.user_id,
                    "broadcaster_login": channel.login,
                    "broadcaster_name": channel.display_name,
                    "broadcaster_language": channel.language,
                    "game_id": game.game_id,
                    "game_name": game.name,
                    "title": state.title if state else channel.title.format(n=1),
                    "delay": 0,
                    "tags": [catalogue.LANGUAGE_NAMES[channel.language]],
                    "content_classification_labels": [],
                    "is_branded_content": False,
                }
            )
        return {"data": data}

    def _regulars(self, channel: Channel, share: float, key: str) -> list[User]:
        """A fixed part of a channel's people, newest account last."""
        people, _, _ = self._world.schedule.members(channel.index)
        now = self._clock()
        chosen = [int(i) for i in people if self._world.key(key, channel.index, int(i)) / 2.0**64 < share]
        return [user for user in map(self._world.population.user, chosen) if user.created_s < now]

    async def _followers(self, call: Call) -> dict[str, object]:
        channel = self._broadcaster(call)
        followers = self._regulars(channel, 0.6, "follows")
        may_list = (
            call.user is not None
            and "moderator:read:followers" in call.token.scopes
            and self._moderates(call.user, channel)
        )
        if not may_list:
            return {"total": len(followers), "data": [], "pagination": {}}
        wanted = call.request.query.get("user_id")
        now = self._clock()
        items: list[dict[str, object]] = []
        for user in followers:
            share = self._world.key("followed at", channel.index, user.index) / 2.0**64
            item = catalogue.person(user)
            item["followed_at"] = rfc3339(user.created_s + share * (now // 86_400 * 86_400 - user.created_s))
            if wanted in (None, user.user_id):
                items.append(item)
        items.sort(key=lambda item: str(item["followed_at"]), reverse=True)
        page, pagination = call.page(items, call.first(20, 100))
        return {"total": len(followers), "data": page, "pagination": pagination}

    async def _subscriptions(self, call: Call) -> dict[str, object]:
        owner = call.need("channel:read:subscriptions")
        channel = self._broadcaster(call)
        if owner.user_id != channel.user_id:
            raise HelixError(
                401, "The ID in broadcaster_id must match the user ID found in the request's OAuth token."
            )
        items: list[dict[str, object]] = []
        points, now = 0, self._clock()
        for user in self._regulars(channel, 1.0, "subscribes"):
            standing = self._world.standings.of(user, channel, now)
            if standing.months:
                tier = "1000" if standing.tier == "Prime" else standing.tier
                points += {"1000": 1, "2000": 2, "3000": 6}[tier]
                items.append(catalogue.subscription(channel, user, tier))
        page, pagination = call.page(items, call.first(20, 100))
        return {"data": page, "pagination": pagination, "total": len(items), "points": points}

    async def _moderated(self, call: Call) -> dict[str, object]:
        user = call.need("user:read:moderated_channels")
        if call.one("user_id") != user.user_id:
            raise HelixError(
                401, "The ID in user_id must match the user ID found in the request's OAuth token."
            )
        items: list[dict[str, object]] = [
            {
                "broadcaster_id": channel.user_id,
                "broadcaster_login": channel.login,
                "broadcaster_name": channel.display_name,
            }
            for channel in self._world.channels
            if channel.user_id != user.user_id and self._moderates(user, channel)
        ]
        page, pagination = call.page(items, call.first(20, 100))
        return {"data": page, "pagination": pagination}

    async def _moderators(self, call: Call) -> dict[str, object]:
        user = call.need("moderation:read", "channel:manage:moderators")
        channel = self._broadcaster(call)
        if user.user_id != channel.user_id:
            raise HelixError(
                401, "The ID in broadcaster_id must match the user ID found in the request's OAuth token."
            )
        mods = [mod for mod in self._regulars(channel, 1.0, "mods") if self._moderates(mod, channel)]
        page, pagination = call.page([catalogue.person(mod) for mod in mods], call.first(20, 100))
        return {"data": page, "pagination": pagination}

    async def _chatters(self, call: Call) -> dict[str, object]:
        user = call.need("moderator:read:chatters")
        channel = self._broadcaster(call)
        if call.one("moderator_id") != user.user_id:
            raise HelixError(
                401, "The ID in moderator_id must match the user ID found in the request's OAuth token."
            )
        if not self._moderates(user, channel):
            raise HelixError(403, "The user in moderator_id is not one of the broadcaster's moderators.")
        # Joins and leaves show late, as on Twitch.
        minute = int((self._clock() - 45) // 60)
        people = self._world.audience.chatters(channel.index, minute)
        size = call.first(100, 1000)
        page, pagination = call.page([int(i) for i in people], size)
        data = [catalogue.person(self._world.population.user(index)) for index in page]
        return {"data": data, "pagination": pagination, "total": len(people)}

    async def _global_emotes(self, call: Call) -> dict[str, object]:
        return catalogue.global_emotes()

    async def _channel_emotes(self, call: Call) -> dict[str, object]:
        return catalogue.channel_emotes(self._broadcaster(call))

    async def _global_badges(self, call: Call) -> dict[str, object]:
        return catalogue.global_badges()

    async def _channel_badges(self, call: Call) -> dict[str, object]:
        return catalogue.channel_badges(self._broadcaster(call))

    async def _colors(self, call: Call) -> dict[str, object]:
        users = filter(None, map(self._world.population.by_id, call.all("user_id")))
        return {"data": [catalogue.person(user) | {"color": user.color} for user in users]}

    async def _settings(self, call: Call) -> dict[str, object]:
        channel = self._broadcaster(call)
        modes = self._world.room_modes(channel.login, self._clock())
        minutes, slow = int(modes["followers-only"]), int(modes["slow"])
        return {
            "data": [
                {
                    "broadcaster_id": channel.user_id,
                    "slow_mode": slow > 0,
                    "slow_mode_wait_time": slow or None,
                    "follower_mode": minutes >= 0,
                    "follower_mode_duration": minutes if minutes >= 0 else None,
                    "subscriber_mode": modes["subs-only"] == "1",
                    "emote_mode": modes["emote-only"] == "1",
                    "unique_chat_mode": modes["r9k"] == "1",
                }
            ]
        }
