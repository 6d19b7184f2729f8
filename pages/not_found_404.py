"""What stands where no page is."""

from __future__ import annotations

import dash
from dash import dcc, html

from dashboard.ui import components

dash.register_page(__name__, name="Not found", title="Not found · StreamLens")


def layout(**_: object) -> html.Div:
    """Says that the address leads nowhere, with a way back."""
    return components.empty_state(
        "There is no such page",
        html.P(dcc.Link("Go to Live", href="/live")),
        glyph="signpost",
    )
