"""A worker's surroundings over a real lake and the sandbox, in one process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from collectors.audience import TwitchAccess
from dashboard.config import Settings
from dashboard.errors import JobCancelled
from dashboard.events import Instant, now_us
from dashboard.jobs.context import JobContext
from dashboard.sandbox.server import SandboxServer
from dashboard.storage.accounts import open_accounts
from dashboard.storage.state import State
from dashboard.storage.store import Store
from dashboard.storage.tokens import TokenVault, UserToken, open_vault

SCOPES = frozenset(
    {
        "channel:read:subscriptions",
        "moderator:read:followers",
        "moderator:read:chatters",
        "user:read:moderated_channels",
    }
)


@dataclass
class Listener:
    """A handle that remembers, and cancels after so many checks."""

    lines: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    checks_left: int | None = None

    def progress(self, done: int, total: int | None, text: str) -> None:
        self.texts.append(text)

    def tell(self, text: str) -> None:
        self.texts.append(text)

    def log(self, line: str) -> None:
        self.lines.append(line)

    def check(self) -> None:
        if self.checks_left is not None:
            self.checks_left -= 1
            if self.checks_left < 0:
                raise JobCancelled("Stopped as asked.")


def settings_for(tmp_path: Path, server: SandboxServer | None = None, **values: Any) -> Settings:
    """Settings that stand for a sandbox server, with its own addresses."""
    urls = server.urls if server else {"helix": "", "oauth": "", "irc": ""}
    return Settings(
        _env_file=None,
        data_dir=tmp_path,
        sandbox=True,
        twitch_api_url=urls["helix"],
        twitch_auth_url=urls["oauth"],
        twitch_irc_url=urls["irc"],
        **values,
    )


def grant(server: SandboxServer, vault: TokenVault, login: str, scopes: frozenset[str] = SCOPES) -> UserToken:
    """Logs one of the sandbox's people in."""
    user = server.world.population.by_login(login)
    assert user is not None
    token = UserToken(
        user_id=user.user_id,
        user_login=login,
        user_display_name=login,
        scopes=scopes,
        access_token=SecretStr(server.oauth.issue("user", login, tuple(sorted(scopes)))),
        refresh_token=SecretStr(server.oauth.issue("refresh", login, tuple(sorted(scopes)))),
        expires_at=Instant(now_us() + 3_600_000_000),
    )
    vault.save(token)
    return token


@dataclass
class Bench:
    """What a job gets, and what it leaves behind."""

    settings: Settings
    vault: TokenVault
    state: State
    store: Store

    def context(self, name: str, handle: Listener | None = None, **values: Any) -> JobContext:
        return JobContext(
            name=name,
            settings=self.settings,
            store=self.store,
            state=self.state,
            vault=self.vault,
            accounts=open_accounts(self.settings),
            handle=handle or Listener(),
            open_twitch=lambda settings, vault: TwitchAccess(settings, vault),
            **values,
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.store.sql(sql).rows


@contextlib.asynccontextmanager
async def bench_for(
    tmp_path: Path, server: SandboxServer | None = None, **values: Any
) -> AsyncIterator[Bench]:
    """A bench over an empty data folder."""
    settings = settings_for(tmp_path, server, **values)
    bench = Bench(settings, open_vault(settings), State(tmp_path), Store(tmp_path, threads=1))
    try:
        yield bench
    finally:
        await asyncio.to_thread(bench.store.close)
        bench.state.close()
        bench.vault.close()
