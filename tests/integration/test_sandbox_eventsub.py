"""The sandbox's EventSub keeps Twitch's contract: subscriptions, WebSockets, webhooks, conduits."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from dashboard.sandbox import SandboxServer, World
from dashboard.sandbox.eventsub_socket import SocketLimits
from dashboard.sandbox.eventsub_store import Subscription
from dashboard.sandbox.eventsub_webhook import WebhookPolicy

NOON_S = 1_781_200_800.0
RAID = ("from_broadcaster_user_id", "to_broadcaster_user_id")
SECRET = "a secret of the tests"
CHAT = ("user:read:chat", "user:bot", "channel:bot")
ALL = (
    *("moderator:read:followers", "bits:read", "channel:read:subscriptions", "channel:read:redemptions"),
    *("channel:moderate", "channel:read:hype_train", *CHAT),
)
FAST = WebhookPolicy(answer_within_s=1.0, waits_s=(0.05, 0.1, 0.2), failures=2, failing_s=0)
SOON = SocketLimits(subscribe_within_s=2.0, reconnect_within_s=2.0, keepalive_s=1, shortest_keepalive_s=0.2)


class Api:
    """Asks the sandbox's Helix."""

    def __init__(self, server: SandboxServer, session: aiohttp.ClientSession) -> None:
        self.server, self.session, self.world = server, session, server.world
        self.home, self.other = server.world.channels[0], server.world.channels[1]
        self.app = server.oauth.issue("app")
        self.owner = server.oauth.issue("user", self.home.login, ALL)
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []

    async def ask(
        self, method: str, path: str, token: str | None = None, json: Any = None
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token or self.owner}", "Client-Id": "sandbox-client"}
        url = self.server.urls["helix"] + path
        async with self.session.request(method, url, headers=headers, json=json) as answer:
            return answer.status, None if answer.status == 204 else await answer.json()

    async def subscribe(
        self,
        name: str = "channel.update",
        version: str = "2",
        condition: dict[str, str] | None = None,
        token: str | None = None,
        **transport: str,
    ) -> tuple[int, Any]:
        body = {
            "type": name,
            "version": version,
            "condition": condition or {"broadcaster_user_id": self.home.user_id},
            "transport": transport,
        }
        return await self.ask("POST", "/eventsub/subscriptions", token, body)

    async def connect(self, query: str = "") -> tuple[aiohttp.ClientWebSocketResponse, str]:
        """A new WebSocket and the id of its session."""
        socket = await self.session.ws_connect(self.server.urls["eventsub"] + query)
        self._sockets.append(socket)
        welcome = await socket.receive_json(timeout=60)
        assert welcome["metadata"]["message_type"] == "session_welcome"
        return socket, welcome["payload"]["session"]["id"]

    async def listen(self, name: str, **more: str) -> tuple[aiohttp.ClientWebSocketResponse, str]:
        """A WebSocket that is subscribed to a type of the home channel."""
        socket, session_id = await self.connect()
        condition = {"broadcaster_user_id": self.home.user_id} | more
        status, body = await self.subscribe(
            *(name, "1", condition), method="websocket", session_id=session_id
        )
        assert status == 202, body
        return socket, session_id


