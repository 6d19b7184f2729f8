"""Jobs: what is done by the clock and by button, how it went, and what stands in the way."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html

from dashboard.ui import ids, jobs_view

TICK_MS = 2000

dash.register_page(
    __name__,
    path="/jobs",
    name="Jobs",
    title="Jobs · StreamLens",
    order=80,
    rail_icon="list-check",
    rail_group="system",
)


def layout(**_: Any) -> html.Div:
    """The page with skeletons in it; the callback fills them."""
    return html.Div(
        [
            dcc.Interval(id=ids.JOBS_INTERVAL, interval=TICK_MS),
            dcc.Store(id=ids.JOBS_REQUEST),
            dcc.Store(id=ids.JOBS_OPENED, data=""),
            dcc.Store(id=ids.JOBS_CURSOR),
            html.Header([html.H1("Jobs")], className="page-head"),
            html.Div(jobs_view.frame(), className="jobs-cards"),
        ],
        className="jobs",
    )
