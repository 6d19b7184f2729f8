"""Helix objects that are the same at all times: games, emotes, badges, people in short."""

from __future__ import annotations

from dashboard.sandbox.phrases import GLOBAL_EMOTES
from dashboard.sandbox.scene import Channel, Game
from dashboard.sandbox.users import User

_CDN = "https://static-cdn.jtvnw.net"
_TEMPLATE = _CDN + "/emoticons/v2/{{id}}/{{format}}/{{theme_mode}}/{{scale}}"
LANGUAGE_NAMES = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "pt": "Português",
    "ko": "한국어",
    "ja": "日本語",
    "ru": "Русский",
}


def person(user: User) -> dict[str, object]:
    """A person in the short form of lists."""
    return {"user_id": user.user_id, "user_login": user.login, "user_name": user.display_name}


def game(item: Game) -> dict[str, object]:
    """A category."""
    box = f"{_CDN}/ttv-boxart/{item.game_id}-{{width}}x{{height}}.jpg"
    return {"id": item.game_id, "name": item.name, "box_art_url": box, "igdb_id": item.igdb_id}


def subscription(channel: Channel, user: User, tier: str) -> dict[str, object]:
    """One subscriber of a channel."""
    return {
        "broadcaster_id": channel.user_id,
        "broadcaster_login": channel.login,
        "broadcaster_name": channel.display_name,
        "gifter_id": "",
        "gifter_login": "",
        "gifter_name": "",
        "is_gift": False,
        "plan_name": f"Channel Subscription ({channel.login})",
        "tier": tier,
        **person(user),
    }


def _emote(emote_id: str, name: str) -> dict[str, object]:
    urls = {
        f"url_{n}x": f"{_CDN}/emoticons/v2/{emote_id}/static/light/{n if n < 4 else 3}.0" for n in (1, 2, 4)
    }
    return {
        "id": emote_id,
        "name": name,
        "images": urls,
        "format": ["static"],
        "scale": ["1.0", "2.0", "3.0"],
        "theme_mode": ["light", "dark"],
    }


def global_emotes() -> dict[str, object]:
    """Get Global Emotes."""
    return {
        "data": [_emote(emote_id, name) for name, emote_id in GLOBAL_EMOTES.items()],
        "template": _TEMPLATE,
    }


def channel_emotes(channel: Channel) -> dict[str, object]:
    """Get Channel Emotes."""
    extra = {"tier": "1000", "emote_type": "subscriptions", "emote_set_id": f"3{channel.user_id}"}
    data = [_emote(emote_id, name) | extra for emote_id, name in channel.emotes]
    return {"data": data, "template": _TEMPLATE}


def _badge(set_id: str, versions: dict[str, str]) -> dict[str, object]:
    return {
        "set_id": set_id,
        "versions": [
            {
                "id": version,
                "image_url_1x": f"{_CDN}/badges/v1/sandbox-{set_id}-{version}/1",
                "image_url_2x": f"{_CDN}/badges/v1/sandbox-{set_id}-{version}/2",
                "image_url_4x": f"{_CDN}/badges/v1/sandbox-{set_id}-{version}/3",
                "title": title,
                "description": title,
                "click_action": None,
                "click_url": None,
            }
            for version, title in versions.items()
        ],
    }


def global_badges() -> dict[str, object]:
    """Get Global Chat Badges."""
    plain = {"broadcaster": "Broadcaster", "moderator": "Moderator", "vip": "VIP", "premium": "Prime Gaming"}
    plain |= {"partner": "Verified", "turbo": "Turbo"}
    badges = [_badge(set_id, {"1": title}) for set_id, title in plain.items()]
    bits = {str(n): f"cheer {n}" for n in (1, 100, 1000, 5000, 10_000, 25_000)}
    return {"data": [*badges, _badge("bits", bits)]}


def channel_badges(channel: Channel) -> dict[str, object]:
    """Get Channel Chat Badges: the subscriber steps."""
    steps = {str(n): f"{n}-Month Subscriber" if n else "Subscriber" for n in (0, 2, 3, 6, 9, 12, 18, 24, 36)}
    return {"data": [_badge("subscriber", steps)]}
