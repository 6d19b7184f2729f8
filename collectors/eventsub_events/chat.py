"""What people write in chat, told by EventSub, as the same events that IRC gives.

What one of the two does not tell is in :mod:`collectors.eventsub_events.differences`.

Source: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/#channelchatmessage
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from collectors.eventsub_events.person import emotes_of, person, unwrapped
from collectors.eventsub_events.values import Room, Told, text, told, whole
from dashboard.events import Bits, ChatMessage, Event
from dashboard.eventsub_message import EventSubMessage

MSG_IDS: Final[dict[str, str | None]] = {
    "text": None,
    "channel_points_highlighted": "highlighted-message",
    "channel_points_sub_only": "skip-subs-mode-message",
    "user_intro": "user-intro",
    "power_ups_message_effect": "animated-message",
    "power_ups_gigantified_emote": "gigantified-emote-message",
}
"""EventSub's ``message_type`` in IRC's words (tag ``msg-id``)."""

_COLUMN_NAMES = (
    "broadcaster_user_id broadcaster_user_login chatter_user_id chatter_user_login chatter_user_name "
    "message_id message color badges cheer reply channel_points_custom_reward_id "
    "source_broadcaster_user_id source_message_id source_badges is_source_only"
)
_COLUMNS = frozenset(_COLUMN_NAMES.split())
_REPLY_COLUMNS = {
    "parent_message_id": "reply_parent_message_id",
    "parent_user_id": "reply_parent_user_id",
    "parent_user_login": "reply_parent_user_login",
    "parent_user_name": "reply_parent_display_name",
    "parent_message_body": "reply_parent_text",
    "thread_message_id": "thread_parent_message_id",
    "thread_user_id": "thread_parent_user_id",
    "thread_user_login": "thread_parent_user_login",
    "thread_user_name": "thread_parent_display_name",
}


def chat_message(message: EventSubMessage, event: Told, room: Room) -> list[Event]:
    """One message as what somebody wrote and, if there are bits in it, as a cheer.

    Args:
        message: It came in.
        event: What it tells.
        room: Where it was written.

    Returns:
        A ``ChatMessage`` under the id that IRC has for it, perhaps followed by ``Bits`` with the same
        id; nothing where Twitch tells no text.
    """
    content = told(event.get("message"))
    written = content.get("text")
    if not isinstance(written, str):
        return []
    written, is_action = unwrapped(written)
    emotes, names = emotes_of(content.get("fragments"), written)
    kind = event.get("message_type")
    who = person(event)
    chat = ChatMessage(
        event_id=text(event.get("message_id")) or message.message_id,
        source="eventsub",
        room_login=room.login,
        sent_at=message.sent_at,
        received_at=message.received_at,
        room_id=room.room_id,
        text=written,
        is_action=is_action,
        emotes=emotes,
        emote_names=names,
        custom_reward_id=text(event.get("channel_points_custom_reward_id")),
        msg_id=MSG_IDS.get(kind, kind) if isinstance(kind, str) else None,
        other_tags=_others(event, content),
        **who,
    )
    reply = event.get("reply")
    if isinstance(reply, dict):
        for name, column in _REPLY_COLUMNS.items():
            setattr(chat, column, text(reply.get(name)))
    bits = whole(told(event.get("cheer")).get("bits"))
    if bits is None:
        return [chat]
    chat.bits = bits
    return [chat, _bits(chat, who, bits)]


def _bits(chat: ChatMessage, who: dict[str, Any], bits: int) -> Bits:
    return Bits(
        event_id=chat.event_id,
        source=chat.source,
        room_login=chat.room_login,
        sent_at=chat.sent_at,
        received_at=chat.received_at,
        room_id=chat.room_id,
        bits=bits,
        text=chat.text,
        **who,
    )


def _others(event: Told, content: Told) -> str | None:
    """What has no column: Twitch's own name of the type, the room's display name, what emotes belong to."""
    others: dict[str, Any] = {
        key: value for key, value in event.items() if key not in _COLUMNS and value is not None
    }
    fragments = content.get("fragments")
    if isinstance(fragments, list):
        parts = [_told_part(part) for part in fragments if not _is_plain(part)]
        if parts:
            others["fragments"] = parts
    return orjson.dumps(others).decode() if others else None


def _is_plain(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "text"


def _told_part(part: object) -> object:
    if not isinstance(part, dict):
        return part
    return {key: value for key, value in part.items() if value is not None}
