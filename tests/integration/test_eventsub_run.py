"""EventSub as a task of the collector: off it says so, broken it never takes chat down."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from collectors import eventsub_run
from collectors.waiting import cancelled
from dashboard.config import Settings
from dashboard.events import Event
from dashboard.storage.state import State


class Sink:
    async def put(self, events: Sequence[Event]) -> None:
        """Nothing comes in these tests."""

    async def reject(self, line: str, reason: str) -> None:
        raise AssertionError(reason)


async def started(settings: Settings, state: State) -> asyncio.Task[None]:
    return asyncio.create_task(
        eventsub_run.run_eventsub(
            settings, Sink(), state=state, followed=lambda: ["alpha"], wait_durable=lambda: None
        )
    )


async def payload(state: State) -> dict[str, object]:
    for _ in range(3000):
        if status := state.read_status("eventsub"):
            return status.payload
        await asyncio.sleep(0.02)
    raise AssertionError("it never spoke")


@pytest.mark.parametrize(
    ("changed", "transport", "error"),
    [
        ({"sandbox": True, "eventsub_transport": "off"}, None, None),
        (
            {"sandbox": False, "twitch_channels": ("alpha",)},
            "websocket",
            "EventSub needs TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET.",
        ),
    ],
)
async def test_off_or_without_credentials_it_says_so(
    tmp_path: Path, changed: dict[str, object], transport: str | None, error: str | None
) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, **changed)  # type: ignore[arg-type]
    state = State(tmp_path)
    task = await started(settings, state)
    told = await payload(state)
    assert (told["transport"], told["error"]) == (transport, error)
    assert not task.done(), "it goes on saying so"
    await cancelled([task])
    state.close()


async def test_whatever_breaks_it_is_tried_again_and_nobody_else_hears_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def broken(*_: object, **__: object) -> None:
        tries.append(1)
        raise RuntimeError("a bug")

    monkeypatch.setattr(eventsub_run, "open_vault", broken)
    monkeypatch.setattr(eventsub_run, "_AGAIN_S", 0.01)
    state = State(tmp_path)
    task = await started(Settings(_env_file=None, data_dir=tmp_path, sandbox=True), state)
    for _ in range(6000):
        if len(tries) >= 3:
            break
        await asyncio.sleep(0.01)
    assert len(tries) >= 3
    assert not task.done()
    await cancelled([task])
    state.close()
