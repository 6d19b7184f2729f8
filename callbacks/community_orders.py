"""What people order on the Community page: an analysis, its end, and a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, no_update

from callbacks.background import register_background
from dashboard.access import Access
from dashboard.errors import StreamLensError
from dashboard.jobs import orders
from dashboard.services import Services
from dashboard.ui import ids

WATCH_TIMEOUT_S = 7200


def register(app: Dash, services: Services) -> None:
    """Binds the orders, and the watch over an analysis."""
    _register_clientside(app)
    app.callback(
        Output(ids.SHELL_COMMUNITY_WATCH, "data"),
        Output(ids.COMMUNITY_MESSAGE, "children"),
        Input(ids.SHELL_COMMUNITY_ORDER, "data"),
        prevent_initial_call=True,
    )(lambda asked: order(services, asked))
    app.callback(
        Output(ids.COMMUNITY_MESSAGE, "children", allow_duplicate=True),
        Output(ids.COMMUNITY_ASKED, "data", allow_duplicate=True),
        Input(ids.COMMUNITY_RENAME, "data"),
        prevent_initial_call=True,
    )(lambda asked: rename(services, asked))
    register_background(
        app,
        watch_analysis,
        output=Output(ids.SHELL_COMMUNITY_RESULT, "data"),
        inputs=[Input(ids.SHELL_COMMUNITY_WATCH, "data")],
        progress=Output(ids.SHELL_COMMUNITY_PROGRESS, "data"),
        timeout_s=WATCH_TIMEOUT_S,
        fixed={
            "data_dir": str(services.settings.data_dir),
            "database_url": services.settings.database_url.get_secret_value(),
        },
    )


def _register_clientside(app: Dash) -> None:
    looks = [Output(ids.COMMUNITY_STEPS, "className"), Output(ids.COMMUNITY_STEPS_TEXT, "children")]
    # Three of them: what listens to the watch's result is held back until that is there.
    app.clientside_callback(
        ClientsideFunction("community", "watching"),
        *looks,
        Input(ids.SHELL_COMMUNITY_WATCH, "data"),
        prevent_initial_call=True,
    )
    again = [Output(look.component_id, look.component_property, allow_duplicate=True) for look in looks]
    app.clientside_callback(
        ClientsideFunction("community", "progress"),
        *again,
        Input(ids.SHELL_COMMUNITY_PROGRESS, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("community", "ended"),
        *again,
        Output(ids.COMMUNITY_ASKED, "data", allow_duplicate=True),
        Input(ids.SHELL_COMMUNITY_RESULT, "data"),
        Input(ids.SHELL_TOAST, "children"),
        prevent_initial_call=True,
    )


def order(services: Services, asked: dict[str, Any] | None) -> tuple[Any, Any]:
    """Starts or stops an analysis for whoever may.

    Args:
        services: What is asked.
        asked: ``{"run": true}`` or ``{"cancel": run id}``.

    Returns:
        The run to watch (with a nonce), and what the page says.
    """
    if not asked or services.community is None:
        return no_update, no_update
    try:
        if asked.get("run"):
            run_id = services.community.start(services.current_access())
            return {"run_id": run_id, "at": asked.get("at")}, ""
        services.community.cancel(services.current_access(), str(asked.get("cancel") or ""))
    except StreamLensError as error:
        return no_update, str(error)
    return no_update, "It stops at its next step."


def rename(services: Services, asked: dict[str, Any] | None) -> tuple[Any, Any]:
    """Gives a community a name.

    Args:
        services: What is asked.
        asked: Key of the community and its name; an empty one takes the given name back.

    Returns:
        What the page says, and a nonce that makes it look again.
    """
    if not asked or services.community is None:
        return no_update, no_update
    try:
        key, label = str(asked.get("key") or ""), str(asked.get("label") or "")
        return services.community.rename(services.current_access(), key, label), asked.get("at")
    except StreamLensError as error:
        return str(error), no_update


def watch_analysis(
    set_progress: Callable[[Any], None],
    watched: dict[str, Any],
    *,
    user: str,
    access: Access,
    data_dir: str,
    database_url: str,
) -> dict[str, Any]:
    """Follows an analysis, on whatever page the person is.

    Args:
        set_progress: Takes how far it is.
        watched: The run of the job.
        user: Who asked.
        access: What they may do.
        data_dir: The data folder.
        database_url: The state's address.

    Returns:
        How it ended.
    """
    access.require_admin()
    told: dict[str, Any] = {}
    for run in orders.watch(data_dir, database_url, str(watched["run_id"])):
        told = {"run_id": run.run_id, "state": run.state, "text": run.error or run.text}
        set_progress(told | {"done": run.done, "total": run.total})
    return told
