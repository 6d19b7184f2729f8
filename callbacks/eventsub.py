"""Callbacks of the EventSub page: a look every two seconds, and wishes that the collector carries out."""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks.background import unexpected
from dashboard.errors import AccessDenied, StreamLensError
from dashboard.insights.eventsub import EventSubInsights, Overview
from dashboard.services import Services
from dashboard.ui import components, eventsub_view, ids, updates

log = logging.getLogger(__name__)

SAFE = "The page keeps what it shows and tries again. What was received is safe."
SOON = "The collector does it within seconds."
LATER = "It is done when a collector runs."
OUTPUTS = {
    "notice": Output(ids.EVENTSUB_NOTICE, "children"),
    "transport": Output(ids.EVENTSUB_TRANSPORT, "children"),
    "health": Output(ids.EVENTSUB_HEALTH, "children"),
    "summary": Output(ids.EVENTSUB_SUMMARY, "children"),
    "table": Output(ids.EVENTSUB_TABLE, "children"),
    "missing": Output(ids.EVENTSUB_MISSING, "children"),
    "ended": Output(ids.EVENTSUB_ENDED, "children"),
    "rooms": Output(ids.EVENTSUB_ROOM, "options"),
    "cursor": Output(ids.EVENTSUB_CURSOR, "data"),
}

Answer = dict[str, Any]


def register(app: Dash, services: Services) -> None:
    """Binds the page's callbacks."""
    app.callback(
        output=OUTPUTS,
        inputs=[
            Input(ids.EVENTSUB_INTERVAL, "n_intervals"),
            Input(ids.EVENTSUB_FILTER, "value"),
            Input(ids.EVENTSUB_ROOM, "value"),
            Input(ids.EVENTSUB_MESSAGE, "children"),
            State(ids.EVENTSUB_CURSOR, "data"),
        ],
    )(functools.partial(refresh, services))
    message = Output(ids.EVENTSUB_MESSAGE, "children", allow_duplicate=True)
    app.callback(
        message,
        Input(ids.EVENTSUB_CREATE, "n_clicks"),
        Input(ids.EVENTSUB_LOGIN, "n_submit"),
        State(ids.EVENTSUB_TYPE, "value"),
        State(ids.EVENTSUB_LOGIN, "value"),
        prevent_initial_call=True,
    )(functools.partial(create, services))
    app.callback(
        message,
        Input(ids.EVENTSUB_CREATE_ALL, "n_clicks"),
        Input(ids.EVENTSUB_RETRY, "n_clicks"),
        prevent_initial_call=True,
    )(functools.partial(create_all_or_retry, services))
    app.callback(
        Output(ids.EVENTSUB_CONFIRM, "displayed"),
        Output(ids.EVENTSUB_CONFIRM, "message"),
        Output(ids.EVENTSUB_PENDING, "data"),
        Input({"type": ids.EVENTSUB_DELETE, "key": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )(functools.partial(ask_delete, services))
    app.callback(
        message,
        Input(ids.EVENTSUB_CONFIRM, "submit_n_clicks"),
        State(ids.EVENTSUB_PENDING, "data"),
        prevent_initial_call=True,
    )(functools.partial(delete, services))


def refresh(
    services: Services, _: int, show: str, room: str | None, __: Any, cursor: dict[str, Any] | None
) -> Answer:
    """What has changed on the page since the last look.

    Args:
        services: What is asked.
        show: The chip that is on.
        room: The channel chosen; None for every one.
        cursor: What the page shows already.

    Returns:
        New contents; ``no_update`` for parts that are the same.
    """
    try:
        overview = _insights(services).overview(services.current_access(), show=show, room=str(room or ""))
        return _parts(overview, dict(cursor or {}))
    except AccessDenied as error:
        return _only(notice=components.closed(str(error)), cursor={})
    except StreamLensError as error:
        return _only(notice=components.notice(str(error), SAFE), cursor={})
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("EventSub page failed [%s]", reference)
        return _only(notice=unexpected("EventSub's state could not be read.", reference), cursor={})


def _parts(overview: Overview, cursor: dict[str, Any]) -> Answer:
    built = {
        "notice": eventsub_view.notice(overview),
        "transport": eventsub_view.TRANSPORTS.get(overview.transport or "", ""),
        "health": eventsub_view.health(overview),
        "summary": eventsub_view.summary(overview),
        "table": eventsub_view.table(overview),
        "missing": eventsub_view.missing(overview),
        "ended": eventsub_view.ended(overview),
        "rooms": eventsub_view.room_options(overview.rooms),
    }
    changed, shown = updates.only_changed(cursor, built)
    return _only(**changed, cursor=shown)


def _only(**parts: Any) -> Answer:
    return dict.fromkeys(OUTPUTS, no_update) | parts


def _insights(services: Services) -> EventSubInsights:
    assert services.eventsub is not None
    return services.eventsub


def _when(services: Services) -> str:
    return SOON if _insights(services).is_running() else LATER


def _said(work: Callable[[], str]) -> Any:
    """What came of a wish, in words."""
    try:
        return eventsub_view.asked(work())
    except StreamLensError as error:
        return eventsub_view.refused(str(error))


def create(services: Services, _: int, __: int, eventsub_type: str | None, room: str | None) -> Any:
    """Takes the wish for one type of one channel."""

    def work() -> str:
        access = services.current_access()
        login = _insights(services).create(access, str(eventsub_type or ""), str(room or ""))
        return f"Asked for it for {login}. {_when(services)}"

    return _said(work)


def create_all_or_retry(services: Services, all_clicks: int | None, retry_clicks: int | None) -> Any:
    """Takes the wish for everything, or for another try."""
    if not (all_clicks or retry_clicks):
        return no_update

    def work() -> str:
        access = services.current_access()
        if ctx.triggered_id == ids.EVENTSUB_CREATE_ALL:
            _insights(services).create_all(access)
            return f"Asked for all that are possible. {_when(services)}"
        _insights(services).retry(access)
        return f"Asked to try again what failed. {_when(services)}"

    return _said(work)


def ask_delete(services: Services, clicks: list[int | None]) -> tuple[Any, Any, Any]:
    """Asks whether to delete the one whose button was pressed."""
    pressed = ctx.triggered_id
    if not any(clicks) or not isinstance(pressed, dict) or not ctx.triggered[0]["value"]:
        return no_update, no_update, no_update
    try:
        row = _insights(services).find(services.current_access(), str(pressed["key"]))
    except StreamLensError:
        return no_update, no_update, no_update
    return True, eventsub_view.confirm(row), row.key


def delete(services: Services, clicks: int | None, key: str | None) -> Any:
    """Takes the wish to end a subscription."""
    if not clicks or not key:
        return no_update

    def work() -> str:
        row = _insights(services).delete(services.current_access(), key)
        return f"Asked to delete {row.eventsub_type} of {row.room_login}. {_when(services)}"

    return _said(work)
