"""Analysis sessions on the Chatters page: everything that a button asks of one."""

from __future__ import annotations

import functools
import logging
import uuid
from typing import Any

import flask
from dash import Dash, Input, Output, State, no_update

from dashboard.access import Access
from dashboard.errors import StreamLensError
from dashboard.events import now_us
from dashboard.services import Services
from dashboard.ui import chatters_sessions_view, ids

log = logging.getLogger(__name__)

JUST_CREATED_US = 120_000_000
"""Creating one opens it, too; that is not noted twice."""


def register(app: Dash, services: Services) -> None:
    """Binds the buttons of the session's card."""
    app.callback(
        # With its options: a choice that is not among them would be dropped.
        Output(ids.CHATTERS_SESSION, "options", allow_duplicate=True),
        Output(ids.CHATTERS_SESSION, "value"),
        Output(ids.CHATTERS_SESSION_NAME, "value"),
        Output(ids.CHATTERS_SESSION_SAID, "children"),
        Output(ids.CHATTERS_ASKED, "data", allow_duplicate=True),
        Input(ids.CHATTERS_SESSION_ORDER, "data"),
        State(ids.CHATTERS_SESSION, "value"),
        State(ids.CHATTERS_CURSOR, "data"),
        prevent_initial_call=True,
    )(functools.partial(order, services))
    app.callback(
        Output(ids.CHATTERS_SESSION_SAID, "children", allow_duplicate=True),
        Input(ids.CHATTERS_SESSION, "value"),
        prevent_initial_call=True,
    )(functools.partial(opened, services))


def order(
    services: Services, asked: dict[str, Any] | None, session_id: str | None, cursor: dict[str, Any] | None
) -> tuple[Any, Any, Any, Any, Any]:
    """Does what a button asks of the open session.

    Args:
        services: What is asked.
        asked: The action, the name typed in, and the capture it is about.
        session_id: The open session.
        cursor: Names the capture that is looked at.

    Returns:
        All sessions, the one open now, the name field's text, what is said, and a nonce that makes the
        page look.
    """
    if not asked or services.chatters is None:
        return no_update, no_update, no_update, no_update, no_update
    try:
        opened, name, said = _do(services, asked, session_id or "", str((cursor or {}).get("shown") or ""))
        sessions = services.chatters.sessions.all(services.current_access())
        return chatters_sessions_view.options(sessions), opened, name, said, uuid.uuid4().hex
    except StreamLensError as error:
        return no_update, no_update, no_update, str(error), uuid.uuid4().hex
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("A session's button failed [%s]", reference)
        said = f"This failed; nothing was changed. Reference {reference}"
        return no_update, no_update, no_update, said, no_update


def _do(services: Services, asked: dict[str, Any], session_id: str, shown: str) -> tuple[Any, Any, str]:
    assert services.chatters is not None
    sessions, access = services.chatters.sessions, services.current_access()
    action, name = str(asked.get("action")), str(asked.get("name") or "").strip()
    address = _address()
    if action == "create":
        session = sessions.create(access, [shown] if shown else [], name, address)
        return session.session_id, "", "A session is open. What you capture goes into it."
    if action == "purge":
        gone = [session for session in sessions.all(access) if not session.is_saved]
        for session in gone:
            sessions.delete(session.session_id, access, address)
        is_open = any(session.session_id == session_id for session in gone)
        return None if is_open else no_update, no_update, f"{len(gone):,} forgotten."
    if not session_id:
        return no_update, no_update, "Open a session first."
    if action == "delete":
        sessions.delete(session_id, access, address)
        return None, "", "Deleted. Its captures are still there."
    return no_update, *_change(sessions, action, session_id, access, name, str(asked.get("capture") or shown))


def _address() -> str:
    """Where the person is, for the audit log."""
    return flask.request.remote_addr or "" if flask.has_request_context() else ""


def _change(
    sessions: Any, action: str, session_id: str, access: Access, name: str, capture_id: str
) -> tuple[Any, str]:
    if action == "save":
        sessions.save(session_id, access, name, _address())
        return "", "Saved. It stays until you delete it."
    if action == "rename":
        if not name:
            return no_update, "Type a name first."
        sessions.rename(session_id, access, name, _address())
        return "", "Renamed."
    if action == "remove":
        sessions.remove(session_id, access, [capture_id])
        return no_update, "Taken out."
    sessions.add(session_id, access, [capture_id])
    return no_update, "Added."


def opened(services: Services, session_id: str | None) -> Any:
    """Notes that a session was opened again; says so when it is over.

    Args:
        services: What is asked.
        session_id: The one chosen.

    Returns:
        What is said.
    """
    if not session_id or services.chatters is None:
        return no_update
    access = services.current_access()
    try:
        line = services.chatters.sessions.get(session_id, access)
        if now_us() - line.created_at > JUST_CREATED_US:
            services.chatters.sessions.load(session_id, access, _address())
    except StreamLensError as error:
        return str(error)
    return no_update
