"""Callbacks of the Live page.

The browser asks once a second, never twice at once (``assets/60-live.js``), and says with its
cursor what it shows already; :func:`refresh` answers with what is new.
"""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from callbacks.background import register_background, unexpected
from dashboard.errors import StreamLensError
from dashboard.events import Instant
from dashboard.insights.live_model import LiveSnapshot
from dashboard.jobs import collection
from dashboard.services import Services
from dashboard.ui import components, ids, live_view, text, theme, updates
from dashboard.ui.figures import live as figures

log = logging.getLogger(__name__)

RETRY_AFTER_ERROR_MS = 5000
TOP_EVERY_S = 5
ROOMS_EVERY_S = 10
SAFE = "The page keeps what it shows and tries again. Everything collected so far is safe."

SINGLE_OUTPUTS = {
    "cursor": Output(ids.LIVE_CURSOR, "data"),
    "location": Output(ids.SHELL_LOCATION, "href", allow_duplicate=True),
    "root": Output(ids.LIVE_ROOT, "className"),
    "header": Output(ids.LIVE_HEADER, "children"),
    "fresh": Output(ids.LIVE_FRESH_DATA, "data"),
    "notice": Output(ids.LIVE_NOTICE, "children"),
    "chart": Output(ids.LIVE_CHART, "figure"),
    "summary": Output(ids.LIVE_CHART_SUMMARY, "children"),
    "feed": Output(ids.LIVE_FEED, "children"),
    "news": Output(ids.LIVE_FEED_NEWS, "data"),
    "chatters": Output(ids.LIVE_TOP_CHATTERS, "children"),
    "emotes": Output(ids.LIVE_TOP_EMOTES, "children"),
    "options": Output(ids.LIVE_SWITCHER, "options"),
    "collect_summary": Output(ids.LIVE_COLLECT_SUMMARY, "children"),
    "collect_table": Output(ids.LIVE_COLLECT_TABLE, "children"),
}
TILE_OUTPUTS = {f"tile_{m}": Output(ids.live_tile(m), "children") for m in ids.TILE_METRICS}
SAMPLE_OUTPUTS = {f"sample_{m}": Output(ids.live_tile_sample(m), "children") for m in ids.TILE_METRICS}
OUTPUTS = SINGLE_OUTPUTS | TILE_OUTPUTS | SAMPLE_OUTPUTS

Answer = dict[str, Any]


