"""The parts of the Live page that change, as functions from values to components."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from dash import dcc, html

from dashboard.insights.live_model import LiveSnapshot, RoomInfo, TopLists
from dashboard.jobs.collection import CollectorStatus, Progress
from dashboard.ui import components, ids, text
from dashboard.ui.components import Component

FEED_FILTERS: Final = (
    ("All", "all"),
    ("Raids", "raids"),
    ("Subs", "subs"),
    ("Bits", "bits"),
    ("Stream", "stream"),
    ("Mod", "mod"),
    ("Gaps", "gaps"),
)
FILTER_CATEGORIES: Final[dict[str, frozenset[str]]] = {
    "raids": frozenset({"raid"}),
    "subs": frozenset({"sub", "gift"}),
    "bits": frozenset({"bits"}),
    "stream": frozenset({"stream", "game", "announcement", "milestone"}),
    "mod": frozenset({"moderation"}),
    "gaps": frozenset({"gap"}),
}
LOGIN: Final = re.compile(r"\w{1,25}", re.ASCII)
SPANS_S: Final = (1800, 3600)
"""Ranges of the chart besides the whole stream."""
BADGES: Final = {
    "live": ("Live", "badge-live"),
    "offline": ("Offline", "badge-quiet"),
    "recorded": ("Recording", "badge-info"),
    "empty": ("No data", "badge-quiet"),
}
LANGUAGES: Final = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fi": "Finnish", "fr": "French", "hu": "Hungarian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese",
    "zh": "Chinese",
}  # fmt: skip


def header_skeleton(room: str) -> list[Component]:
    """The header before the first answer."""
    return [html.H1(room or "Live"), html.Span(html.Span(className="bone bone-line"), className="live-about")]


def header(snapshot: LiveSnapshot, tz: ZoneInfo) -> list[Component]:
    """State, channel, and what is on.

    Args:
        snapshot: The room now.
        tz: The viewer's time zone.

    Returns:
        A badge, the heading, and one line about the stream.
    """
    word, style = BADGES.get(snapshot.status, BADGES["offline"])
    return [
        html.Span(word, className=f"badge-state {style}"),
        html.H1(snapshot.room_login),
        html.Span(about(snapshot, tz), className="live-about", title=snapshot.title or ""),
    ]


def about(snapshot: LiveSnapshot, tz: ZoneInfo) -> str:
    """Game, language and title in one line; for a recording also when it ends."""
    language = LANGUAGES.get(snapshot.language or "", snapshot.language)
    title = f"“{snapshot.title}”" if snapshot.title else None
    ends = None
    if snapshot.status == "recorded":
        moment = text.local(snapshot.clock_at, tz)
        ends = f"ends {moment.day} {moment:%b %Y, %H:%M}"
    return " · ".join(part for part in (ends, snapshot.game_name, language, title) if part)


_SEEN_FROM_THE_START_US = 120 * 1_000_000


def since(snapshot: LiveSnapshot, tz: ZoneInfo) -> str:
    """When the stream began, whether Twitch said so, and from when on we saw it."""
    if snapshot.started_at is None:
        return ""
    start = text.clock(snapshot.started_at, tz)
    if not snapshot.is_start_told:
        return f"first seen {start}"
    seen_at = snapshot.observed_since_at
    if seen_at is None or seen_at - snapshot.started_at < _SEEN_FROM_THE_START_US:
        return f"since {start}"
    return f"since {start}, seen from {text.clock(seen_at, tz)}"


def legend() -> html.Div:
    """Names the lines, the band and the hatching, with their scales."""
    return html.Div(
        [
            html.Span("messages / min, left", className="key key-velocity"),
            html.Span("viewers, right", className="key key-viewers"),
            html.Span("usual range", className="key key-band"),
            html.Span("not observed", className="key key-gap"),
        ],
        className="legend",
        **components.aria(hidden="true"),
    )


def feed_skeleton() -> list[Component]:
    """Lines of the feed before the first answer."""
    return [
        html.Li(
            [html.Span(className="bone bone-word"), html.Span(className="bone bone-line")],
            **components.aria(hidden="true"),
        )
        for _ in range(6)
    ]


def feed_empty(name: str) -> html.Li:
    """Says that the filter finds nothing."""
    what = {
        "all": "Nothing has happened yet",
        "mod": "No moderation yet",
        "stream": "Nothing about the stream yet",
    }
    words = what.get(name, f"No {name} yet")
    return html.Li(f"{words}. New ones appear here as they come.", className="blank muted")


def top_skeleton(title: str) -> list[Component]:
    """A top list before the first answer."""
    rows = [
        html.Li([html.Span(className="bone bone-word"), html.Span(className="bone bone-line")])
        for _ in range(5)
    ]
    return [
        html.Div(html.H2(title), className="card-head"),
        html.Ol(rows, className="bars", **components.aria(hidden="true")),
    ]


def top_chatters(top: TopLists) -> list[Component]:
    """Who wrote most, with the window and how many people and messages it is of."""
    side = f"{text.span(top.window_s)} · {top.chatter_count:,} people · {top.message_count:,} messages"
    empty = f"Nobody wrote in the last {text.span(top.window_s)}."
    return [_top_head("Top chatters", side), components.bars(top.chatters, empty)]


def top_emotes(top: TopLists) -> list[Component]:
    """Which emotes were used most, with the window and how many messages had any."""
    side = f"{text.span(top.window_s)} · in {top.emote_message_count:,} of {top.message_count:,} messages"
    empty = top.emotes_missing or f"No emotes in the last {text.span(top.window_s)}."
    return [_top_head("Top emotes", side), components.bars(top.emotes, empty)]


def _top_head(title: str, side: str) -> html.Div:
    return html.Div([html.H2(title), html.Span(side, className="muted")], className="card-head")


def room_options(rooms: Sequence[RoomInfo], current: str) -> list[dict[str, Any]]:
    """Entries of the channel switcher: live ones first, most viewers first.

    Args:
        rooms: What there is.
        current: Always among them, so that the switcher can show it.

    Returns:
        Options with viewers and game in the label and in what is searched.
    """
    listed = sorted(
        rooms, key=lambda r: (not r.is_live, -(r.viewer_count or 0), not r.is_followed, r.room_login)
    )
    options = [_room_option(room) for room in listed]
    if current and all(room.room_login != current for room in listed):
        options.insert(0, {"label": current, "value": current, "search": current})
    return options


def _room_option(room: RoomInfo) -> dict[str, Any]:
    state = "dot dot-live" if room.is_live else "dot"
    viewers = f"{room.viewer_count:,}" if room.is_live and room.viewer_count is not None else ""
    label = html.Span(
        [
            html.Span(className=state, title="live" if room.is_live else "offline"),
            html.Span(room.room_login, className="room-name"),
            html.Span(room.game_name if room.is_live and room.game_name else "", className="room-game"),
            html.Span(viewers, className="room-viewers"),
        ],
        className="room-option",
    )
    return {"label": label, "value": room.room_login, "search": f"{room.room_login} {room.game_name or ''}"}


def nothing_collected() -> html.Div:
    """The first visit: no channel at all."""
    return components.empty_state(
        "No channel yet",
        html.P("Type the channels to collect below: logins or addresses. No account is needed."),
        html.P(["Or bring recorded chat in: ", html.Code("python app.py import FILE… --channel NAME")]),
    )


def not_yours(words: str) -> html.Div:
    """A channel that the person may not see; nothing tells whether it is collected."""
    return components.empty_state(
        "Not one of your channels",
        html.P(words),
        html.P("Do you moderate it? Let StreamLens read which channels you moderate."),
        # A link of its own kind: the login is no page of Dash's.
        html.A("Show channels I moderate", href="/login?purpose=moderator&next=/live", className="button"),
        glyph="lock",
    )


def nothing_in_room(room: str, is_followed: bool) -> html.Div:
    """A channel of which nothing is known."""
    if not LOGIN.fullmatch(room):
        return components.empty_state(
            f"“{room}” is no channel",
            html.P("The login of a channel has letters, digits and _, at most 25. Choose one above."),
            glyph="chat-dots",
        )
    if is_followed:
        lines = [html.P("The channel is followed. What is written there appears here within two seconds.")]
    else:
        lines = [
            html.P("The channel is not collected. Type it below to start."),
            html.P(
                ["Or bring its recorded chat in: ", html.Code(f"python app.py import FILE… --channel {room}")]
            ),
        ]
    return components.empty_state(f"Nothing from {room} yet", *lines, glyph="chat-dots")


def collectors_card() -> html.Section:
    """The panel that starts, watches and stops the collection of channels."""
    form = html.Div(
        [
            html.Label("Channels to collect", htmlFor=ids.LIVE_COLLECT_INPUT, className="visually-hidden"),
            dcc.Input(
                id=ids.LIVE_COLLECT_INPUT,
                type="text",
                placeholder="Channels to collect, for example cohhcarnage, xqc",
                className="field",
                debounce=False,
                spellCheck=False,
                autoComplete="off",
            ),
            html.Button("Collect", id=ids.LIVE_COLLECT_START, className="button button-main", type="button"),
            html.Button("Stop", id=ids.LIVE_COLLECT_CANCEL, className="button", type="button", disabled=True),
        ],
        className="collect-form",
    )
    return components.card(
        "Collectors",
        form,
        html.Div(id=ids.LIVE_COLLECT_PROGRESS, className="collect-progress"),
        html.Div(id=ids.LIVE_COLLECT_RESULT, className="collect-result"),
        html.Div(id=ids.LIVE_COLLECT_TABLE),
        side=html.Div(id=ids.LIVE_COLLECT_SUMMARY, className="collect-summary muted"),
        class_name="card-collect",
    )


def collect_progress(progress: Progress) -> Component:
    """How far the start of a collection is, while it runs."""
    if not progress.is_running:
        words = "Waiting for a collector to report."
    else:
        pace = "" if progress.messages_per_s is None else f", {progress.messages_per_s:,.0f} a second in all"
        words = (
            f"Reading {progress.joined_count} of {progress.wanted_count}. "
            f"{progress.message_count:,} messages so far{pace}."
        )
    return [
        html.Progress(value=str(progress.joined_count), max=str(max(progress.wanted_count, 1))),
        html.Span(words),
    ]


def collect_result(progress: Progress, logins: Sequence[str]) -> Component:
    """How the start of a collection ended."""
    if progress.is_complete:
        links = [part for login in logins for part in (dcc.Link(login, href=f"/live/{login}"), " ")]
        return html.P(["Collecting ", *links, "It goes on when this tab is closed."], className="good")
    if not progress.is_running:
        return components.notice(
            "No collector is running.",
            "The channels are on the list and will be read as soon as one runs. "
            "Start everything with “python app.py”, or only a collector with “python app.py collect”.",
        )
    waiting = progress.wanted_count - progress.joined_count
    return html.P(
        f"{waiting} of {progress.wanted_count} could not be read yet; the collector keeps trying. "
        "Check the spelling if it stays so."
    )


def collect_summary(status: CollectorStatus) -> str:
    """The collector in one line."""
    if not status.is_running:
        return "No collector running"
    lag = "" if status.lag_p95_ms is None else f" · lag {status.lag_p95_ms / 1000:.1f} s"
    if status.messages_per_s is None:
        word = "channel" if len(status.channels) == 1 else "channels"
        return f"{status.joined_count} of your {len(status.channels)} {word}"
    return (
        f"{status.joined_count} of {len(status.channels)} channels · "
        f"{status.messages_per_s:,.0f} msg/s{lag} · "
        f"{status.queue_count:,} queued · {status.drop_count:,} dropped"
    )


def collect_table(status: CollectorStatus, tz: ZoneInfo) -> Component:
    """Every followed channel with what came from it, and a button to stop.

    Args:
        status: The collector's report.
        tz: The viewer's time zone.

    Returns:
        Warnings, if any, and the table.
    """
    parts: list[Component] = []
    if not status.is_running and status.channels:
        parts.append(
            components.notice(
                "No collector is running.",
                "Nothing new is being collected; what was collected is safe. "
                "Start everything with “python app.py”, or only a collector with “python app.py collect”.",
            )
        )
    for trouble in filter(None, (status.error, status.helix)):
        parts.append(html.P(trouble, className="warn"))
    if status.channels:
        parts.append(_channel_table(status, tz))
    return parts


def _channel_table(status: CollectorStatus, tz: ZoneInfo) -> html.Table:
    head = html.Tr([html.Th(name, scope="col") for name in ("Channel", "State", "Messages", "Last at", "")])
    rows = []
    for channel in status.channels:
        state, style = ("reading", "good") if channel.is_joined else ("joining", "warn")
        if not status.is_running:
            state, style = "waiting", "muted"
        last = text.clock(channel.last_message_at, tz, seconds=True) if channel.last_message_at else "–"
        stop = html.Button(
            "Stop",
            className="button",
            type="button",
            **components.aria(label=f"Stop {channel.room_login}"),
            **components.data(stop=channel.room_login),
        )
        rows.append(
            html.Tr(
                [
                    html.Th(dcc.Link(channel.room_login, href=f"/live/{channel.room_login}"), scope="row"),
                    html.Td(state, className=style),
                    html.Td(f"{channel.message_count:,}", className="num"),
                    html.Td(last, className="num"),
                    html.Td(stop if channel.may_be_stopped else None),
                ]
            )
        )
    return html.Table([html.Thead(head), html.Tbody(rows)], className="collect-table")


def stopped(logins: Sequence[str]) -> html.P:
    """Says what was stopped and what stays."""
    return html.P(f"Stopped {', '.join(logins)}. What was collected stays.")
