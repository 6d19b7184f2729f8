"""TwitchIO, which nobody here wrote, listens to the sandbox's EventSub."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from dashboard.sandbox import SandboxServer, World
from dashboard.sandbox.eventsub_messages import Told
from dashboard.sandbox.eventsub_socket import SocketLimits
from dashboard.sandbox.eventsub_tell import Teller
from dashboard.sandbox.eventsub_types import TYPES

with warnings.catch_warnings():
    # TwitchIO inherits from aiohttp's Application, which aiohttp discourages while it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    import twitchio
    from twitchio import eventsub
    from twitchio.eventsub import websockets
    from twitchio.http import Route
    from twitchio.models.eventsub_ import create_event_instance

NOON_S = 1_781_200_800.0
SCOPES = ("user:read:chat", "moderator:read:followers", "channel:read:subscriptions")


class Listener(twitchio.Client):
    """Keeps what it hears."""

    def __init__(self) -> None:
        super().__init__(client_id="sandbox-client", client_secret="sandbox-secret")
        self.heard: list[tuple[str, Any]] = []

    async def event_message(self, payload: Any) -> None:
        self.heard.append(("message", payload))

    async def event_subscription_revoked(self, payload: Any) -> None:
        self.heard.append(("revoked", payload))

    async def until(self, check: Callable[[list[tuple[str, Any]]], bool]) -> None:
        for _ in range(400):
            if check(self.heard):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"only {len(self.heard)} came")


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SandboxServer]:
    limits = SocketLimits(reconnect_within_s=1.0)
    async with SandboxServer(World(7, 6), "127.0.0.1", 0, socket_limits=limits) as running:
        monkeypatch.setattr(Route, "BASE", running.urls["helix"] + "/")
        monkeypatch.setattr(Route, "ID_BASE", running.urls["http"] + "/")
        monkeypatch.setattr(websockets, "WSS", running.urls["eventsub"])
        yield running


@pytest.fixture
async def listener(server: SandboxServer) -> AsyncIterator[Listener]:
    """Somebody who listens to the first channel's chat."""
    home = server.world.home[0]
    client = Listener()
    await client.login(load_tokens=False, save_tokens=False)
    token = server.oauth.issue("user", home.login, SCOPES)
    await client.add_token(token, server.oauth.issue("refresh", home.login, SCOPES))
    chat = eventsub.ChatMessageSubscription(broadcaster_user_id=home.user_id, user_id=home.user_id)
    await client.subscribe_websocket(payload=chat, token_for=home.user_id)
    yield client
    await client.close()


async def test_chat_comes_as_messages(server: SandboxServer, listener: Listener) -> None:
    home = server.world.home[0]
    server.world.boost(home.login, 30)
    await listener.until(lambda heard: len(heard) >= 5)
    message = next(p for kind, p in listener.heard if kind == "message" and "flood" in p.text)
    assert message.broadcaster.name == home.login
    assert message.text.startswith("Kappa flood")
    first = message.fragments[0]
    assert (first.type, first.text, first.emote.id) == ("emote", "Kappa", "25")


async def test_it_follows_a_reconnect_without_losing_or_doubling(
    server: SandboxServer, listener: Listener
) -> None:
    server.world.boost(server.world.home[0].login, 40)
    await listener.until(lambda heard: len(heard) >= 5)
    before = set(server.eventsub.sockets.sessions)
    server.eventsub.sockets.send_reconnect()
    await listener.until(lambda heard: len(heard) >= 40)
    ids = [payload.id for kind, payload in listener.heard if kind == "message"]
    assert len(set(ids)) == len(ids)
    numbers = sorted(int(p.text.split()[-1]) for _, p in listener.heard if "flood" in p.text)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert set(server.eventsub.sockets.sessions).isdisjoint(before)


async def test_it_hears_of_a_revocation(server: SandboxServer, listener: Listener) -> None:
    server.oauth.revoke_user(server.world.home[0].login)
    await listener.until(lambda heard: any(kind == "revoked" for kind, _ in heard))
    revoked = next(payload for kind, payload in listener.heard if kind == "revoked")
    assert revoked.reason.value == "authorization_revoked"


def one_of_each() -> list[Told]:
    world = World(7, 12)
    teller = Teller(world)
    names = frozenset(name for name, _ in TYPES)
    found: dict[tuple[str, str], Told] = {}
    for channel in world.channels[:4]:
        told = teller.stage.events(channel, NOON_S - 12 * 3600, NOON_S + 12 * 3600, names)
        for line in world.lines(channel.login, NOON_S, NOON_S + 1200):
            told += teller.of_line(channel, line, names)
        for item in told:
            found.setdefault((item.name, item.version), item)
    return list(found.values())


async def test_it_understands_every_type_that_is_told(listener: Listener) -> None:
    told = one_of_each()
    assert len(told) > 40
    wrong: dict[tuple[str, str], Exception] = {}
    for item in told:
        field, _, value = item.subject.partition(":")
        subscription = {
            "id": "1",
            "status": "enabled",
            "type": item.name,
            "version": item.version,
            "condition": {field: value},
            "created_at": "2026-06-11T18:00:00.000000000Z",
            "transport": {"method": "websocket", "session_id": "1"},
            "cost": 0,
        }
        metadata = {
            "message_id": "1",
            "message_type": "notification",
            "message_timestamp": "2026-06-11T18:00:00.000000000Z",
            "subscription_type": item.name,
            "subscription_version": item.version,
        }
        raw = {"metadata": metadata, "payload": {"subscription": subscription, "event": item.event}}
        try:
            assert create_event_instance(item.name, raw, http=listener._http) is not None
        except (KeyError, TypeError) as error:
            wrong[item.name, item.version] = error
    assert wrong == {}
