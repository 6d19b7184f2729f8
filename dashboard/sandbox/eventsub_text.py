"""Chat text in EventSub's form: fragments, badges, people."""

from __future__ import annotations

import re

from dashboard.sandbox import phrases
from dashboard.sandbox.eventsub_messages import Payload
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.users import Population, User

_CHEER = re.compile(r"(cheer)(\d+)", re.IGNORECASE)
_MENTION = re.compile(r"@(\w+)")
_TIERS = (10_000, 5000, 1000, 100, 1)
_GLOBAL_IDS = frozenset(phrases.GLOBAL_EMOTES.values())
_ACTION = "\x01ACTION "


def plain(text: str) -> str:
    """A text without what ``/me`` wraps around it."""
    return text.removeprefix(_ACTION).removesuffix("\x01") if text.startswith(_ACTION) else text


def badges(tag: str, info_tag: str) -> list[Payload]:
    """The badges of a tag such as ``subscriber/12,premium/1``, with the months of ``badge-info``."""
    infos = dict(pair.split("/", 1) for pair in info_tag.split(",") if "/" in pair)
    pairs = (pair.split("/", 1) for pair in tag.split(",") if "/" in pair)
    return [{"set_id": set_id, "id": version, "info": infos.get(set_id, "")} for set_id, version in pairs]


def who(prefix: str, user: User | Channel | None) -> Payload:
    """Id, login and name of somebody, under names that begin with ``prefix``."""
    return {
        f"{prefix}_id": user.user_id if user else None,
        f"{prefix}_login": user.login if user else None,
        f"{prefix}_name": user.display_name if user else None,
    }


def emote_places(tag: str) -> list[tuple[int, int, str]]:
    """Where emotes stand, in order: (first, last, id), positions in code points."""
    found = []
    for part in filter(None, tag.split("/")):
        emote_id, _, spans = part.partition(":")
        for span in spans.split(","):
            first, _, last = span.partition("-")
            found.append((int(first), int(last), emote_id))
    return sorted(found)


def fragments(
    text: str, emotes: str, channel: Channel, population: Population, *, has_bits: bool
) -> list[Payload]:
    """A text cut into text, emotes, mentions and cheermotes; joined again they give the text.

    Args:
        text: Without the wrapping of ``/me``.
        emotes: The line's ``emotes`` tag.
        channel: Whose emotes they may be.
        population: To find out who is mentioned.
        has_bits: Whether words such as ``Cheer100`` are cheermotes.
    """
    found: list[Payload] = []
    at = 0
    for first, last, emote_id in emote_places(emotes):
        _add_words(found, text[at:first], population, has_bits=has_bits)
        is_global = emote_id in _GLOBAL_IDS
        emote = {
            "id": emote_id,
            "emote_set_id": "0" if is_global else f"3{channel.user_id}",
            "owner_id": "0" if is_global else channel.user_id,
            "format": ["static"],
        }
        found.append(_fragment("emote", text[first : last + 1], emote=emote))
        at = last + 1
    _add_words(found, text[at:], population, has_bits=has_bits)
    return found


def _fragment(kind: str, text: str, **parts: Payload) -> Payload:
    return {"type": kind, "text": text, "cheermote": None, "emote": None, "mention": None} | parts


def _add_words(found: list[Payload], text: str, population: Population, *, has_bits: bool) -> None:
    """Words between two emotes; neighbouring plain ones are one fragment."""
    if "@" not in text and not has_bits:
        if text:
            found.append(_fragment("text", text))
        return
    calm = ""
    for word in re.split(r"(\s+)", text):
        special = _special(word, population, has_bits=has_bits)
        if special is None:
            calm += word
            continue
        if calm:
            found.append(_fragment("text", calm))
        found.append(special)
        calm = ""
    if calm:
        found.append(_fragment("text", calm))


def _special(word: str, population: Population, *, has_bits: bool) -> Payload | None:
    if has_bits and (cheer := _CHEER.fullmatch(word)):
        bits = int(cheer[2])
        tier = next(step for step in _TIERS if bits >= step) if bits else 1
        return _fragment("cheermote", word, cheermote={"prefix": cheer[1], "bits": bits, "tier": tier})
    if mention := _MENTION.fullmatch(word):
        user = population.by_login(mention[1].lower())
        if user is not None:
            return _fragment("mention", word, mention=who("user", user))
    return None
