"""The frame of the Chatters page: its cards with skeletons in them."""

from __future__ import annotations

from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html

from dashboard.ui import components, ids
from dashboard.ui.chatters_people_view import accounts_card, drawer
from dashboard.ui.chatters_rooms_view import head_skeleton, rooms_skeleton, spoke_sheet
from dashboard.ui.chatters_sessions_view import sessions_card
from dashboard.ui.chatters_verdict_view import cohorts_skeleton, verdict_skeleton
from dashboard.ui.figures import chatters as figures

Component = Any

GRAPH_CONFIG: Final[Any] = {
    "displaylogo": False,
    "displayModeBar": "hover",
    "responsive": True,
    "doubleClick": "autosize",
    "showTips": False,
    # Named one by one: plotly's own set has a button that sends the chart to its makers.
    "modeBarButtons": [["toImage", "autoScale2d"]],
}
STILL_CONFIG: Final[Any] = {"displaylogo": False, "displayModeBar": False, "responsive": True}
GRAINS: Final = (("Day", "day"), ("Week", "week"), ("Month", "month"), ("Year", "year"))
TRAIT_NAMES: Final = (
    ("silent", "Silent"),
    ("spoke", "Spoke"),
    ("first_seen", "First seen now"),
    ("follows", "Follows"),
)
UNITS: Final = (("days", 1), ("weeks", 7))


def frame(room: str) -> list[Component]:
    """The page's parts in the order in which a phone shows them.

    Args:
        room: Login from the address; empty when none is named.

    Returns:
        Header, what goes on, verdict, picture, cohorts, filters, accounts, comparison, sessions, rooms.
    """
    return [
        _head(room),
        html.Div(id=ids.CHATTERS_NOTICE, className="chatters-notice"),
        html.Div(
            [
                html.Section(
                    verdict_skeleton(),
                    id=ids.CHATTERS_VERDICT,
                    className="sl-card chatters-verdict when-data",
                    **components.aria(label="Verdict"),
                ),
                _chart(),
                html.Div(
                    cohorts_skeleton(),
                    id=ids.CHATTERS_COHORTS,
                    className="chatters-cohorts when-data",
                ),
                _filters(),
                accounts_card(),
                _top_days(),
                _curve(),
                _compare(),
                sessions_card(),
                _rooms(),
            ],
            className="chatters-cards",
        ),
        html.Div(
            [
                html.Div(id=ids.CHATTERS_PROGRESS, className="chatters-progress"),
                html.P(
                    id=ids.CHATTERS_MESSAGE, className="chatters-message", **components.aria(live="polite")
                ),
            ],
            className="chatters-float",
        ),
        drawer(),
    ]


def _head(room: str) -> html.Header:
    switcher = dcc.Dropdown(
        id=ids.CHATTERS_SWITCHER,
        options=[{"label": room, "value": room}] if room else [],
        value=room or None,
        clearable=False,
        placeholder="Choose a channel",
        optionHeight=36,
        maxHeight=340,
        className="switcher",
        labels={"search": "Find a channel", "no_options_found": "No channel of that name"},
    )
    scope = dcc.Dropdown(
        id=ids.CHATTERS_SCOPE,
        options=[],
        clearable=False,
        searchable=False,
        placeholder="No capture yet",
        optionHeight=36,
        maxHeight=340,
        className="switcher",
    )
    return html.Header(
        [
            html.Div(head_skeleton(room), id=ids.CHATTERS_HEADER, className="live-title"),
            html.Div(
                [
                    html.Div(switcher, className="chatters-switcher"),
                    html.Div(scope, className="chatters-scope"),
                    html.Div(id=ids.CHATTERS_CAPTURE, className="chatters-capture"),
                    spoke_sheet(),
                ],
                className="chatters-bar",
            ),
        ],
        className="chatters-head",
    )


def _chart() -> html.Section:
    graph = dcc.Graph(
        id=ids.CHATTERS_CHART,
        figure=figures.blank_figure(),
        config=GRAPH_CONFIG,
        className="chart",
        responsive=True,
    )
    zoom_out = html.Button(
        "All dates", className="button zoom-out", type="button", **components.data(chatterszoom="out")
    )
    legend = html.Div(
        [
            html.Span("accounts created", className="key"),
            html.Span("expected", className="key key-expected"),
            html.Span("unusual cohort", className="key key-cohort"),
        ],
        className="legend",
        **components.aria(hidden="true"),
    )
    return components.card(
        "When the accounts were created",
        legend,
        html.Div(graph, className="chart-box", **components.aria(hidden="true")),
        html.P(id=ids.CHATTERS_CHART_SUMMARY, className="visually-hidden"),
        side=html.Div(
            [zoom_out, components.segments(ids.CHATTERS_GRAIN, GRAINS, "month", "One bar is a")],
            className="chart-side",
        ),
        class_name="chatters-chart when-data",
    )


