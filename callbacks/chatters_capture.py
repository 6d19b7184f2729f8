"""Captures on the Chatters page: an order, and the watch over it on whatever page the person is."""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from callbacks.background import register_background
from dashboard.access import Access
from dashboard.errors import StreamLensError
from dashboard.jobs import capture_orders
from dashboard.services import Services
from dashboard.ui import ids

log = logging.getLogger(__name__)

WATCH_TIMEOUT_S = 3600
TOLD = ("capture_id", "room_login", "source", "state", "listed_count", "unknown_count", "error")


def register(app: Dash, services: Services) -> None:
    """Binds orders and the watch."""
    app.callback(
        Output(ids.SHELL_CHATTERS_WATCH, "data"),
        Output(ids.CHATTERS_MESSAGE, "children"),
        Output(ids.CHATTERS_ASKED, "data"),
        Input(ids.SHELL_CHATTERS_ORDER, "data"),
        State(ids.CHATTERS_MINUTES, "value"),
        State(ids.CHATTERS_CURSOR, "data"),
        State(ids.CHATTERS_SESSION, "value"),
        prevent_initial_call=True,
    )(functools.partial(order, services))
    register_background(
        app,
        watch_capture,
        output=Output(ids.SHELL_CHATTERS_RESULT, "data"),
        inputs=[Input(ids.SHELL_CHATTERS_WATCH, "data")],
        progress=Output(ids.SHELL_CHATTERS_PROGRESS, "data"),
        timeout_s=WATCH_TIMEOUT_S,
        fixed={
            "data_dir": str(services.settings.data_dir),
            "database_url": services.settings.database_url.get_secret_value(),
        },
    )
    app.clientside_callback(
        ClientsideFunction("chatters", "ended"),
        # Only this: whatever the page's question hangs on would be held back until the capture is over.
        Output(ids.CHATTERS_MESSAGE, "children", allow_duplicate=True),
        Input(ids.SHELL_CHATTERS_RESULT, "data"),
        prevent_initial_call=True,
    )


def order(
    services: Services,
    asked: dict[str, Any] | None,
    minutes: int | None,
    cursor: dict[str, Any] | None,
    session_id: str | None,
) -> tuple[Any, Any, Any]:
    """Asks for a capture, or for the end of one.

    Args:
        services: What is asked.
        asked: ``{"source", "room"}`` (the page's own channel if empty) or ``{"cancel": capture id}``.
        minutes: How far back "who spoke" looks.
        cursor: Names the page's channel.
        session_id: The open session; what is captured goes into it.

    Returns:
        The capture to watch, what the page says, and a nonce that makes it look at once.
    """
    if not asked or services.captures is None:
        return no_update, no_update, no_update
    access = services.current_access()
    try:
        if capture_id := asked.get("cancel"):
            services.captures.cancel(str(capture_id), access)
            return no_update, "It stops at its next step.", uuid.uuid4().hex
        room_id = str(asked.get("room") or (cursor or {}).get("room_id") or "")
        window_s = int(minutes or 10) * 60 if asked.get("source") == "spoke" else None
        capture = services.captures.ask(room_id, str(asked.get("source")), access, window_s)
        if session_id and services.chatters is not None:
            services.chatters.sessions.add(session_id, access, [capture.capture_id])
    except StreamLensError as error:
        return no_update, str(error), uuid.uuid4().hex
    return {"capture_id": capture.capture_id, "at": asked.get("at")}, "", uuid.uuid4().hex


def watch_capture(
    set_progress: Callable[[Any], None],
    watched: dict[str, Any],
    *,
    user: str,
    access: Access,
    data_dir: str,
    database_url: str,
) -> dict[str, Any]:
    """Follows a capture that was asked for here, on whatever page the person is.

    Args:
        set_progress: Takes how far it is.
        watched: The capture.
        user: Who asked.
        access: What they may see.
        data_dir: The data folder.
        database_url: The state's address.

    Returns:
        How it ended.
    """
    told: dict[str, Any] = {}
    for capture in capture_orders.watch(data_dir, database_url, str(watched["capture_id"]), access):
        told = {
            name: getattr(capture, name)
            for name in (
                "capture_id",
                "room_login",
                "source",
                "state",
                "listed_count",
                "unknown_count",
                "error",
            )
        }
        set_progress(told)
    return told
