"""The part of the Account page about what happened."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from dashboard.events import Instant
from dashboard.insights.account import AuditPage
from dashboard.ui import components, ids, text

Component = Any

EVERYBODY, OWN = "all", "own"


def section() -> html.Section:
    """The card with what happened; the callback fills it."""
    return components.card(
        "What happened",
        html.Div(
            components.segments(
                ids.ACCOUNT_AUDIT_WHOSE, [("Everybody", EVERYBODY), ("You", OWN)], EVERYBODY, "Whose"
            ),
            id=ids.ACCOUNT_AUDIT_SWITCH,
            hidden=True,
        ),
        html.Div(html.P(html.Span(className="bone bone-line")), id=ids.ACCOUNT_AUDIT_LIST),
        html.Button("Show older", id=ids.ACCOUNT_AUDIT_OLDER, type="button", className="button", hidden=True),
        class_name="card-audit",
    )


def entries(page: AuditPage, tz: ZoneInfo, now: Instant) -> Component:
    """What happened, newest first.

    Args:
        page: The entries that the person may see.
        tz: The viewer's time zone.
        now: The wall clock.
    """
    if not page.entries:
        return html.P("Nothing in the last 365 days.", className="muted")
    rows = [
        html.Li(
            [
                html.Time(text.day_clock(entry.at, tz, now=now)),
                html.B(entry.action),
                html.Span(" · ".join(part for part in (_who(entry.user_login, page), entry.detail) if part)),
                html.Span(entry.address, className="muted"),
            ]
        )
        for entry in page.entries
    ]
    whose = "Everybody's" if page.is_everybodys else "Your"
    older = "there are older ones" if page.has_older else "that is all of the last 365 days"
    count = "1 entry" if len(rows) == 1 else f"{len(rows):,} entries"
    return html.Div(
        [
            html.Ul(rows, className="audit-list"),
            html.P(f"{whose} log, the newest {count}; {older}.", className="muted"),
        ]
    )


def _who(login: str, page: AuditPage) -> str:
    return login if page.is_everybodys else ""
