"""The gate before every request: who asks, whether they may, and from where the request came."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import flask

from dashboard.access import LOCAL, NOBODY, Access
from dashboard.auth.bundle import Auth
from dashboard.auth.cookies import SAFE_METHODS, SESSION_COOKIE, drop_session_cookie
from dashboard.auth.current import access_of, current_session, is_known, set_current
from dashboard.auth.headers import set_headers
from dashboard.auth.paths import is_open, is_static
from dashboard.errors import StreamLensError
from dashboard.eventsub_types import CALLBACK_PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.typing import ResponseReturnValue

log = logging.getLogger(__name__)

_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "CF-Connecting-IP")


def install_gate(server: Flask, auth: Auth, policy: Callable[[], str]) -> None:
    """Puts the gate before every route of a server, and the headers on every answer.

    Args:
        server: Gets them.
        auth: Sessions and settings.
        policy: Gives the Content-Security-Policy; asked when the first page is.
    """

    @server.before_request
    def gate() -> ResponseReturnValue | None:
        if is_static(flask.request.path):
            return None
        try:
            access, session_id = _who(auth)
        except StreamLensError as error:
            log.warning("sessions can't be read: %s", error)
            return flask.jsonify({"error": "unavailable", "message": str(error)}), 503
        set_current(access, session_id)
        if access.is_local and _is_through_a_proxy():
            return _refused(
                "This installation has no login, so it answers nobody through a proxy. Set LOGIN=required."
            )
        if _needs_csrf() and not auth.csrf.is_good(session_id):
            return _refused(
                "This request did not come from a page of this server, or the page is too old. "
                "Load it again.",
                error="csrf",
            )
        if access == NOBODY and not is_open(flask.request.path):
            return _to_login()
        return None

    @server.after_request
    def dress(response: flask.Response) -> flask.Response:
        if flask.request.path == CALLBACK_PATH:  # No browser reads it, a thousand times a second.
            return response
        set_headers(response, policy(), auth.settings)
        if is_static(flask.request.path):
            return response
        response.headers.setdefault("Cache-Control", "no-store")
        # Another check may have answered first: then nothing is known about the session.
        if is_known() and not flask.request.path.startswith(("/api/", "/eventsub/", "/healthz")):
            session_id = current_session()
            auth.csrf.set_cookie(response, session_id, auth.settings)
            if flask.request.cookies.get(SESSION_COOKIE) and not session_id:
                drop_session_cookie(response, auth.settings)
        return response


def _who(auth: Auth) -> tuple[Access, str]:
    if not auth.settings.needs_login:
        return LOCAL, ""
    session_id = flask.request.cookies.get(SESSION_COOKIE, "")
    if not session_id or flask.request.path in ("/eventsub/callback", "/healthz"):
        return NOBODY, ""
    found = auth.accounts.find_session(session_id)
    access = access_of(found[1], auth.settings) if found else NOBODY
    return (access, session_id) if access != NOBODY else (NOBODY, "")


def _needs_csrf() -> bool:
    request = flask.request
    if request.method in SAFE_METHODS or request.path == "/eventsub/callback":
        return False
    # A key in a header is nothing that another site can make a browser send.
    return not ("Authorization" in request.headers and request.path.startswith("/api/"))


def _is_through_a_proxy() -> bool:
    """Whether somebody beyond this machine asks: then “only this machine” is not true any more."""
    if flask.request.path in ("/eventsub/callback", "/healthz"):
        return False
    return any(name in flask.request.headers for name in _FORWARDED) or _is_page_elsewhere()


def _is_page_elsewhere() -> bool:
    """A proxy may add no header and write our own name into Host: the page still tells where it stands."""
    if not flask.request.path.startswith("/_"):  # Links from elsewhere are fine, scripts are of our pages.
        return False
    page = flask.request.headers.get("Origin") or flask.request.headers.get("Referer") or ""
    return bool(page) and page.partition("://")[2].partition("/")[0].lower() != flask.request.host.lower()


def _refused(message: str, error: str = "forbidden") -> ResponseReturnValue:
    return flask.jsonify({"error": error, "message": message}), 403


def _to_login() -> ResponseReturnValue:
    request = flask.request
    if request.path.startswith("/_"):
        return flask.jsonify({"error": "unauthorized", "message": "Log in first."}), 401
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/account"
    return flask.redirect(flask.url_for("auth.login_page", next=wanted), 303)
