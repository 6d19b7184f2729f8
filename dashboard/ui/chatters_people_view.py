"""The table of accounts and the drawer with one of them, as functions from values to components."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import dash_ag_grid
import dash_bootstrap_components as dbc
from dash import dcc, html

from dashboard.events import Instant
from dashboard.insights.chatters_model import Selection
from dashboard.insights.chatters_people_model import (
    MANY_RENAMES,
    AccountDetail,
    MessageDay,
    Rename,
    Sighting,
)
from dashboard.ui import chatters_text, components, ids, text

Component = Any

GRID_SCRIPT: Final = "/_dash-component-suites/dash_ag_grid/dash_ag_grid.min.js"
# More than a megabyte that only this table needs: no page loads it by itself, a script does once the
# table is nearly in sight.
for _part in dash_ag_grid._js_dist:
    if "async" not in _part:
        _part["dynamic"] = True

EXPORTS: Final = (
    ("accounts.csv", "Accounts, CSV"),
    ("accounts.json", "Accounts, JSON"),
    ("aggregates.csv", "Aggregates, CSV"),
    ("aggregates.json", "Aggregates, JSON"),
    ("evidence.html", "Evidence bundle"),
)
SIDE_EXPORTS: Final = (
    ("accounts.csv", "These accounts, CSV"),
    ("accounts.json", "These accounts, JSON"),
    ("comparison.csv", "Comparison, CSV"),
    ("comparison.json", "Comparison, JSON"),
)
TEXT: Final = {"filter": "agTextColumnFilter", "minWidth": 124, "flex": 1}
# The search is for names: dates and numbers as text would only make it slow.
UNSEARCHED: Final = {"getQuickFilterText": {"function": "chattersNothing()"}}
NUMBER: Final = {"filter": "agNumberColumnFilter", "type": "rightAligned", **UNSEARCHED}
DATE: Final = {
    "filter": "agDateColumnFilter",
    "valueFormatter": {"function": "chattersMoment(params)"},
    **UNSEARCHED,
}
SIGHTING_ICONS: Final = {
    "capture": "camera",
    "join": "box-arrow-in-right",
    "part": "box-arrow-right",
    "follow": "heart",
    "message": "chat-dots",
    "suspicious": "flag",
    "rename": "pencil",
}


def columns() -> list[dict[str, Any]]:
    """The table's columns; on a phone a script leaves login, creation date and messages."""

    def date_of(field: str) -> dict[str, Any]:
        return {"colId": field, "valueGetter": {"function": f"chattersDate(params, '{field}')"}, **DATE}

    return [
        {"field": "user_login", "headerName": "Login", **TEXT, "cellClass": "cell-login"},
        {"field": "user_display_name", "headerName": "Display name", **TEXT},
        {"headerName": "Created", "width": 128, "sort": "desc", **date_of("created_s")},
        {
            "field": "age_days",
            "headerName": "Age",
            "width": 100,
            "valueFormatter": {"function": "chattersAge(params)"},
            **NUMBER,
        },
        {
            "field": "message_count",
            "headerName": "Messages",
            "headerTooltip": "In the stretch of chat named under “What this can and can't say”",
            "width": 112,
            **NUMBER,
        },
        {"field": "evidence", "headerName": "Evidence", **TEXT, "minWidth": 190, "tooltipField": "evidence"},
        {
            "field": "rename_count",
            "headerName": "Renames",
            "width": 108,
            "cellClassRules": {"cell-marked": f"params.value >= {MANY_RENAMES}"},
            **NUMBER,
        },
        {
            "field": "seen_count",
            "headerName": "Times seen",
            "headerTooltip": "In so many captures of this kind that are kept",
            "width": 118,
            **NUMBER,
        },
        {"headerName": "First seen", "width": 138, **date_of("first_seen_s")},
        {"headerName": "Last seen", "width": 138, **date_of("last_seen_s")},
        {"field": "user_id", "headerName": "Id", "width": 122, "filter": "agTextColumnFilter"},
    ]


