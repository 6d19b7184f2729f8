"""Callbacks of the API keys on the Account page: list, make, revoke."""

from __future__ import annotations

import functools
import logging
import uuid
from typing import Any

import flask
from dash import ALL, Dash, Input, Output, State, ctx
from dash.exceptions import PreventUpdate

from callbacks.background import unexpected
from dashboard.errors import StreamLensError
from dashboard.events import now_us
from dashboard.insights.api_keys import create_key, own_keys, revoke_key
from dashboard.services import Services
from dashboard.ui import api_keys_view, components, ids, text

log = logging.getLogger(__name__)

SAFE = "The keys that you have are as they were."


def register(app: Dash, services: Services) -> None:
    """Binds the section's callbacks."""
    app.callback(
        Output(ids.ACCOUNT_KEYS_LIST, "children"),
        Output(ids.ACCOUNT_KEYS_NEW, "children"),
        Output(ids.ACCOUNT_KEYS_NAME, "value"),
        Input(ids.ACCOUNT_REQUEST, "data"),
        Input(ids.ACCOUNT_KEYS_CREATE, "n_clicks"),
        Input(ids.account_key_revoke(ALL), "submit_n_clicks"),
        State(ids.ACCOUNT_KEYS_NAME, "value"),
        State(ids.ACCOUNT_KEYS_LIFE, "value"),
        State(ids.ACCOUNT_KEYS_EXPORT, "value"),
        prevent_initial_call=True,
    )(functools.partial(refresh, services))


def refresh(
    services: Services,
    request: dict[str, Any] | None,
    _created: int | None,
    _revoked: list[int | None],
    name: str | None,
    life: str,
    may_export: bool,
) -> tuple[Any, Any, str | None]:
    """The list as it is after what was pressed.

    Returns:
        The list, what to say above it (the new key, or what failed), and the name field's text.
    """
    if isinstance(ctx.triggered_id, dict) and not ctx.triggered[0]["value"]:
        raise PreventUpdate  # Buttons that were just drawn, and that nobody pressed.
    said, kept_name = None, name
    try:
        if ctx.triggered_id == ids.ACCOUNT_KEYS_CREATE:
            said, kept_name = _create(services, name, life, may_export), ""
        elif isinstance(ctx.triggered_id, dict):
            revoke_key(services.api_keys, services.current_access(), ctx.triggered_id["key"])  # type: ignore[arg-type]
            _note(services, "key revoked", str(ctx.triggered_id["key"]))
    except StreamLensError as error:
        said = components.notice(str(error), SAFE)
    return _listed(services, request), said, kept_name


def _create(services: Services, name: str | None, life: str, may_export: bool) -> Any:
    key = create_key(
        services.api_keys,  # type: ignore[arg-type]
        services.current_access(),
        name=name or "",
        may_export=bool(may_export),
        life=life,
    )
    _note(services, "key created", (name or "").strip())
    return api_keys_view.new_key(key)


def _note(services: Services, action: str, detail: str) -> None:
    if services.account is not None:
        services.account.note(action, services.current_access(), flask.request.remote_addr or "", detail)


def _listed(services: Services, request: dict[str, Any] | None) -> Any:
    tz = text.zone((request or {}).get("tz"))
    try:
        keys = own_keys(services.api_keys, services.current_access())  # type: ignore[arg-type]
        return api_keys_view.key_list(keys, tz, now_us())
    except StreamLensError as error:
        return components.notice(str(error), SAFE)
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("API keys can't be listed [%s]", reference)
        return unexpected("The keys could not be listed.", reference)
