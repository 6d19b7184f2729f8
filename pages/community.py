"""Community: which channels share their chatters, and which belong together, as a map."""

from __future__ import annotations

from typing import Any

import dash
from dash import dcc, html

from dashboard.ui import community_view, components, ids

dash.register_page(
    __name__,
    path="/community",
    name="Community",
    title="Community · StreamLens",
    order=50,
    rail_icon="share",
)


def layout(**address: Any) -> html.Div:
    """The page with an empty map in it; the callbacks fill it.

    Args:
        address: What a permalink says: run, settings, camera, chosen channel, hidden communities.

    Returns:
        The page.
    """
    panel = str(address.get("panel") or "communities")
    return html.Div(
        [
            dcc.Store(id=ids.COMMUNITY_ADDRESS, data={key: str(value) for key, value in address.items()}),
            dcc.Store(id=ids.COMMUNITY_REQUEST),
            dcc.Store(id=ids.COMMUNITY_ASKED),
            dcc.Store(id=ids.COMMUNITY_CURSOR),
            dcc.Store(id=ids.COMMUNITY_DATA),
            dcc.Store(id=ids.COMMUNITY_SELECTED),
            dcc.Store(id=ids.COMMUNITY_LINKS),
            dcc.Store(id=ids.COMMUNITY_COMPARED, data=[]),
            dcc.Store(id=ids.COMMUNITY_PANEL_WANTED),
            dcc.Store(id=ids.COMMUNITY_RENAME),
            community_view.header(),
            html.P(id=ids.COMMUNITY_STATEMENT, className="community-statement"),
            html.P(id=ids.COMMUNITY_MESSAGE, className="community-message", role="status"),
            html.Div(id=ids.COMMUNITY_NOTICE),
            community_view.steps(),
            html.Div(id=ids.COMMUNITY_EMPTY),
            html.Div(
                [
                    html.Div(id=ids.COMMUNITY_MAP, className="community-map"),
                    community_view.controls(),
                    html.Aside(
                        id=ids.COMMUNITY_DRAWER,
                        className="community-drawer",
                        **components.aria(label="Channel"),
                    ),
                ],
                className="community-stage when-map",
            ),
            html.Div(
                [
                    components.segments(
                        ids.COMMUNITY_PANEL,
                        community_view.PANELS,
                        panel if panel in {key for _, key in community_view.PANELS} else "communities",
                        "What is shown below the map",
                    ),
                    html.Div(id=ids.COMMUNITY_PANEL_BODY, className="community-panel"),
                ],
                className="community-below when-map",
            ),
            community_view.rename_dialog(),
        ],
        id=ids.COMMUNITY_ROOT,
        className="community is-loading",
    )