def grid() -> Component:
    """The table without its rows: a script gives it those, so that they are never sent twice."""
    return dash_ag_grid.AgGrid(
        id=ids.CHATTERS_GRID,
        columnDefs=columns(),
        rowData=[],
        defaultColDef={"sortable": True, "resizable": True, "filter": True, "suppressMovable": True},
        dashGridOptions={
            "theme": {"function": "chattersTheme(themeQuartz, agGrid)"},
            "rowSelection": {"mode": "multiRow", "headerCheckbox": True, "selectAll": "filtered"},
            "selectionColumnDef": {"width": 44, "pinned": None},
            "animateRows": False,
            "cacheQuickFilter": True,
            "rowHeight": 36,
            "headerHeight": 36,
            "suppressCellFocus": False,
            "tooltipShowDelay": 400,
            "localeText": {"noRowsToShow": "No account here. Take a filter away to see more."},
        },
        className="chatters-table",
    )


def accounts_card() -> html.Section:
    """The table's card; the table comes once it is in sight."""
    search = dcc.Input(
        id=ids.CHATTERS_SEARCH,
        type="search",
        placeholder="Search these accounts",
        className="field",
        spellCheck=False,
        autoComplete="off",
        debounce=0.2,
    )
    tools = html.Div(
        [
            html.Label("Search these accounts", htmlFor=ids.CHATTERS_SEARCH, className="visually-hidden"),
            search,
            html.Button(
                "Copy logins",
                className="button",
                type="button",
                disabled=True,
                title="Tick rows first",
                **components.data(chatterscopy="user_login"),
            ),
            html.Details(
                [
                    html.Summary("Export", className="button"),
                    html.Div(id=ids.CHATTERS_EXPORTS, className="export-sheet"),
                ],
                className="exports",
            ),
        ],
        className="table-tools",
    )
    return components.card(
        "Accounts",
        tools,
        html.Div(
            table_skeleton(),
            id=ids.CHATTERS_TABLE_BOX,
            className="table-box",
            role="group",
            **components.aria(label="Table of accounts"),
            **components.data(script=GRID_SCRIPT),
        ),
        side=html.Span(id=ids.CHATTERS_TABLE_WORDS, className="muted table-words"),
        class_name="chatters-accounts when-data",
    )


def table_skeleton() -> list[Component]:
    """Rows of the table's height before it is there."""
    return [html.Div(html.Span(className="bone bone-line"), className="table-bone") for _ in range(8)]


def table_words(words: str, selection: Selection, is_picked: bool) -> list[Component]:
    """What the table holds, and the way back to everybody.

    Args:
        words: From the insight.
        selection: Of the table; says from which days it is.
        is_picked: Whether a bar, a cohort or a side was picked.
    """
    if selection.start_day is not None and selection.end_day is not None:
        words = f"{words}, created {chatters_text.days_words(selection.start_day, selection.end_day)}"
    back = html.Button("Show all", className="button", type="button", **components.data(chatterspick="all"))
    return [html.Span(words), back] if is_picked else [html.Span(words)]


def exports(selection: Selection) -> list[Component]:
    """Links that download what is selected.

    Args:
        selection: Of the table.
    """
    asked = quote(json.dumps(selection.to_payload(), separators=(",", ":")))
    return [_link(f"/chatters/export/{name}?ask={asked}", words) for name, words in EXPORTS]


def side_exports(shown: str, other: str, side: str) -> list[Component]:
    """Links that download one side of a comparison, and the comparison itself.

    Args:
        shown: One capture.
        other: The other one.
        side: ``came``, ``left`` or ``stayed``.
    """
    asked = urlencode({"first": shown, "second": other, "side": side})
    return [_link(f"/chatters/compare/{name}?{asked}", words) for name, words in SIDE_EXPORTS]


def _link(href: str, words: str) -> html.A:
    return html.A([components.icon("download"), words], href=href, download="", className="export-link")


def drawer() -> dbc.Offcanvas:
    """The frame of the drawer with one account."""
    return dbc.Offcanvas(
        html.Div(drawer_skeleton(), id=ids.CHATTERS_DRAWER_BODY, className="account-detail"),
        id=ids.CHATTERS_DRAWER,
        title="Account",
        placement="end",
        is_open=False,
        scrollable=True,
        class_name="chatters-drawer",
    )


def drawer_skeleton() -> list[Component]:
    """The drawer before its account is there."""
    return [html.P(html.Span(className="bone bone-line")) for _ in range(6)]


