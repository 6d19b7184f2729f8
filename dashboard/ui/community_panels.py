"""What stands below the map: communities, tables, comparison, partners, runs over time, quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import dash_ag_grid as dag
from dash import html

from dashboard.analytics.communities.content import language_name
from dashboard.analytics.communities.model import LabelFact, MapCommunity, MapRun
from dashboard.insights.community_model import (
    Comparison,
    Partner,
    Partners,
    TableColumns,
    TimelinePoint,
)
from dashboard.ui import community_words as words
from dashboard.ui import components, ids
from dashboard.ui.community_view import swatch

Component = Any

_GRID_THEME = {"function": "chattersTheme(themeQuartz, agGrid)"}
"""The one look of all grids."""
_NUMBER = {"type": "rightAligned", "valueFormatter": {"function": "d3.format(',')(params.value)"}}
_SHARE = {
    "type": "rightAligned",
    # What is unknown is no zero.
    "valueFormatter": {
        "function": "params.value == null ? '–' : d3.format('.1f')(params.value * 100) + ' %'"
    },
}
_COLUMNS = {
    "channels": [
        {"field": "name", "headerName": "Channel", "pinned": "left", "minWidth": 150, "filter": True},
        {"field": "community", "headerName": "Community", "minWidth": 190, "filter": True},
        {"field": "chatters", "headerName": "Chatters", **_NUMBER},
        {"field": "stability", "headerName": "Stability", **_SHARE},
        {"field": "torn", "headerName": "Torn to", "filter": True},
        {"field": "degree", "headerName": "Overlaps", **_NUMBER},
        {"field": "inside", "headerName": "Stay inside", **_SHARE},
        {"field": "game", "headerName": "Game", "filter": True},
        {"field": "language", "headerName": "Language", "filter": True},
        {"field": "minutes", "headerName": "Observed min", "type": "rightAligned"},
    ],
    "overlaps": [
        {"field": "first", "headerName": "Channel", "pinned": "left", "minWidth": 150, "filter": True},
        {"field": "second", "headerName": "With", "minWidth": 150, "filter": True},
        {"field": "shared", "headerName": "Shared", **_NUMBER},
        {"field": "jaccard", "headerName": "Jaccard", "type": "rightAligned"},
        {"field": "there", "headerName": "Of the first", **_SHARE},
        {"field": "back", "headerName": "Of the second", **_SHARE},
        {"field": "lift", "headerName": "Lift", "type": "rightAligned"},
        {"field": "drawn", "headerName": "Drawn"},
    ],
}


def blank(sentence: str) -> html.P:
    """Stands where there is nothing to show."""
    return html.P(sentence, className="muted blank")


def communities(run: MapRun, is_admin: bool) -> Component:
    """Every community with what its name rests on."""
    if not run.communities:
        return blank("No communities: no group of channels hangs together above the threshold.")
    ordered = sorted(run.communities, key=lambda community: (-community.size, community.label))
    return html.Ul([_community(one, is_admin) for one in ordered], className="community-cards")


def _community(community: MapCommunity, is_admin: bool) -> html.Li:
    rename = html.Button(
        "Rename",
        className="map-text-button",
        type="button",
        **components.data(communityrename=community.key, name=community.label),
    )
    fate = words.FATES.get(community.fate, community.fate)
    named = f"Named by a person; on its own: {community.own_label}." if community.is_renamed else None
    figures = (
        f"{words.whole(community.size)} channels · {words.whole(community.chatters)} chatters, people in "
        f"several counted in each · coherence {words.percent(community.coherence)} · "
        f"stability {words.percent(community.stability)}"
    )
    return html.Li(
        [
            html.Div(
                [
                    swatch(community),
                    html.H3(community.label),
                    html.Span(fate, className="pill") if fate else None,
                    rename if is_admin else None,
                ],
                className="card-line",
            ),
            html.P(figures, className="muted"),
            html.Ul([html.Li(_evidence(fact)) for fact in community.evidence[:4]], className="evidence"),
            html.P(named, className="muted") if named else None,
        ]
    )


def _evidence(fact: LabelFact) -> str:
    if fact.kind == "largest":
        return f"Largest channel: {fact.value}"
    what = {"game": "stream", "language": "speak", "content": "are", "tag": "are tagged"}.get(
        fact.kind, "have"
    )
    channels = "channel" if fact.n_channels == 1 else "channels"
    mark = ", in the name" if fact.is_in_label else ""
    value = language_name(fact.value) if fact.kind == "language" else fact.value
    return (
        f"{words.percent(fact.share)} {what} {value}, {words.percent(fact.platform_share)} on the whole "
        f"map ({fact.n_channels} {channels}{mark})"
    )


def table(columns: TableColumns, view: str) -> Component:
    """The map as a table, sorted and filtered in the browser, with the files to take away."""
    if not columns.rows:
        return blank("Nothing to list.")
    cut = (
        f" The first {len(columns.rows):,} of {columns.total:,}." if columns.total > len(columns.rows) else ""
    )
    what = "channels" if view == "channels" else "overlaps above the threshold, drawn or not"
    return html.Div(
        [
            html.Div(
                [
                    html.Span(f"{columns.total:,} {what}.{cut}", className="muted"),
                    _files(),
                ],
                className="table-head",
            ),
            dag.AgGrid(
                id=ids.community_grid(view),
                rowData=columns.rows,
                columnDefs=_COLUMNS[view],
                getRowId="params.data.row",
                defaultColDef={"sortable": True, "resizable": True, "flex": 1, "minWidth": 96},
                dashGridOptions={
                    "theme": _GRID_THEME,
                    "animateRows": False,
                    "pagination": True,
                    "paginationPageSize": 50,
                    "suppressCellFocus": False,
                },
                className="community-grid",
            ),
        ]
    )


_FILES = (
    ("Channels, CSV", "graph_nodes.csv"),
    ("Overlaps, CSV", "graph_edges.csv"),
    ("JSON", "analysis_results.json"),
    ("GEXF", "graph.gexf"),
    ("GraphML", "graph.graphml"),
    ("Picture, SVG", "map.svg"),
    ("Picture, PNG", "map.png"),
    ("One page to keep", "map.html"),
)


def _files() -> html.Details:
    """The map as files, as it is cut now."""
    links = [
        html.A(
            label,
            href=f"/community/files/{name}",
            className="export-link",
            **components.data(communityfile=name),
        )
        for label, name in _FILES
    ]
    return html.Details(
        [
            html.Summary([components.icon("download"), html.Span("Export")], className="button"),
            html.Div(links, className="export-list"),
        ],
        className="community-exports",
    )


def comparison(found: Comparison | None) -> Component:
    """Two to four channels: who is in exactly which of them, largest first."""
    if found is None or len(found.channels) < 2:
        picked = ""
        if found is not None and found.channels:
            picked = f"{found.channels[0][1]} is picked. "
        return blank(f"{picked}Choose two to four channels on the map and press Compare in the drawer.")
    chips = [
        html.Button(
            [html.Span(name), html.Small(f" {words.whole(chatters)} "), components.icon("x")],
            className="button",
            type="button",
            **components.data(communityuncompare=channel_id),
            **components.aria(label=f"Take {name} out"),
        )
        for channel_id, name, chatters in found.channels
    ]
    return html.Div([html.Div(chips, className="drawer-buttons"), _upset(found), _pairs(found)])


def _upset(found: Comparison) -> Component:
    if not found.intersections:
        return blank("This run does not keep who was seen where, so only pairs can be told.")
    most = max(part.count for part in found.intersections) or 1
    head = html.Tr([html.Th("Chatters seen in exactly"), *(html.Th(name) for _, name, _ in found.channels)])
    rows = []
    for part in found.intersections:
        dots = [
            html.Td(
                html.I(className="upset-dot is-on" if channel_id in part.channel_ids else "upset-dot"),
                **components.aria(label="yes" if channel_id in part.channel_ids else "no"),
            )
            for channel_id, _, _ in found.channels
        ]
        bar = html.Td(
            [
                html.Progress(value=str(part.count), max=str(most), **components.aria(hidden="true")),
                html.Span(f"{part.count:,}"),
                html.Small(words.percent(part.share, 1), className="muted"),
            ],
            className="upset-bar",
        )
        rows.append(html.Tr([bar, *dots]))
    said = f"{found.n_chatters:,} people were seen in at least one of them; each is counted in one row."
    return html.Div(
        [
            html.Table([html.Thead(head), html.Tbody(rows)], className="upset"),
            html.P(said, className="muted"),
        ],
        className="scroll-x",
    )


def _pairs(found: Comparison) -> Component:
    head = html.Tr(
        [html.Th(name) for name in ("Pair", "Shared", "Jaccard", "Of the first", "Of the second", "Lift")]
    )
    rows = [
        html.Tr(
            [
                html.Td(f"{first} and {second}"),
                html.Td(words.whole(pair.shared)),
                html.Td(words.number(pair.jaccard, 3)),
                html.Td(words.percent(pair.containment, 1)),
                html.Td(words.percent(pair.containment_back, 1)),
                html.Td(words.number(pair.lift, 1)),
            ]
        )
        for first, second, pair in found.pairs
    ]
    note = "A dash: no overlap above the threshold, or a source that can't tell."
    return html.Div(
        [
            html.Table([html.Thead(head), html.Tbody(rows)], className="figures"),
            html.P(note, className="muted"),
        ],
        className="scroll-x",
    )


def partners(found: Partners | None) -> Component:
    """Whom a channel could raid or play with."""
    if found is None:
        return blank("Choose a channel on the map, or find yours by name: here stands who fits it.")
    said = (
        f"For {found.name} ({words.whole(found.chatters)} chatters): channels with more people in common "
        f"than chance gives and of a near size, those live now first. Out of {found.considered:,} overlaps; "
        f"{found.live_known} with channels known to be live."
    )
    if not found.partners:
        return html.Div([html.P(said, className="muted"), blank("Nobody fits: no overlap is above chance.")])
    return html.Div(
        [
            html.P(said, className="muted"),
            html.Ol([_partner(one) for one in found.partners], className="partners"),
            html.P("Who is live is known of the channels that this installation follows.", className="muted"),
        ]
    )


def _partner(one: Partner) -> html.Li:
    size = one.size_ratio
    compared = "about as large" if 0.8 <= size <= 1.25 else (
        f"{size:.1f}× as large" if size > 1 else f"{1 / size:.1f}× smaller"
    )  # fmt: skip
    live = None
    if one.is_live:
        viewers = "" if one.live_viewers is None else f" · {one.live_viewers:,}"
        live = html.Span(f"live{viewers}", className="pill pill-live")
    lift = "" if one.lift != one.lift else f", {one.lift:.1f}× what chance gives"
    return html.Li(
        [
            html.Div(
                [
                    html.Button(
                        one.name,
                        className="map-text-button",
                        type="button",
                        **components.data(communitygo=one.channel_id),
                    ),
                    live,
                ],
                className="card-line",
            ),
            html.P(f"{one.shared:,} in common{lift} · {compared} ({words.whole(one.chatters)} chatters)"),
            html.P(
                " · ".join(dict.fromkeys(part for part in (one.community, one.game) if part)),
                className="muted",
            ),
        ]
    )


def timeline(points: Sequence[TimelinePoint], tz: ZoneInfo, shown: str) -> Component:
    """The runs, the newest first, with what changed in each."""
    if not points:
        return blank("No runs yet.")
    head = [
        html.Th(name)
        for name in (
            "Run",
            "Channels",
            "Communities",
            "Modularity",
            "Stability",
            "Agreement",
            "Against the run before",
        )
    ]
    rows = []
    for point in points:
        statistics = point.statistics
        name = html.Button(
            words.day_and_clock(point.line.created_at, tz),
            className="map-text-button",
            type="button",
            **components.data(communityrunpick=point.line.run_id),
        )
        figures = (
            words.whole(statistics.n_channels),
            str(statistics.n_communities),
            words.number(statistics.modularity),
            words.percent(statistics.stability),
            words.number(statistics.agreement),
        )
        cells = [html.Td(name), *(html.Td(figure) for figure in figures), html.Td(_changes(point))]
        rows.append(html.Tr(cells, className="is-shown" if point.line.run_id == shown else ""))
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(rows)], className="figures timeline")
    return html.Div(table, className="scroll-x")


def _changes(point: TimelinePoint) -> Component:
    if not point.has_previous:
        return html.Span("nothing to compare with", className="muted")
    lines = [f"{point.kept} communities found again, {point.entered} channels new, {point.left} gone"]
    lines += [f"new: {label}" for label in point.births[:4]]
    lines += [f"gone: {label}" for label in point.deaths[:4]]
    lines += [f"split: {old} into {', '.join(parts)}" for old, parts in point.splits[:4]]
    lines += [f"merged: {', '.join(parts)} into {new}" for parts, new in point.merges[:4]]
    moves = point.migrations
    lines += [f"{login} moved from {old or 'none'} to {new or 'none'}" for login, old, new in moves[:5]]
    if len(moves) > 5:
        lines.append(f"{len(moves) - 5} more moved")
    return html.Ul([html.Li(line) for line in lines], className="evidence")
