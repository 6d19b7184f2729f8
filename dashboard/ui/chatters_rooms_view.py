"""Channels, captures and what goes on, on the Chatters page: functions from values to components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboard.events import Instant
from dashboard.insights.chatters_model import CaptureLine, RoomChoice, SessionLine
from dashboard.ui import components, ids, text

Component = Any

MINUTES: Final = (("5 min", 5), ("10 min", 10), ("30 min", 30), ("60 min", 60))
ROLES: Final = {"owner": "yours", "moderator": "you moderate", "public": "public", "local": "collected here"}
CAPTURE_STATES: Final = {
    "asked": "Waiting for the worker",
    "listing": "Reading who is there",
    "ageing": "Looking up when the accounts were created",
}
LOGIN_PURPOSE: Final = "/login?purpose=moderator&next=/chatters"


def head_skeleton(room: str) -> list[Component]:
    """The header before the first answer."""
    return [
        html.H1(room or "Chatters"),
        html.Span(html.Span(className="bone bone-line"), className="live-about"),
    ]


def header(room: RoomChoice | None) -> list[Component]:
    """The channel and whether it is live.

    Args:
        room: None when there is none to show.
    """
    if room is None:
        return [html.H1("Chatters")]
    style = "badge-live" if room.is_live else "badge-quiet"
    viewers = f"{room.viewer_count:,} viewers" if room.is_live and room.viewer_count is not None else None
    about = " · ".join(part for part in (viewers, room.game_name if room.is_live else None) if part)
    return [
        html.Span("Live" if room.is_live else "Offline", className=f"badge-state {style}"),
        html.H1(room.room_login),
        html.Span(about, className="live-about"),
    ]


def spoke_sheet() -> html.Details:
    """The other source, with its own name: people who spoke in the last minutes."""
    return html.Details(
        [
            html.Summary("Who spoke", className="button"),
            html.Div(
                [
                    html.P("People who spoke in the last"),
                    components.segments(ids.CHATTERS_MINUTES, MINUTES, 10, "Minutes"),
                    html.Div(id=ids.CHATTERS_SPOKE),
                    html.P(
                        "From the chat that was read here; needs no moderator's login. Another list than "
                        "who is connected, and never mixed with it.",
                        className="muted",
                    ),
                ],
                className="spoke-sheet",
            ),
        ],
        className="spoke",
    )


def spoke_button(room: RoomChoice | None) -> Component:
    """The button of the other source; off with its reason where the chat is not read.

    Args:
        room: Of which channel.
    """
    if room is None:
        return None
    button = html.Button(
        "List who spoke",
        className="button button-main",
        type="button",
        disabled=not room.can_list_spoke,
        **components.data(chatterscapture="spoke", room=room.room_id),
    )
    why = html.P(room.why_not_spoke, className="room-why") if room.why_not_spoke else None
    return [button, why]


def capture_button(room: RoomChoice | None, *, is_small: bool = False) -> Component:
    """The button that lists everybody connected; off with its reason where that can't be.

    Args:
        room: Of which channel.
        is_small: In a row of the channels.
    """
    if room is None:
        return None
    running = room.last_capture is not None and room.last_capture.is_running
    why = room.why_not if not room.can_list_connected else "It is being captured." if running else None
    return html.Button(
        [components.icon("camera"), "Capture"],
        className="button" if is_small else "button button-main",
        type="button",
        disabled=why is not None,
        title=why or "List everybody connected to the chat, and how old their accounts are",
        **components.data(chatterscapture="connected", room=room.room_id),
        **components.aria(label=f"Capture {room.room_login}"),
    )


def rooms_skeleton() -> list[Component]:
    """Rows of the right height before the first answer."""
    return [html.Li(html.Span(className="bone bone-line"), className="room-row") for _ in range(3)]


def rooms(
    choices: Sequence[RoomChoice], chosen: str, minutes: int, now: Instant, tz: ZoneInfo
) -> list[Component]:
    """The channels that may be captured, live ones first.

    Args:
        choices: In the order shown.
        chosen: Login of the one on the page.
        minutes: How far back "who spoke" looks.
        now: The wall clock.
        tz: The viewer's time zone.

    Returns:
        Items of a list.
    """
    if not choices:
        return [html.Li("No channel of yours is known here yet.", className="muted blank")]
    return [_room(room, room.room_login == chosen, minutes, now, tz) for room in choices]


def _room(room: RoomChoice, is_chosen: bool, minutes: int, now: Instant, tz: ZoneInfo) -> html.Li:
    viewers = f"{room.viewer_count:,} viewers" if room.is_live and room.viewer_count is not None else ""
    about = " · ".join(part for part in (ROLES.get(room.role, room.role), viewers) if part)
    name = dcc.Link(
        [
            html.Span(className="dot dot-live" if room.is_live else "dot"),
            html.B(room.room_login),
            html.Small(about, className="muted"),
        ],
        href=f"/chatters/{room.room_login}",
        className="room-link",
        title="live" if room.is_live else "offline",
    )
    last = room.last_capture
    words = [html.Small(_last(last, now, tz) if last else "not captured yet", className="muted")]
    if not room.can_list_connected and room.why_not:
        words.append(html.Small(room.why_not, className="room-why"))
    if not room.can_list_spoke and room.why_not_spoke:
        words.append(html.Small(room.why_not_spoke, className="room-why"))
    spoke = html.Button(
        f"Spoke, {minutes} min",
        className="button",
        type="button",
        disabled=not room.can_list_spoke,
        title=room.why_not_spoke or f"List the people who spoke in the last {minutes} min",
        **components.data(chatterscapture="spoke", room=room.room_id),
        **components.aria(label=f"List who spoke in {room.room_login} in the last {minutes} minutes"),
    )
    return html.Li(
        [
            html.Div([name, *words], className="room-words"),
            html.Div([capture_button(room, is_small=True), spoke], className="room-buttons"),
        ],
        className="room-row is-chosen" if is_chosen else "room-row",
        key=room.room_id,
        **components.aria(current="true" if is_chosen else "false"),
    )


def _last(capture: CaptureLine, now: Instant, tz: ZoneInfo) -> str:
    when = text.day_clock(capture.at, tz, now=now)
    if capture.state == "complete":
        return f"{when}: {capture.listed_count:,} {capture.source_words}"
    return f"{when}: {CAPTURE_STATES.get(capture.state, capture.state).lower()}"


def room_options(choices: Sequence[RoomChoice], current: str) -> list[dict[str, Any]]:
    """Entries of the switcher, in the order of the channels.

    Args:
        choices: What may be captured.
        current: Always among them, so that the switcher can show it.
    """
    options = [_room_option(room) for room in choices]
    if current and all(room.room_login != current for room in choices):
        options.insert(0, {"label": current, "value": current, "search": current})
    return options


def _room_option(room: RoomChoice) -> dict[str, Any]:
    viewers = f"{room.viewer_count:,}" if room.is_live and room.viewer_count is not None else ""
    label = html.Span(
        [
            html.Span(className="dot dot-live" if room.is_live else "dot"),
            html.Span(room.room_login, className="room-name"),
            html.Span(ROLES.get(room.role, ""), className="room-game"),
            html.Span(viewers, className="room-viewers"),
        ],
        className="room-option",
    )
    return {"label": label, "value": room.room_login, "search": room.room_login}


def scope_options(
    captures: Sequence[CaptureLine], sessions: Sequence[SessionLine], now: Instant, tz: ZoneInfo
) -> list[dict[str, str]]:
    """What can be looked at: the captures of the channel, then the sessions.

    Args:
        captures: Of the channel, newest first; only complete ones can be looked at.
        sessions: The person's own.
        now: The wall clock.
        tz: The viewer's time zone.

    Returns:
        Options whose values say ``c:`` or ``s:`` and the id.
    """
    options = [
        {"label": capture_words(capture, now, tz), "value": f"c:{capture.capture_id}"}
        for capture in captures
        if capture.state == "complete"
    ]
    for session in sessions:
        count = len(session.captures)
        if count:
            words = "1 capture" if count == 1 else f"{count} captures"
            name = f"Session {session.name}" if session.name else "Unnamed session"
            options.append({"label": f"{name}: {words}", "value": f"s:{session.session_id}"})
    return options


def capture_words(capture: CaptureLine, now: Instant, tz: ZoneInfo) -> str:
    """A capture in one line: ``14:02 · 1,412 connected to chat``."""
    when = text.day_clock(capture.at, tz, now=now)
    return f"{when} · {capture.listed_count:,} {capture.source_words}"


def progress(capture: CaptureLine) -> html.Div:
    """A capture under way: what it does, how far it is, and how to end it.

    Args:
        capture: One that is running.
    """
    share = capture.progress
    bar: Any = {} if share is None else {"value": f"{share:.4f}", "max": "1"}
    label = f"Capture of {capture.room_login}"
    words = "Stopping" if capture.is_cancel_wanted else CAPTURE_STATES[capture.state]
    cancel = html.Button(
        "Cancel",
        className="button",
        type="button",
        disabled=capture.is_cancel_wanted,
        **components.data(chatterscancel=capture.capture_id),
        **components.aria(label=f"Cancel the capture of {capture.room_login}"),
    )
    body = html.Div(
        [
            html.Div(
                [
                    html.B(f"{capture.room_login}: {words}"),
                    html.Span(_counts(capture), className="muted"),
                ],
                className="progress-words",
            ),
            html.Progress(**bar, **components.aria(label=label)),
        ],
        className="progress-body",
    )
    return html.Div([body, cancel], className="progress-row", key=capture.capture_id)


def _counts(capture: CaptureLine) -> str:
    if capture.error:
        return capture.error  # What it waits for.
    if capture.state == "listing":
        of = f" of about {capture.told_count:,}" if capture.told_count else ""
        return f"{capture.listed_count:,}{of} people"
    if capture.state == "ageing":
        return f"age known of {capture.known_count:,} of {capture.listed_count:,}"
    return capture.source_words


def notices(
    room: RoomChoice,
    failed: CaptureLine | None,
    now: Instant,
    tz: ZoneInfo,
    *,
    is_empty: bool,
    is_busy: bool,
) -> list[Component]:
    """What stands over the page: how the last capture failed, and what to do when there is none.

    Args:
        room: The channel.
        failed: Its last capture if that came to nothing.
        now: The wall clock.
        tz: The viewer's time zone.
        is_empty: Whether the channel has no complete capture.
        is_busy: Whether one is under way.
    """
    parts: list[Component] = []
    if failed is not None:
        parts.append(_failed(failed, now, tz))
    if is_empty and not is_busy:
        parts.append(nothing_captured(room))
    return parts


def _failed(capture: CaptureLine, now: Instant, tz: ZoneInfo) -> Component:
    """The last capture came to nothing: what failed, and what is safe."""
    when = text.day_clock(capture.at, tz, now=now)
    if capture.state == "cancelled":
        return html.P(f"The capture of {when} was cancelled. Nothing of it is shown.", className="muted")
    return components.notice(
        f"The capture of {when} failed. {capture.error or ''}".strip(),
        "What it had listed is not shown as everybody. Earlier captures are as they were; capture again.",
    )


def nothing_captured(room: RoomChoice) -> html.Div:
    """A channel without any complete capture: what a capture is, and the button for it."""
    lines: list[Component] = [
        html.P(
            "A capture lists everybody connected to the chat and when their accounts were created, "
            "and says whether that crowd is unusual."
        ),
    ]
    if room.can_list_connected:
        lines.append(capture_button(room))
    elif room.why_not:
        lines.append(html.P(room.why_not))
        if room.role == "local":
            lines.append(dcc.Link("Log in", href="/account", className="button button-main"))
        elif room.role != "public":
            lines.append(html.A("Let StreamLens list chatters", href=LOGIN_PURPOSE, className="button"))
    if not room.can_list_connected and room.can_list_spoke:
        lines.append(html.P("Without that, people who spoke can be listed:"))
        lines.append(spoke_button(room)[0])
    return components.empty_state(f"No capture of {room.room_login} yet", *lines, glyph="people")


def no_rooms() -> html.Div:
    """Somebody without channels: what to grant."""
    return components.empty_state(
        "No channel of yours yet",
        html.P("Here stand the channels that you own or moderate. Twitch tells them once you allow it."),
        html.A("Show channels I moderate", href=LOGIN_PURPOSE, className="button button-main"),
        glyph="people",
    )


def not_yours(words: str) -> html.Div:
    """A channel that the person may not see; nothing tells whether it is collected."""
    return components.empty_state(
        "Not one of your channels",
        html.P(words),
        html.P("Do you moderate it? Let StreamLens read which channels you moderate."),
        html.A("Show channels I moderate", href=LOGIN_PURPOSE, className="button"),
        glyph="lock",
    )
