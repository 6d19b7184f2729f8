"""Storage: what lies on the disk, how long it stays, and the copy on S3."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html

from dashboard.ui import ids, storage_view

TICK_MS = 3000

dash.register_page(
    __name__,
    path="/storage",
    name="Storage",
    title="Storage · StreamLens",
    order=84,
    rail_icon="hdd-stack",
    rail_group="system",
)


def layout(**_: Any) -> html.Div:
    """The page with skeletons in it; the callback fills them."""
    return html.Div(
        [
            dcc.Interval(id=ids.STORAGE_INTERVAL, interval=TICK_MS),
            dcc.Store(id=ids.STORAGE_REQUEST),
            dcc.Store(id=ids.STORAGE_CURSOR),
            dcc.Store(id=ids.STORAGE_ASKED),
            html.Header(
                [html.H1("Storage"), html.Span(id=ids.STORAGE_SUMMARY, className="muted storage-summary")],
                className="page-head",
            ),
            html.Div(storage_view.frame(), className="storage-cards"),
        ],
        className="storage",
    )
