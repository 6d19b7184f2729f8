"""The table of EventSub types with events of their own (moderation and chat have theirs elsewhere).

Source: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/ and
https://dev.twitch.tv/docs/eventsub/eventsub-reference/
"""

from __future__ import annotations

from typing import Final

from collectors.eventsub_events.fields import MODERATOR, USER, Form, Tree
from collectors.eventsub_events.values import flag, instant, json_text, text, whole
from dashboard.events_eventsub import (
    AdBreak,
    BitsUse,
    ChannelUpdate,
    Cheer,
    CreatorGoal,
    HypeTrain,
    Poll,
    Prediction,
    Redemption,
    ShieldMode,
    SubscriptionChange,
    SuspiciousUser,
)

_STARTED: Tree = {"started_at": ("started_at", instant)}
_ENDED: Tree = {"ended_at": ("ended_at", instant)}

_UPDATE: Tree = {
    "title": ("title", text),
    "language": ("language", text),
    "category_id": ("category_id", text),
    "category_name": ("category_name", text),
    "content_classification_labels": ("content_labels", json_text),
    "is_mature": ("is_mature", flag),
}
_SUBSCRIPTION: Tree = {
    **USER,
    "tier": ("tier", text),
    "is_gift": ("is_gift", flag),
    "total": ("gift_count", whole),
    "cumulative_total": ("cumulative_gift_count", whole),
    "is_anonymous": ("is_anonymous", flag),
    "message": {"text": ("text", text), "emotes": ("emotes", json_text)},
    "cumulative_months": ("cumulative_months", whole),
    "streak_months": ("streak_months", whole),
    "duration_months": ("duration_months", whole),
}
_CHEER: Tree = {
    **USER,
    "bits": ("bits", whole),
    "is_anonymous": ("is_anonymous", flag),
    "message": ("text", text),
}
_BITS_USE: Tree = {
    **USER,
    "bits": ("bits", whole),
    "type": ("bits_type", text),
    "message": {"text": ("text", text), "fragments": ("fragments", json_text)},
    "power_up": {
        "type": ("power_up_type", text),
        "emote": {"id": ("power_up_emote_id", text), "name": ("power_up_emote_name", text)},
        "message_effect_id": ("power_up_effect_id", text),
    },
    "custom_power_up": ("custom_power_up", json_text),
}
_TRAIN: Tree = {
    "id": ("train_id", text),
    "type": ("train_type", text),
    "level": ("level", whole),
    "total": ("total_points", whole),
    "progress": ("level_points", whole),
    "goal": ("level_goal_points", whole),
    "all_time_high_level": ("all_time_high_level", whole),
    "all_time_high_total": ("all_time_high_points", whole),
    **_STARTED,
    "expires_at": ("expires_at", instant),
    **_ENDED,
    "cooldown_ends_at": ("cooldown_ends_at", instant),
    "top_contributions": ("top_contributions", json_text),
    "last_contribution": ("last_contribution", json_text),
    "is_shared_train": ("is_shared", flag),
    "shared_train_participants": ("shared_participants", json_text),
    "is_golden_kappa_train": ("is_golden_kappa", flag),
}
_GOAL: Tree = {
    "id": ("goal_id", text),
    "type": ("goal_type", text),
    "description": ("description", text),
    "current_amount": ("current_amount", whole),
    "target_amount": ("target_amount", whole),
    "is_achieved": ("is_achieved", flag),
    **_STARTED,
    **_ENDED,
}
_SUSPICIOUS: Tree = {
    **USER,
    **MODERATOR,
    "low_trust_status": ("low_trust_status", text),
    "types": ("suspicion_types", json_text),
    "shared_ban_channel_ids": ("shared_ban_channel_ids", json_text),
    "ban_evasion_evaluation": ("ban_evasion_evaluation", text),
    "message": {
        "message_id": ("message_id", text),
        "text": ("text", text),
        "fragments": ("fragments", json_text),
    },
}
_SHIELD: Tree = {**MODERATOR, **_STARTED, **_ENDED}
_POLL: Tree = {
    "id": ("poll_id", text),
    "title": ("title", text),
    "choices": ("choices", json_text),
    "status": ("status", text),
    "bits_voting": {
        "is_enabled": ("has_bits_voting", flag),
        "amount_per_vote": ("bits_per_vote", whole),
    },
    "channel_points_voting": {
        "is_enabled": ("has_channel_points_voting", flag),
        "amount_per_vote": ("channel_points_per_vote", whole),
    },
    **_STARTED,
    "ends_at": ("ends_at", instant),
    **_ENDED,
}
_PREDICTION: Tree = {
    "id": ("prediction_id", text),
    "title": ("title", text),
    "outcomes": ("outcomes", json_text),
    "winning_outcome_id": ("winning_outcome_id", text),
    "status": ("status", text),
    **_STARTED,
    "locks_at": ("locks_at", instant),
    "locked_at": ("locked_at", instant),
    **_ENDED,
}
_EMOTE: Tree = {"id": ("reward_emote_id", text), "name": ("reward_emote_name", text)}
_REDEMPTION: Tree = {
    **USER,
    "id": ("redemption_id", text),
    "status": ("status", text),
    "user_input": ("user_input", text),
    "reward": {
        "id": ("reward_id", text),
        "title": ("reward_title", text),
        "prompt": ("reward_prompt", text),
        "type": ("reward_type", text),
        "cost": ("cost", whole),
        # Version 2 of the automatic rewards calls it so.
        "channel_points": ("cost", whole),
        "unlocked_emote": _EMOTE,
        "emote": _EMOTE,
    },
    "message": {
        "text": ("text", text),
        "emotes": ("emotes", json_text),
        "fragments": ("fragments", json_text),
    },
    "redeemed_at": ("redeemed_at", instant),
}
_AD_BREAK: Tree = {
    "duration_seconds": ("duration_s", whole),
    "is_automatic": ("is_automatic", flag),
    **_STARTED,
    "requester_user_id": ("requester_id", text),
    "requester_user_login": ("requester_login", text),
    "requester_user_name": ("requester_display_name", text),
}


