"""Analysis sessions on the Chatters page, as functions from values to components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboard.events import Instant
from dashboard.insights.chatters_model import CaptureLine, SessionLine
from dashboard.ui import components, ids, text
from dashboard.ui.chatters_rooms_view import capture_words

Component = Any


def sessions_card() -> html.Section:
    """The frame: which session, its name, and what can be done with it."""
    choice = dcc.Dropdown(
        id=ids.CHATTERS_SESSION,
        options=[],
        value=None,
        clearable=True,
        searchable=False,
        placeholder="No session open",
        optionHeight=36,
        className="switcher",
    )
    name = dcc.Input(
        id=ids.CHATTERS_SESSION_NAME,
        type="text",
        placeholder="Name",
        maxLength=80,
        className="field",
        autoComplete="off",
    )
    return components.card(
        "Analysis session",
        html.P(
            "Keeps captures of one or more channels together. It is gone 24 hours after it was last used, "
            "unless it is saved.",
            className="muted session-about",
        ),
        html.Div(
            [
                html.Label("Session", htmlFor=ids.CHATTERS_SESSION, className="visually-hidden"),
                html.Div(choice, className="session-choice"),
                html.Button("New", className="button", type="button", **components.data(session="create")),
            ],
            className="session-row",
        ),
        html.Div(
            [
                html.Label("Name", htmlFor=ids.CHATTERS_SESSION_NAME, className="visually-hidden"),
                name,
                html.Button("Save", className="button", type="button", **components.data(session="save")),
                html.Button("Rename", className="button", type="button", **components.data(session="rename")),
            ],
            className="session-row session-open",
        ),
        html.Div(id=ids.CHATTERS_SESSION_BODY, className="session-body"),
        html.P(id=ids.CHATTERS_SESSION_SAID, className="session-said", **components.aria(live="polite")),
        class_name="chatters-sessions",
    )


def options(sessions: Sequence[SessionLine]) -> list[dict[str, str]]:
    """Entries of the choice: every session of the person that is still there.

    Args:
        sessions: Last used first.
    """
    return [{"label": _option(session), "value": session.session_id} for session in sessions]


def _option(session: SessionLine) -> str:
    state = "saved" if session.is_saved else "not saved"
    return f"{session.name or 'Unnamed'} · {state}"


def body(
    session: SessionLine | None,
    shown: CaptureLine | None,
    now: Instant,
    tz: ZoneInfo,
    *,
    is_over: bool = False,
    unsaved_count: int = 0,
) -> list[Component]:
    """The open session: until when, its captures, and what to do with it.

    Args:
        session: None when none is open.
        shown: The capture that is looked at; it can be added.
        now: The wall clock.
        tz: The viewer's time zone.
        is_over: Whether one was open that is not there any more.
        unsaved_count: So many of the person's sessions could be forgotten.

    Returns:
        Children of the session's body.
    """
    if session is None:
        words = "That session is over: it was not used for 24 hours, or it was deleted. Its captures stay."
        return [html.P(words, className="session-over") if is_over else None, _purge(unsaved_count)]
    is_in = shown is not None and shown.capture_id in session.capture_ids
    add = html.Button(
        "Add this capture",
        className="button",
        type="button",
        disabled=shown is None or is_in,
        title="It is in it already" if is_in else "",
        **components.data(session="add"),
    )
    look = html.Button(
        "Look at all of it",
        className="button",
        type="button",
        disabled=not session.captures,
        **components.data(sessionlook=session.session_id),
    )
    delete = html.Button(
        "Delete",
        className="button",
        type="button",
        **components.data(
            session="delete", confirm=f"Delete the session “{session.name or 'Unnamed'}”? Its captures stay."
        ),
    )
    rows = [_capture(capture, now, tz) for capture in session.captures]
    gone = len(session.capture_ids) - len(session.captures)
    return [
        html.P(_state(session, now), className="muted"),
        html.Ul(rows, className="session-captures")
        if rows
        else html.P("No captures in it yet.", className="muted"),
        html.P(f"{gone:,} of its captures are not kept any more.", className="muted") if gone > 0 else None,
        html.Div([add, look, delete], className="session-row"),
        _purge(unsaved_count),
    ]


def _state(session: SessionLine, now: Instant) -> str:
    rooms = ", ".join(session.rooms)
    about = f" Channels: {rooms}." if rooms else ""
    if session.is_saved or session.expires_at is None:
        return f"Saved; it stays until you delete it.{about}"
    left = text.span(max(60, (session.expires_at - now) / 1e6))
    return f"Not saved: gone in {left} unless it is used or saved.{about}"


def _capture(capture: CaptureLine, now: Instant, tz: ZoneInfo) -> html.Li:
    return html.Li(
        [
            html.Span([html.B(capture.room_login), " ", capture_words(capture, now, tz)]),
            html.Button(
                components.icon("x-lg"),
                className="button button-icon",
                type="button",
                title="Take it out of the session",
                **components.data(session="remove", capture=capture.capture_id),
                **components.aria(label=f"Take the capture of {capture.room_login} out of the session"),
            ),
        ],
        key=capture.capture_id,
    )


def _purge(unsaved_count: int) -> html.Div | None:
    if not unsaved_count:
        return None
    purge = html.Button(
        "Forget all that are not saved",
        className="button button-quiet",
        type="button",
        **components.data(
            session="purge", confirm="Forget all your sessions that are not saved? Captures stay."
        ),
    )
    return html.Div(purge, className="session-row session-purge")
