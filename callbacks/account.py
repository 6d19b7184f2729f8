"""Callbacks of the Account page: one answer; what changes something is a form."""

from __future__ import annotations

import functools
import logging
import uuid
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output

from callbacks.background import unexpected
from dashboard.auth.current import current_session
from dashboard.errors import StreamLensError
from dashboard.events import now_us
from dashboard.services import Services
from dashboard.ui import account_view, audit_view, components, ids, text

log = logging.getLogger(__name__)

SAFE = "You are still logged in. Load the page again to try once more."


def register(app: Dash, services: Services) -> None:
    """Binds the page's callbacks."""
    app.clientside_callback(
        ClientsideFunction("session", "request"),
        Output(ids.ACCOUNT_REQUEST, "data"),
        Input(ids.ACCOUNT_BODY, "id"),
    )
    app.callback(
        Output(ids.ACCOUNT_BODY, "children"),
        Input(ids.ACCOUNT_REQUEST, "data"),
        prevent_initial_call=True,
    )(functools.partial(fill, services))
    app.callback(
        Output(ids.ACCOUNT_AUDIT_LIST, "children"),
        Output(ids.ACCOUNT_AUDIT_OLDER, "hidden"),
        Output(ids.ACCOUNT_AUDIT_SWITCH, "hidden"),
        Input(ids.ACCOUNT_REQUEST, "data"),
        Input(ids.ACCOUNT_AUDIT_WHOSE, "value"),
        Input(ids.ACCOUNT_AUDIT_OLDER, "n_clicks"),
        prevent_initial_call=True,
    )(functools.partial(fill_audit, services))


def fill(services: Services, request: dict[str, Any]) -> Any:
    """The page's cards for whoever asks.

    Args:
        services: What is asked.
        request: The viewer's time zone.

    Returns:
        Cards, or a notice of what failed.
    """
    tz = text.zone((request or {}).get("tz"))
    try:
        page = services.account.page(services.current_access(), current_session())  # type: ignore[union-attr]
        return account_view.body(page, tz, now_us())
    except StreamLensError as error:
        return components.notice(str(error), SAFE)
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("Account page failed [%s]", reference)
        return unexpected("This page could not be filled.", reference)


def fill_audit(
    services: Services, request: dict[str, Any] | None, whose: str, older_count: int | None
) -> tuple[Any, bool, bool]:
    """What happened, as far as whoever asks may see it.

    Args:
        services: What is asked.
        request: The viewer's time zone.
        whose: Of an admin: everybody's or their own.
        older_count: How many times older entries were asked for.

    Returns:
        The list; whether to hide the button for older ones, and the choice of whose.
    """
    tz = text.zone((request or {}).get("tz"))
    try:
        page = services.account.audit(  # type: ignore[union-attr]
            services.current_access(),
            is_everybodys=whose != audit_view.OWN,
            older_count=older_count if isinstance(older_count, int) else 0,
        )
    except StreamLensError as error:
        return components.notice(str(error), SAFE), True, True
    return audit_view.entries(page, tz, now_us()), not page.has_older, not page.may_choose