def _filters() -> html.Section:
    traits = dbc.Checklist(
        id=ids.CHATTERS_TRAITS,
        options=trait_options({}, {}),
        value=[],
        class_name="chips",
        input_class_name="choice-input",
        label_class_name="chip",
        label_checked_class_name="is-on",
    )
    number = dcc.Input(
        id=ids.CHATTERS_LAST,
        type="number",
        min=1,
        max=9999,
        step=1,
        placeholder="all",
        debounce=0.4,
        className="field",
        inputMode="numeric",
    )
    last = html.Div(
        [
            html.Label("Created in the last", htmlFor=ids.CHATTERS_LAST),
            number,
            components.segments(ids.CHATTERS_LAST_UNIT, UNITS, 1, "Days or weeks"),
        ],
        className="chatters-last",
    )
    return html.Section(
        [
            html.Div(
                [
                    html.Span("Only who", className="muted"),
                    html.Div(traits, role="group", **components.aria(label="Only these accounts")),
                ],
                className="chatters-traits",
            ),
            last,
            html.P(id=ids.CHATTERS_TRAITS_WHY, className="muted chatters-why"),
        ],
        className="sl-card chatters-filters when-data",
        **components.aria(label="Filters"),
    )


def trait_options(counts: Any, missing: Any) -> list[dict[str, Any]]:
    """The filters of who is looked at, each with its count; one that can't be known is off and says why.

    Args:
        counts: Accounts by trait; None where it can't be known.
        missing: Why not, by trait.

    Returns:
        Options of the checklist.
    """
    options = []
    for trait, name in TRAIT_NAMES:
        count = counts.get(trait)
        label: list[Component] = [name]
        if count is not None:
            label += [" ", html.Small(f"{count:,}")]
        why = str(missing.get(trait) or "")
        options.append(
            {
                "label": html.Span(label, title=why or None),
                "value": trait,
                "disabled": count is None and bool(why),
            }
        )
    return options


def traits_why(missing: Any) -> str:
    """Why some of the filters are off, in one sentence each.

    Args:
        missing: Why a trait can't be known, by trait.
    """
    names = dict(TRAIT_NAMES)
    return " ".join(f"{names[trait]}: {why}" for trait, why in missing.items() if trait in names and why)


def _top_days() -> html.Section:
    bones = [html.Li(html.Span(className="bone bone-line")) for _ in range(5)]
    return components.card(
        "Top creation days",
        html.Ol(bones, id=ids.CHATTERS_TOP_DAYS, className="top-days"),
        class_name="chatters-top when-data",
    )


def _curve() -> html.Section:
    graph = dcc.Graph(
        id=ids.CHATTERS_CURVE,
        figure=figures.blank_figure(),
        config=STILL_CONFIG,
        className="chart",
        responsive=True,
    )
    legend = html.Div(
        [html.Span("this crowd", className="key"), html.Span("usual", className="key key-expected")],
        className="legend",
        **components.aria(hidden="true"),
    )
    return components.card(
        "Age of the accounts",
        legend,
        html.Div(graph, className="chart-box", **components.aria(hidden="true")),
        html.P(id=ids.CHATTERS_CURVE_WORDS, className="muted chatters-words"),
        class_name="chatters-curve when-data",
    )


def _compare() -> html.Section:
    with_what = dcc.Dropdown(
        id=ids.CHATTERS_COMPARE_WITH,
        options=[],
        clearable=True,
        searchable=False,
        placeholder="Another capture of this channel",
        optionHeight=36,
        className="switcher",
    )
    return components.card(
        "Compare with",
        html.Div(
            html.P(
                "Choose a second capture of the same channel and kind to see who came and who left.",
                className="muted",
            ),
            id=ids.CHATTERS_COMPARE,
        ),
        side=html.Div(with_what, className="compare-with"),
        class_name="chatters-compare when-data",
    )


def _rooms() -> html.Section:
    return components.card(
        "Channels",
        html.Ul(rooms_skeleton(), id=ids.CHATTERS_ROOMS, className="chatters-rooms"),
        class_name="chatters-rooms-card",
    )
