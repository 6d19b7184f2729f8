"""Users' tokens against the sandbox: refreshed once, whoever asks; validated; revoked."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collectors.helix_client import open_user_client
from collectors.sandbox_login import log_in_to_sandbox
from collectors.user_tokens import ValidationSummary, revoke, validate_all
from dashboard.config import Settings
from dashboard.errors import TwitchRefused, TwitchUnauthorized, TwitchUnavailable
from dashboard.sandbox.server import SandboxServer
from dashboard.sandbox.world import World
from dashboard.scopes import ALL_SCOPES
from dashboard.storage.tokens import TokenVault, UserToken, open_vault

CHILD = """
import asyncio, sys
from pathlib import Path
from collectors.helix_client import open_user_client
from dashboard.config import Settings
from dashboard.storage.tokens import open_vault

async def run():
    data_dir, port = Path(sys.argv[1]), int(sys.argv[2])
    settings = Settings(_env_file=None, data_dir=data_dir, sandbox=True, sandbox_port=port)
    vault = open_vault(settings)
    async with open_user_client(settings, vault, sys.argv[3]) as client:
        await client.limiter.take()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        answers = await asyncio.gather(*(client.get("/users") for _ in range(3)))
    print(*(answer["data"][0]["id"] for answer in answers))

asyncio.run(run())
"""


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(World(7, 12), http_port=0) as server:
        yield server


@pytest.fixture
def settings(sandbox: SandboxServer, tmp_path: Path) -> Settings:
    port = int(sandbox.urls["helix"].rsplit(":", 1)[1].split("/")[0])
    return Settings(_env_file=None, data_dir=tmp_path, sandbox=True, sandbox_port=port)


@pytest.fixture
def vault(settings: Settings) -> TokenVault:
    return open_vault(settings)


@pytest.fixture
async def token(sandbox: SandboxServer, settings: Settings, vault: TokenVault) -> UserToken:
    found = await log_in_to_sandbox(settings, vault, sandbox.world.home[0].login)
    assert found is not None
    return found


def refreshes(sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every access token that the sandbox gives out from now on."""
    issued: list[str] = []
    issue = sandbox.oauth.issue

    def counted(kind: str, *args: object, **options: object) -> str:
        made: str = issue(kind, *args, **options)  # type: ignore[arg-type]
        if kind == "user":
            issued.append(made)
        return made

    monkeypatch.setattr(sandbox.oauth, "issue", counted)
    return issued


async def test_the_sandboxs_streamer_logs_in_once(
    sandbox: SandboxServer, settings: Settings, vault: TokenVault, token: UserToken
) -> None:
    home = sandbox.world.home[0]
    assert (token.user_id, token.user_login, token.scopes) == (home.user_id, home.login, ALL_SCOPES)
    assert vault.all() == [token]
    assert await log_in_to_sandbox(settings, vault, sandbox.world.home[1].login) is None


async def test_nobody_is_asked_who_is_not_the_sandbox(vault: TokenVault, tmp_path: Path) -> None:
    real = Settings(_env_file=None, data_dir=tmp_path, twitch_channels=("a_channel",))
    other = Settings(_env_file=None, data_dir=tmp_path, sandbox=True, twitch_auth_url="http://127.0.0.1:9")
    assert await log_in_to_sandbox(real, vault, "someone") is None
    assert await log_in_to_sandbox(other, vault, "someone") is None


async def test_a_login_that_is_nobodys(settings: Settings, vault: TokenVault) -> None:
    with pytest.raises(TwitchRefused, match="nobody in who is called not_a_person_at_all"):
        await log_in_to_sandbox(settings, vault, "not_a_person_at_all")
    assert vault.all() == []


async def test_calls_go_out_as_the_user(settings: Settings, vault: TokenVault, token: UserToken) -> None:
    async with open_user_client(settings, vault, token.user_id) as client:
        assert (await client.get("/users"))["data"][0]["id"] == token.user_id


