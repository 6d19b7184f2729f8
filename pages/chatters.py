"""Chatters: whether a crowd is unusual, who is in it, and what shows it."""

from __future__ import annotations

import uuid
from typing import Any

import dash
from dash import dcc, html

from dashboard.ui import chatters_view, ids, text

TICK_MS = 1000


def title(channel: str | None = None) -> str:
    """Title of the page in the browser's tab."""
    room = text.room_in_address(channel)
    return f"Chatters of {room} · StreamLens" if room else "Chatters · StreamLens"


dash.register_page(
    __name__,
    path="/chatters",
    path_template="/chatters/<channel>",
    name="Chatters",
    title=title,
    order=40,
    rail_icon="people",
)


def layout(channel: str | None = None, **_: Any) -> html.Div:
    """The page of one channel, or of the first one that is live.

    Args:
        channel: Login from the address.

    Returns:
        The page with skeletons in it; the callbacks fill them.
    """
    room = text.room_in_address(channel)
    return html.Div(
        [
            dcc.Store(id=ids.CHATTERS_ROOM, data={"room": room, "page": uuid.uuid4().hex}),
            dcc.Interval(id=ids.CHATTERS_INTERVAL, interval=TICK_MS),
            *(dcc.Store(id=store) for store in ids.CHATTERS_STORES),
            *chatters_view.frame(room),
        ],
        id=ids.CHATTERS_ROOT,
        className="chatters is-loading",
    )
