"""Chat over EventSub: the same lines that IRC tells, with the same ids, as EventSub words them.

Source: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/#channelchatmessage and after
"""

from __future__ import annotations

from dashboard.sandbox.eventsub_messages import Payload, Told
from dashboard.sandbox.eventsub_text import badges, fragments, plain, who
from dashboard.sandbox.eventsub_types import BROADCASTER
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.users import Population, User
from dashboard.sandbox.wire import Line
from dashboard.sandbox.world import World

MESSAGE, NOTIFICATION = "channel.chat.message", "channel.chat.notification"
CLEAR, CLEAR_USER = "channel.chat.clear", "channel.chat.clear_user_messages"
DELETE, SETTINGS = "channel.chat.message_delete", "channel.chat_settings.update"
NAMES = frozenset({MESSAGE, NOTIFICATION, CLEAR, CLEAR_USER, DELETE, SETTINGS})

_MESSAGE_TYPES = {
    "highlighted-message": "channel_points_highlighted",
    "skip-subs-mode-message": "channel_points_sub_only",
    "user-intro": "user_intro",
}
_NOTICES = {
    "sub": "sub",
    "resub": "resub",
    "subgift": "sub_gift",
    "submysterygift": "community_sub_gift",
    "giftpaidupgrade": "gift_paid_upgrade",
    "primepaidupgrade": "prime_paid_upgrade",
    "communitypayforward": "pay_it_forward",
    "standardpayforward": "pay_it_forward",
    "raid": "raid",
    "unraid": "unraid",
    "announcement": "announcement",
    "bitsbadgetier": "bits_badge_tier",
    "charitydonation": "charity_donation",
    "viewermilestone": "watch_streak",
    "modiversary": "modiversary",
}
_SHARED = {
    *("sub", "resub", "sub_gift", "community_sub_gift", "gift_paid_upgrade", "prime_paid_upgrade"),
    *("pay_it_forward", "raid", "announcement"),
}
_ALSO_SHARED = {"unraid", "bits_badge_tier", "charity_donation", "modiversary"}
_ALL_NOTICES = (
    *dict.fromkeys(_NOTICES.values()),
    *(f"shared_chat_{name}" for name in sorted(_SHARED | _ALSO_SHARED)),
)


def tier(plan: str) -> str:
    """A sub's tier: Prime counts as the first."""
    return "1000" if plan == "Prime" else plan


def text_of(line: Line) -> str:
    """What was written, as it is on the wire."""
    return line.rest.split(" :", 1)[1] if " :" in line.rest else ""


def is_mirrored(line: Line, channel: Channel) -> bool:
    """Whether it was written in the other channel of a shared chat."""
    return line.tags.get("source-room-id", channel.user_id) != channel.user_id


