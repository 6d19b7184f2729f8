"""The sandbox's login: who is offered, PKCE where it is sent, and people who throw the app out."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from dashboard.sandbox import SandboxServer, World
from dashboard.sandbox.cast import cast

NOON_S = 1_781_200_800.0
APP = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
BACK = "http://localhost:5000/auth/twitch/callback"


class Login:
    """Goes through the login as a browser does."""

    def __init__(self, server: SandboxServer, session: aiohttp.ClientSession) -> None:
        self.server, self.session = server, session
        self.url = server.urls["oauth"]

    async def page(self, **query: str) -> str:
        asked = {"client_id": "sandbox-client", "redirect_uri": BACK, "response_type": "code"}
        async with self.session.get(f"{self.url}/authorize", params=asked | query) as answer:
            assert answer.status == 200
            return await answer.text()

    async def consent(self, **form: str) -> dict[str, list[str]]:
        """What the address that the browser is sent back to tells."""
        asked = {"client_id": "sandbox-client", "redirect_uri": BACK, "scope": "user:read:chat", "state": "s"}
        async with self.session.post(
            f"{self.url}/authorize", data=asked | form, allow_redirects=False
        ) as answer:
            assert answer.status == 302
            assert answer.headers["Location"].startswith(BACK)
            return parse_qs(urlsplit(answer.headers["Location"]).query)

    async def token(self, **fields: str) -> tuple[int, Any]:
        async with self.session.post(f"{self.url}/token", data=APP | fields) as answer:
            return answer.status, await answer.json()

    async def helix(self, path: str, token: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}", "Client-Id": "sandbox-client"}
        async with self.session.get(self.server.urls["helix"] + path, headers=headers) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def login() -> AsyncIterator[Login]:
    async with (
        SandboxServer(World(7, 40), "127.0.0.1", 0, clock=lambda: NOON_S) as server,
        aiohttp.ClientSession() as session,
    ):
        yield Login(server, session)


async def test_the_page_offers_people_of_all_kinds_and_says_what_is_asked(login: Login) -> None:
    text = await login.page(scope="moderator:read:chatters <script>")
    assert "moderator:read:chatters" in text
    assert "<script>" not in text
    assert "value=deny>" in text
    roles = cast(login.server.world, NOON_S)
    assert {"mothlight", "quillandbarrow", "saltmarshsam"} <= {role.user.login for role in roles}
    for role in roles:
        assert f'value="{role.user.login}"' in text
    assert "It asks for nothing special" in await login.page()


async def test_the_moderator_moderates_two_channels_and_the_viewer_none(login: Login) -> None:
    world = login.server.world
    roles = {role.what.split(" ", maxsplit=1)[0]: role.user for role in cast(world, NOON_S)}
    for kind, expected in (("moderates", {"mothlight", "saltmarshsam"}), ("only", set())):
        user = roles[kind]
        token = login.server.oauth.issue("user", user.login, ("user:read:moderated_channels",))
        status, body = await login.helix(f"/moderation/channels?user_id={user.user_id}", token)
        assert status == 200
        assert {item["broadcaster_login"] for item in body["data"]} == expected


async def test_somebody_else_can_be_typed_in(login: Login) -> None:
    told = await login.consent(login="mothlight", other="tidewitch")
    _, body = await login.token(grant_type="authorization_code", code=told["code"][0], redirect_uri=BACK)
    assert (await login.helix("/users", body["access_token"]))[1]["data"][0]["login"] == "tidewitch"


@pytest.mark.parametrize("method", ["S256", "plain"])
async def test_a_pkce_challenge_is_checked(login: Login, method: str) -> None:
    verifier = "a-verifier-of-forty-three-characters-or-more-0"
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    challenge = {"code_challenge": digest if method == "S256" else verifier, "code_challenge_method": method}
    assert challenge["code_challenge"] in await login.page(**challenge)
    for sent, status in (({}, 400), ({"code_verifier": "x"}, 400), ({"code_verifier": verifier}, 200)):
        told = await login.consent(login="mothlight", **challenge)
        fields = {"grant_type": "authorization_code", "code": told["code"][0], "redirect_uri": BACK}
        got, _ = await login.token(**(fields | sent))
        assert got == status


async def test_who_throws_the_app_out_ends_all_their_tokens(login: Login) -> None:
    told = await login.consent(login="mothlight")
    _, pair = await login.token(grant_type="authorization_code", code=told["code"][0], redirect_uri=BACK)
    other = login.server.oauth.issue("user", "quillandbarrow")
    faults = login.server.urls["http"] + "/_sandbox/faults"
    async with login.session.post(faults, json={"revoke": "mothlight"}) as answer:
        assert answer.status == 200
    assert (await login.helix("/users", pair["access_token"]))[0] == 401
    assert (await login.token(grant_type="refresh_token", refresh_token=pair["refresh_token"]))[0] == 400
    assert (await login.helix("/users", other))[0] == 200
    told = await login.consent(login="mothlight")
    _, pair = await login.token(grant_type="authorization_code", code=told["code"][0], redirect_uri=BACK)
    assert (await login.helix("/users", pair["access_token"]))[0] == 200


@pytest.mark.parametrize(
    ("path", "order", "words"),
    [
        ("faults", "[1]", "JSON object"),
        ("faults", "{", "not JSON"),
        ("faults", '{"htp": 1}', "Unknown: htp"),
        ("faults", '{"http": {"status": "many"}}', "status"),
        ("faults", '{"http": {"status": 200}}', "429"),
        ("faults", '{"http": 3}', "http has to be an object"),
        ("faults", '{"latency_s": -1}', "latency_s"),
        ("faults", '{"latency_s": NaN}', "latency_s"),
        ("faults", '{"half_open": "yes"}', "true or false"),
        ("faults", '{"lines": [1]}', "list of texts"),
        ("faults", '{"eventsub_close": 1000}', "close code"),
        ("faults", '{"revoke": "nobody_at_all"}', "nobody_at_all"),
        ("faults", '{"down": {"seconds": 5, "status": 7}}', "status"),
        ("boost", '{"channel": "mothlight"}', "messages_per_s"),
        ("boost", '{"channel": 3, "messages_per_s": 3}', "channel"),
        ("truth?start=x", "", "start"),
        ("truth?start=5&end=1", "", "end"),
        ("truth?start=0&end=99999999999", "", "end"),
    ],
)
async def test_orders_without_sense_are_answered_with_words(
    login: Login, path: str, order: str, words: str
) -> None:
    url = f"{login.server.urls['http']}/_sandbox/{path}"
    method = "GET" if path.startswith("truth") else "POST"
    async with login.session.request(method, url, data=order or None) as answer:
        body = await answer.json()
    assert (answer.status, body["error"]) == (400, "Bad Request")
    assert words in body["message"]


async def test_an_order_with_a_fault_in_it_does_nothing(login: Login) -> None:
    url = login.server.urls["http"] + "/_sandbox/faults"
    async with login.session.post(url, json={"latency_s": 3, "half_open": 1}) as answer:
        assert answer.status == 400
    assert login.server.faults.latency_s == 0


async def test_helix_is_down_for_a_while(login: Login) -> None:
    token = login.server.oauth.issue("app")
    url = login.server.urls["http"] + "/_sandbox/faults"
    await login.session.post(url, json={"down": {"seconds": 0.3, "status": 502}})
    assert [(await login.helix("/streams", token))[0] for _ in range(3)] == [502] * 3
    async with login.session.get(login.url + "/validate", headers={"Authorization": f"OAuth {token}"}) as a:
        assert a.status == 200
    await login.session.post(url, json={"http": {"status": 503, "path": "/oauth2/token"}})
    assert (await login.token(grant_type="client_credentials"))[0] == 503
    assert (await login.token(grant_type="client_credentials"))[0] == 200
    await login.session.post(url, json={"down": {"seconds": 0.2, "status": 0}})
    assert (await login.helix("/streams", token))[0] == 504
    assert (await login.helix("/streams", token))[0] == 200
