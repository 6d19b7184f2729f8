"""Callbacks of the Storage page: a look every three seconds, and two orders for the worker."""

from __future__ import annotations

import functools
import logging
import uuid
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from callbacks.background import unexpected
from dashboard.errors import AccessDenied, StreamLensError
from dashboard.insights.storage import StorageOverview
from dashboard.services import Services
from dashboard.ui import components, ids, storage_view, text, updates

log = logging.getLogger(__name__)

SAFE = "The page keeps what it shows and tries again. What is stored is safe."
OUTPUTS = {
    "notice": Output(ids.STORAGE_NOTICE, "children"),
    "summary": Output(ids.STORAGE_SUMMARY, "children"),
    "copy": Output(ids.STORAGE_COPY, "children"),
    "kinds": Output(ids.STORAGE_KINDS, "children"),
    "waiting": Output(ids.STORAGE_WAITING, "children"),
    "exports": Output(ids.STORAGE_EXPORTS, "children"),
    "sync_off": Output(ids.STORAGE_SYNC, "disabled"),
    "export_off": Output(ids.STORAGE_EXPORT, "disabled"),
    "sync_said": Output(ids.STORAGE_SYNC_SAID, "children", allow_duplicate=True),
    "export_said": Output(ids.STORAGE_EXPORT_SAID, "children", allow_duplicate=True),
    "cursor": Output(ids.STORAGE_CURSOR, "data"),
}

Answer = dict[str, Any]


def register(app: Dash, services: Services) -> None:
    """Binds the page's callbacks."""
    app.clientside_callback(
        ClientsideFunction("storage", "gate"),
        Output(ids.STORAGE_REQUEST, "data"),
        Input(ids.STORAGE_INTERVAL, "n_intervals"),
        Input(ids.STORAGE_ASKED, "data"),
        Input(ids.SHELL_WAKE, "data"),
        State(ids.STORAGE_REQUEST, "data"),
        State(ids.STORAGE_CURSOR, "data"),
    )
    app.callback(
        output=OUTPUTS,
        inputs=[Input(ids.STORAGE_REQUEST, "data"), State(ids.STORAGE_CURSOR, "data")],
        prevent_initial_call=True,
    )(functools.partial(refresh, services))
    app.callback(
        Output(ids.STORAGE_SYNC_SAID, "children"),
        Output(ids.STORAGE_ASKED, "data", allow_duplicate=True),
        Input(ids.STORAGE_SYNC, "n_clicks"),
        prevent_initial_call=True,
    )(functools.partial(sync_now, services))
    app.callback(
        Output(ids.STORAGE_EXPORT_SAID, "children"),
        Output(ids.STORAGE_ASKED, "data", allow_duplicate=True),
        Input(ids.STORAGE_EXPORT, "n_clicks"),
        State(ids.STORAGE_DAY, "date"),
        prevent_initial_call=True,
    )(functools.partial(export_day, services))


def refresh(services: Services, request: dict[str, Any], cursor: dict[str, Any] | None) -> Answer:
    """What has changed on the page since the last look.

    Args:
        services: What is asked.
        request: Time zone and number of the question.
        cursor: What the page shows already.

    Returns:
        New contents; ``no_update`` for parts that are the same.
    """
    seq = request.get("seq")
    try:
        assert services.storage is not None
        overview = services.storage.overview(services.current_access())
        return _parts(overview, request, cursor or {})
    except AccessDenied as error:
        blank = dict.fromkeys(("copy", "kinds", "waiting", "exports"), None)
        return _only(
            notice=components.closed(str(error)), cursor={"seq": seq}, sync_off=True, export_off=True, **blank
        )
    except StreamLensError as error:
        return _only(notice=components.notice(str(error), SAFE), cursor={"seq": seq})
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("Storage page failed [%s]", reference)
        return _only(notice=unexpected("The storage could not be read.", reference), cursor={"seq": seq})


def _parts(overview: StorageOverview, request: dict[str, Any], cursor: dict[str, Any]) -> Answer:
    tz = text.zone(request.get("tz"))
    parts = {
        "notice": None,
        "summary": storage_view.summary(overview),
        "copy": storage_view.copy(overview.copy, overview.sync, overview.now, tz),
        "kinds": storage_view.kinds(overview.kinds, tz, overview.now),
        "waiting": storage_view.waiting(overview),
        "exports": storage_view.exports(overview),
        "sync_off": overview.copy.state == "off" or overview.sync.is_open,
        "export_off": overview.export.is_open,
    }
    # “Asked for” goes when it is over; what a click was told otherwise stays.
    if not overview.sync.is_open:
        parts["sync_said"] = ""
    if not overview.export.is_open:
        parts["export_said"] = ""
    changed, shown = updates.only_changed(cursor, parts)
    return _only(**changed, cursor=shown | {"seq": request.get("seq")})


def _only(**parts: Any) -> Answer:
    return dict.fromkeys(OUTPUTS, no_update) | parts


def sync_now(services: Services, clicks: int | None) -> tuple[Any, Any]:
    """Asks the worker to sync.

    Args:
        services: What is asked.
        clicks: Of the button.

    Returns:
        What the page says, and a nonce that makes it look at once.
    """
    if not clicks or services.storage is None:
        return no_update, no_update
    try:
        services.storage.order_sync(services.current_access())
    except StreamLensError as error:
        return str(error), no_update
    return "Asked for; the worker takes it in a moment.", uuid.uuid4().hex


def export_day(services: Services, clicks: int | None, day: str | None) -> tuple[Any, Any]:
    """Asks the worker to export a day.

    Args:
        services: What is asked.
        clicks: Of the button.
        day: As the page has it.

    Returns:
        What the page says, and a nonce that makes it look at once.
    """
    if not clicks or services.storage is None:
        return no_update, no_update
    try:
        services.storage.order_export(services.current_access(), day)
    except StreamLensError as error:
        return str(error), no_update
    return f"{str(day)[:10]} is asked for; the worker takes it in a moment.", uuid.uuid4().hex
