"""Who asks, inside a request: one value for pages, callbacks, exports and the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask

from dashboard.access import LOCAL, NOBODY, Access
from dashboard.config import Settings
from dashboard.events import now_us
from dashboard.storage.accounts import Account

_KEY = "streamlens_access"
_SESSION = "streamlens_session"
_MODERATED_FOR_US = 24 * 3600 * 1_000_000
"""Twitch is asked each hour who moderates what; an answer this old is nobody's right any more."""


def current_access() -> Access:
    """Who asks, and what they may see.

    Returns:
        The person of the session; :data:`~dashboard.access.LOCAL` in an installation without login;
        :data:`~dashboard.access.NOBODY` when nobody is logged in, and outside of a request.
    """
    if not flask.has_request_context():
        return NOBODY
    return flask.g.get(_KEY, NOBODY)


def current_session() -> str:
    """The id of the session that asks; empty without one."""
    return flask.g.get(_SESSION, "") if flask.has_request_context() else ""


def is_known() -> bool:
    """Whether it was asked who is there, in this request."""
    return _KEY in flask.g


def set_current(access: Access, session_id: str = "") -> None:
    """Says who asks, for the rest of this request."""
    setattr(flask.g, _KEY, access)
    setattr(flask.g, _SESSION, session_id)


def access_of(account: Account | None, settings: Settings) -> Access:
    """What somebody may see: their own channel, those that they moderate, and the public ones.

    Args:
        account: As of the last login and the hourly look (a day at most); None for somebody unknown.
        settings: Public channels, who may log in, and who manages.

    Returns:
        LOCAL in an installation without login; NOBODY for who is not (any more) on the list.
    """
    if not settings.needs_login:
        return LOCAL
    if account is None or account.user_id not in settings.allowed_user_ids:
        return NOBODY
    is_fresh = account.moderated_at is not None and now_us() - account.moderated_at < _MODERATED_FOR_US
    moderated = account.moderated_logins if is_fresh else ()
    return Access(
        user_id=account.user_id,
        user_login=account.user_login,
        user_display_name=account.user_display_name,
        is_admin=account.user_id in settings.admin_user_ids,
        rooms=frozenset({account.user_login, *moderated, *settings.public_channels}),
    )


def plain(access: Access) -> dict[str, Any]:
    """An access as plain data, for a job in another process."""
    return {
        "user_id": access.user_id,
        "user_login": access.user_login,
        "user_display_name": access.user_display_name,
        "is_admin": access.is_admin,
        "rooms": None if access.rooms is None else sorted(access.rooms),
    }


def from_plain(values: Mapping[str, Any]) -> Access:
    """What :func:`plain` made; only ever from a value that never left the server."""
    rooms = values["rooms"]
    return Access(
        user_id=str(values["user_id"]),
        user_login=str(values["user_login"]),
        user_display_name=str(values["user_display_name"]),
        is_admin=bool(values["is_admin"]),
        rooms=None if rooms is None else frozenset(rooms),
    )
