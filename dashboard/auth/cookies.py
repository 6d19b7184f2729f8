"""The two cookies: the session's, which no script reads, and the CSRF token's, which ours must read."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from urllib.parse import urlsplit

import flask

from dashboard.config import Settings

SESSION_COOKIE = "streamlens_session"
CSRF_COOKIE = "_csrf_token"
"""Dash's own name: its scripts send the value with every callback."""
CSRF_HEADER = "X-CSRFToken"
CSRF_FIELD = "csrf_token"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_RANDOM_TOKEN = re.compile(r"[\w-]{32,128}")
_MOST_FORM_BYTES = 64 * 2**10
"""Our own forms have a few fields; taking megabytes of them apart costs seconds, before any login."""


def is_https(settings: Settings) -> bool:
    """Whether the browser speaks TLS, to us or to the proxy in front."""
    public = urlsplit(settings.public_url)
    return flask.request.is_secure or (public.scheme == "https" and flask.request.host == public.netloc)


def set_session_cookie(response: flask.Response, session_id: str, settings: Settings) -> None:
    """Gives the browser its session."""
    response.set_cookie(
        SESSION_COOKIE,
        session_id,
        max_age=round(settings.session_hours * 3600),
        secure=is_https(settings),
        httponly=True,
        samesite="Lax",
    )


def drop_session_cookie(response: flask.Response, settings: Settings) -> None:
    """Takes the session from the browser."""
    response.delete_cookie(SESSION_COOKIE, secure=is_https(settings), httponly=True, samesite="Lax")


def _sent_in_form() -> str:
    if flask.request.path.startswith("/_"):  # Scripts ask there, and they send the header.
        return ""
    flask.request.max_content_length = _MOST_FORM_BYTES
    return flask.request.form.get(CSRF_FIELD, "")


class Csrf:
    """Tells our own pages' requests from those that other pages make a browser send.

    A session's token is a keyed hash of its id. Without a session there is nothing to bind it to: then
    it is random, and the header has to repeat the cookie, which other sites can neither read nor set.

    Args:
        key: Known to every process of the installation.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, session_id: str) -> str:
        """The token that this browser should have; its own, if that is good already."""
        if session_id:
            return self._of_session(session_id)
        known = flask.request.cookies.get(CSRF_COOKIE, "")
        return known if _RANDOM_TOKEN.fullmatch(known) else secrets.token_urlsafe(32)

    def is_good(self, session_id: str) -> bool:
        """Whether this request comes from one of our pages."""
        if flask.request.headers.get("Sec-Fetch-Site") == "cross-site":
            return False
        sent = flask.request.headers.get(CSRF_HEADER) or _sent_in_form()
        if session_id:
            return hmac.compare_digest(sent.encode(), self._of_session(session_id).encode())
        known = flask.request.cookies.get(CSRF_COOKIE, "")
        is_shaped = _RANDOM_TOKEN.fullmatch(known) is not None
        return is_shaped and hmac.compare_digest(sent.encode(), known.encode())

    def set_cookie(self, response: flask.Response, session_id: str, settings: Settings) -> None:
        """Gives the browser its token, if it has not got it."""
        token = self.token(session_id)
        if flask.request.cookies.get(CSRF_COOKIE) != token:
            response.set_cookie(CSRF_COOKIE, token, secure=is_https(settings), samesite="Lax")

    def secret_of(self, session_id: str) -> bytes:
        """A key of this session alone, to sign what only it may give back."""
        return hmac.new(self._key, b"handles " + session_id.encode(), hashlib.sha256).digest()

    def _of_session(self, session_id: str) -> str:
        return hmac.new(self._key, b"csrf " + session_id.encode(), hashlib.sha256).hexdigest()
