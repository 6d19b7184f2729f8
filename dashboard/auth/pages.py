"""The pages of the login: plain HTML with the dashboard's own style sheets, no scripts of their own."""

from __future__ import annotations

from collections.abc import Sequence

import flask
from markupsafe import Markup

from dashboard.auth.bundle import Auth
from dashboard.auth.current import current_access
from dashboard.auth.headers import first_script
from dashboard.scopes import PURPOSES, SCOPES, granted_purposes
from dashboard.ui import shell


def login_page(auth: Auth, *, next_path: str, chosen: Sequence[str], note: str = "") -> flask.Response:
    """What is asked at Twitch and why, with a choice.

    Args:
        auth: Settings and tokens.
        next_path: Where to go afterwards.
        chosen: Purposes that are ticked already.
        note: Why the person is here, if not by themselves.
    """
    access = current_access()
    token = auth.vault.get(access.user_id) if access.user_id and not access.is_local else None
    granted = granted_purposes(token.scopes) if token and token.is_usable else frozenset[str]()
    return _page(
        auth,
        "login.html",
        200,
        title="Grant more" if token else "Log in with Twitch",
        next=next_path,
        note=note,
        user="" if access.is_local else access.user_display_name,
        is_local=access.is_local,
        purposes=list(PURPOSES.values()),
        scopes={key: [scope for scope in SCOPES if scope.purpose == key] for key in PURPOSES},
        chosen=set(chosen) | granted,
        granted=granted,
        public_count=len(auth.settings.public_channels),
    )


def message_page(
    auth: Auth,
    status: int,
    title: str,
    *lines: str,
    actions: Sequence[tuple[str, str]] = (("/login", "Try again"),),
    user_id: str = "",
) -> flask.Response:
    """Says what happened and what to do.

    Args:
        auth: Settings.
        status: HTTP status.
        title: What happened.
        lines: What to do.
        actions: Addresses and words of the buttons; the first is the main one.
        user_id: Shown for copying.
    """
    return _page(
        auth, "message.html", status, title=title, lines=lines, actions=list(actions), user_id=user_id
    )


def _page(auth: Auth, name: str, status: int, **values: object) -> flask.Response:
    html = flask.render_template(
        f"auth/{name}",
        theme_script=Markup(first_script(shell.INDEX)),
        is_sandbox=auth.settings.is_sandbox,
        **values,
    )
    return flask.make_response(html, status)
