"""The API page is drawn in the browser, from the API's own description."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output

from dashboard.ui import ids


def register(app: Dash) -> None:
    """Binds the script to the page."""
    app.clientside_callback(
        ClientsideFunction("api", "start"),
        Output(ids.API_STARTED, "data"),
        Input(ids.API_ROOT, "id"),
    )
