"""PRIVMSGs: what people write in chat. The hot path: nearly every line passes through here."""

from __future__ import annotations

from collectors.irc_parser import nick_of
from collectors.irc_values import Tags, emote_names, flag, instant, is_vip, json_text, number, room_login
from dashboard.errors import ParseError
from dashboard.events import Bits, ChatMessage, Event, Instant, synthetic_id

_COLUMNS_NAMES = (
    "badge-info badges bits color custom-reward-id display-name emotes first-msg flags id mod msg-id "
    "reply-parent-display-name reply-parent-msg-body reply-parent-msg-id reply-parent-user-id "
    "reply-parent-user-login reply-thread-parent-display-name reply-thread-parent-msg-id "
    "reply-thread-parent-user-id reply-thread-parent-user-login returning-chatter room-id "
    "source-badge-info source-badges source-id source-only source-room-id subscriber tmi-sent-ts turbo "
    "user-id user-type vip"
)
# The nonce is a random number that the sender's program made up for its own use. It tells nothing, and
# would be a third of what a message costs on the disk.
_NOT_KEPT = frozenset({"client-nonce"})
_COLUMNS = frozenset(_COLUMNS_NAMES.split()) | _NOT_KEPT

_other_keys: dict[tuple[str, ...], tuple[str, ...]] = {}
_MAX_LAYOUTS = 5_000


def chat_message(
    tags: Tags,
    origin: str | None,
    params: list[str],
    received_at: Instant,
    fallback_at: Instant,
    source: str,
) -> list[Event]:
    """One PRIVMSG as what somebody wrote and, if there are bits in it, as a cheer.

    Args:
        tags: Of the line, unescaped.
        origin: Source of the line.
        params: The room and the text.
        received_at: When the line was received.
        fallback_at: When it happened, if the line does not tell.
        source: Who told us.

    Returns:
        A ``ChatMessage``, perhaps followed by ``Bits`` with the same id.

    Raises:
        ParseError: There is no room or no text.
    """
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
    at = instant(get("tmi-sent-ts"), fallback_at)
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
    others = _other_keys[layout] = tuple(key for key in layout if key not in _COLUMNS)
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