async def test_parallel_401s_refresh_once(
    sandbox: SandboxServer,
    settings: Settings,
    vault: TokenVault,
    token: UserToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issued = refreshes(sandbox, monkeypatch)
    await asyncio.sleep(0.01)
    sandbox.oauth.expire_all()
    sandbox.faults.latency_s = 0.05
    async with open_user_client(settings, vault, token.user_id) as client:
        answers = await asyncio.gather(*(client.get("/users") for _ in range(6)))
    assert all(answer["data"][0]["id"] == token.user_id for answer in answers)
    assert len(issued) == 1
    kept = vault.require(token.user_id)
    assert kept.access_token.get_secret_value() == issued[0]
    assert kept.scopes == token.scopes


async def test_parallel_401s_of_several_processes_refresh_once(
    sandbox: SandboxServer,
    settings: Settings,
    vault: TokenVault,
    token: UserToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issued = refreshes(sandbox, monkeypatch)
    command = [sys.executable, "-c", CHILD, str(settings.data_dir), str(settings.sandbox_port), token.user_id]
    pipe = asyncio.subprocess.PIPE
    children = [await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe) for _ in range(2)]
    for child in children:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"ready\n"
    sandbox.oauth.expire_all()
    sandbox.faults.latency_s = 0.05
    outputs = await asyncio.gather(*(child.communicate(b"go\n") for child in children))
    assert [out.split() for out, _ in outputs] == [[token.user_id.encode()] * 3] * 2
    assert len(issued) == 1


async def test_a_revoked_grant_is_marked_and_said(
    sandbox: SandboxServer, settings: Settings, vault: TokenVault, token: UserToken
) -> None:
    for secret in (token.access_token, token.refresh_token):
        sandbox.oauth._gone.add(secret.get_secret_value())
    async with open_user_client(settings, vault, token.user_id) as client:
        with pytest.raises(TwitchUnauthorized, match=r"Invalid refresh token\. Log in again") as caught:
            await client.get("/users")
        with pytest.raises(TwitchUnauthorized, match=f"token of {token.user_login} does not work"):
            await client.get("/users")
        stored = vault.get(token.user_id)
        assert stored is not None
        assert stored.error == str(caught.value)
        assert token.refresh_token.get_secret_value() not in str(caught.value)
        # Logging in again cures clients that are open already.
        vault.forget(token.user_id)
        await log_in_to_sandbox(settings, vault, token.user_login)
        assert (await client.get("/users"))["data"][0]["id"] == token.user_id


async def test_login_that_does_not_answer_spends_nothing(
    sandbox: SandboxServer, settings: Settings, vault: TokenVault, token: UserToken
) -> None:
    sandbox.oauth.expire_all()
    dead = settings.model_copy(update={"twitch_auth_url": "http://127.0.0.1:9"})
    async with open_user_client(dead, vault, token.user_id) as client:
        with pytest.raises(TwitchUnavailable):
            await client.get("/users")
    assert vault.get(token.user_id) == token
    async with open_user_client(settings, vault, token.user_id) as client:
        assert (await client.get("/users"))["data"]


async def test_a_cancelled_caller_loses_no_pair(
    sandbox: SandboxServer,
    settings: Settings,
    vault: TokenVault,
    token: UserToken,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issued = refreshes(sandbox, monkeypatch)
    await asyncio.sleep(0.01)
    sandbox.oauth.expire_all()
    sandbox.faults.latency_s = 0.1
    async with open_user_client(settings, vault, token.user_id) as client:
        call = asyncio.create_task(client.get("/users"))
        async with asyncio.timeout(60):
            while not issued:  # Given out, and the answer is on its way.
                await asyncio.sleep(0.005)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        for _ in range(1200):
            if vault.require(token.user_id) != token:
                break
            await asyncio.sleep(0.05)
        assert vault.require(token.user_id) != token
        assert (await client.get("/users"))["data"]


async def test_validation_writes_down_what_it_is_told(
    settings: Settings, vault: TokenVault, token: UserToken
) -> None:
    from dataclasses import replace

    vault.save(replace(token, user_login="old_login", scopes=frozenset(), validated_at=None))
    assert await validate_all(settings, vault) == ValidationSummary(1, 0, 0, 0)
    seen = vault.require(token.user_id)
    assert (seen.user_login, seen.scopes) == (token.user_login, token.scopes)
    assert seen.validated_at is not None


async def test_validation_renews_marks_and_waits(
    sandbox: SandboxServer, settings: Settings, vault: TokenVault, token: UserToken
) -> None:
    await asyncio.sleep(0.01)
    sandbox.oauth.expire_all()
    assert await validate_all(settings, vault) == ValidationSummary(0, 1, 0, 0)
    dead = settings.model_copy(update={"twitch_auth_url": "http://127.0.0.1:9"})
    assert await validate_all(dead, vault) == ValidationSummary(0, 0, 0, 1)
    kept = vault.require(token.user_id)
    for secret in (kept.access_token, kept.refresh_token):
        sandbox.oauth._gone.add(secret.get_secret_value())
    assert await validate_all(settings, vault) == ValidationSummary(0, 0, 1, 0)
    assert await validate_all(settings, vault) == ValidationSummary(0, 0, 1, 0)


async def test_revoked_means_worthless_and_forgotten(
    sandbox: SandboxServer, settings: Settings, vault: TokenVault, token: UserToken
) -> None:
    assert await revoke(settings, vault, token.user_id)
    assert sandbox.oauth.read(token.access_token.get_secret_value()) is None
    assert vault.all() == []
    assert await revoke(settings, vault, token.user_id)


async def test_forgotten_also_when_twitch_is_away(
    settings: Settings, vault: TokenVault, token: UserToken
) -> None:
    dead = settings.model_copy(update={"twitch_auth_url": "http://127.0.0.1:9"})
    assert not await revoke(dead, vault, token.user_id)
    assert vault.all() == []
