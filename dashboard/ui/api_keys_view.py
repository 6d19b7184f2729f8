"""The part of the Account page about API keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import dash_bootstrap_components as dbc
from dash import dcc, html

from dashboard.events import Instant
from dashboard.insights.api_keys import KeyInfo
from dashboard.ui import components, ids, text

Component = Any

_LIVES = [("30 days", "30"), ("90 days", "90"), ("1 year", "365"), ("Until revoked", "never")]


def section() -> html.Section:
    """The card with the keys, and the form for a new one; the callback fills the list."""
    return components.card(
        "API keys",
        html.P(
            [
                "A key lets a program read what you see, and nothing else. ",
                dcc.Link("What there is to ask", href="/api-docs"),
                ".",
            ]
        ),
        html.Div(id=ids.ACCOUNT_KEYS_NEW, **components.aria(live="polite")),
        html.Div(html.P(html.Span(className="bone bone-line")), id=ids.ACCOUNT_KEYS_LIST),
        _form(),
        class_name="card-keys",
    )


def key_list(keys: Sequence[KeyInfo], tz: ZoneInfo, now: Instant) -> Component:
    """Somebody's keys.

    Args:
        keys: The newest first.
        tz: The viewer's time zone.
        now: The wall clock.
    """
    if not keys:
        return html.P("You have no key yet.", className="muted")
    return html.Ul([_row(key, tz, now) for key in keys], className="key-list")


def new_key(key: str) -> html.Div:
    """The only look at a key that was just made."""
    return html.Div(
        [
            components.icon("key"),
            html.Div(
                [
                    html.Strong("Copy this key now. It is not shown again."),
                    html.Div(
                        [
                            html.Code(key, id=ids.ACCOUNT_KEYS_TEXT),
                            dcc.Clipboard(target_id=ids.ACCOUNT_KEYS_TEXT, title="Copy", className="button"),
                        ],
                        className="key-text",
                    ),
                ]
            ),
        ],
        className="notice notice-good",
    )


def _form() -> html.Div:
    return html.Div(
        [
            html.Label(
                [
                    html.Span("Name"),
                    dcc.Input(
                        id=ids.ACCOUNT_KEYS_NAME,
                        placeholder="What will use it",
                        maxLength=60,
                        className="field",
                    ),
                ],
                className="key-name",
            ),
            html.Div(
                [
                    html.Span("Works for", className="key-label"),
                    components.segments(ids.ACCOUNT_KEYS_LIFE, _LIVES, "90", "How long the key works"),
                ]
            ),
            dbc.Checkbox(
                id=ids.ACCOUNT_KEYS_EXPORT,
                label="May take large exports",
                value=False,
                class_name="key-export",
            ),
            html.Button(
                "Make a key", id=ids.ACCOUNT_KEYS_CREATE, className="button button-main", type="button"
            ),
        ],
        className="key-form",
    )


def _row(key: KeyInfo, tz: ZoneInfo, now: Instant) -> html.Li:
    used = f"last used {text.day_clock(key.used_at, tz, now=now)}" if key.used_at else "never used"
    ends = f"ends {text.day_clock(key.expires_at, tz, now=now)}" if key.expires_at else "until revoked"
    if key.is_ended:
        ends = "ended"
    return html.Li(
        [
            html.Div([html.Strong(key.name), html.Code(f"sl_{key.prefix}_…")]),
            html.Span("read, export" if key.may_export else "read", className="muted"),
            html.Span(used, className="muted"),
            html.Span(ends, className="muted"),
            dcc.ConfirmDialogProvider(
                html.Button(
                    "Revoke",
                    className="button",
                    type="button",
                    **components.aria(label=f"Revoke the key {key.name}"),
                ),
                id=ids.account_key_revoke(key.prefix),
                message=f"Revoke “{key.name}”? What uses it is refused from now on, for good.",
            ),
        ],
        className="is-ended" if key.is_ended else "",
    )
