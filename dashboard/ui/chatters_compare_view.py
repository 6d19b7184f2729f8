"""Two captures compared, as functions from values to components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboard.events import Instant
from dashboard.insights.chatters_model import CaptureLine
from dashboard.insights.chatters_people_model import Comparison
from dashboard.ui import chatters_text, components, text, theme
from dashboard.ui.chatters_rooms_view import capture_words
from dashboard.ui.figures import chatters_compare as figures
from dashboard.ui.figures.chatters import age_curve_figure

Component = Any

STILL: Final[Any] = {"displaylogo": False, "displayModeBar": False, "responsive": True}
SIDES: Final = (("came", "Came"), ("left", "Left"), ("stayed", "Stayed"))


def options(
    captures: Sequence[CaptureLine], shown: CaptureLine | None, now: Instant, tz: ZoneInfo
) -> list[dict[str, str]]:
    """The captures that one can be compared with: the same channel and kind.

    Args:
        captures: Of the channel, newest first.
        shown: The one that is looked at; None when it is several.
        now: The wall clock.
        tz: The viewer's time zone.
    """
    if shown is None:
        return []
    return [
        {"label": capture_words(capture, now, tz), "value": capture.capture_id}
        for capture in captures
        if capture.state == "complete"
        and capture.capture_id != shown.capture_id
        and (capture.source, capture.room_id) == (shown.source, shown.room_id)
    ]


def nothing(is_possible: bool) -> html.P:
    """Says what to choose, or that there is nothing to compare with yet."""
    words = (
        "Choose a second capture of the same channel and kind to see who came and who left."
        if is_possible
        else "There is no second capture of this channel and kind yet. Capture again to see who came."
    )
    return html.P(words, className="muted")


def comparison(found: Comparison, *, theme_name: theme.Theme, now: Instant, tz: ZoneInfo) -> list[Component]:
    """Who came, who left, how their ages differ, and what the viewers did meanwhile.

    Args:
        found: The comparison.
        theme_name: ``dark`` or ``light``.
        now: The wall clock.
        tz: The viewer's time zone.

    Returns:
        Words, three sides, and charts.
    """
    return [
        html.P(found.words, className="compare-words"),
        html.Div([_side(found, key, name) for key, name in SIDES], className="compare-sides"),
        html.P([html.B("Those who came: "), found.came_verdict], className="compare-verdict")
        if found.came_verdict
        else None,
        html.Div(
            [
                _figure(
                    "Creation dates of who came, left and stayed",
                    figures.compared_figure(found.ages, theme_name=theme_name),
                    [
                        ("came", "key-good"),
                        ("left", "key-orange"),
                        ("stayed, as if as many as came", "key-muted"),
                    ],
                ),
                _figure(
                    "Age of who came, against the first capture",
                    age_curve_figure(
                        found.came_curve, theme_name=theme_name, name="who came", against="the first capture"
                    ),
                    [("who came", ""), ("first capture", "key-expected")],
                ),
                _figure(
                    "Viewers meanwhile" if found.viewers else "Viewers meanwhile: not observed",
                    figures.viewers_figure(found, theme_name=theme_name),
                    [("viewers", "key-viewers"), ("captures", ""), ("raids", "key-pink")],
                ),
            ],
            className="compare-charts",
        ),
        html.P(_span(found, now, tz), className="muted"),
        *[html.P(note, className="muted") for note in found.notes],
        _exports(found),
    ]


def _exports(found: Comparison) -> html.P:
    asked = urlencode({"first": found.before.capture_id, "second": found.after.capture_id})
    links = [
        html.A(
            [components.icon("download"), words],
            href=f"/chatters/compare/comparison.{name}?{asked}",
            download="",
            className="button",
        )
        for name, words in (("csv", "Comparison, CSV"), ("json", "Comparison, JSON"))
    ]
    return html.P(links, className="compare-exports")


def _side(found: Comparison, key: str, name: str) -> html.Button:
    count = getattr(found, f"{key}_count")
    unknown = getattr(found, f"{key}_unknown_count")
    median = getattr(found, f"{key}_median_age_days")
    age = f"half younger than {chatters_text.age_words(median)}" if median is not None else "age not known"
    return html.Button(
        [
            html.Span(name, className="muted"),
            html.B(f"{count:,}"),
            html.Small(age + (f"; not known of {unknown:,}" if unknown else ""), className="muted"),
        ],
        className=f"compare-side is-{key}",
        type="button",
        title="List these accounts in the table",
        **components.data(chattersside=key),
    )


def _figure(title: str, figure: Any, keys: Sequence[tuple[str, str]]) -> html.Figure:
    legend = html.Div(
        [html.Span(name, className=f"key {style}".strip()) for name, style in keys], className="legend"
    )
    graph = dcc.Graph(figure=figure, config=STILL, className="chart", responsive=True)
    return html.Figure([html.Figcaption(title), legend, html.Div(graph, className="chart-box")])


def _span(found: Comparison, now: Instant, tz: ZoneInfo) -> str:
    first, second = (text.day_clock(c.at, tz, now=now) for c in (found.before, found.after))
    return (
        f"First: {first}, {found.before.listed_count:,} people. "
        f"Second: {second}, {found.after.listed_count:,} people. Both {found.before.source_words}."
    )
