"""Helix: people, and what they are to a channel."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.sandbox import catalogue
from dashboard.sandbox.helix_answers import Answers
from dashboard.sandbox.helix_call import Call, Handler, HelixError, rfc3339
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.users import User
from dashboard.sandbox.world import World

_POINTS = {"1000": 1, "2000": 2, "3000": 6}


class AudienceHelix(Answers):
    """Users, followers, subscribers, moderators, chatters."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._subscribers_at: tuple[int, int] = (-1, -1)
        self._subscribers_found: list[tuple[User, str]] = []

    def handlers(self) -> dict[str, Handler]:
        """By method and path."""
        return {
            "GET users": self._users,
            "GET channels/followers": self._followers,
            "GET subscriptions": self._subscriptions,
            "GET moderation/channels": self._moderated,
            "GET moderation/moderators": self._moderators,
            "GET chat/chatters": self._chatters,
        }

    async def _users(self, call: Call) -> dict[str, object]:
        ids, logins = call.all("id"), call.all("login")
        if len(ids) + len(logins) > 100:
            raise HelixError(400, "The sum of ids and logins must not be greater than 100")
        found: dict[str, User] = {}
        if not ids and not logins:
            user = call.need()
            found[user.user_id] = user
        asked = [(self._now(self._world.population.by_id(user_id), call), "") for user_id in ids]
        for login in map(str.lower, logins):
            asked.append((self._now(self._world.population.by_login(login), call), login))
        for user_or_none, login in asked:
            # A login that somebody has given up is nobody's.
            if user_or_none is not None and login in ("", user_or_none.login):
                found[user_or_none.user_id] = user_or_none
        return {"data": [self._user(user, call) for user in found.values()]}

    def _now(self, user: User | None, call: Call) -> User | None:
        """Somebody as they are called now; None before their account is made."""
        if user is None or user.created_s >= call.now_s:
            return None
        return self._world.population.at(user.index, call.now_s)

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

    async def _followers(self, call: Call) -> dict[str, object]:
        """The list, newest first, for the channel's moderators; everybody else gets the total."""
        channel = self._broadcaster(call)
        at, people = self._world.follows.of(channel.index, call.now_s)
        may_list = (
            call.user is not None
            and "moderator:read:followers" in call.token.scopes
            and self._moderates(call.user, channel, call.now_s)
        )
        if not may_list:
            return {"total": len(people), "data": [], "pagination": {}}
        places: Sequence[int] = range(len(people) - 1, -1, -1)
        if wanted := call.request.query.get("user_id"):
            user = self._world.population.by_id(wanted)
            places = [k for k in places if user is not None and people[k] == user.index]
        page, pagination = call.page(places, call.first(20, 100))
        data = [
            catalogue.person(self._world.population.user(int(people[k]))) | {"followed_at": rfc3339(at[k])}
            for k in page
        ]
        return {"total": len(people), "data": data, "pagination": pagination}

    async def _subscriptions(self, call: Call) -> dict[str, object]:
        channel = self._own_channel(call, "channel:read:subscriptions")
        found = self._subscribers(channel, call.now_s)
        page, pagination = call.page(found, call.first(20, 100))
        data = [catalogue.subscription(channel, user, tier) for user, tier in page]
        points = sum(_POINTS[tier] for _, tier in found)
        return {"data": data, "pagination": pagination, "total": len(found), "points": points}

    def _subscribers(self, channel: Channel, now: float) -> list[tuple[User, str]]:
        """Who subscribes, at which tier; looked up once a minute, for pages come in a row."""
        key = channel.index, int(now // 60)
        if self._subscribers_at != key:
            plan = self._world.plan_at(channel.login, now)
            new = plan.new_subs if plan else {}
            users = self._members(channel, now)
            standings = [self._world.standings.of(u, channel, now, new.get(u.index)) for u in users]
            self._subscribers_at = key
            self._subscribers_found = [
                (user, "1000" if standing.tier == "Prime" else standing.tier)
                for user, standing in zip(users, standings, strict=True)
                if standing.months
            ]
        return self._subscribers_found

    def _members(self, channel: Channel, now: float) -> list[User]:
        """Everybody who comes to a channel at all."""
        people, _, _ = self._world.schedule.members(channel.index)
        users = map(self._world.population.user, map(int, people))
        return [user for user in users if user.created_s < now]

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
            if channel.user_id != user.user_id and self._moderates(user, channel, call.now_s)
        ]
        page, pagination = call.page(items, call.first(20, 100))
        return {"data": page, "pagination": pagination}

    async def _moderators(self, call: Call) -> dict[str, object]:
        channel = self._own_channel(call, "moderation:read", "channel:manage:moderators")
        users = self._members(channel, call.now_s)
        mods = [user for user in users if self._moderates(user, channel, call.now_s)]
        page, pagination = call.page([catalogue.person(mod) for mod in mods], call.first(20, 100))
        return {"data": page, "pagination": pagination}

    async def _chatters(self, call: Call) -> dict[str, object]:
        user = call.need("moderator:read:chatters")
        channel = self._broadcaster(call)
        if call.one("moderator_id") != user.user_id:
            raise HelixError(
                401, "The ID in moderator_id must match the user ID found in the request's OAuth token."
            )
        if not self._moderates(user, channel, call.now_s):
            raise HelixError(403, "The user in moderator_id is not one of the broadcaster's moderators.")
        # Joins and leaves show late, as on Twitch.
        minute = int((call.now_s - 45) // 60)
        people = self._world.audience.chatters(channel.index, minute)
        size = call.first(100, 1000)
        page, pagination = call.page([int(i) for i in people], size)
        data = [catalogue.person(self._world.population.at(index, call.now_s)) for index in page]
        return {"data": data, "pagination": pagination, "total": len(people)}
