"""Callbacks of the Jobs page: orders, the watch over a run, and a look every two seconds."""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from callbacks.background import register_background, unexpected
from dashboard.access import Access
from dashboard.errors import StreamLensError
from dashboard.insights.jobs import JobsPage
from dashboard.jobs import orders
from dashboard.jobs.registry import job_specs
from dashboard.services import Services
from dashboard.ui import components, ids, jobs_view, text, updates

log = logging.getLogger(__name__)

SAFE = "The page keeps what it shows and tries again. The jobs themselves go on."
WATCH_TIMEOUT_S = 4000
OUTPUTS = {
    "notice": Output(ids.JOBS_NOTICE, "children"),
    "summary": Output(ids.JOBS_SUMMARY, "children"),
    "table": Output(ids.JOBS_TABLE, "children"),
    "reports": Output(ids.JOBS_REPORTS, "children"),
    "history": Output(ids.JOBS_HISTORY, "children"),
    "history_class": Output(ids.JOBS_HISTORY_CARD, "className"),
    "cursor": Output(ids.JOBS_CURSOR, "data"),
}

Answer = dict[str, Any]


def register(app: Dash, services: Services) -> None:
    """Binds the page's callbacks."""
    _register_clientside(app)
    app.callback(
        output=OUTPUTS,
        inputs=[Input(ids.JOBS_REQUEST, "data"), State(ids.JOBS_CURSOR, "data")],
        prevent_initial_call=True,
    )(functools.partial(refresh, services))
    app.callback(
        Output(ids.SHELL_JOBS_WATCH, "data"),
        Output(ids.JOBS_MESSAGE, "children"),
        Input(ids.SHELL_JOBS_ORDER, "data"),
        prevent_initial_call=True,
    )(functools.partial(order, services))
    register_background(
        app,
        watch_run,
        output=Output(ids.SHELL_JOBS_RESULT, "data"),
        inputs=[Input(ids.SHELL_JOBS_WATCH, "data")],
        progress=Output(ids.SHELL_JOBS_PROGRESS, "data"),
        timeout_s=WATCH_TIMEOUT_S,
        fixed={
            "data_dir": str(services.settings.data_dir),
            "database_url": services.settings.database_url.get_secret_value(),
            "titles": {spec.name: spec.title for spec in job_specs(services.settings).values()},
        },
    )


def _register_clientside(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("jobs", "gate"),
        Output(ids.JOBS_REQUEST, "data"),
        Input(ids.JOBS_INTERVAL, "n_intervals"),
        Input(ids.JOBS_FILTER, "value"),
        Input(ids.JOBS_OPENED, "data"),
        # Not the watch's own stores: Dash would hold the look back until the run is over.
        Input(ids.SHELL_WAKE, "data"),
        State(ids.JOBS_REQUEST, "data"),
        State(ids.JOBS_CURSOR, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("jobs", "result"),
        Output(ids.JOBS_MESSAGE, "children", allow_duplicate=True),
        Input(ids.SHELL_JOBS_RESULT, "data"),
        prevent_initial_call=True,
    )


def refresh(services: Services, request: dict[str, Any], cursor: dict[str, Any] | None) -> Answer:
    """What has changed on the page since the last look.

    Args:
        services: What is asked.
        request: What the page wants: filter, opened run, time zone, number of the question.
        cursor: What it shows already.

    Returns:
        New contents; ``no_update`` for parts that are the same.
    """
    seq = request.get("seq")
    try:
        page = _page(services, request)
        return _parts(page, text.zone(request.get("tz")), seq, cursor or {})
    except StreamLensError as error:
        return _only(notice=components.notice(str(error), SAFE), cursor={"seq": seq})
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("Jobs page failed [%s]", reference)
        return _only(notice=unexpected("The jobs could not be read.", reference), cursor={"seq": seq})


def _page(services: Services, request: dict[str, Any]) -> JobsPage:
    assert services.jobs is not None
    return services.jobs.page(
        services.current_access(), str(request.get("filter") or "all"), str(request.get("opened") or "")
    )


def _parts(page: JobsPage, tz: Any, seq: Any, cursor: dict[str, Any]) -> Answer:
    parts = {
        "notice": jobs_view.notice(page.overview),
        "summary": jobs_view.summary(page.overview),
        "table": jobs_view.table(page.overview, page.is_admin, tz),
        "reports": jobs_view.reports(page.reports),
        "history": jobs_view.history(page.runs, page.opened, page.overview.now, tz),
        "history_class": "" if page.is_admin else "is-hidden",
    }
    changed, shown = updates.only_changed(cursor, parts)
    return _only(**changed, cursor=shown | {"seq": seq})


def _only(**parts: Any) -> Answer:
    return dict.fromkeys(OUTPUTS, no_update) | parts


def order(services: Services, asked: dict[str, Any] | None) -> tuple[Any, Any]:
    """Starts or cancels a run for whoever may.

    Args:
        services: What is asked.
        asked: ``{"run": name}`` or ``{"cancel": run id}``.

    Returns:
        The run to watch (with a nonce), and what the page says meanwhile.
    """
    if not asked or services.jobs is None:
        return no_update, no_update
    try:
        if name := asked.get("run"):
            run_id = services.jobs.orders.start(str(name), services.current_access())
            return {"run_id": run_id, "at": asked.get("at")}, ""
        services.jobs.orders.cancel(str(asked.get("cancel")), services.current_access())
    except StreamLensError as error:
        return no_update, str(error)
    return no_update, "It stops at its next step."


def watch_run(
    set_progress: Callable[[Any], None],
    watched: dict[str, Any],
    *,
    user: str,
    access: Access,
    data_dir: str,
    database_url: str,
    titles: dict[str, str],
) -> dict[str, Any]:
    """Follows a run that was started here, on whatever page the person is.

    Args:
        set_progress: Takes how far it is.
        watched: The run.
        user: Who asked.
        access: What they may do.
        data_dir: The data folder.
        database_url: The state's address.
        titles: Of the jobs, by name.

    Returns:
        How it ended.
    """
    access.require_admin()
    told: dict[str, Any] = {}
    for run in orders.watch(data_dir, database_url, str(watched["run_id"])):
        title = titles.get(run.name, run.name)
        told = {"run_id": run.run_id, "title": title, "state": run.state, "text": run.error or run.text}
        set_progress(told | {"done": run.done, "total": run.total})
    return told
