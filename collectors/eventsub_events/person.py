"""Who wrote it, and the text with its emotes, as IRC tells them: shared by chat's messages and notices."""

from __future__ import annotations

from typing import Any

from collectors.eventsub_events.values import Told, badge_names, badges, flag, text

_ACTION = "\x01ACTION"
_MODERATORS = frozenset({"moderator", "lead_moderator"})
_USER_TYPES = ("staff", "admin", "global_mod")
_FOUNDER = "founder"


def person(event: Told) -> dict[str, Any]:
    """The columns about the one who wrote.

    Args:
        event: With ``chatter_…``, ``color``, ``badges`` and the ``source_…`` of a shared chat.

    Returns:
        Values by column. What IRC says in tags of their own (subscriber, moderator, VIP, staff) is
        read off the badges; of a founder IRC itself says now this, now that, so nothing is told.
    """
    worn, info = badges(event.get("badges"))
    names = badge_names(event.get("badges"))
    values: dict[str, Any] = {
        "user_id": text(event.get("chatter_user_id")),
        "user_login": text(event.get("chatter_user_login")),
        "user_display_name": text(event.get("chatter_user_name")),
        "color": text(event.get("color")),
        "badges": worn,
        "badge_info": info,
    }
    if names is not None:
        values["is_subscriber"] = None if _FOUNDER in names else "subscriber" in names
        values["is_vip"] = "vip" in names
        values["is_mod"] = is_mod = not names.isdisjoint(_MODERATORS)
        values["user_type"] = next((name for name in _USER_TYPES if name in names), "mod" if is_mod else None)
    source_id = text(event.get("source_broadcaster_user_id"))
    if source_id is not None or event.get("source_message_id"):
        values["source_room_id"] = source_id
        values["source_message_id"] = text(event.get("source_message_id"))
        values["source_badges"], values["source_badge_info"] = badges(event.get("source_badges"))
        values["is_source_only"] = flag(event.get("is_source_only"))
    return values


def unwrapped(written: str) -> tuple[str, bool]:
    """The text without the marks of ``/me``, and whether it had them."""
    if not written.startswith(_ACTION):
        return written, False
    return written[len(_ACTION) :].removesuffix("\x01").removeprefix(" "), True


def emotes_of(fragments: object, written: str) -> tuple[str | None, str | None]:
    """The emotes of a text, as IRC writes them.

    Args:
        fragments: The parts of the text in their order; each has a ``text`` and perhaps an ``emote``.
        written: The text itself, without the marks of ``/me``.

    Returns:
        ``25:0-4,12-16/1902:6-10``, positions in code points, and the words in order of appearance;
        ``None`` both where there are no emotes.

    Caveats:
        Parts that do not add up to the text (Twitch leaves plain words out in places) are searched
        for in it, each after the one before.
    """
    if not isinstance(fragments, list):
        return None, None
    spans: dict[str, list[str]] = {}
    words: list[str] = []
    position = 0
    for fragment in fragments:
        if not isinstance(fragment, dict):
            continue
        part = fragment.get("text")
        if not isinstance(part, str) or not part:
            continue
        emote = fragment.get("emote")
        start = position
        if not written.startswith(part, start):
            start = written.find(part, position)
            if start < 0:
                continue
        position = start + len(part)
        if isinstance(emote, dict) and (emote_id := text(emote.get("id"))):
            spans.setdefault(emote_id, []).append(f"{start}-{position - 1}")
            if " " not in part:
                words.append(part)
    if not spans:
        return None, None
    told = "/".join([f"{emote_id}:{','.join(places)}" for emote_id, places in spans.items()])
    return told, " ".join(words) or None
