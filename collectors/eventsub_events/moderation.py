"""What moderators do, with their names: bans, deletions, modes, terms, warnings, unban requests, roles."""

from __future__ import annotations

from typing import Any, Final

from collectors.eventsub_events.fields import MODERATOR, USER, Form, Tree, fill
from collectors.eventsub_events.values import Room, Told, flag, instant, json_text, text, whole
from dashboard.events import Event
from dashboard.events_eventsub import ModAction
from dashboard.eventsub_message import EventSubMessage

_DETAIL: Tree = {
    **USER,
    "reason": ("reason", text),
    "expires_at": ("ends_at", instant),
    "message_id": ("target_message_id", text),
    "message_body": ("target_text", text),
    "follow_duration_minutes": ("follow_duration_min", whole),
    "wait_time_seconds": ("slow_s", whole),
    "viewer_count": ("viewer_count", whole),
    "action": ("terms_action", text),
    "list": ("terms_list", text),
    "terms": ("terms", json_text),
    "from_automod": ("is_from_automod", flag),
    "is_approved": ("is_approved", flag),
    "moderator_message": ("moderator_text", text),
    "chat_rules_cited": ("chat_rules_cited", json_text),
}
_PLAIN_DETAILS = (
    "followers slow vip unvip mod unmod ban unban timeout untimeout raid unraid delete automod_terms "
    "unban_request warn"
)
_SHARED_DETAILS = "ban unban timeout untimeout delete"
_DETAILS = (*_PLAIN_DETAILS.split(), *(f"shared_chat_{name}" for name in _SHARED_DETAILS.split()))
_DETAIL_OF = {
    **{
        f"{verb}_{which}_term": "automod_terms"
        for verb in ("add", "remove")
        for which in ("blocked", "permitted")
    },
    **{f"{verb}_unban_request": "unban_request" for verb in ("approve", "deny")},
}
_MODERATE = Form(
    ModAction,
    {
        **MODERATOR,
        "action": ("action", text),
        "source_broadcaster_user_id": ("source_room_id", text),
        "source_broadcaster_user_login": ("source_room_login", text),
        "source_broadcaster_user_name": ("source_room_display_name", text),
        "detail": _DETAIL,
    },
    {"action": "unknown"},
)
_BAN = Form(
    ModAction,
    {
        **USER,
        **MODERATOR,
        "reason": ("reason", text),
        "banned_at": ("banned_at", instant),
        "ends_at": ("ends_at", instant),
        "is_permanent": ("is_permanent", flag),
    },
)
_UNBAN_REQUEST: Tree = {
    **USER,
    **MODERATOR,
    "id": ("unban_request_id", text),
    "text": ("unban_request_text", text),
    "created_at": ("unban_request_created_at", instant),
    "resolution_text": ("moderator_text", text),
    "status": ("unban_request_status", text),
}
_PERSON: Tree = {**USER, **MODERATOR}
_WARNING: Tree = {
    **_PERSON,
    "reason": ("reason", text),
    "chat_rules_cited": ("chat_rules_cited", json_text),
}

MODERATION_FORMS: Final[dict[str, Form]] = {
    "channel.unban": Form(ModAction, _PERSON, {"action": "unban"}),
    "channel.unban_request.create": Form(ModAction, _UNBAN_REQUEST, {"action": "unban_request"}),
    "channel.unban_request.resolve": Form(ModAction, _UNBAN_REQUEST, {"action": "resolve_unban_request"}),
    "channel.warning.send": Form(ModAction, _WARNING, {"action": "warn"}),
    "channel.warning.acknowledge": Form(ModAction, _WARNING, {"action": "acknowledge_warning"}),
    "channel.moderator.add": Form(ModAction, _PERSON, {"action": "mod"}),
    "channel.moderator.remove": Form(ModAction, _PERSON, {"action": "unmod"}),
    "channel.vip.add": Form(ModAction, _PERSON, {"action": "vip"}),
    "channel.vip.remove": Form(ModAction, _PERSON, {"action": "unvip"}),
}


def ban(message: EventSubMessage, event: Told, room: Room) -> list[Event]:
    """One ban or timeout (``channel.ban``)."""
    is_permanent = flag(event.get("is_permanent"))
    if is_permanent is None:
        is_permanent = not event.get("ends_at")
    return [fill(_BAN, message, event, room, action="ban" if is_permanent else "timeout")]


def moderate(message: EventSubMessage, event: Told, room: Room) -> list[Event]:
    """One act of a moderator (``channel.moderate``); its details are in the object named after it."""
    name, detail = _detail(event)
    plain: dict[str, Any] = {key: value for key, value in event.items() if key != name}
    # The details are read under one name, whatever Twitch's is; an act of that name there is not.
    return [fill(_MODERATE, message, plain | {"detail": detail}, room)]


def _detail(event: Told) -> tuple[str | None, Told | None]:
    action = event.get("action")
    if isinstance(action, str):
        name = _DETAIL_OF.get(action, action)
        if name in _DETAILS and isinstance(event.get(name), dict):
            return name, event[name]
    # Twitch's own example of a shared ban has the details under another name than its action.
    told = [name for name in _DETAILS if isinstance(event.get(name), dict)]
    return (told[0], event[told[0]]) if len(told) == 1 else (None, None)
