"""Callbacks of the Live page.

The browser asks once a second, never twice at once (``assets/60-live.js``), and says with its
cursor what it shows already; :func:`refresh` answers with what is new.
"""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from callbacks.background import register_background, unexpected
from dashboard.access import Access
from dashboard.errors import AccessDenied, StreamLensError
from dashboard.events import Instant, now_us
from dashboard.insights.live_model import LiveSnapshot
from dashboard.jobs import collection
from dashboard.services import Services
from dashboard.ui import components, ids, live_view, text, updates
from dashboard.ui.figures.live_words import live_summary

log = logging.getLogger(__name__)

RETRY_AFTER_ERROR_MS = 5000
TOP_EVERY_S = 5
ROOMS_EVERY_S = 10
TABLE_EVERY_S = 4
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
        inputs=[Input(ids.SHELL_COLLECT_ORDER, "data")],
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
        ClientsideFunction("live", "order"),
        Output(ids.SHELL_COLLECT_ORDER, "data"),
        Input(ids.LIVE_COLLECT_START, "n_clicks"),
        Input(ids.LIVE_COLLECT_INPUT, "n_submit"),
        State(ids.LIVE_COLLECT_INPUT, "value"),
        prevent_initial_call=True,
    )
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


@dataclass(slots=True)
class Update:
    """One update under way: what is asked, what the browser has, and the answer so far."""

    services: Services
    access: Access
    request: dict[str, Any]
    cursor: dict[str, Any]
    now: Instant
    tz: ZoneInfo
    answer: Answer = field(default_factory=lambda: dict.fromkeys(OUTPUTS, no_update))

    @property
    def room(self) -> str:
        """Login of the channel; empty when none is chosen yet."""
        return str(self.request["room"])[:25].lower()

    def put(self, part: str, key: object, build: Callable[[], Any]) -> None:
        """Answers a part of the page if its data changed."""
        self.answer[part] = updates.only_if_new(self.cursor, part, key, build)

    def is_due(self, part: str, every_s: int) -> bool:
        """Whether a part that may wait a little has waited long enough."""
        before = self.cursor.get(part)
        if isinstance(before, int) and 0 <= self.now - before < every_s * 1_000_000:
            return False
        self.cursor[part] = int(self.now)
        return True


def refresh(services: Services, request: dict[str, Any], cursor: dict[str, Any] | None) -> Answer:
    """What is new since the browser's cursor.

    Args:
        services: What is asked.
        request: Room, range, filter, pause, theme and time zone.
        cursor: What the browser shows.

    Returns:
        A value an output; ``no_update`` where nothing changed.
    """
    asked = {"page": request["page"], "seq": request["seq"]}
    known = cursor if cursor and cursor.get("page") == request["page"] else {}
    now, tz = now_us(), text.zone(request.get("tz"))
    access = services.current_access()
    update = Update(services, access, request, known | asked | {"retry_ms": 0}, now, tz)
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
    log.error("Live update failed [%s]", reference, exc_info=error)
    return unexpected("This update failed. The page tries again.", reference)


def _fill(update: Update) -> None:
    whole = collection.collector_status(update.services.state, now=update.now)
    status = collection.visible_to(update.access, whole)
    _fill_collectors(update, status)
    _fill_rooms(update)
    if not update.room:
        _choose_room(update)
        return
    try:
        update.access.require_room(update.room)
    except AccessDenied as error:
        _fill_denied(update, str(error))
        return
    snapshot = update.services.live.snapshot(update.room, now=update.now)
    _fill_state(update, snapshot, status)
    if snapshot.status == "empty":
        return
    _fill_tiles(update, snapshot)
    _fill_chart(update)
    _fill_feed(update)
    _fill_top(update)


def _choose_room(update: Update) -> None:
    followed = update.access.visible(update.services.state.followed())
    known = followed or update.access.visible(
        room.room_login for room in update.services.live.rooms(now=update.now)
    )
    if known:
        update.answer["location"] = f"/live/{known[0]}"
        return
    update.put("root", "none", lambda: "live is-none")
    update.put("notice", "none", live_view.nothing_collected)


def _fill_denied(update: Update, words: str) -> None:
    update.put("root", "denied", lambda: "live is-none")
    update.put("header", "denied", lambda: live_view.header_skeleton(update.room)[:1])
    update.put("notice", "denied", lambda: live_view.not_yours(words))