def _with_action(cls: type, tree: Tree, prefix: str, actions: dict[str, str]) -> dict[str, Form]:
    return {f"{prefix}.{name}": Form(cls, tree, {"action": action}) for name, action in actions.items()}


_STEPS = {"begin": "begin", "progress": "progress", "end": "end"}

FORMS: Final[dict[str, Form]] = {
    "channel.update": Form(ChannelUpdate, _UPDATE),
    "channel.subscribe": Form(SubscriptionChange, _SUBSCRIPTION, {"action": "start"}),
    **_with_action(
        SubscriptionChange,
        _SUBSCRIPTION,
        "channel.subscription",
        {"end": "end", "gift": "gift", "message": "message"},
    ),
    "channel.cheer": Form(Cheer, _CHEER),
    "channel.bits.use": Form(BitsUse, _BITS_USE),
    **_with_action(HypeTrain, _TRAIN, "channel.hype_train", _STEPS),
    **_with_action(CreatorGoal, _GOAL, "channel.goal", _STEPS),
    **_with_action(
        SuspiciousUser,
        _SUSPICIOUS,
        "channel.suspicious_user",
        {"message": "message", "update": "update"},
    ),
    **_with_action(ShieldMode, _SHIELD, "channel.shield_mode", {"begin": "begin", "end": "end"}),
    **_with_action(Poll, _POLL, "channel.poll", _STEPS),
    **_with_action(Prediction, _PREDICTION, "channel.prediction", {**_STEPS, "lock": "lock"}),
    **{
        f"channel.channel_points_{which}_redemption.{action}": Form(
            Redemption, _REDEMPTION, {"action": action, "is_automatic": which == "automatic_reward"}
        )
        for which, action in (
            ("custom_reward", "add"),
            ("custom_reward", "update"),
            ("automatic_reward", "add"),
        )
    },
    "channel.ad_break.begin": Form(AdBreak, _AD_BREAK),
}
"""By EventSub type; all its versions, as a field that one of them lacks is just not told."""
