"""EventSub: what Twitch tells by itself, what it costs, and what stands in the way."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html

from dashboard.ui import eventsub_view, ids

TICK_MS = 2000

dash.register_page(
    __name__,
    path="/eventsub",
    name="EventSub",
    title="EventSub · StreamLens",
    order=82,
    rail_icon="bell",
    rail_group="system",
)


def layout(**_: Any) -> html.Div:
    """The page with skeletons in it; the callback fills them."""
    return html.Div(
        [
            dcc.Interval(id=ids.EVENTSUB_INTERVAL, interval=TICK_MS),
            dcc.Store(id=ids.EVENTSUB_CURSOR),
            dcc.Store(id=ids.EVENTSUB_PENDING),
            html.Header([html.H1("EventSub")], className="page-head"),
            html.Div(eventsub_view.frame(), className="eventsub-cards"),
        ],
        className="eventsub",
    )
