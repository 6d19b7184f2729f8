"""Login by device code, against the sandbox and against a service that answers on cue."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from collectors.device_login import DeviceCode, device_login, log_out
from dashboard import cli_login
from dashboard.config import Settings
from dashboard.errors import TwitchRefused
from dashboard.sandbox.server import SandboxServer
from dashboard.sandbox.world import World
from dashboard.scopes import ALL_SCOPES, scopes_for
from dashboard.storage.tokens import UserToken, open_vault

STARTED = {
    "device_code": "device-1",
    "expires_in": 1800,
    "interval": 5,
    "user_code": "ABCD",
    "verification_uri": "https://example.org/activate",
}
PENDING = (400, {"status": 400, "message": "authorization_pending"})
GRANTED = (
    200,
    {"access_token": "granted-access", "refresh_token": "granted-refresh", "scope": ["bits:read"]},
)
VALID = {"user_id": "11", "login": "someone", "scopes": ["bits:read"], "expires_in": 100}


class Clock:
    def __init__(self) -> None:
        self.at_s = 0.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.at_s += seconds


class Service:
    """An OAuth service that gives prepared answers."""

    def __init__(self) -> None:
        self.answers: deque[tuple[int, dict[str, Any]]] = deque()
        self.forms: list[dict[str, str]] = []
        self.url = ""

    async def device(self, request: web.Request) -> web.Response:
        assert not request.query_string
        self.forms.append({k: str(v) for k, v in (await request.post()).items()})
        return web.json_response(STARTED)

    async def token(self, request: web.Request) -> web.Response:
        self.forms.append({k: str(v) for k, v in (await request.post()).items()})
        status, body = self.answers.popleft() if self.answers else PENDING
        return web.json_response(body, status=status)

    async def validate(self, request: web.Request) -> web.Response:
        return web.json_response(VALID)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    ours, app = Service(), web.Application()
    app.router.add_post("/device", ours.device)
    app.router.add_post("/token", ours.token)
    app.router.add_get("/validate", ours.validate)
    server = TestServer(app)
    await server.start_server()
    ours.url = str(server.make_url("")).rstrip("/")
    yield ours
    await server.close()


@pytest.fixture
def settings(service: Service, tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=tmp_path,
        sandbox=True,
        twitch_auth_url=service.url,
        twitch_client_id="client",
        twitch_client_secret="client-secret",
    )


async def log_in(settings: Settings, clock: Clock) -> UserToken:
    return await device_login(
        settings,
        open_vault(settings),
        frozenset({"bits:read"}),
        lambda _: None,
        sleep=clock.sleep,
        monotonic=clock.monotonic,
    )


async def test_it_waits_until_somebody_agreed(service: Service, settings: Settings) -> None:
    clock, shown = Clock(), []
    service.answers += [PENDING, (500, {}), PENDING, GRANTED]
    token = await device_login(
        settings,
        open_vault(settings),
        frozenset({"bits:read"}),
        shown.append,
        sleep=clock.sleep,
        monotonic=clock.monotonic,
    )
    assert shown == [DeviceCode("ABCD", "https://example.org/activate", 1800)]
    assert clock.sleeps == [5, 5, 5, 5]
    assert (token.user_id, token.user_login, token.scopes) == ("11", "someone", {"bits:read"})
    assert open_vault(settings).all() == [token]
    assert service.forms[0] == {"client_id": "client", "scopes": "bits:read"}
    assert service.forms[1]["device_code"] == "device-1"
    assert service.forms[1]["scopes"] == "bits:read"


async def test_it_asks_less_often_when_told_so(service: Service, settings: Settings) -> None:
    clock = Clock()
    service.answers += [(400, {"message": "slow_down"}), PENDING, (400, {"message": "slow down"}), GRANTED]
    await log_in(settings, clock)
    assert clock.sleeps == [5, 10, 10, 15]


@pytest.mark.parametrize("reason", ["invalid device code", "access_denied", "expired_token"])
async def test_a_no_ends_it(service: Service, settings: Settings, reason: str) -> None:
    service.answers += [PENDING, (400, {"status": 400, "message": reason})]
    with pytest.raises(TwitchRefused, match=f"Nobody is logged in: {reason}. Start again"):
        await log_in(settings, Clock())
    assert open_vault(settings).all() == []


async def test_a_code_that_nobody_types_in_ends(service: Service, settings: Settings) -> None:
    clock = Clock()
    with pytest.raises(TwitchRefused, match="The code is over"):
        await log_in(settings, clock)
    assert sum(clock.sleeps) == 1800


async def test_with_the_sandbox(tmp_path: Path) -> None:
    async with SandboxServer(World(7, 12), http_port=0) as sandbox:
        port = int(sandbox.urls["helix"].rsplit(":", 1)[1].split("/")[0])
        settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True, sandbox_port=port)
        home = sandbox.world.home[0]
        codes: asyncio.Queue[DeviceCode] = asyncio.Queue()

        async def agree() -> None:
            code = await codes.get()
            form = {"device-code": code.user_code, "login": home.login}
            async with aiohttp.ClientSession() as session:
                await session.post(f"{settings.sandbox_url}/activate", data=form)

        async def no_sleep(_: float) -> None:
            await asyncio.sleep(0.05)

        login = device_login(settings, open_vault(settings), ALL_SCOPES, codes.put_nowait, sleep=no_sleep)
        token, _ = await asyncio.gather(login, agree())
        assert (token.user_id, token.scopes) == (home.user_id, ALL_SCOPES)
        # Its refresh token works once only: the pair must be replaced as a whole.
        from collectors.token_refresh import renew

        vault = open_vault(settings)
        first = await renew(settings, vault, home.user_id, token.access_token.get_secret_value())
        second = await renew(settings, vault, home.user_id, first.access_token.get_secret_value())
        assert second.refresh_token != first.refresh_token != token.refresh_token
        done = await asyncio.to_thread(log_out, settings, home.login.upper())
        assert done == (home.user_id, True)
        assert vault.all() == []
        assert sandbox.oauth.read(second.access_token.get_secret_value()) is None
        assert await asyncio.to_thread(log_out, settings, home.login) is None


class TestCommands:
    def run(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, log_in: Any, *args: str) -> Any:
        settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
        monkeypatch.setattr(cli_login, "checked_settings", lambda: settings)
        gone = {"someone": ("11", False)}
        login, logout = cli_login.login_commands(log_in, lambda _, name: gone.get(name))
        return CliRunner().invoke(logout if args[0] == "logout" else login, args[1:])

    def test_login_asks_for_what_was_named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        asked: list[frozenset[str]] = []

        def log_in(_: Settings, scopes: frozenset[str], show: Any) -> Any:
            asked.append(scopes)
            show(DeviceCode("ABCD", "https://example.org/x", 1800))
            return UserToken("11", "someone", "Someone", scopes, None, None, 0)  # type: ignore[arg-type]

        done = self.run(monkeypatch, tmp_path, log_in, "login", "--scopes", "clips,bits:read", "--json")
        assert done.exit_code == 0, done.output
        assert asked == [scopes_for(["clips"]) | {"bits:read"}]
        assert json.loads(done.stdout)["user_login"] == "someone"
        assert "check that it shows ABCD, within 30 minutes" in done.stderr

    def test_a_scope_that_does_not_exist_is_named(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        done = self.run(monkeypatch, tmp_path, None, "login", "--scopes", "clips,everything")
        assert done.exit_code == 2
        assert "--scopes everything: there are moderator, streamer, clips, all" in done.stderr

    def test_ctrl_c_says_that_nobody_is_logged_in(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def log_in(*_: Any) -> Any:
            raise KeyboardInterrupt

        done = self.run(monkeypatch, tmp_path, log_in, "login")
        assert done.exit_code == 130
        assert "nobody was logged in" in done.stderr

    def test_logout_says_what_twitch_knows(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        done = self.run(monkeypatch, tmp_path, None, "logout", "someone")
        assert done.exit_code == 0
        assert "Twitch did not answer" in done.stdout
        failed = self.run(monkeypatch, tmp_path, None, "logout", "nobody")
        assert failed.exit_code == 1
        assert "There is no token of nobody" in failed.stderr
