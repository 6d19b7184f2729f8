"""What happens to a room: chat cleared, streams begun and over, follows, raids."""

from __future__ import annotations

from collectors.eventsub_events.fields import USER, Form, fill
from collectors.eventsub_events.values import Room, Told, instant, room_of, text, told, whole
from collectors.irc_rooms import deletion_id
from dashboard.events import Event, Moderation, StreamChange, synthetic_id
from dashboard.events_eventsub import ChannelRaid, Follow, follow_id
from dashboard.eventsub_message import EventSubMessage

_FOLLOW = Form(Follow, {**USER, "followed_at": ("followed_at", instant)})
_RAID = Form(
    ChannelRaid,
    {
        f"{side}_broadcaster_user_{part}": (f"{side}_room_{column}", text)
        for side in ("from", "to")
        for part, column in (("id", "id"), ("login", "login"), ("name", "display_name"))
    }
    | {"viewers": ("viewer_count", whole)},
)


class StreamMemory:
    """Remembers which stream is live in which room: the end of a stream comes without its id.

    One for all messages of a process; forgotten when the process ends, and an end without its
    start then has no ``stream_id``.
    """

    def __init__(self) -> None:
        self._live: dict[str, str] = {}

    def start(self, room_id: str | None, stream_id: str | None) -> None:
        """A stream is live now."""
        if room_id and stream_id:
            self._live[room_id] = stream_id

    def end(self, room_id: str | None) -> str | None:
        """The stream that was live there; it is forgotten."""
        return self._live.pop(room_id or "", None)


def chat_cleared(message: EventSubMessage, event: Told, room: Room) -> list[Event]:
    """The whole chat cleared (``channel.chat.clear``)."""
    return [_moderation("clear_chat", message, event, room)]


def user_cleared(message: EventSubMessage, event: Told, room: Room) -> list[Event]:
    """All messages of somebody cleared (``channel.chat.clear_user_messages``): a ban or a timeout."""
    return [_moderation("clear_user_messages", message, event, room)]


def message_deleted(message: EventSubMessage, event: Told, room: Room) -> list[Event]:
    """One message deleted (``channel.chat.message_delete``); IRC has it under the same id."""
    deleted = _moderation("delete_message", message, event, room)
    deleted.target_message_id = text(event.get("message_id"))
    if deleted.target_message_id:
        deleted.event_id = deletion_id(room.login, deleted.target_message_id)
    return [deleted]


def _moderation(action: str, message: EventSubMessage, event: Told, room: Room) -> Moderation:
    return Moderation(
        event_id=message.message_id,
        source="eventsub",
        room_login=room.login,
        sent_at=message.sent_at,
        received_at=message.received_at,
        room_id=room.room_id,
        action=action,
        target_user_id=text(event.get("target_user_id")),
        target_user_login=text(event.get("target_user_login")),
        target_user_display_name=text(event.get("target_user_name")),
        room_display_name=room.display_name,
    )


def stream_started(message: EventSubMessage, event: Told, room: Room, memory: StreamMemory) -> list[Event]:
    """One stream begun (``stream.online``), under the id that a poll of Helix gives its start."""
    stream_id, started_at = text(event.get("id")), instant(event.get("started_at"))
    memory.start(room.room_id, stream_id)
    # The poller's id of a start: collectors.helix_watch.
    event_id = synthetic_id(StreamChange.kind, "start", stream_id, None) if stream_id else message.message_id
    return [
        StreamChange(
            event_id=event_id,
            source="eventsub",
            room_login=room.login,
            sent_at=started_at or message.sent_at,
            received_at=message.received_at,
            room_id=room.room_id,
            action="start",
            stream_id=stream_id,
            started_at=started_at,
            stream_type=text(event.get("type")),
            room_display_name=room.display_name,
        )
    ]


def stream_ended(message: EventSubMessage, event: Told, room: Room, memory: StreamMemory) -> list[Event]:
    """One stream over (``stream.offline``).

    Twitch tells no stream id here: it comes from the memory of the start, where that was seen. The
    event id is made as the poller makes it, of stream and instant; yet the poller knows only when it
    last saw the stream, up to two polls before, so each tells an end of its own. Ends of one
    ``stream_id`` are the same end, and the latest of them is the exact one.
    """
    remembered = memory.end(room.room_id)
    stream_id = text(event.get("id")) or remembered
    identity = (stream_id,) if stream_id else (room.login, message.message_id)
    return [
        StreamChange(
            event_id=synthetic_id(StreamChange.kind, "end", *identity, message.sent_at),
            source="eventsub",
            room_login=room.login,
            sent_at=message.sent_at,
            received_at=message.received_at,
            room_id=room.room_id,
            action="end",
            stream_id=stream_id,
            room_display_name=room.display_name,
        )
    ]


def follow(message: EventSubMessage, event: Told, room: Room) -> list[Event]:
    """One follow (``channel.follow``), under the id that Helix's list of followers gives it."""
    followed_at, user_id = instant(event.get("followed_at")), text(event.get("user_id"))
    if followed_at is None or user_id is None:
        return [fill(_FOLLOW, message, event, room)]
    event_id = follow_id(room.room_id, user_id, followed_at)
    return [fill(_FOLLOW, message, event, room, event_id=event_id, sent_at=followed_at)]


def raid_room(message: EventSubMessage, event: Told) -> Room | None:
    """The room that a raid was subscribed for: where it came to, else where it left from."""
    return room_of(message, event, f"{_side(message)}_broadcaster_user")


def raid(message: EventSubMessage, event: Told, room: Room) -> list[Event]:
    """One raid, out or in (``channel.raid``)."""
    direction = "out" if _side(message) == "from" else "in"
    return [fill(_RAID, message, event, room, direction=direction)]


def _side(message: EventSubMessage) -> str:
    condition = told(message.subscription.get("condition"))
    is_out = condition.get("from_broadcaster_user_id") and not condition.get("to_broadcaster_user_id")
    return "from" if is_out else "to"