def _fill_state(update: Update, snapshot: LiveSnapshot, status: collection.CollectorStatus) -> None:
    room, is_empty = snapshot.room_login, snapshot.status == "empty"
    is_followed = any(channel.room_login == room for channel in status.channels)
    update.put("root", snapshot.status, lambda: f"live is-{snapshot.status}")
    title = (snapshot.status, live_view.about(snapshot, update.tz))
    update.put("header", title, lambda: live_view.header(snapshot, update.tz))
    empty = (is_empty, is_followed)
    update.put("notice", empty, lambda: live_view.nothing_in_room(room, is_followed) if is_empty else [])
    seen = [snapshot.fresh_at, status.reported_at if status.is_joined(room) else None]
    newest = max((at for at in seen if at is not None), default=None)
    update.answer["fresh"] = {
        "age_ms": None if newest is None else max(0, (update.now - newest) // 1000),
        "is_expected": is_followed,
        "status": snapshot.status,
    }


def _fill_tiles(update: Update, snapshot: LiveSnapshot) -> None:
    for metric in ids.TILE_METRICS:
        reading = snapshot.readings.get(metric)
        if reading is None:
            continue
        note = live_view.since(snapshot, update.tz) if metric == "uptime" else ""
        shown = (text.reading_value(reading), text.comparison(reading), reading.spark, note)
        update.put(f"tile_{metric}", shown, functools.partial(components.tile_body, reading, note))
        sample = text.sample(reading)
        update.put(f"sample_{metric}", sample, functools.partial(str, sample))


def _fill_chart(update: Update) -> None:
    chosen = update.request.get("span_s")
    span_s = chosen if chosen in live_view.SPANS_S else None
    series = update.services.live.series(update.room, now=update.now, span_s=span_s)
    update.answer["chart"] = updates.chart_update(
        update.cursor,
        series,
        theme_name="light" if update.request.get("theme") == "light" else "dark",
        tz=update.tz,
        key=f"{update.room}/{span_s}",
    )
    words = live_summary(series, update.tz)
    update.put("summary", words, lambda: words)


def _fill_feed(update: Update) -> None:
    name = str(update.request.get("filter") or "all")
    categories = live_view.FILTER_CATEGORIES.get(name)
    items = update.services.live.feed(
        update.room, now=update.now, limit=updates.FEED_LIMIT, categories=categories
    )
    update.answer["feed"], update.answer["news"] = updates.feed_update(
        update.cursor,
        items,
        key=f"{update.room}/{name}/{update.tz}",
        is_paused=bool(update.request.get("is_paused")),
        tz=update.tz,
        now=update.now,
        empty=live_view.feed_empty(name),
    )


def _fill_top(update: Update) -> None:
    if not update.is_due("top_at", TOP_EVERY_S):
        return
    top = update.services.live.top(update.room, now=update.now)
    who = (top.chatters, top.chatter_count, top.message_count)
    update.put("chatters", who, lambda: live_view.top_chatters(top))
    what = (top.emotes, top.emote_message_count, top.message_count, top.emotes_missing)
    update.put("emotes", what, lambda: live_view.top_emotes(top))


def _fill_rooms(update: Update) -> None:
    if update.is_due("rooms_at", ROOMS_EVERY_S):
        every = update.services.live.rooms(now=update.now)
        rooms = [room for room in every if update.access.may_see(room.room_login)]
        shown = [(r.room_login, r.is_live, r.viewer_count, r.game_name) for r in rooms]
        update.put("options", shown, lambda: live_view.room_options(rooms, update.room))


def _fill_collectors(update: Update, status: collection.CollectorStatus) -> None:
    line = live_view.collect_summary(status)
    update.put("collect_summary", line, lambda: line)
    joined = [(channel.room_login, channel.is_joined) for channel in status.channels]
    state = updates.digest((status.is_running, joined, status.error, status.helix, str(update.tz)))
    # The counts change all the time and the table is long with many channels: they may wait a little.
    if update.cursor.get("collect_state") != state or update.is_due("collect_at", TABLE_EVERY_S):
        update.cursor["collect_state"] = state
        shown = (state, status.channels)
        update.put("collect_table", shown, lambda: live_view.collect_table(status, update.tz))


def collect(
    set_progress: Callable[[Any], None],
    order: dict[str, Any],
    *,
    user: str,
    access: Access,
    data_dir: str,
    database_url: str,
) -> Any:
    """Follows the channels typed in and shows how the collector takes them up (a job of its own)."""
    logins = collection.typed_channels(str(order["typed"]))
    state = collection.open_state(data_dir, database_url)
    progress = None
    for progress in collection.start_collection(state, logins, by=user, access=access):
        set_progress([live_view.collect_progress(progress)])
    set_progress([[]])
    return live_view.collect_result(progress, logins) if progress else no_update


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
        collection.stop_collection(services.state, logins, access=services.current_access())
    except StreamLensError as error:
        return components.notice(str(error), "Nothing was changed.")
    return live_view.stopped(logins)
