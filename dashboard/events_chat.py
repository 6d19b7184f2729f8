"""What happens in chat: messages, the notices of subs, gifts and raids, moderation as everybody sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dashboard.events_base import Goal, RoomEvent, UserEvent, UserNotice


@dataclass(slots=True, kw_only=True)
class ChatMessage(UserEvent):
    """One row per message somebody wrote (PRIVMSG), bits or not."""

    kind: ClassVar[str] = "chat_messages"

    text: str
    is_action: bool | None = None
    """Written with ``/me``."""
    is_first_message: bool | None = None
    is_returning_chatter: bool | None = None
    emotes: str | None = None
    """In Twitch's own form, positions in code points: ``25:0-4,12-16/1902:6-10``."""
    emote_names: str | None = None
    """The same as words in order of appearance, repeated as written, joined by a space."""
    flags: str | None = None
    bits: int | None = None
    reply_parent_message_id: str | None = None
    reply_parent_user_id: str | None = None
    reply_parent_user_login: str | None = None
    reply_parent_display_name: str | None = None
    reply_parent_text: str | None = None
    thread_parent_message_id: str | None = None
    thread_parent_user_id: str | None = None
    thread_parent_user_login: str | None = None
    thread_parent_display_name: str | None = None
    custom_reward_id: str | None = None
    msg_id: str | None = None
    """What kind of message Twitch calls it: ``highlighted-message``, ``skip-subs-mode-message``…"""
    other_tags: str | None = None
    """JSON object of the tags without a column of their own; ``client-nonce`` tells nothing, is left out."""


@dataclass(slots=True, kw_only=True)
class Subscription(Goal):
    """One row per sub or resub that was shown in chat."""

    kind: ClassVar[str] = "subscriptions"

    plan: str | None = None
    """``Prime``, ``1000``, ``2000`` or ``3000``."""
    plan_name: str | None = None
    cumulative_months: int | None = None
    streak_months: int | None = None
    is_streak_shared: bool | None = None
    legacy_months: int | None = None
    """``msg-param-months``: the meaning before 2018-11, kept for old recordings."""
    multi_month_duration: int | None = None
    multi_month_tenure: int | None = None
    was_gifted: bool | None = None
    is_gifter_anonymous: bool | None = None
    gifter_id: str | None = None
    gifter_login: str | None = None
    gifter_display_name: str | None = None
    gift_months: int | None = None
    gift_month_being_redeemed: int | None = None


@dataclass(slots=True, kw_only=True)
class SubGift(Goal):
    """One row per sub given to one person (also those out of a mystery gift)."""

    kind: ClassVar[str] = "sub_gifts"

    is_anonymous: bool | None = None
    recipient_id: str | None = None
    recipient_login: str | None = None
    recipient_display_name: str | None = None
    plan: str | None = None
    plan_name: str | None = None
    recipient_months: int | None = None
    gift_months: int | None = None
    sender_total: int | None = None
    """Subs the giver has given in this channel so far; ``None`` for anonymous givers."""
    origin_id: str | None = None
    community_gift_id: str | None = None
    fun_string: str | None = None


@dataclass(slots=True, kw_only=True)
class MysteryGift(Goal):
    """One row per bomb of gifts to the community; the single gifts are in ``sub_gifts``."""

    kind: ClassVar[str] = "mystery_gifts"

    is_anonymous: bool | None = None
    gift_count: int | None = None
    plan: str | None = None
    sender_total: int | None = None
    origin_id: str | None = None
    community_gift_id: str | None = None


@dataclass(slots=True, kw_only=True)
class PayForward(UserNotice):
    """One row per gift passed on, to somebody (standard) or to the community."""

    kind: ClassVar[str] = "pay_forwards"

    is_to_community: bool | None = None
    is_prior_gifter_anonymous: bool | None = None
    prior_gifter_id: str | None = None
    prior_gifter_login: str | None = None
    prior_gifter_display_name: str | None = None
    recipient_id: str | None = None
    recipient_login: str | None = None
    recipient_display_name: str | None = None


