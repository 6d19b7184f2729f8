"""Messages without tags, as text logs and tables have them, turned into events."""

from __future__ import annotations

import re
from typing import Any

from collectors.recorded.notices import author_of, notice_from_text
from collectors.recorded.recording import message_id
from dashboard.events import ChatMessage, Event, Instant, Moderation, synthetic_id

_TIMEOUT = re.compile(r"(\w{1,25}) has been timed out for (\d+) seconds?\.?", re.ASCII)
_BAN = re.compile(r"(\w{1,25}) has been (?:permanently )?banned\.?", re.ASCII)
_CLEARED = re.compile(r"[Cc]hat has been cleared(?: by a moderator)?\.?")
_ACTION = "\x01ACTION "


def plain_events(
    user: str | None, text: str, *, room: str, at: Instant, received_at: Instant, **told: Any
) -> list[Event]:
    """The event in one message of a log.

    Args:
        user: The author's name as the log has it, or ``None`` where the log names none.
        text: What was written or announced.
        room: The channel's login.
        at: When it was written.
        received_at: When it is imported.
        **told: Further fields of the message that the log tells.

    Returns:
        The event with the id made of its content; none if the line holds nothing known.

    Caveats:
        Who writes ``X has been banned`` under the name X is taken for the server.
    """
    if moderation := _moderation(user, text, room, at, received_at):
        return [moderation]
    login = user.lower() if user else None
    common: dict[str, Any] = {
        "source": "import",
        "room_login": room,
        "sent_at": at,
        "received_at": received_at,
        "user_login": login,
        "user_display_name": user if user != login else None,
    } | {name: value for name, value in told.items() if value is not None}
    author = login or (author_of(text) or "").lower() or None
    notice_id = {"event_id": synthetic_id("usernotice", room, at, author, text)}
    if notice := notice_from_text(text, {**notice_id, **common, "user_login": author}):
        return [notice]
    if login is None:
        return []
    is_action = text.startswith(_ACTION)
    if is_action:
        text = text.removeprefix(_ACTION).removesuffix("\x01")
    identity = common.get("user_id") or login
    own_id = {"event_id": message_id(room, at, identity, text)}
    return [ChatMessage(**(own_id | common), text=text, is_action=is_action)]


def _moderation(
    user: str | None, text: str, room: str, at: Instant, received_at: Instant
) -> Moderation | None:
    action, login, duration_s = "", None, None
    if match := _TIMEOUT.fullmatch(text):
        action, login, duration_s = "timeout", match[1].lower(), int(match[2])
    elif match := _BAN.fullmatch(text):
        action, login = "ban", match[1].lower()
    elif _CLEARED.fullmatch(text):
        action = "clear_chat"
    if not action or (user is not None and user.lower() != login):
        return None
    return Moderation(
        event_id=synthetic_id(Moderation.kind, room, at, action, login, duration_s),
        source="import",
        room_login=room,
        sent_at=at,
        received_at=received_at,
        action=action,
        target_user_login=login,
        duration_s=duration_s,
    )