class ChatTeller:
    """Tells lines of chat.

    Args:
        world: To find people and channels.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._people: Population = world.population

    def tell(self, channel: Channel, line: Line, names: frozenset[str]) -> list[Told]:
        """One line, as far as its type is among the wanted names.

        Args:
            channel: Whose room heard it.
            line: What was heard.
            names: The wanted types.
        """
        found: tuple[str, Payload] | None = None
        if line.command == "PRIVMSG" and MESSAGE in names:
            found = MESSAGE, self._message(channel, line)
        elif line.command == "USERNOTICE" and NOTIFICATION in names:
            event = self._notice(channel, line)
            found = (NOTIFICATION, event) if event else None
        elif line.command == "CLEARCHAT":
            found = self._clear(channel, line)
        elif line.command == "CLEARMSG" and DELETE in names:
            target = self._people.by_login(line.tags["login"])
            event = who("broadcaster_user", channel) | who("target_user", target)
            found = DELETE, event | {"message_id": line.tags["target-msg-id"]}
        elif line.command == "ROOMSTATE" and SETTINGS in names:
            found = SETTINGS, self._settings(channel, line.at_s)
        if found is None or found[0] not in names:
            return []
        key = line.tags.get("id") or f"{line.command} {line.at_s}"
        return [Told(line.at_s, found[0], f"{BROADCASTER}:{channel.user_id}", found[1], key)]

    # -- messages ----------------------------------------------------------------------------

    def body(self, channel: Channel, line: Line) -> Payload:
        """The message object: text and fragments."""
        text = text_of(line)
        home = self._home(channel, line)
        cut = fragments(
            *(plain(text), line.tags.get("emotes", ""), home, self._people), has_bits="bits" in line.tags
        )
        return {"text": text, "fragments": cut}

    def _home(self, channel: Channel, line: Line) -> Channel:
        """Where it was written: its emotes are that channel's."""
        return self._world.channel_by_id(line.tags.get("source-room-id", "")) or channel

    def author(self, line: Line) -> User | None:
        """Who a line is by."""
        if line.user is not None:
            return self._people.user(line.user)
        return self._people.by_id(line.tags.get("user-id", ""))

    def _message(self, channel: Channel, line: Line) -> Payload:
        tags = line.tags
        bits = tags.get("bits")
        return (
            who("broadcaster_user", channel)
            | self._source(channel, line)
            | who("chatter_user", self.author(line))
            | {
                "message_id": tags["id"],
                "message": self.body(channel, line),
                "color": tags["color"],
                "badges": badges(tags["badges"], tags["badge-info"]),
                "message_type": _MESSAGE_TYPES.get(tags.get("msg-id", ""), "text"),
                "cheer": {"bits": int(bits)} if bits else None,
                "reply": _reply(tags) if "reply-parent-msg-id" in tags else None,
                "channel_points_custom_reward_id": tags.get("custom-reward-id"),
                "channel_points_animation_id": None,
            }
        )

    def _source(self, channel: Channel, line: Line) -> Payload:
        """Where a message of a shared chat comes from; nothing for one that was written here."""
        tags = line.tags
        if not is_mirrored(line, channel):
            nobody: Payload = {"source_message_id": None, "source_badges": None, "is_source_only": None}
            return nobody | who("source_broadcaster_user", None)
        return who("source_broadcaster_user", self._home(channel, line)) | {
            "source_message_id": tags["source-id"],
            "source_badges": badges(tags["source-badges"], tags["source-badge-info"]),
            "is_source_only": False,
        }

    # -- notices -----------------------------------------------------------------------------

    def _notice(self, channel: Channel, line: Line) -> Payload | None:
        tags = line.tags
        notice = _NOTICES.get(tags.get("source-msg-id") or tags["msg-id"])
        if notice is None:
            return None
        details = _DETAILS[notice](tags)
        if notice == "gift_paid_upgrade" and (giver := self._people.by_login(details["gifter_user_login"])):
            # IRC tells the giver's login and name, never the id.
            details["gifter_user_id"] = giver.user_id
        if is_mirrored(line, channel):
            if notice not in _SHARED:
                return None
            notice = f"shared_chat_{notice}"
        is_anonymous = tags["login"] == "ananonymousgifter"
        event = (
            who("broadcaster_user", channel)
            | self._source(channel, line)
            | who("chatter_user", None if is_anonymous else self.author(line))
            | {
                "chatter_is_anonymous": is_anonymous,
                "color": tags["color"],
                "badges": badges(tags["badges"], tags["badge-info"]),
                "system_message": tags["system-msg"],
                "message_id": tags["id"],
                "message": self.body(channel, line),
                "notice_type": notice,
            }
            | dict.fromkeys(_ALL_NOTICES)
        )
        event[notice] = details
        return event

    # -- moderation --------------------------------------------------------------------------

    def _clear(self, channel: Channel, line: Line) -> tuple[str, Payload]:
        event = who("broadcaster_user", channel)
        target_id = line.tags.get("target-user-id")
        if not target_id:
            return CLEAR, event
        return CLEAR_USER, event | who("target_user", self._people.by_id(target_id))

    def _settings(self, channel: Channel, at_s: float) -> Payload:
        modes = self._world.room_modes(channel.login, at_s + 0.001)
        minutes, slow = int(modes["followers-only"]), int(modes["slow"])
        return who("broadcaster_user", channel) | {
            "emote_mode": modes["emote-only"] == "1",
            "follower_mode": minutes >= 0,
            "follower_mode_duration_minutes": minutes if minutes >= 0 else None,
            "slow_mode": slow > 0,
            "slow_mode_wait_time_seconds": slow or None,
            "subscriber_mode": modes["subs-only"] == "1",
            "unique_chat_mode": modes["r9k"] == "1",
        }


