"""Chat lines turned into events: every command that Twitch's chat sends, and those it may yet.

Chat messages take the short road through this module, at some µs each; USERNOTICEs are in
:mod:`collectors.irc_notices`. What becomes of a line:

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

from collectors.irc_notices import user_notice
from collectors.irc_parser import nick_of, split_line
from collectors.irc_values import (
    Tags,
    emote_names,
    flag,
    instant,
    is_vip,
    json_text,
    number,
    room_login,
    signed_number,
)
from dashboard.errors import ParseError
from dashboard.events import (
    Bits,
    ChatMessage,
    Event,
    Instant,
    Moderation,
    Notice,
    RoomState,
    UserListChange,
    synthetic_id,
)

Handler = Callable[[Tags, "str | None", "list[str]", Instant, Instant, str], list[Event]]
"""Tags, source, params, received_at, fallback for sent_at, who told us."""

_COMMAND = re.compile(r"[A-Z]+|[0-9]{3}")

_SILENT_NAMES = (
    "PING PONG CAP RECONNECT PASS NICK USERSTATE GLOBALUSERSTATE WHISPER 001 002 003 004 366 372 375 376 421"
)
_SILENT = frozenset(_SILENT_NAMES.split())

_CHAT_COLUMNS_NAMES = (
    "badge-info badges bits color custom-reward-id display-name emotes first-msg flags id mod msg-id "
    "reply-parent-display-name reply-parent-msg-body reply-parent-msg-id reply-parent-user-id "
    "reply-parent-user-login reply-thread-parent-display-name reply-thread-parent-msg-id "
    "reply-thread-parent-user-id reply-thread-parent-user-login returning-chatter room-id "
    "source-badge-info source-badges source-id source-only source-room-id subscriber tmi-sent-ts turbo "
    "user-id user-type vip"
)
_CHAT_COLUMNS = frozenset(_CHAT_COLUMNS_NAMES.split())

_other_keys: dict[tuple[str, ...], tuple[str, ...]] = {}
_MAX_LAYOUTS = 5_000


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
        A number that is none, or a time before 2001 or after 2099, is "not told", not an error.
    """
    if not line.isascii():
        line = _storable(line)
    tags, origin, command, params = split_line(line)
    fallback = received_at if sent_at is None else sent_at
    handler = _HANDLERS.get(command)
    if handler is not None:
        return handler(tags, origin, params, received_at, fallback, source)
    if command in _SILENT:
        return []
    return _unknown(line, command, tags, params, received_at, fallback, source)


