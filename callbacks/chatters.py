"""Callbacks of the Chatters page: one question, and the answer has only what is new.

The browser asks when something was chosen, each second while a capture is under way and rarely
otherwise (``assets/80-chatters.js``). The table, one account and the comparison are asked for on
their own (``callbacks.chatters_people``), so a new picture never sends 50,000 rows again.
"""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Sequence
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from callbacks import chatters_capture, chatters_people, chatters_sessions
from callbacks.background import unexpected
from callbacks.chatters_update import Update
from dashboard.errors import AccessDenied, StreamLensError
from dashboard.events import now_us
from dashboard.insights.chatters_model import CaptureLine, ChattersAnalysis, RoomChoice, SessionLine
from dashboard.services import Services
from dashboard.ui import (
    chatters_compare_view,
    chatters_rooms_view,
    chatters_sessions_view,
    chatters_verdict_view,
    chatters_view,
    components,
    ids,
    text,
)
from dashboard.ui.figures import chatters as figures
from dashboard.ui.figures.chatters_words import histogram_summary

log = logging.getLogger(__name__)

RETRY_AFTER_ERROR_MS = 5000
SAFE = "The page keeps what it shows and tries again. Captures go on, and what is stored is safe."
OUTPUTS = {
    "cursor": Output(ids.CHATTERS_CURSOR, "data"),
    "root": Output(ids.CHATTERS_ROOT, "className"),
    "header": Output(ids.CHATTERS_HEADER, "children"),
    "switcher": Output(ids.CHATTERS_SWITCHER, "options"),
    "chosen": Output(ids.CHATTERS_SWITCHER, "value"),
    "scopes": Output(ids.CHATTERS_SCOPE, "options"),
    # Not the choice itself: the question hangs on it, and Dash holds back what would go round in a circle
    # for as long as any background job runs.
    "scope": Output(ids.CHATTERS_GO, "data"),
    "capture": Output(ids.CHATTERS_CAPTURE, "children"),
    "spoke": Output(ids.CHATTERS_SPOKE, "children"),
    "notice": Output(ids.CHATTERS_NOTICE, "children"),
    "progress": Output(ids.CHATTERS_PROGRESS, "children"),
    "verdict": Output(ids.CHATTERS_VERDICT, "children"),
    "verdict_class": Output(ids.CHATTERS_VERDICT, "className"),
    # Not the charts themselves: Dash asks nothing whose answer goes to one until all of plotly is there.
    "chart": Output(ids.CHATTERS_CHART_FIGURE, "data"),
    "summary": Output(ids.CHATTERS_CHART_SUMMARY, "children"),
    "cohorts": Output(ids.CHATTERS_COHORTS, "children"),
    "traits": Output(ids.CHATTERS_TRAITS, "options"),
    "traits_why": Output(ids.CHATTERS_TRAITS_WHY, "children"),
    "top_days": Output(ids.CHATTERS_TOP_DAYS, "children"),
    "curve": Output(ids.CHATTERS_CURVE_FIGURE, "data"),
    "curve_words": Output(ids.CHATTERS_CURVE_WORDS, "children"),
    "compare_with": Output(ids.CHATTERS_COMPARE_WITH, "options"),
    "sessions": Output(ids.CHATTERS_SESSION, "options"),
    "session": Output(ids.CHATTERS_SESSION_BODY, "children"),
    "rooms": Output(ids.CHATTERS_ROOMS, "children"),
}

Answer = dict[str, Any]


