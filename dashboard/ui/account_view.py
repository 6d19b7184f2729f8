"""The Account page's parts, as functions from values to components."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

from dash import html

from dashboard.events import Instant
from dashboard.insights.account import AccountPage, Grant, SessionInfo
from dashboard.scopes import PURPOSES, SCOPES, USES, Purpose, granted_purposes
from dashboard.ui import components, text

Component = Any

_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def skeleton() -> list[Component]:
    """The page before its data: cards of about the right height."""
    lines = [html.P(html.Span(className="bone bone-line")) for _ in range(3)]
    return [components.card(title, *lines) for title in ("You", "What you see", "Granted at Twitch")]


def body(page: AccountPage, tz: ZoneInfo, now: Instant) -> list[Component]:
    """The whole page.

    Args:
        page: What there is to tell.
        tz: The viewer's time zone.
        now: The wall clock.

    Returns:
        Cards, the most asked-for first.
    """
    parts = [_you(page), _sees(page, tz, now), _grants(page, tz, now)]
    if not page.access.is_local:
        parts.append(_sessions(page, tz, now))
    return parts


def _you(page: AccountPage) -> html.Section:
    access = page.access
    if access.is_local:
        return components.card(
            "No login",
            html.P(
                f"Only this machine reaches StreamLens (HOST={page.host}), so it asks nobody who they are: "
                "whoever opens it here sees and manages everything."
            ),
            html.P(
                [
                    "To let others in, set ",
                    html.Code("HOST=0.0.0.0"),
                    " together with ",
                    html.Code("ALLOWED_USER_IDS"),
                    " and ",
                    html.Code("TWITCH_CLIENT_ID"),
                    ". From then on everybody logs in with Twitch, you too, and each person sees only their "
                    "own channel, those that they moderate and the public ones. Without these settings it "
                    "does not start.",
                ],
                className="muted",
            ),
            class_name="card-you",
        )
    role = "Manages this installation" if access.is_admin else "Sees channels; manages nothing"
    return components.card(
        "You",
        html.Div(
            [
                components.icon("person-circle"),
                html.Div(
                    [
                        html.Strong(access.user_display_name or access.user_login),
                        html.P(f"{access.user_login} · id {access.user_id}", className="muted"),
                        html.P(role, className="muted"),
                    ]
                ),
            ],
            className="account-who",
        ),
        html.Div(
            [
                _post("/logout", "Log out", main=True),
                _post("/logout", "Log out, keep collecting", name="keep", value="1"),
            ],
            className="account-actions",
        ),
        html.P(
            "Logging out of your last browser takes the grant back at Twitch, and what needs it is no longer "
            "collected. “Keep collecting” leaves it in place.",
            className="muted",
        ),
        class_name="card-you",
    )


def _sees(page: AccountPage, tz: ZoneInfo, now: Instant) -> html.Section:
    access = page.access
    if access.rooms is None:
        return components.card("What you see", html.P("Every channel that is collected here."))
    asked = (
        f"by Twitch’s word at {text.day_clock(page.moderated_at, tz, now=now)}, asked every hour"
        if page.moderated_at
        else "not asked yet"
    )
    can_ask = any("user:read:moderated_channels" in grant.scopes for grant in page.grants)
    moderated = _rooms(page.moderated_logins, "You moderate no other channel.")
    if not can_ask:
        moderated = html.Dd(
            ["StreamLens may not read which. ", _more("moderator", "Let it read them", is_small=True)]
        )
    rows = [
        ("Your own channel", "always", _rooms((access.user_login,), "")),
        ("Channels you moderate", asked if can_ask else "", moderated),
        ("Public here", "PUBLIC_CHANNELS", _rooms(page.public_channels, "None.")),
    ]
    return components.card(
        "What you see",
        html.Dl(
            [html.Div([html.Dt([name, html.Small(why)]), rooms]) for name, why, rooms in rows],
            className="account-rooms",
        ),
    )


def _rooms(logins: tuple[str, ...], empty: str) -> html.Dd:
    if not logins:
        return html.Dd(empty, className="muted")
    # Another page of this app; a plain link keeps the view free of callbacks.
    return html.Dd([html.A(login, href=f"/live/{login}", className="chip") for login in logins])


def _grants(page: AccountPage, tz: ZoneInfo, now: Instant) -> html.Section:
    parts: list[Component] = []
    if not page.has_application:
        parts.append(
            html.P(
                [
                    "Logging in needs an application of your own: set ",
                    html.Code("TWITCH_CLIENT_ID"),
                    " and ",
                    html.Code("TWITCH_CLIENT_SECRET"),
                    " (dev.twitch.tv/console/apps).",
                ]
            )
        )
    elif not page.grants:
        why = "Chat and viewer counts need none. Followers, subscribers, chatters and EventSub do."
        parts.append(html.P(f"No account is logged in. {why}"))
    parts += [_grant(grant, page, tz, now) for grant in page.grants]
    if page.has_application:
        missing = _missing(page)
        if missing:
            parts.append(html.Div([_offer(purpose) for purpose in missing], className="account-offers"))
        elif page.access.is_local:
            parts.append(html.Div(_more("", "Log in another account"), className="account-actions"))
    return components.card("Granted at Twitch", *parts, class_name="card-grants")


def _missing(page: AccountPage) -> list[Purpose]:
    working = [grant for grant in page.grants if grant.error is None]
    covered = set().union(*(granted_purposes(grant.scopes) for grant in working)) if working else set()
    return [purpose for key, purpose in PURPOSES.items() if key not in covered]


def _grant(grant: Grant, page: AccountPage, tz: ZoneInfo, now: Instant) -> html.Div:
    seen = text.day_clock(grant.validated_at, tz, now=now) if grant.validated_at else "not yet"
    head = [
        html.Strong(grant.user_display_name),
        html.Span(f"id {grant.user_id} · confirmed by Twitch {seen}", className="muted"),
    ]
    take_back = _post(
        "/auth/revoke",
        "Take back",
        name="user_id",
        value=grant.user_id,
        label=f"Take back the grant of {grant.user_login}",
        question=f"Take back what {grant.user_login} granted? What needs it is no longer collected, "
        "until somebody logs in with it again. What was received stays.",
    )
    parts: list[Component] = [html.Div([html.Div(head), take_back], className="grant-head")]
    if grant.error:
        parts.append(components.notice("This grant does not work any more.", grant.error))
        parts.append(html.Div(_more("", "Log in again"), className="account-actions"))
    parts += [_purpose(purpose, grant) for purpose in PURPOSES.values()]
    others = sorted(grant.scopes - {scope.name for scope in SCOPES})
    if others:
        parts.append(html.P(f"Also granted, not used here: {', '.join(others)}.", className="muted"))
    if not grant.scopes:
        parts.append(html.P("Only who you are: id, login, display name.", className="muted"))
    return html.Div(parts, className="grant-box")


def _purpose(purpose: Purpose, grant: Grant) -> Component:
    mine = [scope for scope in SCOPES if scope.purpose == purpose.key]
    granted = [scope for scope in mine if scope.name in grant.scopes]
    if not granted:
        return None
    count = "all" if len(granted) == len(mine) else f"{len(granted)} of {len(mine)}"
    rows = [html.Div([html.Dt(html.Code(s.name)), html.Dd(USES[s.name])]) for s in granted]
    return html.Details(
        [
            html.Summary(
                [components.icon(purpose.icon), html.Span(purpose.name), html.Small(f"{count} permissions")]
            ),
            html.Dl(rows, className="scope-list"),
        ],
        className="grant-purpose",
    )


def _offer(purpose: Purpose) -> html.Div:
    return html.Div(
        [
            components.icon(purpose.icon),
            html.Div([html.Strong(purpose.name), html.P(purpose.why, className="muted")]),
            _more(purpose.key, "Grant", label=f"Grant: {purpose.name}"),
        ],
        className="account-offer",
    )


def _sessions(page: AccountPage, tz: ZoneInfo, now: Instant) -> html.Section:
    rows = [_session(session, tz, now) for session in page.sessions]
    return components.card(
        "Browsers logged in",
        html.Ul(rows, className="session-list"),
        side=_post("/auth/logout-everywhere", "Log out everywhere"),
        class_name="card-sessions",
    )


def _session(session: SessionInfo, tz: ZoneInfo, now: Instant) -> html.Li:
    when = text.day_clock(session.seen_at, tz, now=now)
    return html.Li(
        [
            html.Span(
                [browser(session.agent), html.Span("this one", className="pill") if session.is_this else None]
            ),
            html.Span(session.address, className="muted"),
            html.Span(f"last seen {when}", className="muted"),
            html.Span(f"ends {text.day_clock(session.expires_at, tz, now=now)}", className="muted"),
        ]
    )


def browser(agent: str) -> str:
    """A browser in two words, from what it calls itself."""
    name = next((words for mark, words in _BROWSERS if mark in agent), "")
    system = next((words for mark, words in _SYSTEMS if mark in agent), "")
    known = " on ".join(part for part in (name, system) if part)
    return known or re.sub(r"[^\w./ -]", "", agent)[:40] or "Unknown browser"


def _more(purpose: str, words: str, *, label: str = "", is_small: bool = False) -> html.A:
    """A link to the login, which is no page of Dash's."""
    query = f"?purpose={purpose}&next=/account" if purpose else "?next=/account&more=1"
    return html.A(
        words,
        href=f"/login{query}",
        className="button" if is_small else "button button-main",
        **components.aria(label=label or words),
    )


def _post(
    address: str,
    words: str,
    *,
    name: str = "",
    value: str = "",
    main: bool = False,
    label: str = "",
    question: str = "",
) -> html.Form:
    """A button that changes something, if need be after a question: a form; a script adds its token."""
    button = html.Button(
        words,
        type="submit",
        name=name or None,
        value=value or None,
        className="button button-main" if main else "button",
        **components.aria(label=label or words),
    )
    asked = components.data(confirm=question) if question else {}
    return html.Form(button, action=address, method="post", className="post-form", **asked)
