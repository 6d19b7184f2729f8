"""What may be asked of a person's Twitch account, and what for. Nothing is asked before it is needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """One permission."""

    name: str
    """As Twitch writes it."""
    purpose: str
    """Key in :data:`PURPOSES`."""
    use: str
    """What it is used for here, in words for the person asked."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """A group of permissions that are granted together."""

    key: str
    name: str
    why: str
    icon: str


PURPOSES: dict[str, Purpose] = {
    purpose.key: purpose
    for purpose in (
        Purpose(
            "moderator",
            "Channels that you moderate",
            "Shows you the channels that you moderate, with their chatters, followers and moderation.",
            "shield-check",
        ),
        Purpose(
            "streamer",
            "Your own channel",
            "Reads your subscribers, bits, hype trains, goals, polls, redemptions and ads as they happen.",
            "camera-video",
        ),
        Purpose("clips", "Clips", "Makes clips when chat peaks, in your name.", "scissors"),
    )
}
"""In the order in which they are offered."""

SCOPES: tuple[Scope, ...] = (
    Scope("user:read:moderated_channels", "moderator", "which channels you moderate"),
    Scope("user:read:chat", "moderator", "chat over EventSub"),
    Scope("moderator:read:chatters", "moderator", "who is in chat, also who does not speak"),
    Scope("moderator:read:followers", "moderator", "followers and new follows"),
    Scope("moderator:read:suspicious_users", "moderator", "accounts that Twitch itself marks"),
    Scope("moderator:read:shield_mode", "moderator", "when shield mode is on"),
    Scope("moderator:read:banned_users", "moderator", "bans and timeouts"),
    Scope("moderator:read:unban_requests", "moderator", "requests to be unbanned"),
    Scope("moderator:read:warnings", "moderator", "warnings given"),
    Scope("moderator:read:blocked_terms", "moderator", "changes of blocked terms"),
    Scope("moderator:read:chat_settings", "moderator", "changes of the chat's modes"),
    Scope("moderator:read:chat_messages", "moderator", "messages that were removed"),
    Scope("moderator:read:moderators", "moderator", "moderators added and removed"),
    Scope("moderator:read:vips", "moderator", "VIPs added and removed"),
    Scope("channel:moderate", "streamer", "bans and unbans in your channel"),
    Scope("moderation:read", "streamer", "who becomes a moderator of your channel"),
    Scope("channel:read:vips", "streamer", "VIPs of your channel"),
    Scope("channel:read:subscriptions", "streamer", "subscribers and their points"),
    Scope("bits:read", "streamer", "cheers and other uses of bits"),
    Scope("channel:read:hype_train", "streamer", "hype trains"),
    Scope("channel:read:goals", "streamer", "goals"),
    Scope("channel:read:polls", "streamer", "polls"),
    Scope("channel:read:predictions", "streamer", "predictions"),
    Scope("channel:read:redemptions", "streamer", "channel point redemptions"),
    Scope("channel:read:ads", "streamer", "ad breaks"),
    Scope("clips:edit", "clips", "clips of a live stream"),
    Scope("channel:manage:clips", "clips", "clips from your own VODs"),
    Scope("editor:manage:clips", "clips", "clips from the VODs of channels you edit"),
)
ALL_SCOPES = frozenset(scope.name for scope in SCOPES)
USES = {scope.name: scope.use for scope in SCOPES}

MODERATED_CHANNELS = "user:read:moderated_channels"


def scopes_for(purposes: Iterable[str]) -> frozenset[str]:
    """The permissions that purposes need; unknown purposes need none.

    Args:
        purposes: Keys of :data:`PURPOSES`.
    """
    wanted = set(purposes)
    return frozenset(scope.name for scope in SCOPES if scope.purpose in wanted)


def granted_purposes(scopes: Iterable[str]) -> frozenset[str]:
    """The purposes that are served wholly by permissions.

    Args:
        scopes: As granted.
    """
    granted = set(scopes)
    return frozenset(key for key in PURPOSES if scopes_for([key]) <= granted)
