"""What Twitch announces in chat, recognised by its words.

VOD chat, rustlog, justlog and Chatty keep subs, gifts and raids as the sentence that chat showed and drop the
tags. The sentences are Twitch's own, word for word, so they are read back into the events that the live
collector would have written; whatever a sentence does not tell stays ``None``.

Caveats:
    Only English sentences. A person who types such a sentence exactly is taken for Twitch. The
    ``X redeemed NAME for N Bits`` of VOD chat is taken for a one-tap gift (not confirmed by Twitch).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dashboard.events import (
    BitsBadgeTier,
    Milestone,
    MysteryGift,
    OneTapGift,
    PaidUpgrade,
    PayForward,
    Raid,
    SubGift,
    Subscription,
    UserNotice,
)

Common = dict[str, Any]
"""The fields of :class:`UserNotice` that do not depend on the sentence."""

_WHO = r"(?P<who>\S{1,60})"
_ANONYMOUS = r"[Aa]n anonymous (?:user|gifter)"
_GIVER = rf"(?:(?P<anon>{_ANONYMOUS})|{_WHO})"
_TIER = r"Tier (?P<tier>[123])"
_REST = r"(?:\s+(?P<text>.*))?"


def notice_from_text(sentence: str, common: Common) -> UserNotice | None:
    """Turns Twitch's sentence about a happening into the event.

    Args:
        sentence: What the chat showed, perhaps with the text that the person added behind it.
        common: The event's other fields, as keywords.

    Returns:
        The event, or ``None`` if the sentence is not one of Twitch's.
    """
    if not _HINT.search(sentence):
        return None
    for pattern, build in _SENTENCES:
        if match := pattern.fullmatch(sentence):
            groups = match.groupdict()
            text = (groups.get("text") or "").strip() or None
            told = sentence[: match.start("text")] if text else sentence
            return build(groups, {**common, "system_message": told.strip(" ["), "text": text})
    return None


def author_of(sentence: str) -> str | None:
    """The name of the person whom one of Twitch's sentences is about.

    Returns:
        The name as shown, or ``None`` for anonymous givers and for sentences that are not Twitch's.
    """
    for pattern, _ in _SENTENCES:
        if match := pattern.fullmatch(sentence):
            return match.groupdict().get("who")
    return None


def _number(text: str | None) -> int | None:
    return int(text.replace(",", "")) if text else None


def _plan(groups: dict[str, str | None]) -> str | None:
    if tier := groups.get("tier"):
        return f"{tier}000"
    return "Prime" if groups.get("prime") else None


def _subscription(groups: dict[str, str | None], common: Common) -> UserNotice:
    months = _number(groups.get("months"))
    streak = _number(groups.get("streak"))
    return Subscription(
        **common,
        msg_id="resub" if months and months > 1 else "sub",
        plan=_plan(groups),
        cumulative_months=months,
        streak_months=streak,
        is_streak_shared=True if streak else None,
    )


def _old_resub(groups: dict[str, str | None], common: Common) -> UserNotice:
    # Until 2018 Twitch counted the months in a row and told nothing else.
    months = _number(groups.get("months"))
    return Subscription(**common, msg_id="resub", plan=_plan(groups), legacy_months=months)


def _sub_gift(groups: dict[str, str | None], common: Common) -> UserNotice:
    is_anonymous = groups.get("anon") is not None
    total = 1 if groups.get("first") else _number(groups.get("total"))
    return SubGift(
        **common,
        msg_id="subgift",
        is_anonymous=is_anonymous,
        recipient_display_name=groups["recipient"],
        recipient_login=_login(groups["recipient"]),
        plan=_plan(groups),
        gift_months=_number(groups.get("gift_months")),
        sender_total=None if is_anonymous else total,
    )


def _mystery_gift(groups: dict[str, str | None], common: Common) -> UserNotice:
    is_anonymous = groups.get("anon") is not None
    return MysteryGift(
        **common,
        msg_id="submysterygift",
        is_anonymous=is_anonymous,
        gift_count=_number(groups["count"]),
        plan=_plan(groups),
        sender_total=None if is_anonymous else _number(groups.get("total")),
    )


def _pay_forward(groups: dict[str, str | None], common: Common) -> UserNotice:
    is_to_community = groups.get("recipient") is None
    return PayForward(
        **common,
        msg_id="communitypayforward" if is_to_community else "standardpayforward",
        is_to_community=is_to_community,
        is_prior_gifter_anonymous=groups.get("prior") is None,
        prior_gifter_display_name=groups.get("prior"),
        prior_gifter_login=_login(groups.get("prior")),
        recipient_display_name=groups.get("recipient"),
        recipient_login=_login(groups.get("recipient")),
    )


def _gift_upgrade(groups: dict[str, str | None], common: Common) -> UserNotice:
    is_anonymous = groups.get("gifter") is None
    return PaidUpgrade(
        **common,
        msg_id="anongiftpaidupgrade" if is_anonymous else "giftpaidupgrade",
        upgraded_from="anonymous_gift" if is_anonymous else "gift",
        gifter_display_name=groups.get("gifter"),
        gifter_login=_login(groups.get("gifter")),
    )


def _prime_upgrade(groups: dict[str, str | None], common: Common) -> UserNotice:
    return PaidUpgrade(**common, msg_id="primepaidupgrade", upgraded_from="prime", plan=_plan(groups))


def _raid(groups: dict[str, str | None], common: Common) -> UserNotice:
    return Raid(**common, msg_id="raid", viewer_count=_number(groups["count"]))


def _watch_streak(groups: dict[str, str | None], common: Common) -> UserNotice:
    value = _number(groups["count"])
    return Milestone(**common, msg_id="viewermilestone", category="watch-streak", value=value)


def _bits_badge(groups: dict[str, str | None], common: Common) -> UserNotice:
    scale = {"K": 1_000, "M": 1_000_000}.get((groups["scale"] or "").upper(), 1)
    amount = float((groups["count"] or "0").replace(",", ""))
    return BitsBadgeTier(**common, msg_id="bitsbadgetier", threshold=round(amount * scale))


def _one_tap_gift(groups: dict[str, str | None], common: Common) -> UserNotice:
    return OneTapGift(
        **common,
        msg_id="onetapgiftredeemed",
        gift_id=groups["gift"],
        bits_spent=_number(groups["count"]),
        giver_display_name=groups["who"],
    )


def _login(name: str | None) -> str | None:
    """The login behind a shown name, where the name is the login in other letters."""
    return name.lower() if name and re.fullmatch(r"\w{1,25}", name, re.ASCII) else None


Build = Callable[[dict[str, "str | None"], Common], UserNotice]

_HINT = re.compile(r"subscribed|gift|Gift|raiders from|sparked a|converted from|Bits")
"""A word of every sentence: most messages have none and need no further look."""

_SENTENCES: tuple[tuple[re.Pattern[str], Build], ...] = tuple(
    (re.compile(pattern, re.DOTALL), build)
    for pattern, build in (
        (
            rf"{_WHO} subscribed (?:at {_TIER}|with (?P<prime>(?:Twitch )?Prime))\."
            r"(?: They've subscribed for (?P<months>\d+) months?"
            rf"(?:, currently on a (?P<streak>\d+) month streak)?!)?{_REST}",
            _subscription,
        ),
        (
            rf"{_WHO} just subscribed(?: with (?:a {_TIER} sub|(?P<prime>(?:Twitch )?Prime)))?!{_REST}",
            _subscription,
        ),
        (
            rf"{_WHO} (?:has )?subscribed for (?P<months>\d+) months?(?: in a row)?!(?:\s+\[(?P<text>.*)\])?",
            _old_resub,
        ),
        (
            rf"{_GIVER} gifted (?:a {_TIER} [Ss]ub|(?P<gift_months>\d+) months? of Tier (?P<tier2>[123])) to "
            r"(?P<recipient>\S+?)[!.](?: (?P<first>This is their first Gift Sub in the channel!)"
            r"|(?: It's their first time gifting in the channel!)"
            r"|(?: They(?: have|'ve) (?:given (?P<total>[\d,]+) Gift Subs|gifted [\d,]+ months)"
            r" in the channel!))?\s*",
            lambda groups, common: _sub_gift({**groups, "tier": groups["tier"] or groups["tier2"]}, common),
        ),
        (
            rf"{_GIVER} is gifting (?P<count>[\d,]+) {_TIER} Subs to \S+ community!"
            r"(?: They've gifted a total of (?P<total>[\d,]+) in the channel!)?\s*",
            _mystery_gift,
        ),
        (
            rf"{_WHO} is paying forward the Gift they got from (?:{_ANONYMOUS}|(?P<prior>\S+))"
            r" to (?:the community|(?P<recipient>\S+?))!\s*",
            _pay_forward,
        ),
        (
            rf"{_WHO} is continuing the Gift Sub they got from"
            rf" (?:{_ANONYMOUS}|(?P<gifter>\S+?))[!.]\s*",
            _gift_upgrade,
        ),
        (rf"{_WHO} converted from a (?:Twitch )?Prime sub to a {_TIER} sub!{_REST}", _prime_upgrade),
        (rf"(?P<count>[\d,]+) raiders from {_WHO} have joined!?\s*!?\s*", _raid),
        (
            rf"{_WHO} watched (?P<count>[\d,]+) consecutive streams and sparked a watch streak!{_REST}",
            _watch_streak,
        ),
        (
            rf"{_WHO} just earned a new (?P<count>[\d.,]+)(?P<scale>[KM]?) Bits badge!{_REST}",
            _bits_badge,
        ),
        (rf"{_WHO} redeemed (?P<gift>\S+) for (?P<count>[\d,]+) Bits\s*", _one_tap_gift),
    )
)
