"""The EventSub types that are subscribed to: version, condition, and who has to permit it.

Source: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/ (early 2026)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

NO_SUCH_ROOM = "Twitch knows no channel of this name; nothing is asked for."

CALLBACK_PATH = "/eventsub/callback"
"""Where the web server takes deliveries."""

ANYONE, OWNER, MODERATOR, CHATTER = "anyone", "owner", "moderator", "chatter"
"""Whose permission: nobody's, the owner's, the owner's or a moderator's, any account's that reads chat."""


@dataclass(frozen=True, slots=True)
class EventSubType:
    """One type of notification."""

    name: str
    version: str
    title: str
    who: str = OWNER
    scopes: tuple[tuple[str, ...], ...] = ()
    """Of each group one is needed; the first of a group is the least."""
    conditions: tuple[str, ...] = ("broadcaster_user_id",)
    """Names of the field that holds the channel; with several there is one subscription for each."""
    is_chat: bool = False
    """Comes over IRC too."""

    def missing_scope(self, granted: Collection[str]) -> str | None:
        """The first scope that would have to be granted besides these; None when nothing is missing."""
        for group in self.scopes:
            if not any(scope in granted for scope in group):
                return group[0]
        return None


@dataclass(frozen=True, slots=True)
class _Family:
    prefix: str
    version: str
    titles: dict[str, str] = field(default_factory=dict)
    who: str = OWNER
    scope: tuple[str, ...] = ()

    def types(self) -> list[EventSubType]:
        scopes = (self.scope,) if self.scope else ()
        return [
            EventSubType(f"{self.prefix}.{part}", self.version, title, self.who, scopes)
            for part, title in self.titles.items()
        ]


def _read(what: str) -> tuple[str, str]:
    return f"moderator:read:{what}", f"moderator:manage:{what}"


def _channel(what: str) -> tuple[str, str]:
    return f"channel:read:{what}", f"channel:manage:{what}"


_CHAT = {
    "message": "Chat messages",
    "notification": "Chat notices",
    "clear": "Chat cleared",
    "clear_user_messages": "A chatter's messages cleared",
    "message_delete": "Chat messages deleted",
}
_MODERATE = (
    _read("blocked_terms"),
    _read("chat_settings"),
    _read("unban_requests"),
    _read("banned_users"),
    _read("chat_messages"),
    _read("warnings"),
    ("moderator:read:moderators",),
    ("moderator:read:vips",),
)

_FAMILIES = (
    _Family("stream", "1", {"online": "Stream starts", "offline": "Stream ends"}, ANYONE),
    _Family("channel", "2", {"update": "Title and category"}, ANYONE),
    _Family("channel", "2", {"follow": "Follows"}, MODERATOR, ("moderator:read:followers",)),
    _Family("channel", "1", {"subscribe": "Subscriptions"}, OWNER, ("channel:read:subscriptions",)),
    _Family(
        "channel.subscription",
        "1",
        {"end": "Subscriptions ended", "gift": "Gifted subscriptions", "message": "Resubscriptions"},
        OWNER,
        ("channel:read:subscriptions",),
    ),
    _Family("channel", "1", {"cheer": "Cheers"}, OWNER, ("bits:read",)),
    _Family("channel.bits", "1", {"use": "Uses of bits"}, OWNER, ("bits:read",)),
    _Family(
        "channel.hype_train",
        "2",
        {"begin": "Hype train starts", "progress": "Hype train moves", "end": "Hype train ends"},
        OWNER,
        ("channel:read:hype_train",),
    ),
    _Family(
        "channel.goal",
        "1",
        {"begin": "Goal starts", "progress": "Goal moves", "end": "Goal ends"},
        OWNER,
        ("channel:read:goals",),
    ),
    _Family("channel", "1", {"ban": "Bans", "unban": "Unbans"}, OWNER, ("channel:moderate",)),
    _Family(
        "channel.unban_request",
        "1",
        {"create": "Unban requests", "resolve": "Unban requests resolved"},
        MODERATOR,
        _read("unban_requests"),
    ),
    _Family(
        "channel.warning",
        "1",
        {"send": "Warnings", "acknowledge": "Warnings acknowledged"},
        MODERATOR,
        _read("warnings"),
    ),
    _Family(
        "channel.suspicious_user",
        "1",
        {"message": "Messages of suspicious accounts", "update": "Suspicious accounts marked"},
        MODERATOR,
        ("moderator:read:suspicious_users",),
    ),
    _Family(
        "channel.shield_mode",
        "1",
        {"begin": "Shield mode on", "end": "Shield mode off"},
        MODERATOR,
        _read("shield_mode"),
    ),
    _Family(
        "channel.moderator",
        "1",
        {"add": "Moderators added", "remove": "Moderators removed"},
        OWNER,
        ("moderation:read",),
    ),
    _Family("channel.vip", "1", {"add": "VIPs added", "remove": "VIPs removed"}, OWNER, _channel("vips")),
    _Family(
        "channel.poll",
        "1",
        {"begin": "Poll starts", "progress": "Poll moves", "end": "Poll ends"},
        OWNER,
        _channel("polls"),
    ),
    _Family(
        "channel.prediction",
        "1",
        {
            "begin": "Prediction starts",
            "progress": "Prediction moves",
            "lock": "Prediction locks",
            "end": "Prediction ends",
        },
        OWNER,
        _channel("predictions"),
    ),
    _Family(
        "channel.channel_points_custom_reward_redemption",
        "1",
        {"add": "Redemptions", "update": "Redemptions resolved"},
        OWNER,
        _channel("redemptions"),
    ),
    _Family(
        "channel.channel_points_automatic_reward_redemption",
        "2",
        {"add": "Automatic redemptions"},
        OWNER,
        _channel("redemptions"),
    ),
    _Family("channel.ad_break", "1", {"begin": "Ad breaks"}, OWNER, ("channel:read:ads",)),
    _Family(
        "channel.shared_chat",
        "1",
        {"begin": "Shared chat starts", "update": "Shared chat changes", "end": "Shared chat ends"},
        ANYONE,
    ),
)

_RAID = EventSubType(
    "channel.raid",
    "1",
    "Raids",
    ANYONE,
    (),
    ("to_broadcaster_user_id", "from_broadcaster_user_id"),
)

TYPES: dict[str, EventSubType] = {
    kind.name: kind
    for kind in (
        *_FAMILIES[0].types(),
        *_FAMILIES[1].types(),
        _RAID,
        *(kind for family in _FAMILIES[2:] for kind in family.types()),
        EventSubType("channel.moderate", "2", "Moderators' actions", MODERATOR, _MODERATE),
        *(
            EventSubType(f"channel.chat.{part}", "1", title, CHATTER, (("user:read:chat",),), is_chat=True)
            for part, title in _CHAT.items()
        ),
    )
}
"""By name, in the order of their worth where only some can be had."""
