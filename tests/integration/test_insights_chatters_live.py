"""Live channels that the collector does not look at: Twitch is asked, and a page does not wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

from collectors.login_calls import find_live
from dashboard.errors import TwitchUnavailable
from dashboard.insights.chatters_live import LiveLook, LiveRoom
from dashboard.sandbox.server import SandboxServer
from dashboard.sandbox.world import World
from tests.jobs_helpers import settings_for

START_S = 1_700_000_040


async def test_the_sandbox_tells_which_channels_are_live(tmp_path: Path) -> None:
    async with SandboxServer(World(7, 8), http_port=0, clock=lambda: START_S) as server:
        settings = settings_for(tmp_path, server)
        logins = [channel.login for channel in server.world.channels]
        found = await asyncio.to_thread(find_live, settings, [*logins, "nobody_at_all"])
    live = {stream.user_login: stream.viewer_count for stream in found}
    assert live
    assert set(live) <= set(logins)
    assert all(count is not None for count in live.values())


def test_twitch_is_asked_once_a_minute_for_each_channel() -> None:
    asked: list[list[str]] = []
    clock = [100.0]

    def find(logins: Sequence[str]) -> list[LiveRoom]:
        asked.append(list(logins))
        return [LiveRoom("moth", 5, None)]

    look = LiveLook(find, monotonic=lambda: clock[0])
    assert look.live(["moth", "wasp"]) == {"moth": LiveRoom("moth", 5, None)}
    assert set(look.live(["moth", "wasp", "bee"])) == {"moth"}
    clock[0] += 59
    look.live(["moth", "bee"])
    assert asked == [["moth", "wasp"], ["bee"]]
    clock[0] += 1
    look.live(["moth", "bee"])
    assert asked[2:] == [["moth", "bee"]]


def test_no_answer_means_nothing_is_said() -> None:
    def fail(logins: Sequence[str]) -> list[LiveRoom]:
        raise TwitchUnavailable("no answer")

    look = LiveLook(fail)
    assert look.live(["moth"]) == {}
    assert LiveLook(None).live(["moth"]) == {}


def test_a_slow_answer_is_there_the_next_time() -> None:
    go, done = threading.Event(), threading.Event()

    def find(logins: Sequence[str]) -> list[LiveRoom]:
        go.wait(30)
        done.set()
        return [LiveRoom("moth", 5, None)]

    look = LiveLook(find)
    assert look.live(["moth"]) == {}
    go.set()
    assert done.wait(30)
    for thread in threading.enumerate():
        if thread.daemon and thread.name.startswith("Thread") and "_ask" in thread.name:
            thread.join(30)
    assert set(look.live(["moth"])) == {"moth"}
