"""The sandbox's Helix and login keep Twitch's contract."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from dashboard.sandbox import SandboxServer, World

NOON_S = 1_781_200_800.0
APP = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
RECORDED = Path(os.environ.get("STREAMLENS_RECORDED_DIR", Path(__file__).parents[3] / "shared" / "data"))


class Clock:
    def __init__(self) -> None:
        self.at_s = NOON_S

    def __call__(self) -> float:
        return self.at_s


class Api:
    """Asks and tells status, body and headers."""

    def __init__(self, server: SandboxServer, session: aiohttp.ClientSession, clock: Clock) -> None:
        self.server, self.session, self.clock = server, session, clock
        self.world = server.world

    async def get(self, path: str, token: str | None = None, **headers: str) -> tuple[int, Any, Any]:
        if token is None:
            token = self.server.oauth.issue("app")
        sent = {"Authorization": f"Bearer {token}", "Client-Id": "sandbox-client"} | headers
        async with self.session.get(self.server.urls["helix"] + path, headers=sent) as answer:
            return answer.status, await answer.json(), answer.headers

    async def post(self, path: str, **fields: str) -> tuple[int, Any]:
        async with self.session.post(self.server.urls["oauth"] + path, data=fields) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else text

    async def validate(self, token: str) -> tuple[int, Any]:
        headers = {"Authorization": f"OAuth {token}"}
        async with self.session.get(self.server.urls["oauth"] + "/validate", headers=headers) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    clock = Clock()
    async with (
        SandboxServer(World(7, 40), "127.0.0.1", 0, clock=clock, rate_limit=50) as server,
        aiohttp.ClientSession() as session,
    ):
        yield Api(server, session, clock)


class TestHelix:
    @pytest.mark.parametrize(
        ("path", "example"),
        [
            ("/streams?user_login=mothlight", "Get_Streams.1.json"),
            ("/users?login=mothlight", "Get_Users.1.json"),
            ("/games?name=Hollow Knight", "Get_Games.1.json"),
            ("/channels?broadcaster_id={home}", "Get_Channel_Information.1.json"),
            ("/chat/emotes/global", "Get_Global_Emotes.1.json"),
            ("/chat/badges/global", "Get_Global_Chat_Badges.1.json"),
            ("/chat/chatters?broadcaster_id={home}&moderator_id={home}&first=1", "Get_Chatters.1.json"),
            ("/channels/followers?broadcaster_id={home}&first=1", "Get_Channel_Followers.1.json"),
        ],
    )
    async def test_answers_have_the_fields_that_twitch_documents(
        self, api: Api, path: str, example: str
    ) -> None:
        if not RECORDED.is_dir():
            pytest.skip(f"no recordings at {RECORDED} (STREAMLENS_RECORDED_DIR)")
        documented = json.loads((RECORDED / "helix" / example).read_text())
        scopes = ("moderator:read:chatters", "moderator:read:followers")
        token = api.server.oauth.issue("user", "mothlight", scopes)
        status, body, _ = await api.get(path.format(home=api.world.channels[0].user_id), token)
        assert status == 200
        assert set(documented) <= set(body) | {"pagination"}
        missing = set(documented["data"][0]) - set(body["data"][0]) - {"email"}
        assert not missing
        for name, value in body["data"][0].items():
            known = documented["data"][0].get(name)
            assert known is None or type(value) is type(known), name

    async def test_streams_by_falling_viewers_and_by_what_was_asked(self, api: Api) -> None:
        truth = api.world.live_at(NOON_S)
        _, first, _ = await api.get("/streams?first=5")
        _, second, _ = await api.get(f"/streams?first=100&after={first['pagination']['cursor']}")
        assert [s["user_login"] for s in first["data"] + second["data"]] == [t.channel.login for t in truth]
        assert second["pagination"] == {}
        _, back, _ = await api.get(f"/streams?first=5&before={first['pagination']['cursor']}")
        assert back["data"] == first["data"]
        _, german, _ = await api.get("/streams?language=de")
        assert {s["user_login"] for s in german["data"]} == {
            t.channel.login for t in truth if t.language == "de"
        }
        offline = next(c for c in api.world.channels if api.world.stream_at(c.login, NOON_S) is None)
        _, some, _ = await api.get(f"/streams?user_login=mothlight&user_login={offline.login}&user_id=1")
        assert [s["user_login"] for s in some["data"]] == ["mothlight"]

    @pytest.mark.parametrize(
        ("path", "status", "message"),
        [
            ("/streams?first=101", 400,
             'The parameter "first" was malformed: the value must be between 1 and 100'),
            ("/streams?after=nonsense", 400, "Invalid after cursor"),
            ("/users", 401, "Missing User OAUTH Token"),
            ("/users?" + "&".join(f"id={n}" for n in range(101)), 400,
             'The parameter "id" was malformed: at most 100 values are allowed'),
            ("/chat/chatters?broadcaster_id=1&moderator_id=1", 401, "Missing User OAUTH Token"),
        ],
    )  # fmt: skip
    async def test_refusals_are_in_twitchs_form(self, api: Api, path: str, status: int, message: str) -> None:
        got, body, _ = await api.get(path)
        error = {400: "Bad Request", 401: "Unauthorized"}[status]
        assert (got, body) == (status, {"error": error, "status": status, "message": message})

    async def test_tokens_and_client_ids_have_to_fit(self, api: Api) -> None:
        assert (await api.get("/streams", ""))[1]["message"] == "OAuth token is missing"
        assert (await api.get("/streams", "x" * 30))[1]["message"] == "Invalid OAuth token"
        assert (await api.get("/streams", "ünsinn" * 9))[0] == 401
        status, body, _ = await api.get("/streams", **{"Client-Id": "someone-else"})
        assert (status, body["message"]) == (401, "Client ID and OAuth token do not match")
        refresh = api.server.oauth.issue("refresh", "mothlight")
        assert (await api.get("/streams", refresh))[0] == 401

    async def test_points_run_out_for_one_token_and_come_back(self, api: Api) -> None:
        token = api.server.oauth.issue("app")
        answers = [await api.get("/games?id=33214", token) for _ in range(53)]
        assert [status for status, _, _ in answers][:50] == [200] * 50
        assert answers[0][2]["Ratelimit-Limit"] == "50"
        assert answers[0][2]["Ratelimit-Remaining"] == "49"
        refused = [headers for status, _, headers in answers if status == 429]
        assert refused
        assert refused[0]["Ratelimit-Remaining"] == "0"
        assert 0 < int(refused[0]["Ratelimit-Reset"]) - time.time() < 4
        mine = api.server.oauth.issue("user", "mothlight")
        assert (await api.get("/games?id=33214", mine))[0] == 200

    async def test_only_moderators_see_the_chatters(self, api: Api) -> None:
        home, other = api.world.channels[0], api.world.channels[3]
        token = api.server.oauth.issue("user", other.login, ("moderator:read:chatters",))
        path = f"/chat/chatters?broadcaster_id={home.user_id}&moderator_id="
        assert (await api.get(path + other.user_id, token))[0] == 403
        assert (await api.get(path + home.user_id, token))[0] == 401

        people, _, _ = api.world.schedule.members(0)
        users = map(api.world.population.user, map(int, people))
        mod = next(u for u in users if api.world.standings.of(u, home, NOON_S).is_mod)
        scopes = ("moderator:read:chatters", "user:read:moderated_channels")
        token = api.server.oauth.issue("user", mod.login, scopes)
        found: list[str] = []
        cursor = ""
        for _ in range(30):
            _, body, _ = await api.get(f"{path}{mod.user_id}&first=100{cursor}", token)
            found += [person["user_login"] for person in body["data"]]
            if not body["pagination"]:
                break
            cursor = f"&after={body['pagination']['cursor']}"
        assert len(found) == len(set(found)) == body["total"]
        assert set(found) == api.world.audience.chatter_logins(0, int((NOON_S - 45) // 60))
        _, body, _ = await api.get(f"/moderation/channels?user_id={mod.user_id}", token)
        assert "mothlight" in {channel["broadcaster_login"] for channel in body["data"]}

    async def test_without_the_scope_followers_are_only_counted(self, api: Api) -> None:
        home = api.world.channels[0]
        _, body, _ = await api.get(f"/channels/followers?broadcaster_id={home.user_id}")
        assert body["data"] == []
        assert body["total"] > 1000

    async def test_faults_come_in_order_and_pass(self, api: Api) -> None:
        order = {"http": {"status": 503, "count": 2, "path": "/helix/streams"}}
        await api.session.post(api.server.urls["http"] + "/_sandbox/faults", json=order)
        assert (await api.get("/users?login=mothlight"))[0] == 200
        answers = [(await api.get("/streams"))[0] for _ in range(3)]
        assert answers == [503, 503, 200]
        api.server.faults.fail_http(429)
        status, _, headers = await api.get("/streams")
        assert (status, headers["Ratelimit-Remaining"]) == (429, "0")
        api.server.faults.latency_s = 120
        call = asyncio.create_task(api.get("/streams"))
        assert await asyncio.wait([call], timeout=0.1) == (set(), {call})
        call.cancel()
        await asyncio.wait([call])

    async def test_the_front_page_asks_nobody_else(self, api: Api) -> None:
        async with api.session.get(api.server.urls["http"] + "/") as answer:
            text = await answer.text()
        assert answer.status == 200
        assert "mothlight" in text
        assert "stand-in for Twitch" in text
        assert "http://" not in text.replace(api.server.urls["http"], "")
        assert "https://" not in text
        assert (await api.get("/no/such/thing"))[0] == 404


class TestLogin:
    async def test_an_app_gets_a_token_without_a_refresh_token(self, api: Api) -> None:
        status, body = await api.post("/token", grant_type="client_credentials", **APP)
        assert status == 200
        assert set(body) == {"access_token", "expires_in", "token_type"}
        assert (await api.get("/streams", body["access_token"]))[0] == 200
        status, told = await api.validate(body["access_token"])
        assert (status, told["client_id"], "login" in told) == (200, "sandbox-client", False)

    @pytest.mark.parametrize(
        ("fields", "status", "message"),
        [
            ({}, 400, "missing client id"),
            (APP | {"client_id": "x"}, 400, "invalid client"),
            (
                {"client_id": "sandbox-client", "grant_type": "client_credentials"},
                400,
                "missing client secret",
            ),
            (APP | {"client_secret": "x", "grant_type": "client_credentials"}, 403, "invalid client secret"),
            (APP | {"grant_type": "authorization_code", "code": "x"}, 400, "Invalid authorization code"),
            (APP | {"grant_type": "refresh_token", "refresh_token": "x"}, 400, "Invalid refresh token"),
            (APP | {"grant_type": DEVICE, "device_code": "x"}, 400, "invalid device code"),
        ],
    )
    async def test_refusals(self, api: Api, fields: dict[str, str], status: int, message: str) -> None:
        got, body = await api.post("/token", **fields)
        assert (got, body["status"], body["message"]) == (status, status, message)

    async def test_a_person_logs_in_with_code_and_state(self, api: Api) -> None:
        back = "http://localhost:5000/auth/callback"
        scope = "user:read:moderated_channels moderator:read:chatters"
        query = {"client_id": "sandbox-client", "redirect_uri": back, "response_type": "code"}
        query |= {"scope": scope, "state": "s t&te"}
        url = api.server.urls["oauth"] + "/authorize"
        async with api.session.get(url, params=query) as page:
            text = await page.text()
        assert "This is not Twitch" in text
        form = {"client_id": "sandbox-client", "redirect_uri": back, "scope": scope, "state": "s t&te"}
        async with api.session.post(url, data=form | {"login": "mothlight"}, allow_redirects=False) as answer:
            place = urlsplit(answer.headers["Location"])
        assert answer.status == 302
        assert f"{place.scheme}://{place.netloc}{place.path}" == back
        told = parse_qs(place.query)
        assert told["state"] == ["s t&te"]

        fields = APP | {"grant_type": "authorization_code", "code": told["code"][0], "redirect_uri": back}
        status, body = await api.post("/token", **fields)
        assert status == 200
        assert body["scope"] == scope.split()
        status, who = await api.validate(body["access_token"])
        assert (who["login"], who["user_id"]) == ("mothlight", api.world.channels[0].user_id)
        assert who["scopes"] == scope.split()
        assert (await api.post("/token", **fields))[0] == 400

        async with api.session.post(url, data=form | {"action": "deny"}, allow_redirects=False) as answer:
            refused = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert (refused["error"], refused["state"]) == (["access_denied"], ["s t&te"])

    async def test_tokens_age_are_refreshed_and_revoked(self, api: Api) -> None:
        refresh = api.server.oauth.issue("refresh", "mothlight", ("chat:read",))
        _, pair = await api.post("/token", grant_type="refresh_token", refresh_token=refresh, **APP)
        token = pair["access_token"]
        assert (await api.validate(token))[0] == 200
        api.clock.at_s += pair["expires_in"] + 1
        assert await api.validate(token) == (
            401,
            {"status": 401, "message": "invalid access token", "error": "Unauthorized"},
        )
        status, pair = await api.post("/token", grant_type="refresh_token", refresh_token=refresh, **APP)
        assert (status, pair["scope"]) == (200, ["chat:read"])
        assert await api.post("/revoke", client_id="sandbox-client", token=pair["access_token"]) == (200, "")
        assert (await api.validate(pair["access_token"]))[0] == 401
        assert (await api.post("/revoke", client_id="sandbox-client", token=pair["access_token"]))[0] == 400

    async def test_tokens_outlive_a_restart_but_not_another_seed(self, api: Api) -> None:
        token = api.server.oauth.issue("user", "mothlight")
        for seed, status in ((7, 200), (8, 401)):
            async with SandboxServer(World(seed, 3), "127.0.0.1", 0, clock=api.clock) as again:
                assert (await Api(again, api.session, api.clock).validate(token))[0] == status

    async def test_a_machine_without_a_browser(self, api: Api) -> None:
        _, device = await api.post("/device", client_id="sandbox-client", scopes="chat:read chat:edit")
        assert (device["interval"], device["expires_in"]) == (5, 1800)
        fields = {"client_id": "sandbox-client", "grant_type": DEVICE, "device_code": device["device_code"]}
        status, body = await api.post("/token", **fields)
        assert (status, body["message"]) == (400, "authorization_pending")
        form = {"device-code": device["user_code"], "login": "quillandbarrow"}
        async with api.session.post(device["verification_uri"], data=form) as answer:
            assert answer.status == 200
        status, pair = await api.post("/token", **fields)
        assert (status, pair["scope"]) == (200, ["chat:read", "chat:edit"])
        again = {"client_id": "sandbox-client", "grant_type": "refresh_token"}
        again["refresh_token"] = pair["refresh_token"]
        assert (await api.post("/token", **again))[0] == 200
        status, body = await api.post("/token", **again)
        assert (status, body["message"]) == (400, "Invalid refresh token")
