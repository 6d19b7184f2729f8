"""The same thing said in chat, written once as Twitch's IRC writes it and once as its EventSub does.

Positions and tags are put together here from the parts of what was said, on their own, so that a
test can hold the two parsers against each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import orjson

from collectors.eventsub_events.differences import DIFFERENCES, EVENTSUB, IRC, told_by_both
from collectors.eventsub_parse import parse_notification
from collectors.irc_events import to_events
from dashboard.events import Instant
from dashboard.eventsub_message import from_webhook

NOW = Instant(1_800_000_000_000_000)
ROOM = {"id": "1337", "login": "room", "name": "Röom"}

Badge = tuple[str, str, str]
Part = dict[str, Any]


def words(text: str) -> Part:
    """Plain text."""
    return {"type": "text", "text": text, "cheermote": None, "emote": None, "mention": None}


def emote(text: str, emote_id: str) -> Part:
    """An emote by its word."""
    told = {"id": emote_id, "emote_set_id": "0", "owner_id": "0", "format": ["static"]}
    return words(text) | {"type": "emote", "emote": told}


def mention(name: str) -> Part:
    """``@Name``."""
    told = {"user_id": "99", "user_login": name.lower(), "user_name": name}
    return words(f"@{name}") | {"type": "mention", "mention": told}


def cheermote(prefix: str, bits: int) -> Part:
    """``Cheer100``."""
    return words(f"{prefix}{bits}") | {
        "type": "cheermote",
        "cheermote": {"prefix": prefix.lower(), "bits": bits, "tier": 1},
    }


@dataclass
class Said:
    """Somebody, and what they wrote."""

    parts: list[Part] = field(default_factory=list)
    badges: list[Badge] = field(default_factory=list)
    source_badges: list[Badge] | None = None
    is_action: bool = False
    user_id: str = "22"
    login: str = "calm_tom"
    name: str = "Calm Tom"
    color: str = "#1E90FF"
    message_id: str = "db25007f-7a18-43eb-9379-80131e44d633"
    irc_tags: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All parts one after the other."""
        return "".join(part["text"] for part in self.parts)


def irc_events(said: Said, command: str = "PRIVMSG") -> list[Any]:
    """What the IRC parser makes of it."""
    tags = {
        "badge-info": _irc_badges(said.badges, 2),
        "badges": _irc_badges(said.badges, 1),
        "color": said.color,
        "display-name": said.name,
        "emotes": _irc_emotes(said.parts),
        "id": said.message_id,
        "mod": _has(said, "moderator"),
        "room-id": ROOM["id"],
        "subscriber": _has(said, "subscriber"),
        "tmi-sent-ts": "1725938011176",
        "user-id": said.user_id,
        "user-type": "mod" if _has(said, "moderator") == "1" else "",
    }
    if command == "USERNOTICE":
        tags["login"] = said.login
    if said.source_badges is not None:
        tags["source-badges"] = _irc_badges(said.source_badges, 1)
        tags["source-badge-info"] = _irc_badges(said.source_badges, 2)
    tags |= said.irc_tags
    joined = ";".join(f"{name}={_escaped(value)}" for name, value in tags.items())
    text = f"\x01ACTION {said.text}\x01" if said.is_action else said.text
    end = f" :{text}" if said.text or command == "PRIVMSG" else ""
    origin = (
        "tmi.twitch.tv"
        if command == "USERNOTICE"
        else f"{said.login}!{said.login}@{said.login}.tmi.twitch.tv"
    )
    return to_events(f"@{joined} :{origin} {command} #{ROOM['login']}{end}", NOW)


def eventsub_event(said: Said) -> dict[str, Any]:
    """Its ``event`` object."""
    text = f"\x01ACTION {said.text}\x01" if said.is_action else said.text
    event: dict[str, Any] = {
        "broadcaster_user_id": ROOM["id"],
        "broadcaster_user_login": ROOM["login"],
        "broadcaster_user_name": ROOM["name"],
        "chatter_user_id": said.user_id,
        "chatter_user_login": said.login,
        "chatter_user_name": said.name,
        "message_id": said.message_id,
        "message": {"text": text, "fragments": said.parts},
        "color": said.color,
        "badges": _badges(said.badges),
        "source_broadcaster_user_id": None,
        "source_broadcaster_user_login": None,
        "source_broadcaster_user_name": None,
        "source_message_id": None,
        "source_badges": None if said.source_badges is None else _badges(said.source_badges),
    }
    return event | said.fields


def eventsub_events(said: Said, name: str = "channel.chat.message") -> list[Any]:
    """What the EventSub parser makes of it, without the raw row."""
    return parsed(name, eventsub_event(said))


def parsed(
    name: str, event: Any, *, version: str = "1", condition: dict[str, str] | None = None
) -> list[Any]:
    """What the EventSub parser makes of an ``event`` object, without the raw row."""
    subscription = {"id": "s1", "type": name, "version": version, "condition": condition or {}}
    body = orjson.dumps({"subscription": subscription, "event": event})
    raw, *events = parse_notification(from_webhook(HEADERS, body, NOW))
    assert raw.kind == "notifications"
    return events


HEADERS = {
    "Twitch-Eventsub-Message-Id": "befa7b53-d79d-478f-86b9-120f112b044e",
    "Twitch-Eventsub-Message-Type": "notification",
    "Twitch-Eventsub-Message-Timestamp": "2024-09-10T03:13:31.634234626Z",
}
SENT_AT = Instant(1_725_938_011_634_234)


def assert_equal(irc: list[Any], eventsub: list[Any]) -> None:
    """Equal in every field that the table of differences does not name; None where it says "not told"."""
    assert [event.kind for event in irc] == [event.kind for event in eventsub]
    for one, other in zip(irc, eventsub, strict=True):
        names = told_by_both(one.kind, [column.name for column in fields(one)])
        assert {name: getattr(one, name) for name in names} == {name: getattr(other, name) for name in names}
        for difference in DIFFERENCES[one.kind]:
            if difference.told_by == IRC:
                assert getattr(other, difference.field) is None, difference
            elif difference.told_by == EVENTSUB:
                assert getattr(one, difference.field) is None, difference


def _irc_badges(badges: list[Badge], which: int) -> str:
    return ",".join(f"{badge[0]}/{badge[which]}" for badge in badges if badge[which])


def _badges(badges: list[Badge]) -> list[dict[str, str]]:
    return [{"set_id": name, "id": number, "info": info} for name, number, info in badges]


def _has(said: Said, badge: str) -> str:
    return str(int(any(name == badge for name, _, _ in said.badges)))


def _irc_emotes(parts: list[Part]) -> str:
    position, spans = 0, dict[str, list[str]]()
    for part in parts:
        last = position + len(part["text"]) - 1
        if part["emote"]:
            spans.setdefault(part["emote"]["id"], []).append(f"{position}-{last}")
        position = last + 1
    return "/".join(f"{emote_id}:{','.join(places)}" for emote_id, places in spans.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\s").replace(";", "\\:")
