"""EventSub as one task of the collector: everything it needs is opened here and closed again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import structlog

from collectors.eventsub import STATUS_NAME, EventSubManager, transport_of
from collectors.eventsub_directory import Directory
from collectors.eventsub_parse import StreamMemory, parse_notification
from collectors.helix_client import open_client, open_user_client
from collectors.sink import EventSink
from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.storage.eventsub_state import EventSubState
from dashboard.storage.eventsub_tail import EventSubTail
from dashboard.storage.state import State
from dashboard.storage.tokens import open_vault

log = structlog.get_logger(__name__)

_AGAIN_S = 30.0
_SAY_EVERY_S = 5.0


async def run_eventsub(
    settings: Settings,
    sink: EventSink,
    *,
    state: State,
    followed: Callable[[], Sequence[str]],
    wait_durable: Callable[[], object],
    opt_out: Collection[str] = (),
) -> None:
    """Runs EventSub until it is cancelled. It never fails: chat must go on without it.

    Args:
        settings: Transport, addresses, credentials.
        sink: Takes the events.
        state: Where the report goes.
        followed: Logins of the followed channels.
        wait_durable: Returns when everything that went into the sink is durable.
        opt_out: People of whom nothing is written.
    """
    while True:
        try:
            await _run_once(settings, sink, state, followed, wait_durable, opt_out)
        except Exception:
            log.exception("EventSub stopped; chat goes on, and EventSub is tried again")
            await asyncio.sleep(_AGAIN_S)
        else:
            return


async def _run_once(
    settings: Settings,
    sink: EventSink,
    state: State,
    followed: Callable[[], Sequence[str]],
    wait_durable: Callable[[], object],
    opt_out: Collection[str],
) -> None:
    app = open_client(settings)
    if app is None or transport_of(settings) is None:
        error = None if app else "EventSub needs TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET."
        payload: dict[str, Any] = {
            "transport": transport_of(settings),
            "connections": [],
            "rooms": [],
            "error": error,
        }
        while True:  # Off, and said to be: silence would look like a collector that has died.
            with suppress(StorageError):
                await asyncio.to_thread(state.write_status, STATUS_NAME, payload)
            await asyncio.sleep(_SAY_EVERY_S)
    database_url = settings.database_url.get_secret_value()
    known = EventSubState(settings.data_dir, database_url)
    tail = EventSubTail(settings.data_dir, known, wait_durable=wait_durable)
    vault = open_vault(settings)
    directory = Directory(vault, app, lambda user_id: open_user_client(settings, vault, user_id))
    manager = EventSubManager(
        settings,
        sink,
        tail,
        partial(parse_notification, memory=StreamMemory()),
        directory=directory,
        app=app,
        state=state,
        known=known,
        followed=followed,
        opt_out=opt_out,
    )
    tail.start()
    try:
        await manager.run()
    finally:
        await manager.close()
        await asyncio.to_thread(tail.close)
        await app.close()
        known.close()
