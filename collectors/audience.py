"""Twitch as the jobs see it: lists of people and clips page by page, the survey, the logins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from collectors.audience_parse import parse_chatter, parse_follow, parse_subscriber
from collectors.clips import clip_pages
from collectors.helix_client import HelixClient, open_client, open_user_client
from collectors.survey import run_survey
from dashboard.config import Settings
from dashboard.errors import TwitchUnauthorized, TwitchUnavailable
from dashboard.events import Event, Instant, now_us
from dashboard.job_handle import AccountFacts, JobHandle, Page, Room
from dashboard.storage.tokens import TokenVault

Params = Sequence[tuple[str, str]]


class TwitchAccess:
    """Twitch for the length of one job; use it as an async context manager.

    Args:
        settings: Addresses and credentials.
        vault: The logins.
        sandbox_login: Who logs in to the sandbox by themselves when nobody else is.
        now: The clock.
    """

    def __init__(
        self,
        settings: Settings,
        vault: TokenVault,
        *,
        sandbox_login: str = "",
        now: Callable[[], Instant] = now_us,
    ) -> None:
        self._settings = settings
        self._vault = vault
        self._sandbox_login = sandbox_login
        self._now = now
        self._app: HelixClient | None = None
        self._users: dict[str, HelixClient] = {}

    async def __aenter__(self) -> TwitchAccess:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in (self._app, *self._users.values()):
            if client is not None:
                await client.close()

    async def find_rooms(self, logins: Iterable[str]) -> list[Room]:
        """The channels behind logins; ones that don't exist are missing."""
        users = await self._as_app().get_users(logins=logins)
        return [Room(user.user_id, user.user_login) for user in users]

    async def subscriber_pages(self, user_id: str, room: Room) -> AsyncIterator[Page]:
        """Everybody subscribed to a person's own channel.

        Source: Helix Get Broadcaster Subscriptions, ``channel:read:subscriptions``.

        Caveats:
            The owner stands in the list as their own subscriber, and in ``total``.
        """
        params = [("broadcaster_id", room.room_id), ("first", "100")]
        async for body in _pages(self._as_user(user_id), "/subscriptions", params):
            at = self._now()
            events = [event for raw in _data(body) if (event := parse_subscriber(raw, room, at))]
            yield Page([*events], _count(body, "total"), _count(body, "points"))

    async def follower_pages(self, user_id: str | None, room: Room) -> AsyncIterator[Page]:
        """Followers, the newest first; without a person only the total, on one empty page.

        Source: Helix Get Channel Followers, ``moderator:read:followers``.
        """
        params = [("broadcaster_id", room.room_id), ("first", "100")]
        client = self._as_user(user_id) if user_id else self._as_app()
        async for body in _pages(client, "/channels/followers", params):
            at = self._now()
            yield Page(
                [event for raw in _data(body) if (event := parse_follow(raw, room, at))],
                _count(body, "total"),
            )

    async def chatter_pages(
        self, user_id: str, room: Room, capture_id: str, *, at: Instant, cursor: str = ""
    ) -> AsyncIterator[Page]:
        """Everybody connected to a chat, as of an instant, from a page on.

        Source: Helix Get Chatters, ``moderator:read:chatters``; pages of 1,000.

        Caveats:
            Joins and leaves show late, and people come and go while the pages are read.
        """
        params = [("broadcaster_id", room.room_id), ("moderator_id", user_id), ("first", "1000")]
        async for body in _pages(self._as_user(user_id), "/chat/chatters", params, cursor):
            now = self._now()
            found = (parse_chatter(raw, room, capture_id, at, now) for raw in _data(body))
            yield Page([event for event in found if event], _count(body, "total"), cursor=_cursor(body))

    async def accounts_of(self, user_ids: Sequence[str], *, as_user: str | None = None) -> list[AccountFacts]:
        """What Twitch tells of at most 100 accounts; those that don't exist (any more) are missing.

        Source: Helix Get Users; the application's own rate limit, or a person's.
        """
        client = self._as_user(as_user) if as_user else self._as_app()
        return [
            AccountFacts(
                user.user_id,
                user.user_login,
                user.user_display_name,
                user.created_at,
                user.broadcaster_type or None,
                user.user_type or None,
            )
            for user in await client.get_users(ids=user_ids)
        ]

    def waits_until(self) -> Instant | None:
        """When calls go on that Twitch's rate limit holds back; None while it holds none."""
        clients = [client for client in (self._app, *self._users.values()) if client is not None]
        return max((at for client in clients if (at := client.limiter.waiting_until)), default=None)

    async def clip_pages(self, room: Room, start_at: Instant, end_at: Instant) -> AsyncIterator[Page]:
        """Clips made in a stretch of time, however many."""
        async for page in clip_pages(self._as_app(), room, start_at, end_at, now=self._now):
            yield page

    async def moderated_rooms(self, user_id: str) -> list[Room]:
        """The channels that a person moderates, without their own.

        Source: Helix Get Moderated Channels, ``user:read:moderated_channels``.
        """
        params = [("user_id", user_id), ("first", "100")]
        pages = self._as_user(user_id).paginate("/moderation/channels", params)
        found = [
            Room(str(raw["broadcaster_id"]), str(raw["broadcaster_login"]).lower())
            async for raw in pages
            if raw.get("broadcaster_id") and raw.get("broadcaster_login")
        ]
        return list(dict.fromkeys(found))

    async def survey(
        self,
        channel_count: int,
        minutes: float,
        done_today: Collection[str],
        keep: Callable[[Sequence[Event]], None],
        handle: JobHandle,
    ) -> int:
        """Reads the chat of the largest live channels; gives how many were read to the end."""
        return await run_survey(
            self._as_app(),
            self._settings.irc_url,
            channel_count=channel_count,
            minutes=minutes,
            done_today=done_today,
            keep=keep,
            handle=handle,
        )

    async def check_logins(self, handle: JobHandle) -> str:
        """Validates every stored login; gives what was found, in words."""
        from collectors.sandbox_login import log_in_to_sandbox
        from collectors.user_tokens import validate_all

        if self._settings.is_sandbox and self._sandbox_login:
            await log_in_to_sandbox(self._settings, self._vault, self._sandbox_login)
        found = await validate_all(self._settings, self._vault)
        words = [f"{found.valid_count} valid"]
        for count, word in (
            (found.renewed_count, "renewed"),
            (found.invalid_count, "no longer valid"),
            (found.unknown_count, "not answered by Twitch"),
        ):
            if count:
                words.append(f"{count} {word}")
        return ", ".join(words)

    def _as_app(self) -> HelixClient:
        if self._app is None:
            self._app = open_client(self._settings)
        if self._app is None:
            raise TwitchUnauthorized("Set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET.")
        return self._app

    def _as_user(self, user_id: str) -> HelixClient:
        if user_id not in self._users:
            self._users[user_id] = open_user_client(self._settings, self._vault, user_id)
        return self._users[user_id]


async def _pages(
    client: HelixClient, path: str, params: Params, cursor: str = ""
) -> AsyncIterator[dict[str, Any]]:
    """Whole pages, for those who need their totals."""
    seen = {"", cursor}
    while True:
        body = await client.get(path, [*params, ("after", cursor)] if cursor else params)
        yield body
        cursor = _cursor(body)
        if cursor in seen:
            return
        seen.add(cursor)


def _cursor(body: Mapping[str, Any]) -> str:
    pagination = body.get("pagination")
    return str(pagination.get("cursor") or "") if isinstance(pagination, Mapping) else ""


def _data(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    data = body.get("data")
    if not isinstance(data, list):
        raise TwitchUnavailable("The answer has no list. Check TWITCH_API_URL.")
    return [element for element in data if isinstance(element, dict)]


def _count(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    return value if type(value) is int else None
