"""What happens to a room: moderation, modes, who comes and goes, notices of the server."""

from __future__ import annotations

from collectors.irc_parser import nick_of
from collectors.irc_values import Line, flag, number, room_login, signed_number
from dashboard.errors import ParseError
from dashboard.events import Event, Instant, Moderation, Notice, RoomState, UserListChange, synthetic_id


def clear_chat(line: Line) -> list[Event]:
    """One CLEARCHAT: a ban, a timeout, or the whole room cleared."""
    tags = line.tags
    login = line.text or None
    target_id = tags.get("target-user-id") or None
    duration = tags.get("ban-duration")
    action = "timeout" if duration else "ban"
    if login is None and target_id is None:
        action = "clear_chat"
    event = _moderation(line, action, target_id or login, duration)
    event.target_user_id = target_id
    event.target_user_login = login
    event.duration_s = number(duration)
    event.reason = tags.get("ban-reason") or None
    return [event]


def clear_message(line: Line) -> list[Event]:
    """One CLEARMSG: a single message deleted, told with its text."""
    message_id = line.tags.get("target-msg-id")
    if not message_id:
        raise ParseError(f"CLEARMSG: target-msg-id is {message_id!r} and should name the deleted message")
    event = _moderation(line, "delete_message", message_id)
    event.event_id = deletion_id(event.room_login, message_id)
    event.target_user_login = line.tags.get("login") or None
    event.target_message_id = message_id
    event.target_text = line.text or None
    return [event]


def deletion_id(room: str, message_id: str) -> str:
    """The id of a message's deletion, whoever tells of it: it happens once, so it needs no instant."""
    return synthetic_id("moderation", room, "delete_message", message_id)


def _moderation(line: Line, action: str, *identity: object) -> Moderation:
    room, at = line.room(), line.sent_at
    return Moderation(
        event_id=synthetic_id("moderation", room, at, action, *identity),
        source=line.source,
        room_login=room,
        sent_at=at,
        received_at=line.received_at,
        room_id=line.tags.get("room-id") or None,
        source_room_id=line.tags.get("source-room-id") or None,
        source_message_id=line.tags.get("source-id") or None,
        action=action,
    )


def room_state(line: Line) -> list[Event]:
    """One ROOMSTATE: all modes after a join, later only the ones that changed."""
    room, at = line.room(), line.sent_at
    get = line.tags.get
    return [
        RoomState(
            event_id=synthetic_id("room_states", room, at, sorted(line.tags.items())),
            source=line.source,
            room_login=room,
            sent_at=at,
            received_at=line.received_at,
            room_id=get("room-id") or None,
            is_emote_only=flag(get("emote-only")),
            followers_only_min=signed_number(get("followers-only")),
            is_unique_chat=flag(get("r9k")),
            slow_s=number(get("slow")),
            is_subs_only=flag(get("subs-only")),
            language=get("broadcaster-lang") or None,
            has_rituals=flag(get("rituals")),
        )
    ]


def presence(line: Line) -> list[Event]:
    """One JOIN or PART of a user."""
    room = line.room()
    login = nick_of(line.origin)
    if login is None:
        raise ParseError(f"{line.command}: the source is {line.origin!r} and should name a user")
    return [_list_change(line, line.command.lower(), room, login)]


def names(line: Line) -> list[Event]:
    """One part of a NAMES list (``353 <me> = #room :name name``), an event for each name."""
    if len(line.params) < 3:
        raise ParseError("353: should have a room and its names")
    room = room_login(line.params[-2:])
    logins = [name.lstrip("@+") for name in line.params[-1].split(" ")]
    return [_list_change(line, "names", room, login) for login in logins if login]


def mode(line: Line) -> list[Event]:
    """One MODE: until 2021 jtv told so who has the moderator's sign (``+o somebody``)."""
    room = line.room()
    letters = line.params[1] if len(line.params) > 1 else ""
    logins = iter(line.params[2:])
    events: list[Event] = []
    action = "mod"
    for letter in letters:
        if letter in "+-":
            action = "mod" if letter == "+" else "unmod"
        elif letter == "o" and (login := next(logins, "")):
            events.append(_list_change(line, action, room, login))
        else:
            return unknown(line)
    return events or unknown(line)


def _list_change(line: Line, action: str, room: str, login: str) -> UserListChange:
    at: Instant = line.sent_at
    return UserListChange(
        event_id=synthetic_id("user_list", room, at, action, login),
        source=line.source,
        room_login=room,
        sent_at=at,
        received_at=line.received_at,
        action=action,
        user_login=login,
    )


def server_notice(line: Line) -> list[Event]:
    """One NOTICE in a room; one to ``*`` is about our own login and is the connection's matter."""
    if line.params and line.params[0] == "*":
        return []
    return [_notice(line, line.room(), line.tags.get("msg-id") or None, line.text)]


def host_target(line: Line) -> list[Event]:
    """One HOSTTARGET (hosting ended in 2022): ``login viewers``, where ``-`` ends the hosting."""
    return [_notice(line, line.room(), "hosttarget", line.text)]


def unknown(line: Line) -> list[Event]:
    """A command that nobody told us of, kept whole under ``irc:<COMMAND>`` in the room it names."""
    rooms = [param for param in line.params if param.startswith("#")]
    if not rooms:
        raise ParseError(f"unknown command {line.command} that names no room")
    return [_notice(line, room_login(rooms), f"irc:{line.command}", line.raw.rstrip("\r\n"))]


def _notice(line: Line, room: str, msg_id: str | None, text: str) -> Notice:
    at = line.sent_at
    return Notice(
        event_id=synthetic_id("notices", room, at, msg_id, text),
        source=line.source,
        room_login=room,
        sent_at=at,
        received_at=line.received_at,
        room_id=line.tags.get("room-id") or None,
        source_room_id=line.tags.get("source-room-id") or None,
        source_message_id=line.tags.get("source-id") or None,
        msg_id=msg_id,
        text=text or None,
    )
