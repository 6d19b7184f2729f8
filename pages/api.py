"""API: what can be asked, and a form to try it, made from the API's own description."""

from __future__ import annotations

from typing import Any

import dash
from dash import html

from dashboard.ui import api_view

dash.register_page(
    __name__,
    path="/api-docs",
    name="API",
    title="API · StreamLens",
    order=96,
    rail_icon="braces",
    rail_group="system",
)


def layout(**_: Any) -> html.Div:
    """The frame of the page; a script fills it from the description."""
    return api_view.page()
