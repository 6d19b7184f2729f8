"""The drawer of a channel: what it is, where it belongs, with whom it shares its chatters, how it grew."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboard.insights.community_model import ChannelDetail, Overlap, Past
from dashboard.ui import community_words as words
from dashboard.ui import components, text
from dashboard.ui.community_view import swatch

Component = Any


def drawer(detail: ChannelDetail, tz: ZoneInfo) -> list[Component]:
    """Everything about one channel."""
    live = f"live, {words.whole(detail.live_viewers or 0)} viewers" if detail.is_live else ""
    line = " · ".join(part for part in (detail.game, detail.language, live) if part)
    return [
        html.Div(
            [
                html.H2(detail.name),
                html.Button(
                    components.icon("x-lg"),
                    className="drawer-close",
                    type="button",
                    **components.data(communityclose="1"),
                    **components.aria(label="Close"),
                ),
            ],
            className="drawer-head",
        ),
        html.P(line or "Game and language unknown", className="muted"),
        html.Dl(
            [
                _pair("Chatters", words.whole(detail.chatters)),
                _pair(
                    "Observed",
                    text.span(detail.observed_minutes * 60) if detail.observed_minutes > 0 else "–",
                ),
                _pair("Overlaps", words.whole(detail.overlap_count)),
                _pair("Stay inside", words.percent(detail.inside_share)),
            ],
            className="drawer-facts",
        ),
        _belongs(detail),
        html.Div(
            [
                _button("Only this one", "bullseye", communityego=detail.channel_id),
                _button("Compare", "intersect", communitycompare=detail.channel_id),
                _button("Raid or play with", "people", communitypartners=detail.channel_id),
            ],
            className="drawer-buttons",
        ),
        html.H3("Strongest overlaps"),
        _overlaps(detail),
        html.H3("Over the runs"),
        _growth(detail.growth, tz),
        dcc.Link("Open in Live", href=f"/live/{detail.login}", className="drawer-live"),
    ]


def _pair(name: str, value: str) -> html.Div:
    return html.Div([html.Dt(name), html.Dd(value)])


def _button(label: str, glyph: str, **told: str) -> html.Button:
    return html.Button(
        [components.icon(glyph), html.Span(label)],
        className="button",
        type="button",
        **components.data(**told),
    )


def _belongs(detail: ChannelDetail) -> html.Div:
    if detail.community is None:
        why = "No overlap above the threshold ties it to a community."
        return html.Div([html.B("No community"), html.P(why, className="muted")], className="drawer-belongs")
    sure = f"{words.percent(detail.stability)} of {detail.seeds} runs from different starts put it here."
    torn = None
    if detail.torn is not None:
        torn = html.P(
            [
                "Torn between this and ",
                swatch(detail.torn),
                html.B(f" {detail.torn.label}"),
                f" ({words.percent(detail.torn_share)} of the runs).",
            ],
            className="drawer-torn",
        )
    return html.Div(
        [
            html.Div([swatch(detail.community), html.B(detail.community.label)]),
            html.P(sure, className="muted"),
            torn,
        ],
        className="drawer-belongs",
    )


def _overlaps(detail: ChannelDetail) -> Component:
    if not detail.overlaps:
        return html.P("None above the threshold.", className="muted")
    head = html.Tr(
        [
            html.Th("With"),
            html.Th("Shared", title=words.MEASURE_WORDS["shared"]),
            html.Th("Jaccard", title=words.MEASURE_WORDS["jaccard"]),
            html.Th(
                "There / back", title="Share of this channel's chatters seen there, and the other way round"
            ),
            html.Th("Lift", title=words.MEASURE_WORDS["lift"]),
        ]
    )
    table = html.Table([html.Thead(head), html.Tbody([_overlap(one) for one in detail.overlaps])])
    more = detail.overlap_count - len(detail.overlaps)
    rest = html.P(f"{more:,} more in the table of overlaps.", className="muted") if more > 0 else None
    return html.Div([table, rest], className="drawer-table")


def _overlap(one: Overlap) -> html.Tr:
    name = html.Button(
        one.name,
        className="map-text-button",
        type="button",
        title=one.community,
        **components.data(communitygo=one.channel_id),
    )
    both = f"{words.percent(one.containment)} / {words.percent(one.containment_back)}"
    cells = [words.whole(round(one.shared)), words.number(one.jaccard, 3), both, words.number(one.lift, 1)]
    return html.Tr([html.Td(name), *(html.Td(cell) for cell in cells)])


def _growth(past: Sequence[Past], tz: ZoneInfo) -> Component:
    points = [point for point in past if point.chatters is not None]
    if len(points) < 2:
        return html.P("Seen in one run so far: growth needs a second one.", className="muted")
    first, last = points[0].chatters or 0, points[-1].chatters or 0
    change = (last - first) / first if first else float("nan")
    sign = "+" if change >= 0 else "−"
    said = (
        f"{words.whole(first)} on {words.day(points[0].created_at, tz)}, "
        f"{words.whole(last)} on {words.day(points[-1].created_at, tz)}: {sign}{words.percent(abs(change))}, "
        f"over {len(points)} runs."
    )
    moved = [
        f"{words.day(now.created_at, tz)}: "
        f"from {before.community_label or 'none'} to {now.community_label or 'none'}"
        for before, now in pairwise(past)
        if before.community_label != now.community_label
    ]
    return html.Div(
        [
            components.sparkline([float(point.chatters or 0) for point in points]),
            html.P(said),
            html.P("Runs look at different times: part of it may be that.", className="muted"),
            html.Ul([html.Li(move) for move in moved[-4:]], className="drawer-moves") if moved else None,
        ],
        className="drawer-growth",
    )