def register(app: Dash, services: Services) -> None:
    """Binds the page's callbacks."""
    _register_clientside(app)
    app.callback(
        output=OUTPUTS,
        inputs=[Input(ids.LIVE_REQUEST, "data"), State(ids.LIVE_CURSOR, "data")],
        prevent_initial_call=True,
    )(functools.partial(refresh, services))
    app.callback(
        Output(ids.LIVE_COLLECT_RESULT, "children", allow_duplicate=True),
        Input(ids.LIVE_COLLECT_STOP, "data"),
        prevent_initial_call=True,
    )(functools.partial(stop_one, services))
    app.callback(
        Output(ids.LIVE_COLLECT_RESULT, "children", allow_duplicate=True),
        Output(ids.LIVE_COLLECT_PROGRESS, "children", allow_duplicate=True),
        Input(ids.LIVE_COLLECT_CANCEL, "n_clicks"),
        State(ids.LIVE_COLLECT_INPUT, "value"),
        prevent_initial_call=True,
    )(functools.partial(stop_typed, services))
    register_background(
        app,
        collect,
        output=Output(ids.LIVE_COLLECT_RESULT, "children"),
        inputs=[Input(ids.LIVE_COLLECT_START, "n_clicks")],
        state=[State(ids.LIVE_COLLECT_INPUT, "value")],
        progress=Output(ids.LIVE_COLLECT_PROGRESS, "children"),
        running=[
            (Output(ids.LIVE_COLLECT_START, "disabled"), True, False),
            (Output(ids.LIVE_COLLECT_CANCEL, "disabled"), False, True),
        ],
        cancel=[Input(ids.LIVE_COLLECT_CANCEL, "n_clicks")],
        timeout_s=collection.JOIN_TIMEOUT_S + 30,
        fixed={
            "data_dir": str(services.settings.data_dir),
            "database_url": services.settings.database_url.get_secret_value(),
        },
    )


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("live", "gate"),
        Output(ids.LIVE_REQUEST, "data"),
        Input(ids.LIVE_INTERVAL, "n_intervals"),
        Input(ids.LIVE_SPAN, "value"),
        Input(ids.LIVE_FEED_FILTER, "value"),
        Input(ids.LIVE_FEED_PAUSE, "n_clicks"),
        Input(ids.LIVE_ROOM, "data"),
        Input(ids.SHELL_THEME, "data"),
        Input(ids.SHELL_WAKE, "data"),
        State(ids.LIVE_REQUEST, "data"),
        State(ids.LIVE_CURSOR, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("live", "pause"),
        Output(ids.LIVE_FEED_PAUSE, "children"),
        Output(ids.LIVE_FEED_PAUSE, "aria-pressed"),
        Input(ids.LIVE_FEED_PAUSE, "n_clicks"),
        Input(ids.LIVE_FEED_NEWS, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("live", "fresh"),
        Output(ids.LIVE_FRESH, "children"),
        Output(ids.LIVE_FRESH, "className"),
        Output(ids.LIVE_FRESH_STATE, "children"),
        Input(ids.LIVE_INTERVAL, "n_intervals"),
        Input(ids.LIVE_FRESH_DATA, "data"),
        State(ids.LIVE_FRESH_STATE, "children"),
    )
    app.clientside_callback(
        ClientsideFunction("live", "go"),
        Output(ids.SHELL_LOCATION, "href"),
        Input(ids.LIVE_SWITCHER, "value"),
        State(ids.LIVE_ROOM, "data"),
        prevent_initial_call=True,
    )


def refresh(services: Services, request: dict[str, Any], cursor: dict[str, Any] | None) -> Answer:
    """What is new since the browser's cursor.

    Args:
        services: What is asked.
        request: Room, range, filter, pause, theme and time zone.
        cursor: What the browser shows.

    Returns:
        A value an output; ``no_update`` where nothing changed.
    """
    answer: Answer = dict.fromkeys(OUTPUTS, no_update)
    known = cursor if cursor and cursor.get("page") == request["page"] else {}
    fresh = dict(known, page=request["page"], seq=request["seq"], retry_ms=0)
    try:
        _fill(answer, services, request, fresh)
        answer["cursor"] = fresh
    except Exception as error:
        answer = dict.fromkeys(OUTPUTS, no_update)
        answer["notice"] = _failure(error)
        # The old cursor: nothing of this answer reached the page. Its notice has to go again.
        answer["cursor"] = dict(known, page=request["page"], seq=request["seq"]) | {
            "retry_ms": RETRY_AFTER_ERROR_MS,
            "notice": None,
        }
    return answer


def _failure(error: Exception) -> Any:
    if isinstance(error, StreamLensError):
        return components.notice(str(error), SAFE)
    reference = uuid.uuid4().hex[:8]
    log.error("Live update failed [%s]", reference, exc_info=error)
    return unexpected("This update failed. The page tries again.", reference)


def _fill(answer: Answer, services: Services, request: dict[str, Any], cursor: dict[str, Any]) -> None:
    now, room, tz = collection.now_instant(), request["room"], text.zone(request.get("tz"))
    status = collection.collector_status(services.state, now=now)
    _fill_collectors(answer, status, cursor, tz)
    _fill_rooms(answer, services, cursor, room, now)
    if not room:
        _choose_room(answer, services, cursor, now)
        return
    snapshot = services.live.snapshot(room, now=now)
    _fill_state(answer, snapshot, status, cursor, tz, now)
    if snapshot.status == "empty":
        return
    _fill_tiles(answer, snapshot, cursor)
    _fill_chart(answer, services, request, cursor, tz, now)
    _fill_feed(answer, services, request, cursor, tz, now)
    _fill_top(answer, services, cursor, room, now)


def _choose_room(answer: Answer, services: Services, cursor: dict[str, Any], now: Instant) -> None:
    known = services.state.followed() or [room.room_login for room in services.live.rooms(now=now)]
    if known:
        answer["location"] = f"/live/{known[0]}"
        return
    answer["root"] = updates.only_if_new(cursor, "root", "none", lambda: "live is-none")
    answer["notice"] = updates.only_if_new(cursor, "notice", "none", live_view.nothing_collected)


def _fill_state(
    answer: Answer,
    snapshot: LiveSnapshot,
    status: collection.CollectorStatus,
    cursor: dict[str, Any],
    tz: ZoneInfo,
    now: Instant,
) -> None:
    room = snapshot.room_login
    is_followed = any(channel.room_login == room for channel in status.channels)
    answer["root"] = updates.only_if_new(cursor, "root", snapshot.status, lambda: f"live is-{snapshot.status}")
    title = (snapshot.status, snapshot.title, snapshot.game_name, snapshot.language, str(tz))
    answer["header"] = updates.only_if_new(cursor, "header", title, lambda: live_view.header(snapshot, tz))
    is_empty = snapshot.status == "empty"
    answer["notice"] = updates.only_if_new(
        cursor,
        "notice",
        (is_empty, is_followed),
        lambda: live_view.nothing_in_room(room, is_followed) if is_empty else [],
    )
    seen = [snapshot.fresh_at] + ([status.reported_at] if status.is_joined(room) else [])
    newest = max((at for at in seen if at is not None), default=None)
    answer["fresh"] = {
        "age_ms": None if newest is None else max(0, (now - newest) // 1000),
        "is_expected": is_followed,
        "status": snapshot.status,
    }


def _fill_tiles(answer: Answer, snapshot: LiveSnapshot, cursor: dict[str, Any]) -> None:
    for metric, reading in snapshot.readings.items():
        if f"tile_{metric}" not in TILE_OUTPUTS:
            continue
        shown = (text.reading_value(reading), text.comparison(reading), reading.spark)
        build: Callable[[], Any] = functools.partial(components.tile_body, reading)
        answer[f"tile_{metric}"] = updates.only_if_new(cursor, f"tile_{metric}", shown, build)
        sample = text.sample(reading)
        answer[f"sample_{metric}"] = updates.only_if_new(cursor, f"sample_{metric}", sample, lambda s=sample: s)


def _fill_chart(
    answer: Answer, services: Services, request: dict[str, Any], cursor: dict[str, Any], tz: ZoneInfo, now: Instant
) -> None:
    span_s = request.get("span_s") or None
    series = services.live.series(request["room"], now=now, span_s=span_s)
    name: theme.Theme = "light" if request.get("theme") == "light" else "dark"
    answer["chart"] = updates.chart_update(cursor, series, theme_name=name, tz=tz, key=f"{request['room']}/{span_s}")
    words = figures.live_summary(series, tz)
    answer["summary"] = updates.only_if_new(cursor, "summary", words, lambda: words)


def _fill_feed(
    answer: Answer, services: Services, request: dict[str, Any], cursor: dict[str, Any], tz: ZoneInfo, now: Instant
) -> None:
    name = str(request.get("filter") or "all")
    limit = updates.FEED_LIMIT if name == "all" else updates.FEED_LIMIT * 5
    items = live_view.wanted(services.live.feed(request["room"], now=now, limit=limit), name)
    answer["feed"], answer["news"] = updates.feed_update(
        cursor,
        items[: updates.FEED_LIMIT],
        key=f"{request['room']}/{name}/{tz}",
        is_paused=bool(request.get("is_paused")),
        tz=tz,
        now=now,
        empty=live_view.feed_empty(name),
    )


def _fill_top(answer: Answer, services: Services, cursor: dict[str, Any], room: str, now: Instant) -> None:
    if not _is_due(cursor, "top_at", now, TOP_EVERY_S):
        return
    top = services.live.top(room, now=now)
    answer["chatters"] = updates.only_if_new(
        cursor, "chatters", (top.chatters, top.chatter_count, top.message_count), lambda: live_view.top_chatters(top)
    )
    answer["emotes"] = updates.only_if_new(
        cursor, "emotes", (top.emotes, top.emote_message_count, top.message_count), lambda: live_view.top_emotes(top)
    )


def _fill_rooms(answer: Answer, services: Services, cursor: dict[str, Any], room: str, now: Instant) -> None:
    if _is_due(cursor, "rooms_at", now, ROOMS_EVERY_S):
        rooms = services.live.rooms(now=now)
        shown = [(r.room_login, r.is_live, r.viewer_count, r.game_name) for r in rooms]
        answer["options"] = updates.only_if_new(cursor, "options", shown, lambda: live_view.room_options(rooms, room))


def _fill_collectors(
    answer: Answer, status: collection.CollectorStatus, cursor: dict[str, Any], tz: ZoneInfo
) -> None:
    line = live_view.collect_summary(status)
    answer["collect_summary"] = updates.only_if_new(cursor, "collect_summary", line, lambda: line)
    shown = (status.is_running, status.channels, status.error, status.helix, str(tz))
    answer["collect_table"] = updates.only_if_new(
        cursor, "collect_table", shown, lambda: live_view.collect_table(status, tz)
    )


def _is_due(cursor: dict[str, Any], part: str, now: Instant, every_s: int) -> bool:
    before = cursor.get(part)
    if isinstance(before, int) and 0 <= now - before < every_s * 1_000_000:
        return False
    cursor[part] = int(now)
    return True


def collect(
    set_progress: Callable[[Any], None],
    n_clicks: int,
    typed: str | None,
    *,
    user: str,
    data_dir: str,
    database_url: str,
) -> Any:
    """Follows the channels typed in and shows how the collector takes them up (a job of its own)."""
    logins = collection.typed_channels(typed or "")
    state = collection.open_state(data_dir, database_url)
    for progress in collection.start_collection(state, logins, by=user):
        set_progress([live_view.collect_progress(progress)])
    set_progress([[]])
    return live_view.collect_result(progress, logins)


def stop_one(services: Services, pressed: dict[str, Any] | None) -> Any:
    """Stops the collection of the channel whose button was pressed."""
    if not pressed:
        return no_update
    return _stop(services, (str(pressed["login"]),))


def stop_typed(services: Services, n_clicks: int | None, typed: str | None) -> tuple[Any, Any]:
    """Stops the collection that is being started; its job is ended by Dash."""
    if not n_clicks:
        return no_update, no_update
    try:
        return _stop(services, collection.typed_channels(typed or "")), []
    except StreamLensError as error:
        return components.notice(str(error), "Nothing was changed."), []


def _stop(services: Services, logins: tuple[str, ...]) -> Any:
    try:
        collection.stop_collection(services.state, logins)
    except StreamLensError as error:
        return components.notice(str(error), "Nothing was changed.")
    return live_view.stopped(logins)
