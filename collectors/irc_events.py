"""Chat lines turned into events: every command that Twitch's chat sends, and those it may yet.

Chat messages take the short road (:mod:`collectors.irc_messages`), at some µs each; USERNOTICEs are
in :mod:`collectors.irc_notices`, everything else about a room in :mod:`collectors.irc_rooms`.

===============================  ==========================================================
a line                           becomes
===============================  ==========================================================
PRIVMSG                          ``ChatMessage``, with bits also ``Bits`` under the same id
USERNOTICE                       the class of its ``msg-id``
CLEARCHAT, CLEARMSG              ``Moderation``
ROOMSTATE                        ``RoomState``
JOIN, PART, 353, MODE ±o         ``UserListChange`` (of a NAMES list, one for each name)
NOTICE, HOSTTARGET               ``Notice``; a NOTICE to ``*`` is about the login: no event
any other that names a room      ``Notice`` with ``msg_id="irc:<COMMAND>"`` and the raw line
any other that names no room     ``ParseError``, so that it is kept in the reject file
WHISPER                          nothing: private messages are never stored
PING, CAP, 001, USERSTATE, …     nothing: they are about the connection or the logged-in user
===============================  ==========================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable

from collectors.irc_messages import chat_message
from collectors.irc_notices import user_notice
from collectors.irc_parser import Parts, split_line
from collectors.irc_rooms import (
    clear_chat,
    clear_message,
    host_target,
    mode,
    names,
    presence,
    room_state,
    server_notice,
    unknown,
)
from collectors.irc_values import Line
from dashboard.errors import ParseError
from dashboard.events import Event, Instant

_HANDLERS: dict[str, Callable[[Line], list[Event]]] = {
    "USERNOTICE": user_notice,
    "CLEARCHAT": clear_chat,
    "CLEARMSG": clear_message,
    "ROOMSTATE": room_state,
    "JOIN": presence,
    "PART": presence,
    "353": names,
    "MODE": mode,
    "NOTICE": server_notice,
    "HOSTTARGET": host_target,
}

_SILENT_NAMES = (
    "PING PONG CAP RECONNECT PASS NICK USERSTATE GLOBALUSERSTATE WHISPER 001 002 003 004 366 372 375 376 421"
)
_SILENT = frozenset(_SILENT_NAMES.split())

_COMMAND = re.compile(r"[A-Z]+|[0-9]{3}")


def to_events(
    line: str, received_at: Instant, *, source: str = "irc", sent_at: Instant | None = None
) -> list[Event]:
    """Turns one chat line into what happened.

    Args:
        line: With or without its line end.
        received_at: When it was received.
        source: Who told us: ``irc``, or ``import`` for recordings.
        sent_at: When it happened, for lines without a time of their own (default: ``received_at``).

    Returns:
        The events, in the order in which the line tells them; empty for lines without any.

    Raises:
        ParseError: The line is broken; the message says what is wrong with which part.

    Caveats:
        A number that is none, or a time before 2001-09 or after 2099, is "not told", not an error.
    """
    if not line.isascii():
        line = _storable(line)
    return parts_to_events(
        split_line(line),
        line,
        received_at,
        source=source,
        fallback_at=received_at if sent_at is None else sent_at,
    )


def parts_to_events(
    parts: Parts, line: str, received_at: Instant, *, source: str, fallback_at: Instant
) -> list[Event]:
    """The same for a line that is already taken apart (the collector looks at the command first).

    Args:
        parts: What :func:`collectors.irc_parser.split_line` made of the line.
        line: The line itself, kept whole where its command is unknown.
        received_at: When it was received.
        source: Who told us.
        fallback_at: When it happened, for lines without a time of their own.

    Returns:
        The events, in the order in which the line tells them.

    Raises:
        ParseError: The line is broken.
    """
    tags, origin, command, params = parts
    if command == "PRIVMSG":
        return chat_message(tags, origin, params, received_at, fallback_at, source)
    if command in _SILENT:
        return []
    handle = _HANDLERS.get(command, unknown)
    if handle is unknown and not _COMMAND.fullmatch(command):
        raise ParseError(f"“{command[:40]}” is not a command")
    return handle(Line(tags, origin, command, params, received_at, fallback_at, source, line))


def _storable(line: str) -> str:
    """Without lone surrogates (JSON recordings can hold them), which no file can store."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return line.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return line