def _storable(line: str) -> str:
    """Without lone surrogates (JSON recordings can hold them), which no file can store."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return line.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return line


def _chat_message(
    tags: Tags, origin: str | None, params: list[str], received_at: Instant, fallback: Instant, source: str
) -> list[Event]:
    room = room_login(params)
    if len(params) != 2:
        if len(params) < 2:
            raise ParseError("PRIVMSG without a text")
        params = [params[0], " ".join(params[1:])]
    text = params[1]
    is_action = text.startswith("\x01ACTION")
    if is_action:
        text = _unwrapped(text)
    get = tags.get
    at = instant(get("tmi-sent-ts"), fallback)
    login = nick_of(origin)
    user_id = get("user-id") or None
    emotes = get("emotes") or None
    event = ChatMessage(
        event_id=get("id") or synthetic_id("chat_messages", room, at, user_id or login, text),
        source=source,
        room_login=room,
        sent_at=at,
        received_at=received_at,
        room_id=get("room-id") or None,
        user_id=user_id,
        user_login=login,
        user_display_name=get("display-name") or None,
        color=get("color") or None,
        badges=get("badges") or None,
        badge_info=get("badge-info") or None,
        is_subscriber=flag(get("subscriber")),
        is_vip=is_vip(tags),
        is_mod=flag(get("mod")),
        is_turbo=flag(get("turbo")),
        user_type=get("user-type") or None,
        text=text,
        is_action=is_action,
        is_first_message=flag(get("first-msg")),
        is_returning_chatter=flag(get("returning-chatter")),
        emotes=emotes,
        emote_names=emote_names(emotes, text) if emotes else None,
        flags=get("flags") or None,
        custom_reward_id=get("custom-reward-id") or None,
        msg_id=get("msg-id") or None,
    )
    others = _other_keys.get(layout := tuple(tags))
    if others is None:
        others = _remember_layout(layout)
    if others:
        event.other_tags = json_text({key: tags[key] for key in others})
    if "source-room-id" in tags:
        _fill_shared(event, tags)
    if "reply-parent-msg-id" in tags or "reply-thread-parent-msg-id" in tags:
        _fill_reply(event, tags)
    if "bits" in tags and (bits := number(tags["bits"])) is not None:
        event.bits = bits
        return [event, _bits(event, bits)]
    return [event]


def _unwrapped(text: str) -> str:
    """The text of a ``/me`` message; the closing mark is missing where Twitch cut the text."""
    return text[len("\x01ACTION") :].removesuffix("\x01").removeprefix(" ")


def _remember_layout(layout: tuple[str, ...]) -> tuple[str, ...]:
    """Which tags of a set of tags have no column; asked once a set, as there are few."""
    if len(_other_keys) >= _MAX_LAYOUTS:
        _other_keys.clear()
    others = _other_keys[layout] = tuple(key for key in layout if key not in _CHAT_COLUMNS)
    return others


def _fill_shared(event: ChatMessage, tags: Tags) -> None:
    get = tags.get
    event.source_room_id = get("source-room-id") or None
    event.source_message_id = get("source-id") or None
    event.source_badges = get("source-badges") or None
    event.source_badge_info = get("source-badge-info") or None
    event.is_source_only = flag(get("source-only"))


def _fill_reply(event: ChatMessage, tags: Tags) -> None:
    get = tags.get
    event.reply_parent_message_id = get("reply-parent-msg-id") or None
    event.reply_parent_user_id = get("reply-parent-user-id") or None
    event.reply_parent_user_login = get("reply-parent-user-login") or None
    event.reply_parent_display_name = get("reply-parent-display-name") or None
    event.reply_parent_text = get("reply-parent-msg-body") or None
    event.thread_parent_message_id = get("reply-thread-parent-msg-id") or None
    event.thread_parent_user_id = get("reply-thread-parent-user-id") or None
    event.thread_parent_user_login = get("reply-thread-parent-user-login") or None
    event.thread_parent_display_name = get("reply-thread-parent-display-name") or None


def _bits(message: ChatMessage, bits: int) -> Bits:
    return Bits(
        event_id=message.event_id,
        source=message.source,
        room_login=message.room_login,
        sent_at=message.sent_at,
        received_at=message.received_at,
        room_id=message.room_id,
        source_room_id=message.source_room_id,
        source_message_id=message.source_message_id,
        user_id=message.user_id,
        user_login=message.user_login,
        user_display_name=message.user_display_name,
        color=message.color,
        badges=message.badges,
        badge_info=message.badge_info,
        is_subscriber=message.is_subscriber,
        is_vip=message.is_vip,
        is_mod=message.is_mod,
        is_turbo=message.is_turbo,
        user_type=message.user_type,
        source_badges=message.source_badges,
        source_badge_info=message.source_badge_info,
        is_source_only=message.is_source_only,
        bits=bits,
        text=message.text,
    )


def _clear_chat(
    tags: Tags, origin: str | None, params: list[str], received_at: Instant, fallback: Instant, source: str
) -> list[Event]:
    login = params[1] if len(params) > 1 and params[1] else None
    target_id = tags.get("target-user-id") or None
    duration_s = number(tags.get("ban-duration"))
    if login is None and target_id is None:
        action = "clear_chat"
    else:
        action = "timeout" if tags.get("ban-duration") else "ban"
    event = _moderation(tags, params, received_at, fallback, source, action, login, duration_s)
    event.target_user_id = target_id
    event.target_user_login = login
    event.duration_s = duration_s
    event.reason = tags.get("ban-reason") or None
    return [event]


def _clear_message(
    tags: Tags, origin: str | None, params: list[str], received_at: Instant, fallback: Instant, source: str
) -> list[Event]:
    message_id = tags.get("target-msg-id")
    if not message_id:
        raise ParseError(f"CLEARMSG: tag target-msg-id is {message_id!r}, it must name the deleted message")
    event = _moderation(tags, params, received_at, fallback, source, "delete_message", message_id)
    event.target_user_login = tags.get("login") or None
    event.target_message_id = message_id
    event.target_text = " ".join(params[1:]) or None
    return [event]


def _moderation(
    tags: Tags,
    params: list[str],
    received_at: Instant,
    fallback: Instant,
    source: str,
    action: str,
    *identity: object,
) -> Moderation:
    room = room_login(params)
    at = instant(tags.get("tmi-sent-ts"), fallback)
    return Moderation(
        event_id=synthetic_id("moderation", room, at, action, *identity),
        source=source,
        room_login=room,
        sent_at=at,
        received_at=received_at,
        room_id=tags.get("room-id") or None,
        source_room_id=tags.get("source-room-id") or None,
        source_message_id=tags.get("source-id") or None,
        action=action,
    )


def _room_state(
    tags: Tags, origin: str | None, params: list[str], received_at: Instant, fallback: Instant, source: str
) -> list[Event]:
    room = room_login(params)
    at = instant(tags.get("tmi-sent-ts"), fallback)
    get = tags.get
    event = RoomState(
        event_id=synthetic_id("room_states", room, at, sorted(tags.items())),
        source=source,
        room_login=room,
        sent_at=at,
        received_at=received_at,
        room_id=get("room-id") or None,
        is_emote_only=flag(get("emote-only")),
        followers_only_min=signed_number(get("followers-only")),
        is_unique_chat=flag(get("r9k")),
        slow_s=number(get("slow")),
        is_subs_only=flag(get("subs-only")),
        language=get("broadcaster-lang") or None,
        has_rituals=flag(get("rituals")),
    )
    return [event]


def _joined(
    tags: Tags, origin: str | None, params: list[str], received_at: Instant, fallback: Instant, source: str
) -> list[Event]:
    return [_presence("join", origin, params, received_at, fallback, source)]


def _parted(
    tags: Tags, origin: str | None, params: list[str], received_at: Instant, fallback: Instant, source: str
) -> list[Event]:
    return [_presence("part", origin, params, received_at, fallback, source)]


def _presence(
    action: str, origin: str | None, params: list[str], received_at: Instant, at: Instant, source: str
) -> UserListChange:
    room = room_login(params)
    login = nick_of(origin)
    if login is None:
        raise ParseError(f"{action.upper()}: the source {origin!r} names no user")
    return _list_change(action, room, login, received_at, at, source)


def _names(
    tags: Tags, origin: str | None, params: list[str], received_at: Instant, fallback: Instant, source: str
) -> list[Event]:
    # :server 353 <me> = #room :name name name
    if len(params) < 3:
        raise ParseError("353 without a room and its names")
    room = room_login(params[-2:])
    logins = [name.lstrip("@+") for name in params[-1].split(" ")]
    return [_list_change("names", room, login, received_at, fallback, source) for login in logins if login]


def _mode(
    tags: Tags, origin: str | None, params: list[str], received_at: Instant, fallback: Instant, source: str
) -> list[Event]:
    # Until 2021 jtv told who has the moderator's sign: :jtv MODE #room +o somebody
    room = room_login(params)
    letters, logins = (params[1] if len(params) > 1 else ""), iter(params[2:])
    events: list[Event] = []
    action = "mod"
    for letter in letters:
        if letter in "+-":
            action = "mod" if letter == "+" else "unmod"
        elif letter == "o" and (login := next(logins, "")):
            events.append(_list_change(action, room, login, received_at, fallback, source))
        else:
            text = " ".join(params[1:])
            return [_notice("irc:MODE", room, text, tags, received_at, fallback, source)]
    return events


def _list_change(
    action: str, room: str, login: str, received_at: Instant, at: Instant, source: str
) -> UserListChange:
    return UserListChange(
        event_id=synthetic_id("user_list", room, at, action, login),
        source=source,
        room_login=room,
        sent_at=at,
        received_at=received_at,
        action=action,
        user_login=login,
    )


def _server_notice(
    tags: Tags, origin: str | None, params: list[str], received_at: Instant, fallback: Instant, source: str
) -> list[Event]:
    if params and params[0] == "*":  # about our own login, see collectors.irc_connection
        return []
    room = room_login(params)
    text = " ".join(params[1:])
    return [_notice(tags.get("msg-id") or None, room, text, tags, received_at, fallback, source)]


def _host_target(
    tags: Tags, origin: str | None, params: list[str], received_at: Instant, fallback: Instant, source: str
) -> list[Event]:
    # Hosting ended in 2022. Text: "login viewers", "-" for the end; viewers may be missing.
    room = room_login(params)
    text = " ".join(params[1:])
    return [_notice("hosttarget", room, text, tags, received_at, fallback, source)]


def _unknown(
    line: str,
    command: str,
    tags: Tags,
    params: list[str],
    received_at: Instant,
    fallback: Instant,
    source: str,
) -> list[Event]:
    if not _COMMAND.fullmatch(command):
        raise ParseError(f"“{command[:40]}” is not a command")
    rooms = [param for param in params if param.startswith("#")]
    if not rooms:
        raise ParseError(f"unknown command {command} that names no room")
    room = room_login(rooms)
    return [_notice(f"irc:{command}", room, line.rstrip("\r\n"), tags, received_at, fallback, source)]


def _notice(
    msg_id: str | None,
    room: str,
    text: str,
    tags: Tags,
    received_at: Instant,
    fallback: Instant,
    source: str,
) -> Notice:
    at = instant(tags.get("tmi-sent-ts"), fallback)
    return Notice(
        event_id=synthetic_id("notices", room, at, msg_id, text),
        source=source,
        room_login=room,
        sent_at=at,
        received_at=received_at,
        room_id=tags.get("room-id") or None,
        source_room_id=tags.get("source-room-id") or None,
        source_message_id=tags.get("source-id") or None,
        msg_id=msg_id,
        text=text or None,
    )


_HANDLERS: dict[str, Handler] = {
    "PRIVMSG": _chat_message,
    "USERNOTICE": user_notice,
    "CLEARCHAT": _clear_chat,
    "CLEARMSG": _clear_message,
    "ROOMSTATE": _room_state,
    "JOIN": _joined,
    "PART": _parted,
    "353": _names,
    "MODE": _mode,
    "NOTICE": _server_notice,
    "HOSTTARGET": _host_target,
}