def detail(account: AccountDetail, now: Instant, tz: ZoneInfo) -> list[Component]:
    """One account: who, how old, its names over time, and where it was met.

    Args:
        account: What is known.
        now: The wall clock.
        tz: The viewer's time zone.

    Returns:
        Children of the drawer.
    """
    return [
        html.Div(
            [
                html.H3(account.user_display_name or account.user_login),
                html.Span("service", className="pill") if account.is_service else None,
                html.Span("many renames", className="pill pill-warn") if account.is_often_renamed else None,
            ],
            className="detail-head",
        ),
        html.Dl(_facts(account, now, tz), className="detail-facts"),
        *[html.P(note, className="muted") for note in account.notes],
        html.H4("Names"),
        _names(account, now, tz),
        html.H4("Timeline"),
        _messages(account.message_days),
        _timeline(account, now, tz),
    ]


def _facts(account: AccountDetail, now: Instant, tz: ZoneInfo) -> list[html.Div]:
    created = "not known yet"
    if account.created_at is not None:
        moment = text.local(account.created_at, ZoneInfo("UTC"))
        created = f"{moment.day} {moment:%b %Y, %H:%M} UTC ({chatters_text.age_words(account.age_days)} old)"
    messages = f"{account.message_count:,}"
    if account.last_message_at is not None:
        messages += f", the last {text.day_clock(account.last_message_at, tz, now=now)}"
    rows = [
        ("Login", account.user_login),
        ("Id", account.user_id),
        ("Created", created),
        ("Messages", messages),
        ("In captures", f"{account.capture_count:,}"),
        ("Met in", ", ".join(account.rooms) or "–"),
    ]
    if account.cohort is not None:
        rows.append(("Cohort", account.cohort.words))
    return [html.Div([html.Dt(name), html.Dd(value)]) for name, value in rows]


def _names(account: AccountDetail, now: Instant, tz: ZoneInfo) -> Component:
    if not account.renames:
        return html.P("No change of name was noticed.", className="muted")
    items = [_rename(rename, now, tz) for rename in reversed(account.renames)]
    return html.Ol(items, className="detail-names")


def _rename(rename: Rename, now: Instant, tz: ZoneInfo) -> html.Li:
    when = text.day_clock(rename.at, tz, now=now)
    changes = []
    if rename.old_login != rename.new_login:
        changes.append(f"{rename.old_login or '?'} → {rename.new_login or '?'}")
    if rename.old_display_name != rename.new_display_name:
        changes.append(f"shown as {rename.old_display_name or '?'} → {rename.new_display_name or '?'}")
    return html.Li([html.Span(", ".join(changes)), html.Time(f"noticed {when}", className="muted")])


def _messages(days: tuple[MessageDay, ...]) -> Component:
    """Messages a day as a sparkline with its words."""
    if len(days) < 2:
        return None
    total: dict[int, int] = {}
    for day in days:
        total[day.day] = total.get(day.day, 0) + day.message_count
    first, last = min(total), max(total)
    points = [float(total.get(day, 0)) for day in range(first, last + 1)]
    words = f"Messages a day, {chatters_text.days_words(first, last)}"
    return html.Div([components.sparkline(points), html.Small(words, className="muted")])


def _timeline(account: AccountDetail, now: Instant, tz: ZoneInfo) -> Component:
    if not account.timeline:
        return html.P("Nothing is known of it beside the list.", className="muted")
    rows = groupby(account.timeline, key=lambda s: (s.words, s.room_login) if s.category == "capture" else s)
    items = [_sighting(list(sightings), now, tz) for _, sightings in rows]
    if account.is_timeline_cut:
        items.append(html.Li("Earlier ones are not shown.", className="muted"))
    return html.Ol(items, className="detail-timeline")


def _sighting(sightings: Sequence[Sighting], now: Instant, tz: ZoneInfo) -> html.Li:
    """One row; list after list that the account was in, with nothing between, is one row too."""
    newest, oldest = sightings[0], sightings[-1]
    words, when = newest.words, text.day_clock(newest.at, tz, now=now)
    if len(sightings) > 1:
        words = f"{words}, {len(sightings):,} lists in a row"
        when = f"{text.day_clock(oldest.at, tz, now=now)} – {when}"
    return html.Li(
        [
            components.icon(SIGHTING_ICONS.get(newest.category, "dot")),
            html.Span([words, html.Small(newest.room_login, className="muted")]),
            html.Time(when, className="muted"),
        ],
        className=f"is-{newest.category}",
    )
