"""EventSub's subscription types: which there are, what each asks for, who has to have allowed it.

Source: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/
"""

from __future__ import annotations

from dataclasses import dataclass

BROADCASTER = "broadcaster_user_id"
MODERATOR = "moderator_user_id"
USER = "user_id"
CLIENT = "client_id"

Scopes = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class SubscriptionType:
    """One type in one version."""

    name: str
    version: str
    required: tuple[str, ...]
    """Fields that the condition has to have."""
    optional: tuple[str, ...]
    scopes: Scopes
    """Of each group one scope has to be granted; no group: nobody has to allow anything."""
    granter: str
    """The condition's field with the person whose permission counts; empty where none is needed."""
    is_one_of: bool = False
    """Exactly one of the optional fields has to be there (raids)."""
    methods: frozenset[str] = frozenset({"webhook", "websocket", "conduit"})

    @property
    def is_chat(self) -> bool:
        """Whether it needs ``user:bot`` too when an app subscribes."""
        return self.granter == USER and self.name.startswith("channel.chat")


def _either(*names: str) -> Scopes:
    """Each name is a group of scopes: ``a|b`` is one of both."""
    return tuple(frozenset(name.split("|")) for name in names)


def _read(*topics: str) -> Scopes:
    """``moderator:read:…`` or the managing scope of the same topic, for each topic."""
    return tuple(frozenset({f"moderator:read:{t}", f"moderator:manage:{t}"}) for t in topics)


_MODERATE = (
    *_read("blocked_terms", "chat_settings", "unban_requests", "banned_users", "chat_messages"),
    *_either("moderator:read:moderators", "moderator:read:vips"),
)
_APP_ONLY = frozenset({"webhook", "conduit"})


def _of_channel(scopes: Scopes, *names: str, version: str = "1") -> list[SubscriptionType]:
    granter = BROADCASTER if scopes else ""
    return [SubscriptionType(name, version, (BROADCASTER,), (), scopes, granter) for name in names]


def _of_moderator(scopes: Scopes, *names: str, version: str = "1") -> list[SubscriptionType]:
    return [
        SubscriptionType(name, version, (BROADCASTER, MODERATOR), (), scopes, MODERATOR) for name in names
    ]


def _of_chat(*names: str) -> list[SubscriptionType]:
    scopes = _either("user:read:chat")
    return [SubscriptionType(name, "1", (BROADCASTER, USER), (), scopes, USER) for name in names]


def _of_reward(*names: str) -> list[SubscriptionType]:
    scopes = _either("channel:read:redemptions|channel:manage:redemptions")
    return [
        SubscriptionType(name, "1", (BROADCASTER,), ("reward_id",), scopes, BROADCASTER) for name in names
    ]


_SUBS = _either("channel:read:subscriptions")
_BITS = _either("bits:read")
_GUEST = _either("channel:read:guest_star|channel:manage:guest_star|moderator:read:guest_star")