class Hook:
    """A callback that writes down what comes, and answers as it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.status: Callable[[], int] = lambda: 204
        self.challenge: Callable[[str], str] = lambda told: told
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.calls.append((dict(request.headers), body))
        if request.headers["Twitch-Eventsub-Message-Type"] == "webhook_callback_verification":
            return web.Response(text=self.challenge(json.loads(body)["challenge"]))
        return web.Response(status=self.status())

    def of(self, kind: str) -> list[tuple[dict[str, str], Any]]:
        return [
            (headers, json.loads(body))
            for headers, body in self.calls
            if headers["Twitch-Eventsub-Message-Type"] == kind
        ]

    async def until(self, count: int, kind: str = "notification") -> list[tuple[dict[str, str], Any]]:
        for _ in range(6000):
            if len(self.of(kind)) >= count:
                return self.of(kind)
            await asyncio.sleep(0.01)
        raise AssertionError(f"{len(self.of(kind))} of {count} {kind} came")


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with (
        SandboxServer(World(7, 12), "127.0.0.1", 0, socket_limits=SOON, webhook_policy=FAST) as server,
        aiohttp.ClientSession() as session,
    ):
        yield Api(server, session)


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook, app = Hook(), web.Application()
    app.router.add_post("/eventsub/callback", hook.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/eventsub/callback"
    yield hook
    await runner.cleanup()


async def end_of(socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMsgType:
    """What comes after the last frame of text."""
    while (found := await socket.receive(timeout=60)).type is aiohttp.WSMsgType.TEXT:
        pass
    return found.type


async def heard(socket: aiohttp.ClientWebSocketResponse, count: int, *, timeout_s: float) -> None:
    """Waits for some frames, so long for each."""
    for _ in range(count):
        await socket.receive(timeout=timeout_s)


async def receive(socket: aiohttp.ClientWebSocketResponse, kind: str = "notification") -> Any:
    """The next frame of a kind."""
    for _ in range(50):
        found = await socket.receive_json(timeout=60)
        if found["metadata"]["message_type"] == kind:
            return found
    raise AssertionError(f"no {kind}")


class TestSubscriptions:
    async def test_a_new_one_is_told_with_its_cost_and_the_totals(self, api: Api) -> None:
        _, session_id = await api.connect()
        status, body = await api.subscribe(method="websocket", session_id=session_id)
        assert status == 202
        assert (body["total"], body["total_cost"], body["max_total_cost"]) == (1, 0, 10)
        made = body["data"][0]
        assert (made["status"], made["type"], made["version"], made["cost"]) == (
            *("enabled", "channel.update", "2"),
            0,
        )
        assert made["transport"]["session_id"] == session_id
        stranger = {"broadcaster_user_id": api.other.user_id}
        status, body = await api.subscribe(condition=stranger, method="websocket", session_id=session_id)
        assert (status, body["data"][0]["cost"], body["total_cost"], body["total"]) == (202, 1, 1, 2)

    @pytest.mark.parametrize(
        ("name", "version", "condition", "status"),
        [
            ("channel.update", "1", None, 400),
            ("channel.nonsense", "1", None, 400),
            ("channel.update", "2", {"user_id": "1"}, 400),
            ("channel.update", "2", {"broadcaster_user_id": "1"}, 400),
            ("channel.raid", "1", {"broadcaster_user_id": "{home}"}, 400),
            ("channel.raid", "1", dict.fromkeys(RAID, "{home}"), 400),
            ("channel.raid", "1", {"to_broadcaster_user_id": "{other}"}, 202),
            ("channel.follow", "2", {"broadcaster_user_id": "{home}", "moderator_user_id": "{home}"}, 202),
            ("channel.follow", "2", {"broadcaster_user_id": "{other}", "moderator_user_id": "{home}"}, 403),
            ("channel.follow", "2", {"broadcaster_user_id": "{home}", "moderator_user_id": "{other}"}, 403),
            ("channel.subscribe", "1", {"broadcaster_user_id": "{home}"}, 202),
            ("channel.subscribe", "1", {"broadcaster_user_id": "{other}"}, 403),
            ("channel.goal.begin", "1", {"broadcaster_user_id": "{home}"}, 403),
            ("channel.chat.message", "1", {"broadcaster_user_id": "{other}", "user_id": "{home}"}, 202),
            ("channel.chat.message", "1", {"broadcaster_user_id": "{home}", "user_id": "{other}"}, 403),
            ("user.authorization.revoke", "1", {"client_id": "sandbox-client"}, 400),
        ],
    )  # fmt: skip
    async def test_condition_version_and_scopes_are_checked(
        self, api: Api, name: str, version: str, condition: dict[str, str] | None, status: int
    ) -> None:
        _, session_id = await api.connect()
        filled = {
            key: value.format(home=api.home.user_id, other=api.other.user_id)
            for key, value in (condition or {"broadcaster_user_id": "{home}"}).items()
        }
        got, body = await api.subscribe(name, version, filled, method="websocket", session_id=session_id)
        assert got == status, body
        if status != 202:
            assert set(body) == {"error", "status", "message"}

    async def test_the_transport_has_to_fit_the_token(self, api: Api, hook: Hook) -> None:
        _, session_id = await api.connect()
        by_app = await api.subscribe(token=api.app, method="websocket", session_id=session_id)
        by_user = await api.subscribe(method="webhook", callback=hook.url, secret=SECRET)
        for status, body in (by_app, by_user):
            assert (status, body["message"]) == (400, "invalid transport and auth combination")
        assert (await api.subscribe(method="websocket", session_id="x"))[0] == 400
        short = await api.subscribe(token=api.app, method="webhook", callback=hook.url, secret="short")
        assert short[0] == 400
        far = await api.subscribe(
            token=api.app, method="webhook", callback="https://example.com/", secret=SECRET
        )
        assert far[0] == 400
        headers = {"Client-Id": "sandbox-client"}
        async with api.session.post(
            api.server.urls["helix"] + "/eventsub/subscriptions", headers=headers
        ) as a:
            assert a.status == 401

    async def test_an_app_needs_the_bot_scopes_for_chat(self, api: Api, hook: Hook) -> None:
        webhook = {"method": "webhook", "callback": hook.url, "secret": SECRET}
        condition = {"broadcaster_user_id": api.home.user_id, "user_id": api.other.user_id}
        api.server.oauth.issue("user", api.other.login, ("user:read:chat",))
        refused = await api.subscribe("channel.chat.message", "1", condition, api.app, **webhook)
        assert (refused[0], refused[1]["message"]) == (403, "subscription missing proper authorization")
        api.server.oauth.issue("user", api.other.login, ("user:bot",))
        assert (await api.subscribe("channel.chat.message", "1", condition, api.app, **webhook))[0] == 202

    async def test_alike_ones_and_the_cost_are_limited(self, api: Api) -> None:
        _, session_id = await api.connect()
        assert (await api.subscribe(method="websocket", session_id=session_id))[0] == 202
        status, body = await api.subscribe(method="websocket", session_id=session_id)
        assert (status, body["error"], body["message"]) == (409, "Conflict", "subscription already exists")
        for channel in api.world.channels[1:11]:
            condition = {"broadcaster_user_id": channel.user_id}
            status, body = await api.subscribe(condition=condition, method="websocket", session_id=session_id)
            assert status == 202
        assert body["total_cost"] == 10
        condition = {"broadcaster_user_id": api.world.channels[11].user_id}
        status, body = await api.subscribe(condition=condition, method="websocket", session_id=session_id)
        assert (status, body["error"]) == (429, "Too Many Requests")

    async def test_a_person_has_three_connections(self, api: Api) -> None:
        for what, expected in (("begin", 202), ("progress", 202), ("end", 202), ("begin", 429)):
            _, session_id = await api.connect()
            name = f"channel.hype_train.{what}"
            status, body = await api.subscribe(name, "2", method="websocket", session_id=session_id)
            assert status == expected, body
        assert body["message"] == "number of websocket transports limit exceeded"

    async def test_lists_are_filtered_and_somebody_elses_stay_hidden(self, api: Api) -> None:
        _, session_id = await api.connect()
        await api.subscribe(method="websocket", session_id=session_id)
        _, made = await api.subscribe("stream.online", "1", method="websocket", session_id=session_id)
        one = made["data"][0]["id"]
        for query, count in (
            ("", 2),
            ("?type=stream.online", 1),
            ("?status=enabled", 2),
            ("?status=authorization_revoked", 0),
            (f"?user_id={api.home.user_id}", 2),
            (f"?subscription_id={one}", 1),
        ):
            status, body = await api.ask("GET", f"/eventsub/subscriptions{query}")
            assert (status, len(body["data"]), body["total"]) == (200, count, count), query
        assert (await api.ask("GET", "/eventsub/subscriptions?status=enabled&type=x"))[0] == 400
        assert (await api.ask("GET", "/eventsub/subscriptions", api.app))[1]["data"] == []
        assert (await api.ask("DELETE", f"/eventsub/subscriptions?id={one}", api.app))[0] == 404
        assert (await api.ask("DELETE", "/eventsub/subscriptions"))[0] == 400
        assert (await api.ask("DELETE", f"/eventsub/subscriptions?id={one}"))[0] == 204
        assert (await api.ask("DELETE", f"/eventsub/subscriptions?id={one}"))[0] == 404

    async def test_pages_of_a_hundred(self, api: Api) -> None:
        _, session_id = await api.connect()
        for name, version in (("stream.online", "1"), ("stream.offline", "1"), ("channel.update", "2")):
            for channel in api.world.channels:
                api.server.oauth.issue("user", channel.login)
                condition = {"broadcaster_user_id": channel.user_id}
                status, _ = await api.subscribe(
                    name, version, condition, method="websocket", session_id=session_id
                )
                assert status == 202
        for _ in range(6):
            for subscription in list(api.server.eventsub.subscriptions)[:12]:
                kind, condition = subscription.kind, subscription.condition
                place, login = subscription.transport, subscription.owner_login
                copy = Subscription(kind, condition, place, subscription.client_id, login, 0, 0.0)
                api.server.eventsub.subscriptions.add(copy)
        _, first = await api.ask("GET", "/eventsub/subscriptions")
        _, second = await api.ask("GET", f"/eventsub/subscriptions?after={first['pagination']['cursor']}")
        assert (len(first["data"]), len(second["data"]), first["total"]) == (100, 8, 108)
        assert second["pagination"] == {}


class TestWebSocket:
    async def test_welcome_keepalive_and_a_notification(self, api: Api) -> None:
        socket = await api.session.ws_connect(api.server.urls["eventsub"])
        welcome = await socket.receive_json(timeout=60)
        session = welcome["payload"]["session"]
        assert (session["status"], session["reconnect_url"]) == ("connected", None)
        assert session["keepalive_timeout_seconds"] == 1
        condition = {"broadcaster_user_id": api.home.user_id, "user_id": api.home.user_id}
        transport = {"method": "websocket", "session_id": session["id"]}
        await api.subscribe("channel.chat.message", "1", condition, **transport)
        api.world.boost(api.home.login, 50)
        found = await receive(socket)
        metadata, subscription = found["metadata"], found["payload"]["subscription"]
        assert metadata["subscription_type"] == subscription["type"] == "channel.chat.message"
        assert metadata["subscription_version"] == "1"
        # Nine places behind the point.
        assert len(metadata["message_timestamp"].partition(".")[2]) == 10
        assert subscription["transport"] == transport
        assert found["payload"]["event"]["broadcaster_user_login"] == api.home.login

    async def test_a_keepalive_in_every_silence(self, api: Api) -> None:
        socket, session_id = await api.connect("?keepalive_timeout_seconds=0")
        assert (await api.subscribe(method="websocket", session_id=session_id))[0] == 202
        told = [(await socket.receive_json(timeout=60))["metadata"] for _ in range(2)]
        assert {one["message_type"] for one in told} == {"session_keepalive"}
        first, second = (datetime.fromisoformat(one["message_timestamp"][:26]) for one in told)
        assert (second - first).total_seconds() > 0.1, "one a silence"

    @pytest.mark.parametrize(("query", "told"), [("5", 10), ("30", 30), ("9999", 600), ("nonsense", 10)])
    async def test_the_keepalive_may_be_chosen(self, query: str, told: int) -> None:
        async with (
            SandboxServer(World(7, 3), "127.0.0.1", 0) as server,
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{server.urls['eventsub']}?keepalive_timeout_seconds={query}") as socket,
        ):
            welcome = await socket.receive_json(timeout=60)
        assert welcome["payload"]["session"]["keepalive_timeout_seconds"] == told

    async def test_who_does_not_subscribe_is_sent_away(self, api: Api) -> None:
        socket, _ = await api.connect()
        assert await end_of(socket) is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4003

    async def test_who_sends_something_is_sent_away(self, api: Api) -> None:
        socket, _ = await api.listen("stream.online")
        await socket.ping()
        await socket.send_str("hello")
        assert await end_of(socket) is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4001
        await asyncio.sleep(0.05)
        _, body = await api.ask("GET", "/eventsub/subscriptions")
        assert body["data"][0]["status"] == "websocket_received_inbound_traffic"
        assert body["data"][0]["transport"]["disconnected_at"]

    async def test_a_reconnect_takes_the_subscriptions_along(self, api: Api) -> None:
        api.world.boost(api.home.login, 50)
        old, old_id = await api.listen("channel.chat.message", user_id=api.home.user_id)
        assert api.server.eventsub.sockets.send_reconnect() == 1
        session = (await receive(old, "session_reconnect"))["payload"]["session"]
        assert (session["id"], session["status"]) == (old_id, "reconnecting")
        seen = {(await receive(old))["payload"]["event"]["message_id"] for _ in range(5)}
        new = await api.session.ws_connect(session["reconnect_url"])
        welcome = await new.receive_json(timeout=60)
        assert welcome["metadata"]["message_type"] == "session_welcome"
        new_id = welcome["payload"]["session"]["id"]
        found = await receive(new)
        assert found["payload"]["subscription"]["transport"]["session_id"] == new_id
        assert found["payload"]["event"]["message_id"] not in seen
        await end_of(old)
        assert old.close_code == 4004
        _, body = await api.ask("GET", "/eventsub/subscriptions")
        assert [s["status"] for s in body["data"]] == ["enabled"]

    async def test_a_reconnect_address_is_good_once(self, api: Api) -> None:
        old, _ = await api.listen("stream.online")
        api.server.eventsub.sockets.send_reconnect()
        url = (await receive(old, "session_reconnect"))["payload"]["session"]["reconnect_url"]
        await (await api.session.ws_connect(url)).receive_json(timeout=60)
        again = await api.session.ws_connect(url)
        await end_of(again)
        assert again.close_code == 4007

    async def test_cut_silent_and_closed_on_order(self, api: Api) -> None:
        socket, _ = await api.listen("stream.online")
        faults = api.server.urls["http"] + "/_sandbox/faults"
        await api.session.post(faults, json={"eventsub_silent": True})
        with pytest.raises(TimeoutError):
            await heard(socket, 3, timeout_s=1.3)  # Fewer may have been on their way.
        await api.session.post(faults, json={"eventsub_silent": False, "eventsub_kill": True})
        assert await end_of(socket) in (
            *(aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR),
            aiohttp.WSMsgType.CLOSE,
        )
        assert socket.close_code in (None, 1006)
        socket, _ = await api.listen("stream.online")
        await api.session.post(faults, json={"eventsub_close": 4000})
        await end_of(socket)
        assert socket.close_code == 4000

    async def test_twice_on_order(self, api: Api) -> None:
        socket, _ = await api.listen("channel.chat.message", user_id=api.home.user_id)
        url = api.server.urls["http"] + "/_sandbox/faults"
        await api.session.post(url, json={"eventsub_duplicates": 1})
        api.world.boost(api.home.login, 40)
        ids = [(await receive(socket))["metadata"]["message_id"] for _ in range(20)]
        assert max(ids.count(one) for one in ids) == 2
        assert len(set(ids)) <= 11

    async def test_what_is_gone_for_an_hour_is_not_listed(self, api: Api) -> None:
        socket, _ = await api.listen("stream.online")
        await socket.close()
        await asyncio.sleep(0.1)
        _, body = await api.ask("GET", "/eventsub/subscriptions")
        assert [s["status"] for s in body["data"]] == ["websocket_disconnected"]
        for subscription in api.server.eventsub.subscriptions:
            subscription.transport.disconnected_s -= 3700
        socket, _ = await api.listen("stream.offline")
        await socket.close()
        await asyncio.sleep(0.1)
        _, body = await api.ask("GET", "/eventsub/subscriptions")
        assert [s["type"] for s in body["data"]] == ["stream.offline"]

    async def test_a_revoked_authorization_ends_what_it_allowed(self, api: Api) -> None:
        socket, _ = await api.listen("channel.subscribe")
        faults = api.server.urls["http"] + "/_sandbox/faults"
        await api.session.post(faults, json={"revoke": api.home.login})
        found = await receive(socket, "revocation")
        assert found["payload"]["subscription"]["status"] == "authorization_revoked"
        assert (await api.ask("GET", "/users"))[0] == 401
        again = api.server.oauth.issue("user", api.home.login)
        assert (await api.ask("GET", "/users", again))[0] == 200


class TestWebhook:
    async def hooked(self, api: Api, hook: Hook, name: str = "channel.chat.message") -> str:
        """A webhook subscription that was verified; its id."""
        condition = {"broadcaster_user_id": api.home.user_id, "user_id": api.home.user_id}
        webhook = {"method": "webhook", "callback": hook.url, "secret": SECRET}
        status, body = await api.subscribe(name, "1", condition, api.app, **webhook)
        assert (status, body["data"][0]["status"]) == (202, "webhook_callback_verification_pending")
        assert body["data"][0]["transport"] == {"method": "webhook", "callback": hook.url}
        await hook.until(1, "webhook_callback_verification")
        return str(body["data"][0]["id"])

    async def status(self, api: Api, subscription_id: str, waited_for: str) -> str:
        status = ""
        for _ in range(3000):
            query = f"/eventsub/subscriptions?subscription_id={subscription_id}"
            _, body = await api.ask("GET", query, api.app)
            status = str(body["data"][0]["status"])
            if status == waited_for:
                break
            await asyncio.sleep(0.02)
        return status

    async def test_challenge_then_signed_notifications(self, api: Api, hook: Hook) -> None:
        subscription_id = await self.hooked(api, hook)
        assert await self.status(api, subscription_id, "enabled") == "enabled"
        api.world.boost(api.home.login, 50)
        await hook.until(3)
        for headers, body in hook.calls:
            told = {k.removeprefix("Twitch-Eventsub-"): v for k, v in headers.items()}
            text = (told["Message-Id"] + told["Message-Timestamp"]).encode() + body
            expected = "sha256=" + hmac.new(SECRET.encode(), text, "sha256").hexdigest()
            assert told["Message-Signature"] == expected
            assert told["Subscription-Type"] == "channel.chat.message"
            assert (told["Subscription-Version"], told["Message-Retry"]) == ("1", "0")
            assert SECRET.encode() not in body
        ids = [headers["Twitch-Eventsub-Message-Id"] for headers, _ in hook.of("notification")]
        assert len(set(ids)) == len(ids)

    async def test_a_wrong_answer_to_the_challenge(self, api: Api, hook: Hook) -> None:
        hook.challenge = lambda told: f'"{told}"'
        subscription_id = await self.hooked(api, hook)
        failed = "webhook_callback_verification_failed"
        assert await self.status(api, subscription_id, failed) == failed

    async def test_what_is_not_acknowledged_comes_again_with_its_id(self, api: Api, hook: Hook) -> None:
        await self.hooked(api, hook)
        answers = iter((500, 503))
        hook.status = lambda: next(answers, 204)
        api.world.boost(api.home.login, 5)
        await hook.until(1)
        api.world.boost(api.home.login, 0)
        await asyncio.sleep(0.6)
        found = [headers for headers, _ in hook.of("notification")]
        again = [h for h in found if h["Twitch-Eventsub-Message-Retry"] != "0"]
        assert again
        first = {h["Twitch-Eventsub-Message-Id"] for h in found if h["Twitch-Eventsub-Message-Retry"] == "0"}
        assert {h["Twitch-Eventsub-Message-Id"] for h in again} <= first

    async def test_a_callback_that_fails_for_long_loses_its_subscription(self, api: Api, hook: Hook) -> None:
        subscription_id = await self.hooked(api, hook)
        hook.status = lambda: 500
        api.world.boost(api.home.login, 50)
        failed = "notification_failures_exceeded"
        assert await self.status(api, subscription_id, failed) == failed
        _, body = (await hook.until(1, "revocation"))[0]
        assert body["subscription"]["status"] == failed
        assert "event" not in body

    async def test_twice_late_and_out_of_order_on_order(self, api: Api, hook: Hook) -> None:
        await self.hooked(api, hook)
        orders = {"webhook_duplicates": 1, "webhook_out_of_order": True, "webhook_delay_s": 0.05}
        await api.session.post(api.server.urls["http"] + "/_sandbox/faults", json=orders)
        api.world.boost(api.home.login, 40)
        found = await hook.until(20)
        ids = [headers["Twitch-Eventsub-Message-Id"] for headers, _ in found]
        assert len(set(ids)) < len(ids)
        times = [headers["Twitch-Eventsub-Message-Timestamp"] for headers, _ in found]
        assert times != sorted(times) or [body["event"]["message"]["text"] for _, body in found] != sorted(
            body["event"]["message"]["text"] for _, body in found
        )


class TestConduits:
    async def test_made_resized_listed_and_ended(self, api: Api) -> None:
        path = "/eventsub/conduits"
        assert (await api.ask("POST", path, json={"shard_count": 1}))[0] == 401
        assert (await api.ask("POST", path, api.app, {"shard_count": 0}))[0] == 400
        made = [(await api.ask("POST", path, api.app, {"shard_count": 2}))[1] for _ in range(5)]
        status, body = await api.ask("POST", path, api.app, {"shard_count": 2})
        assert (status, body["message"]) == (429, "Conduit limit reached.")
        one = made[0]["data"][0]["id"]
        status, body = await api.ask("PATCH", path, api.app, {"id": one, "shard_count": 3})
        assert (status, body["data"]) == (200, [{"id": one, "shard_count": 3}])
        assert (await api.ask("DELETE", f"{path}?id={one}", api.app))[0] == 204
        assert (await api.ask("DELETE", f"{path}?id={one}", api.app))[0] == 404
        assert len((await api.ask("GET", path, api.app))[1]["data"]) == 4

    async def test_shards_share_the_notifications(self, api: Api, hook: Hook) -> None:
        _, body = await api.ask("POST", "/eventsub/conduits", api.app, {"shard_count": 3})
        conduit_id = body["data"][0]["id"]
        socket, session_id = await api.connect()
        shards = [
            {"id": "0", "transport": {"method": "websocket", "session_id": session_id}},
            {"id": "1", "transport": {"method": "webhook", "callback": hook.url, "secret": SECRET}},
            {"id": "3", "transport": {"method": "websocket", "session_id": session_id}},
            {"id": "2", "transport": {"method": "websocket", "session_id": "gone"}},
        ]
        path = "/eventsub/conduits/shards"
        status, body = await api.ask("PATCH", path, api.app, {"conduit_id": conduit_id, "shards": shards})
        assert status == 202
        assert [shard["id"] for shard in body["data"]] == ["0", "1"]
        assert body["errors"][0] == {
            "id": "3",
            "message": "The shard id is outside the conduit's range",
            "code": "invalid_parameter",
        }
        assert body["errors"][1]["id"] == "2"
        condition = {"broadcaster_user_id": api.home.user_id, "user_id": api.home.user_id}
        transport = {"method": "conduit", "conduit_id": conduit_id}
        status, body = await api.subscribe("channel.chat.message", "1", condition, api.app, **transport)
        assert (status, body["data"][0]["status"]) == (202, "enabled")
        await hook.until(1, "webhook_callback_verification")
        api.world.boost(api.home.login, 50)
        by_hook = {body["event"]["message_id"] for _, body in await hook.until(5)}
        by_socket = set()
        for _ in range(5):
            found = await receive(socket)
            assert found["payload"]["subscription"]["transport"] == transport
            by_socket.add(found["payload"]["event"]["message_id"])
        assert not by_hook & by_socket

    async def test_a_lost_shard_is_told_and_the_other_takes_over(self, api: Api, hook: Hook) -> None:
        _, body = await api.ask("POST", "/eventsub/conduits", api.app, {"shard_count": 1})
        conduit_id = body["data"][0]["id"]
        webhook = {"method": "webhook", "callback": hook.url, "secret": SECRET}
        client = {"client_id": "sandbox-client"}
        status, _ = await api.subscribe("conduit.shard.disabled", "1", client, api.app, **webhook)
        assert status == 202
        await hook.until(1, "webhook_callback_verification")
        socket, session_id = await api.connect()
        shards = [{"id": "0", "transport": {"method": "websocket", "session_id": session_id}}]
        path = "/eventsub/conduits/shards"
        await api.ask("PATCH", path, api.app, {"conduit_id": conduit_id, "shards": shards})
        await asyncio.sleep(0.6)
        assert not socket.closed
        await socket.close()
        _, body = (await hook.until(1))[0]
        assert (body["event"]["conduit_id"], body["event"]["shard_id"]) == (conduit_id, "0")
        assert body["event"]["status"] == "websocket_disconnected"
        _, body = await api.ask("GET", f"{path}?conduit_id={conduit_id}", api.app)
        assert body["data"][0]["status"] == "websocket_disconnected"
        assert body["data"][0]["transport"]["disconnected_at"]