@dataclass(slots=True, kw_only=True)
class PaidUpgrade(UserNotice):
    """One row per gifted or Prime sub that its owner goes on paying for."""

    kind: ClassVar[str] = "paid_upgrades"

    upgraded_from: str | None = None
    """``gift``, ``anonymous_gift`` or ``prime``."""
    plan: str | None = None
    gifter_login: str | None = None
    gifter_display_name: str | None = None
    promo_name: str | None = None
    promo_gift_total: int | None = None


@dataclass(slots=True, kw_only=True)
class OneTapGift(UserNotice):
    """One row per one-tap gift redeemed."""

    kind: ClassVar[str] = "one_tap_gifts"

    gift_id: str | None = None
    bits_spent: int | None = None
    giver_display_name: str | None = None


@dataclass(slots=True, kw_only=True)
class Bits(UserEvent):
    """One row per cheer; the message itself is in ``chat_messages`` under the same id."""

    kind: ClassVar[str] = "bits"

    bits: int
    text: str | None = None


@dataclass(slots=True, kw_only=True)
class BitsBadgeTier(UserNotice):
    """One row per new bits badge somebody showed in chat."""

    kind: ClassVar[str] = "bits_badge_tiers"

    threshold: int | None = None


@dataclass(slots=True, kw_only=True)
class Raid(UserNotice):
    """One row per raid that arrived; the raider is the event's user."""

    kind: ClassVar[str] = "raids"

    viewer_count: int | None = None
    """The size Twitch told; the share that chats is ours to measure."""
    profile_image_url: str | None = None


@dataclass(slots=True, kw_only=True)
class Announcement(UserNotice):
    """One row per ``/announce``."""

    kind: ClassVar[str] = "announcements"

    announcement_color: str | None = None


@dataclass(slots=True, kw_only=True)
class Milestone(UserNotice):
    """One row per viewer milestone shared (watch streaks)."""

    kind: ClassVar[str] = "milestones"

    category: str | None = None
    milestone_id: str | None = None
    value: int | None = None
    reward_points: int | None = None


@dataclass(slots=True, kw_only=True)
class OtherNotice(UserNotice):
    """One row per USERNOTICE of any other ``msg_id``, known or not yet."""

    kind: ClassVar[str] = "other_notices"

    charity_name: str | None = None
    donation_amount: int | None = None
    """In minor units: 2500 with 2 decimal places is 25.00."""
    donation_decimal_places: int | None = None
    donation_currency: str | None = None
    modiversary_months: int | None = None


@dataclass(slots=True, kw_only=True)
class Moderation(RoomEvent):
    """One row per act of moderation seen in chat (CLEARCHAT, CLEARMSG)."""

    kind: ClassVar[str] = "moderation"

    action: str
    """``ban``, ``timeout``, ``delete_message``, ``clear_chat`` or, over EventSub, ``clear_user_messages``:
    there a ban and a timeout are the same, and say neither the length nor the same instant."""
    target_user_id: str | None = None
    target_user_login: str | None = None
    duration_s: int | None = None
    target_message_id: str | None = None
    target_text: str | None = None
    reason: str | None = None
    """Twitch stopped telling it in 2018; kept for old recordings."""
    target_user_display_name: str | None = None
    """EventSub tells it, IRC does not."""
    room_display_name: str | None = None


@dataclass(slots=True, kw_only=True)
class RoomState(RoomEvent):
    """One row per ROOMSTATE; a field that is ``None`` did not change."""

    kind: ClassVar[str] = "room_states"

    is_emote_only: bool | None = None
    followers_only_min: int | None = None
    """Minutes of following needed; 0 is any follower, -1 is off."""
    is_unique_chat: bool | None = None
    slow_s: int | None = None
    is_subs_only: bool | None = None
    language: str | None = None
    has_rituals: bool | None = None


@dataclass(slots=True, kw_only=True)
class UserListChange(RoomEvent):
    """One row per JOIN, PART, name in a NAMES list, or moderator sign given or taken.

    Twitch batches these and keeps them back in rooms of more than 1,000 users.
    """

    kind: ClassVar[str] = "user_list"

    action: str
    """``join``, ``part``, ``names``, ``mod`` or ``unmod``."""
    user_login: str


@dataclass(slots=True, kw_only=True)
class Notice(RoomEvent):
    """One row per NOTICE (and HOSTTARGET of old recordings) from the server."""

    kind: ClassVar[str] = "notices"

    msg_id: str | None = None
    text: str | None = None