_ALL = (
    *_of_channel((), "channel.update", version="2"),
    *_of_channel((), "stream.online", "stream.offline"),
    *_of_channel((), "channel.shared_chat.begin", "channel.shared_chat.update", "channel.shared_chat.end"),
    SubscriptionType(
        "channel.raid", "1", (), ("from_broadcaster_user_id", "to_broadcaster_user_id"), (), "", True
    ),
    *_of_channel(
        _SUBS,
        *("channel.subscribe", "channel.subscription.end"),
        *("channel.subscription.gift", "channel.subscription.message"),
    ),
    *_of_channel(_BITS, "channel.cheer", "channel.bits.use"),
    *_of_channel(_either("channel:moderate"), "channel.ban", "channel.unban"),
    *_of_channel(_either("moderation:read"), "channel.moderator.add", "channel.moderator.remove"),
    *_of_channel(_either("channel:read:vips|channel:manage:vips"), "channel.vip.add", "channel.vip.remove"),
    *_of_channel(_either("channel:read:ads"), "channel.ad_break.begin"),
    *_of_channel(
        _either("channel:read:hype_train"),
        *("channel.hype_train.begin", "channel.hype_train.progress", "channel.hype_train.end"),
        version="2",
    ),
    *_of_channel(
        _either("channel:read:goals"), "channel.goal.begin", "channel.goal.progress", "channel.goal.end"
    ),
    *_of_channel(
        _either("channel:read:polls|channel:manage:polls"),
        *("channel.poll.begin", "channel.poll.progress", "channel.poll.end"),
    ),
    *_of_channel(
        _either("channel:read:predictions|channel:manage:predictions"),
        *("channel.prediction.begin", "channel.prediction.progress"),
        *("channel.prediction.lock", "channel.prediction.end"),
    ),
    *_of_channel(
        _either("channel:read:charity"),
        *("channel.charity_campaign.donate", "channel.charity_campaign.start"),
        *("channel.charity_campaign.progress", "channel.charity_campaign.stop"),
    ),
    *_of_channel(
        _either("channel:read:redemptions|channel:manage:redemptions"),
        "channel.channel_points_custom_reward.add",
        "channel.channel_points_automatic_reward_redemption.add",
    ),
    *_of_channel(
        _either("channel:read:redemptions|channel:manage:redemptions"),
        "channel.channel_points_automatic_reward_redemption.add",
        version="2",
    ),
    *_of_reward(
        "channel.channel_points_custom_reward.update",
        "channel.channel_points_custom_reward.remove",
        "channel.channel_points_custom_reward_redemption.add",
        "channel.channel_points_custom_reward_redemption.update",
    ),
    *_of_moderator(_either("moderator:read:followers"), "channel.follow", version="2"),
    *_of_moderator(_MODERATE, "channel.moderate"),
    *_of_moderator((*_MODERATE, *_read("warnings")), "channel.moderate", version="2"),
    *_of_moderator(
        _either("moderator:read:suspicious_users"),
        *("channel.suspicious_user.message", "channel.suspicious_user.update"),
    ),
    *_of_moderator(_read("shield_mode"), "channel.shield_mode.begin", "channel.shield_mode.end"),
    *_of_moderator(_read("shoutouts"), "channel.shoutout.create", "channel.shoutout.receive"),
    *_of_moderator(_read("unban_requests"), "channel.unban_request.create", "channel.unban_request.resolve"),
    *_of_moderator(_read("warnings"), "channel.warning.send", "channel.warning.acknowledge"),
    *_of_moderator(
        _either("moderator:manage:automod"),
        *("automod.message.hold", "automod.message.update", "automod.terms.update"),
    ),
    *_of_moderator(
        _either("moderator:manage:automod"), "automod.message.hold", "automod.message.update", version="2"
    ),
    *_of_moderator(_either("moderator:read:automod_settings"), "automod.settings.update"),
    *_of_moderator(
        _GUEST,
        *("channel.guest_star_session.begin", "channel.guest_star_session.end"),
        *("channel.guest_star_guest.update", "channel.guest_star_settings.update"),
        version="beta",
    ),
    *_of_chat(
        *("channel.chat.message", "channel.chat.notification", "channel.chat.clear"),
        *("channel.chat.clear_user_messages", "channel.chat.message_delete", "channel.chat_settings.update"),
        *("channel.chat.user_message_hold", "channel.chat.user_message_update"),
    ),
    SubscriptionType("user.update", "1", (USER,), (), (), USER),
    SubscriptionType(
        "user.whisper.message",
        *("1", (USER,), ()),
        _either("user:read:whispers|user:manage:whispers"),
        USER,
    ),
    *(
        SubscriptionType(f"user.authorization.{what}", "1", (CLIENT,), (), (), "", methods=_APP_ONLY)
        for what in ("grant", "revoke")
    ),
    SubscriptionType("conduit.shard.disabled", "1", (CLIENT,), ("conduit_id",), (), "", methods=_APP_ONLY),
)

TYPES: dict[tuple[str, str], SubscriptionType] = {(kind.name, kind.version): kind for kind in _ALL}
"""All of them by name and version. Drops and extensions are left out: they need an organisation."""