def register(app: Dash, services: Services) -> None:
    """Binds the page's callbacks."""
    _register_clientside(app)
    app.callback(
        output=OUTPUTS,
        inputs=[Input(ids.CHATTERS_REQUEST, "data"), State(ids.CHATTERS_CURSOR, "data")],
        prevent_initial_call=True,
    )(functools.partial(refresh, services))
    chatters_capture.register(app, services)
    chatters_people.register(app, services)
    chatters_sessions.register(app, services)


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("chatters", "gate"),
        Output(ids.CHATTERS_REQUEST, "data"),
        Input(ids.CHATTERS_INTERVAL, "n_intervals"),
        Input(ids.CHATTERS_SCOPE, "value"),
        Input(ids.CHATTERS_GRAIN, "value"),
        Input(ids.CHATTERS_ZOOM, "data"),
        Input(ids.CHATTERS_TRAITS, "value"),
        Input(ids.CHATTERS_LAST, "value"),
        Input(ids.CHATTERS_LAST_UNIT, "value"),
        Input(ids.CHATTERS_MINUTES, "value"),
        Input(ids.CHATTERS_PICK, "data"),
        Input(ids.CHATTERS_SESSION, "value"),
        Input(ids.CHATTERS_ASKED, "data"),
        Input(ids.CHATTERS_ROOM, "data"),
        Input(ids.SHELL_THEME, "data"),
        Input(ids.SHELL_WAKE, "data"),
        State(ids.CHATTERS_REQUEST, "data"),
        State(ids.CHATTERS_CURSOR, "data"),
    )
    for figure, chart in (
        (ids.CHATTERS_CHART_FIGURE, ids.CHATTERS_CHART),
        (ids.CHATTERS_CURVE_FIGURE, ids.CHATTERS_CURVE),
    ):
        app.clientside_callback(
            ClientsideFunction("chatters", "draw"),
            Output(chart, "figure"),
            Input(figure, "data"),
            prevent_initial_call=True,
        )
    app.clientside_callback(
        ClientsideFunction("chatters", "brushed"),
        Output(ids.CHATTERS_ZOOM, "data"),
        Input(ids.CHATTERS_CHART, "relayoutData"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("chatters", "look"),
        Output(ids.CHATTERS_GO, "clear_data"),
        Input(ids.CHATTERS_GO, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("chatters", "go"),
        Output(ids.SHELL_LOCATION, "href", allow_duplicate=True),
        Input(ids.CHATTERS_SWITCHER, "value"),
        State(ids.CHATTERS_ROOM, "data"),
        prevent_initial_call=True,
    )


def refresh(services: Services, request: dict[str, Any], cursor: dict[str, Any] | None) -> Answer:
    """What has changed on the page since its last question.

    Args:
        services: What is asked.
        request: What the page wants to see: capture, bars, filters, theme, time zone.
        cursor: What it shows already.

    Returns:
        New contents; ``no_update`` for parts that are the same.
    """
    asked = {"page": request["page"], "seq": request["seq"]}
    known = cursor if cursor and cursor.get("page") == request["page"] else {}
    update = Update(
        services,
        services.current_access(),
        request,
        known | asked | {"retry_ms": 0},
        now_us(),
        text.zone(request.get("tz")),
        dict.fromkeys(OUTPUTS, no_update),
    )
    try:
        _fill(update)
    except Exception as error:
        # Nothing of this answer reaches the page, so the cursor stays; only the notice has to go again.
        unchanged = known | asked | {"retry_ms": RETRY_AFTER_ERROR_MS, "notice": None}
        return dict.fromkeys(OUTPUTS, no_update) | {"notice": _failure(error), "cursor": unchanged}
    return update.answer | {"cursor": update.cursor}


def _failure(error: Exception) -> Any:
    if isinstance(error, StreamLensError):
        return components.notice(str(error), SAFE)
    reference = uuid.uuid4().hex[:8]
    log.error("Chatters page failed [%s]", reference, exc_info=error)
    return unexpected("This could not be worked out. The page tries again.", reference)


def _fill(update: Update) -> None:
    rooms = update.insights.rooms(update.access)
    try:
        room = update.choose(rooms)
    except AccessDenied as error:
        words = str(error)
        update.put("root", "denied", lambda: "chatters is-none")
        update.put("notice", ("denied", words), lambda: chatters_rooms_view.not_yours(words))
        return
    _fill_rooms(update, rooms, room)
    if room is None:
        update.put("root", "none", lambda: "chatters is-none")
        update.put("notice", "none", chatters_rooms_view.no_rooms)
        return
    captures = update.insights.captures(update.access, room.room_id)
    sessions = update.insights.sessions.all(update.access)
    scope = update.scope(captures, sessions)
    _fill_captures(update, room, rooms, captures, scope)
    update.cursor["room_id"] = room.room_id
    _fill_scope(update, captures, sessions, scope)
    _fill_sessions(update, sessions, update.shown(captures, scope))
    update.put("root", update.root_class(scope), lambda: update.root_class(scope))
    if scope:
        _fill_analysis(update, update.analysis(scope, captures, sessions))


def _fill_rooms(update: Update, rooms: Sequence[RoomChoice], room: RoomChoice | None) -> None:
    login = room.room_login if room else ""
    shown = (rooms, login, update.minutes, update.now // 60_000_000)
    update.put(
        "rooms",
        shown,
        lambda: chatters_rooms_view.rooms(rooms, login, update.minutes, update.now, update.tz),
    )
    listed = [(r.room_login, r.role, r.is_live, r.viewer_count) for r in rooms]
    update.put("switcher", (listed, login), lambda: chatters_rooms_view.room_options(rooms, login))
    update.put("chosen", login, lambda: login or None)
    about = room and (login, room.is_live, room.viewer_count, room.game_name)
    update.put("header", about, lambda: chatters_rooms_view.header(room))
    is_busy = room is not None and room.last_capture is not None and room.last_capture.is_running
    may = room and (room.room_id, room.why_not, room.can_list_connected, is_busy)
    update.put("capture", may, lambda: chatters_rooms_view.capture_button(room))
    heard = room and (room.room_id, room.can_list_spoke, room.why_not_spoke)
    update.put("spoke", heard, lambda: chatters_rooms_view.spoke_button(room))


def _fill_captures(
    update: Update,
    room: RoomChoice,
    rooms: Sequence[RoomChoice],
    captures: Sequence[CaptureLine],
    scope: str,
) -> None:
    running = update.running(rooms, captures)
    update.cursor["is_busy"] = bool(running)
    update.put("progress", running, lambda: [chatters_rooms_view.progress(capture) for capture in running])
    is_empty = not scope
    last = captures[0] if captures and not captures[0].is_running else None
    failed = last if last is not None and last.state in ("failed", "cancelled") else None
    update.put(
        "notice",
        (is_empty, failed, room if is_empty else None, bool(running)),
        lambda: chatters_rooms_view.notices(
            room, failed, update.now, update.tz, is_empty=is_empty, is_busy=bool(running)
        ),
    )


def _fill_scope(
    update: Update, captures: Sequence[CaptureLine], sessions: Sequence[SessionLine], scope: str
) -> None:
    shown = ([(c.capture_id, c.state) for c in captures], sessions, update.today)
    update.put(
        "scopes",
        shown,
        lambda: chatters_rooms_view.scope_options(captures, sessions, update.now, update.tz),
    )
    if scope != update.request.get("scope"):
        update.answer["scope"] = {"scope": scope, "seq": update.request["seq"]}
    capture = update.shown(captures, scope)
    update.cursor["shown"] = capture.capture_id if capture else ""
    others = chatters_compare_view.options(captures, capture, update.now, update.tz)
    update.cursor["can_compare"] = bool(others)
    update.put("compare_with", others, lambda: others)


def _fill_sessions(update: Update, sessions: Sequence[SessionLine], shown: CaptureLine | None) -> None:
    update.put(
        "sessions",
        [(s.session_id, s.name, s.is_saved) for s in sessions],
        lambda: chatters_sessions_view.options(sessions),
    )
    opened = next((s for s in sessions if s.session_id == update.request.get("session")), None)
    asked = str(update.request.get("session") or "")
    unsaved = sum(not s.is_saved for s in sessions)
    update.put(
        "session",
        (opened, asked, shown and shown.capture_id, unsaved, update.now // 60_000_000),
        lambda: chatters_sessions_view.body(
            opened, shown, update.now, update.tz, is_over=bool(asked), unsaved_count=unsaved
        ),
    )


def _fill_analysis(update: Update, analysis: ChattersAnalysis | None) -> None:
    if analysis is None:
        return
    said = (analysis.verdict, analysis.captures, chatters_verdict_view.tested(analysis), update.today)
    update.put(
        "verdict",
        (said, analysis.is_enough, chatters_verdict_view.caveats(analysis)),
        lambda: chatters_verdict_view.verdict(analysis, update.now, update.tz),
    )
    update.put(
        "verdict_class",
        chatters_verdict_view.verdict_class(analysis),
        lambda: chatters_verdict_view.verdict_class(analysis),
    )
    _fill_figures(update, analysis)
    cohort = update.request.get("cohort")
    update.put(
        "cohorts",
        (analysis.cohorts, cohort),
        lambda: chatters_verdict_view.cohorts(analysis.cohorts, cohort),
    )
    counts = (dict(analysis.trait_counts), dict(analysis.trait_missing))
    update.put("traits", counts, lambda: chatters_view.trait_options(*counts))
    update.put("traits_why", counts[1], lambda: chatters_view.traits_why(counts[1]))
    update.put("top_days", analysis.top_days, lambda: chatters_verdict_view.top_days(analysis.top_days))


def _fill_figures(update: Update, analysis: ChattersAnalysis) -> None:
    theme_name, is_narrow = update.theme, bool(update.request.get("is_narrow"))
    picked = update.picked
    update.put(
        "chart",
        (analysis.histogram, analysis.cohorts, theme_name, is_narrow, picked),
        lambda: figures.histogram_figure(
            analysis.histogram, analysis.cohorts, theme_name=theme_name, picked=picked, is_narrow=is_narrow
        ),
    )
    summary = histogram_summary(analysis)
    update.put("summary", summary, lambda: summary)
    update.put(
        "curve",
        (analysis.age_curve, theme_name),
        lambda: figures.age_curve_figure(analysis.age_curve, theme_name=theme_name),
    )
    words = chatters_verdict_view.curve_words(analysis)
    update.put("curve_words", words, lambda: words)
