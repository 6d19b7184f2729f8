"""More of what a setting may hold: people, secrets, zones, origins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dashboard.config_rules import parse_channels, split_list

_SHORTEST_KEY = 32


def check_user_ids(values: Iterable[str]) -> tuple[str, ...]:
    """Makes sure that values are Twitch user ids: logins change hands, ids never do.

    Raises:
        ValueError: One is not a number; the message names it.
    """
    ids = tuple(dict.fromkeys(values))
    for user_id in ids:
        if not re.fullmatch(r"[0-9]{1,20}", user_id):
            raise ValueError(f"“{user_id}” is not a Twitch user id")
    return ids


def check_origins(values: Iterable[str]) -> tuple[str, ...]:
    """Makes sure that values are origins as browsers send them, or the one value ``*``.

    Raises:
        ValueError: One is not; the message names it.
    """
    origins = tuple(dict.fromkeys(value.rstrip("/") for value in values))
    for origin in origins:
        url = urlsplit(origin)
        is_origin = url.scheme in ("http", "https") and url.netloc and not (url.path or url.query)
        if origin != "*" and not is_origin:
            raise ValueError(f"“{origin}” is not an origin like https://tools.example.org")
    return origins


def check_zone(value: str) -> str:
    """Makes sure that a value is the name of a time zone.

    Raises:
        ValueError: It is not.
    """
    name = value.strip()
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"“{name}” is not a time zone") from None
    return name


def parse_zones(value: object) -> dict[str, str]:
    """Turns ``login=zone`` pairs (or a mapping, from YAML) into zones by login.

    Raises:
        ValueError: A pair is broken; the message names it.
    """
    if isinstance(value, dict):
        pairs = [(str(login), str(zone)) for login, zone in value.items()]
    else:
        pairs = []
        for part in split_list(value):
            login, mark, zone = part.partition("=")
            if not mark:
                raise ValueError(f"“{part}” is not login=zone")
            pairs.append((login, zone))
    return {parse_channels([login])[0]: check_zone(zone) for login, zone in pairs}


def check_eventsub_secret(value: str) -> str:
    """Makes sure that Twitch takes a secret: ASCII, 10 to 100 characters.

    Raises:
        ValueError: It would not; the message has nothing of it.
    """
    text = value.strip()
    if text and not (text.isascii() and text.isprintable() and 10 <= len(text) <= 100):
        raise ValueError("Twitch takes secrets of 10 to 100 ASCII characters only")
    return text


def check_secret_key(value: str) -> str:
    """Makes sure that a key can't be guessed.

    Raises:
        ValueError: It is too short; the message has nothing of it.
    """
    text = value.strip()
    if text and len(text) < _SHORTEST_KEY:
        raise ValueError(f"it has fewer than {_SHORTEST_KEY} characters")
    return text
