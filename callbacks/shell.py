"""The frame's callbacks: all of them run in the browser."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output

from dashboard.ui import ids


def register(app: Dash) -> None:
    """Binds the theme toggle; the keys and the dialog need no callback."""
    app.clientside_callback(
        ClientsideFunction("shell", "theme"),
        Output(ids.SHELL_THEME, "data"),
        Input(ids.SHELL_THEME_TOGGLE, "n_clicks"),
    )
