"""How long a capture of a large chat takes, against what Twitch's own limits allow.

A sandbox in a process of its own answers with Twitch's rate limit (800 points a minute, a point a
call); one of its chats holds as many people as are asked for. The floor is arithmetic: pages of 1,000
and 100 accounts a call, at 800 calls a minute. Captured twice: the first time nobody's age is known, the
second time everybody's is.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from collectors.audience import TwitchAccess
from dashboard.config import Settings, load_settings
from dashboard.events import Instant, now_us
from dashboard.events_accounts import Account
from dashboard.job_handle import Room, SilentHandle
from dashboard.jobs.capture import capture
from dashboard.jobs.capture_names import read_known
from dashboard.jobs.context import JobContext
from dashboard.storage.accounts import open_accounts
from dashboard.storage.captures import Capture, open_captures
from dashboard.storage.compaction import Compactor
from dashboard.storage.ingest import Ingest
from dashboard.storage.state import State
from dashboard.storage.store import Store
from dashboard.storage.tokens import UserToken, open_vault

POINTS_A_MINUTE = 800
SCOPES = ("moderator:read:chatters",)
QUICK: dict[str, Any] = {"chatter_count": 2_000, "account_count": 20_000}


def run(chatter_count: int = 10_000, *, account_count: int = 300_000) -> dict[str, Any]:
    """Measures both.

    Args:
        chatter_count: People in the chat.
        account_count: Accounts in the lake while known ages are looked up.

    Returns:
        Seconds and calls of the captures beside the arithmetic floor, and milliseconds of the look-up.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=_serve, args=[theirs, chatter_count], daemon=True)
    server.start()
    try:
        told = ours.recv()
        with tempfile.TemporaryDirectory(prefix="streamlens-bench-") as folder:
            return asyncio.run(_measure(Path(folder), told, chatter_count)) | _look_up(
                Path(folder), account_count, chatter_count
            )
    finally:
        ours.send("stop")
        server.join(10)
        if server.is_alive():
            server.kill()


def _serve(pipe: Connection, chatter_count: int) -> None:
    """The sandbox: tells its addresses and a login, then serves until it is told to stop."""
    import numpy as np

    from dashboard.sandbox import SandboxServer, World

    async def serve() -> None:
        world = World(7, 40)
        step = max(1, world.population.regular_count // chatter_count)
        everybody = np.arange(0, step * chatter_count, step, dtype=np.int64)
        assert len(everybody) <= world.population.regular_count
        world.audience.chatters = lambda c, minute: everybody  # type: ignore[assignment]
        old_s = 2_082_844_800.0  # Everybody is born by then.
        async with SandboxServer(
            world, http_port=0, clock=lambda: old_s, rate_limit=POINTS_A_MINUTE
        ) as server:
            channel = world.channels[0]
            pipe.send(
                {
                    "urls": server.urls,
                    "room": (channel.user_id, channel.login),
                    "token": server.oauth.issue("user", channel.login, SCOPES),
                }
            )
            while not (pipe.poll() and pipe.recv() == "stop"):
                await asyncio.sleep(0.05)

    asyncio.run(serve())


async def _measure(folder: Path, told: dict[str, Any], count: int) -> dict[str, Any]:
    settings = load_settings(
        data_dir=folder,
        sandbox=True,
        twitch_api_url=told["urls"]["helix"],
        twitch_auth_url=told["urls"]["oauth"],
        twitch_irc_url=told["urls"]["irc"],
    )
    room = Room(*told["room"])
    with closing(open_vault(settings)) as vault:
        secret = SecretStr(told["token"])
        in_an_hour = Instant(now_us() + 3_600_000_000)
        login = room.room_login
        vault.save(UserToken(room.room_id, login, login, frozenset(SCOPES), secret, secret, in_an_hour))
    first_s, first = await _capture(settings, room)
    again_s, again = await _capture(settings, room)
    assert (first.listed_count, first.known_count) == (count, count), first
    assert (again.listed_count, again.known_count) == (count, count), again
    call_count = -(-count // 1000) + -(-count // 100)
    floor_s = call_count / POINTS_A_MINUTE * 60
    return {
        "chatter_count": count,
        "call_count": call_count,
        "floor_s": round(floor_s, 2),
        "captured_and_aged_s": round(first_s, 2),
        "share_of_floor": round(first_s / floor_s, 2),
        "captured_again_s": round(again_s, 2),
    }


async def _capture(settings: Settings, room: Room) -> tuple[float, Capture]:
    store = Store(settings.data_dir, threads=1)
    with (
        closing(open_captures(settings)) as captures,
        closing(State(settings.data_dir)) as state,
        closing(open_vault(settings)) as vault,
        closing(open_accounts(settings)) as accounts,
    ):
        asked = captures.ask(room, "connected", by="clock")
        context = JobContext(
            name="capture",
            settings=settings,
            store=store,
            state=state,
            vault=vault,
            accounts=accounts,
            handle=SilentHandle(),
            open_twitch=TwitchAccess,
        )
        started_s = time.monotonic()
        await capture(context)
        took_s = time.monotonic() - started_s
        found = captures.get(asked.capture_id)
    store.close()
    assert found is not None
    assert found.is_complete, (found, context.failures)
    return took_s, found


def _look_up(folder: Path, account_count: int, wanted_count: int) -> dict[str, Any]:
    """One question for the known ages of a whole chat."""
    now = now_us()
    with Ingest(folder, "bench") as ingest:
        for start in range(0, account_count, 20_000):
            ingest.put([_account(n, now) for n in range(start, min(account_count, start + 20_000))])
    Compactor(folder).run(everything=True)
    step = max(1, account_count // wanted_count)
    ids = [f"9{n:09}" for n in range(0, account_count, step)][:wanted_count]
    with closing(Store(folder, threads=1)) as store:
        took_ms = []
        for _ in range(7):
            started_s = time.monotonic()
            known = read_known(store, ids)
            took_ms.append((time.monotonic() - started_s) * 1000)
    assert len(known) == len(ids)
    return {
        "account_count": account_count,
        "looked_up_count": len(ids),
        "look_up_ms": round(statistics.median(took_ms), 1),
        "look_up_first_ms": round(took_ms[0], 1),
    }


def _account(number: int, now: Instant) -> Account:
    name = f"somebody_{number}"
    return Account(
        event_id=f"bench-{number}",
        source="helix",
        room_login="",
        sent_at=Instant(now - number % 1000),
        received_at=now,
        user_id=f"9{number:09}",
        user_login=name,
        user_display_name=name.title(),
        account_created_at=Instant(now - number * 1_000_000),
    )
