"""Account: who you are here, what you see and why, what Twitch lets StreamLens read."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html

from dashboard.ui import account_view, api_keys_view, audit_view, components, ids

dash.register_page(
    __name__,
    path="/account",
    name="Account",
    title="Account · StreamLens",
    order=95,
    rail_icon="person-circle",
    rail_group="system",
)


def layout(**_: Any) -> html.Div:
    """The page with skeletons in it; the callback fills them."""
    return html.Div(
        [
            dcc.Store(id=ids.ACCOUNT_REQUEST),
            html.Header([html.H1("Account")], className="page-head"),
            html.Div(
                account_view.skeleton(),
                id=ids.ACCOUNT_BODY,
                className="account-cards",
                **components.aria(live="polite"),
            ),
            api_keys_view.section(),
            audit_view.section(),
        ],
        className="account",
    )