def _reply(tags: dict[str, str]) -> Payload:
    return {
        "parent_message_id": tags["reply-parent-msg-id"],
        "parent_message_body": tags["reply-parent-msg-body"],
        "parent_user_id": tags["reply-parent-user-id"],
        "parent_user_name": tags["reply-parent-display-name"],
        "parent_user_login": tags["reply-parent-user-login"],
        "thread_message_id": tags["reply-thread-parent-msg-id"],
        "thread_user_id": tags["reply-thread-parent-user-id"],
        "thread_user_name": tags["reply-thread-parent-display-name"],
        "thread_user_login": tags["reply-thread-parent-user-login"],
    }


def _param(tags: dict[str, str], name: str) -> str:
    return tags.get(f"msg-param-{name}", "")


def _number(tags: dict[str, str], name: str) -> int | None:
    text = _param(tags, name)
    return int(text) if text else None


def _sub(tags: dict[str, str]) -> Payload:
    return {
        "sub_tier": tier(_param(tags, "sub-plan")),
        "is_prime": _param(tags, "sub-plan") == "Prime",
        "duration_months": _number(tags, "multimonth-duration"),
    }


def _resub(tags: dict[str, str]) -> Payload:
    nobody = {"gifter_is_anonymous": None} | {f"gifter_user_{part}": None for part in ("id", "name", "login")}
    return {
        "cumulative_months": _number(tags, "cumulative-months"),
        "duration_months": _number(tags, "multimonth-duration"),
        "streak_months": _number(tags, "streak-months"),
        "sub_tier": tier(_param(tags, "sub-plan")),
        "is_prime": _param(tags, "sub-plan") == "Prime",
        "is_gift": _param(tags, "was-gifted") == "true",
    } | nobody


def _sub_gift(tags: dict[str, str]) -> Payload:
    return {
        "duration_months": _number(tags, "gift-months"),
        "cumulative_total": _number(tags, "sender-count") or None,
        "recipient_user_id": _param(tags, "recipient-id"),
        "recipient_user_name": _param(tags, "recipient-display-name"),
        "recipient_user_login": _param(tags, "recipient-user-name"),
        "sub_tier": _param(tags, "sub-plan"),
        "community_gift_id": _param(tags, "community-gift-id") or None,
    }


def _community_gift(tags: dict[str, str]) -> Payload:
    return {
        "id": _param(tags, "community-gift-id"),
        "total": _number(tags, "mass-gift-count"),
        "sub_tier": _param(tags, "sub-plan"),
        "cumulative_total": _number(tags, "sender-count"),
    }


def _pay_forward(tags: dict[str, str]) -> Payload:
    return {
        "gifter_is_anonymous": _param(tags, "prior-gifter-anonymous") == "true",
        "gifter_user_id": _param(tags, "prior-gifter-id") or None,
        "gifter_user_name": _param(tags, "prior-gifter-display-name") or None,
        "gifter_user_login": _param(tags, "prior-gifter-user-name") or None,
        "recipient_user_id": _param(tags, "recipient-id") or None,
        "recipient_user_name": _param(tags, "recipient-display-name") or None,
        "recipient_user_login": _param(tags, "recipient-user-name") or None,
    }


def _gift_paid(tags: dict[str, str]) -> Payload:
    return {
        "gifter_is_anonymous": False,
        "gifter_user_id": None,
        "gifter_user_name": _param(tags, "sender-name"),
        "gifter_user_login": _param(tags, "sender-login"),
    }


def _raid(tags: dict[str, str]) -> Payload:
    return {
        "user_id": tags["user-id"],
        "user_name": _param(tags, "displayName"),
        "user_login": _param(tags, "login"),
        "viewer_count": _number(tags, "viewerCount"),
        "profile_image_url": _param(tags, "profileImageURL"),
    }


def _streak(tags: dict[str, str]) -> Payload:
    return {
        "streak_count": _number(tags, "value"),
        "channel_points_awarded": _number(tags, "copoReward"),
    }


_DETAILS = {
    "sub": _sub,
    "resub": _resub,
    "sub_gift": _sub_gift,
    "community_sub_gift": _community_gift,
    "gift_paid_upgrade": _gift_paid,
    "prime_paid_upgrade": lambda tags: {"sub_tier": tier(_param(tags, "sub-plan"))},
    "pay_it_forward": _pay_forward,
    "raid": _raid,
    "unraid": lambda tags: {},
    "announcement": lambda tags: {"color": _param(tags, "color")},
    "bits_badge_tier": lambda tags: {"tier": _number(tags, "threshold")},
    "charity_donation": lambda tags: {},
    "watch_streak": _streak,
    "modiversary": lambda tags: {"months": _number(tags, "months")},
}
