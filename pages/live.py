"""Live: what is going on in a channel right now."""

from __future__ import annotations

import uuid
from typing import Any

import dash
from dash import dcc, html

from dashboard.analytics.metrics import METRICS
from dashboard.ui import components, ids, live_view, text
from dashboard.ui.figures import live as figures

GRAPH_CONFIG: Any = {
    "displaylogo": False,
    "displayModeBar": "hover",
    "responsive": True,
    # Named one by one: plotly's own set has a button that sends the chart to its makers.
    "modeBarButtons": [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
}
TICK_MS = 1000


def title(channel: str | None = None) -> str:
    """Title of the page in the browser's tab."""
    room = text.room_in_address(channel)
    return f"{room} live · StreamLens" if room else "Live · StreamLens"


dash.register_page(
    __name__,
    path="/live",
    path_template="/live/<channel>",
    name="Live",
    title=title,
    order=0,
    rail_icon="broadcast",
)


def layout(channel: str | None = None, **_: Any) -> html.Div:
    """The page of one channel, or of the first one followed.

    Args:
        channel: Login from the address.

    Returns:
        The page with skeletons in it; the callbacks fill them.
    """
    room = text.room_in_address(channel)
    return html.Div(
        [
            dcc.Store(id=ids.LIVE_ROOM, data={"room": room, "page": uuid.uuid4().hex}),
            dcc.Store(id=ids.LIVE_REQUEST),
            dcc.Store(id=ids.LIVE_CURSOR),
            dcc.Store(id=ids.LIVE_FRESH_DATA),
            dcc.Store(id=ids.LIVE_FEED_NEWS, data=0),
            dcc.Store(id=ids.LIVE_COLLECT_STOP),
            dcc.Interval(id=ids.LIVE_INTERVAL, interval=TICK_MS),
            _header(room),
            html.Div(id=ids.LIVE_NOTICE, className="live-notice"),
            html.Div(_tiles(), className="tiles when-data"),
            html.Div([_chart(), _activity()], className="row-main when-data"),
            html.Div([_chatters(), _emotes()], className="row-tops when-data"),
            live_view.collectors_card(),
        ],
        id=ids.LIVE_ROOT,
        className="live is-loading",
    )


def _header(room: str) -> html.Div:
    switcher = dcc.Dropdown(
        id=ids.LIVE_SWITCHER,
        options=[{"label": room, "value": room}] if room else [],
        value=room or None,
        clearable=False,
        placeholder="Find a channel",
        optionHeight=36,
        maxHeight=340,
        className="switcher",
        labels={"search": "Find a channel", "no_options_found": "No channel of that name"},
    )
    return html.Div(
        [
            html.Div(live_view.header_skeleton(room), id=ids.LIVE_HEADER, className="live-title"),
            html.Div(
                [
                    html.Span(id=ids.LIVE_FRESH, className="fresh"),
                    # Says only when the state changes; the ticking seconds would never be quiet.
                    html.Span(
                        id=ids.LIVE_FRESH_STATE, className="visually-hidden", **components.aria(live="polite")
                    ),
                    html.Div(switcher, className="switcher-box"),
                ],
                className="live-side",
            ),
        ],
        className="live-head",
    )


def _tiles() -> list[html.Article]:
    specs = [(metric, METRICS[metric]) for metric in ids.TILE_METRICS]
    return [
        components.tile(ids.live_tile(metric), spec.name, spec.definition, spec.caveat or "")
        for metric, spec in specs
    ]


def _chart() -> html.Section:
    graph = dcc.Graph(
        id=ids.LIVE_CHART,
        figure=figures.blank_figure(),
        config=GRAPH_CONFIG,
        className="chart",
        responsive=True,
    )
    return components.card(
        "Velocity and viewers",
        live_view.legend(),
        html.Div(graph, className="chart-box", **components.aria(hidden="true")),
        html.P(id=ids.LIVE_CHART_SUMMARY, className="visually-hidden"),
        side=components.segments(
            ids.LIVE_SPAN, [("30 min", 1800), ("1 h", 3600), ("Stream", 0)], 1800, "Range of the chart"
        ),
        class_name="card-chart",
    )


def _activity() -> html.Section:
    return components.card(
        "Activity",
        components.chips(ids.LIVE_FEED_FILTER, live_view.FEED_FILTERS, "all", "Kind of activity"),
        html.Ul(
            live_view.feed_skeleton(),
            id=ids.LIVE_FEED,
            className="feed",
            tabIndex="0",
            **components.aria(label="Activity"),
        ),
        side=html.Button(
            "Pause",
            id=ids.LIVE_FEED_PAUSE,
            className="button",
            type="button",
            **components.aria(pressed="false"),
        ),
        class_name="card-feed",
    )


def _chatters() -> html.Section:
    return html.Section(
        live_view.top_skeleton("Top chatters"),
        id=ids.LIVE_TOP_CHATTERS,
        className="sl-card",
        **components.aria(label="Top chatters"),
    )


def _emotes() -> html.Section:
    return html.Section(
        live_view.top_skeleton("Top emotes"),
        id=ids.LIVE_TOP_EMOTES,
        className="sl-card",
        **components.aria(label="Top emotes"),
    )
