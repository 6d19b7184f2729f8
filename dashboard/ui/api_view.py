"""The frame of the API page; ``assets/78-api.js`` fills it from the OpenAPI document."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboard.ui import components, ids

Component = Any

_FACTS: tuple[tuple[str, list[Component]], ...] = (
    (
        "Who may ask",
        [
            "A logged-in browser, or a key from the ",
            dcc.Link("account page", href="/account"),
            " as ",
            html.Code("Authorization: Bearer sl_…"),
            ". Either sees the channels that its owner sees.",
        ],
    ),
    (
        "Dates",
        [
            "Both ends are included. ISO 8601, or a day as 2026-03-05, 05.03.2026, 05/03/2026 (day first) "
            "or 03-05-2026 (month first). A day is the whole day in UTC.",
        ],
    ),
    (
        "Pages and formats",
        [
            "The cursor of an answer continues it. JSON, CSV, NDJSON and Parquet by ",
            html.Code("format"),
            " or ",
            html.Code("Accept"),
            "; above 10,000 rows the last three are streamed.",
        ],
    ),
    (
        "Description",
        [
            "OpenAPI 3.1 at ",
            html.A("/api/v1/openapi.json", href="/api/v1/openapi.json", target="_blank"),
            ". The addresses without ",
            html.Code("v1"),
            " answer the same.",
        ],
    ),
)


def page() -> html.Div:
    """The whole page, with skeletons where the script draws."""
    return html.Div(
        [
            html.Header([html.H1("API")], className="page-head"),
            html.Section(
                [html.Div([html.Strong(name), html.P(words)]) for name, words in _FACTS],
                className="sl-card api-intro api-top",
                **components.aria(label="What holds for all of it"),
            ),
            html.Div(
                [
                    html.Nav(
                        id=ids.API_NAV, className="sl-card api-list", **components.aria(label="Resources")
                    ),
                    html.Div(
                        [
                            html.Div(id=ids.API_PICK, className="api-pick"),
                            # Empty on purpose: what a script draws must not be React's.
                            html.Div(id=ids.API_ONE, className="api-one", **components.aria(live="polite")),
                        ],
                        className="api-side",
                    ),
                ],
                className="api-cols",
            ),
            dcc.Store(id=ids.API_STARTED),
        ],
        id=ids.API_ROOT,
        className="api",
    )
