"""The activity feed and the markers under the chart: events as short, exact lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from heapq import merge
from itertools import zip_longest
from typing import Final

from dashboard.analytics.observation import Gap
from dashboard.analytics.sessions import StreamRow
from dashboard.analytics.timebins import MINUTE_US, SECOND_US, floor_to
from dashboard.events import Instant
from dashboard.insights.live_log import RoomEvent
from dashboard.insights.live_model import FeedItem, Marker

LEAST_MARKED_BITS: Final = 100
MOST_MARKERS: Final = 200
_LONGEST_TEXT: Final = 160
_BOMB_US: Final = MINUTE_US
"""Single gifts without an origin id follow their bomb within this time."""
_IMPORTANCE: Final = ("raid", "game", "stream", "gift", "announcement", "bits", "sub")


class GiftFolder:
    """Tells which single gifts are part of a bomb that is shown as one line."""

    def __init__(self, events: Iterable[RoomEvent]) -> None:
        bombs = [event for event in events if event.kind == "mystery_gifts"]
        self._ids = {key for bomb in bombs for key in (bomb.origin_id, bomb.community_gift_id) if key}
        self._bombs: defaultdict[str, list[int]] = defaultdict(list)
        for bomb in bombs:
            self._bombs[_giver_key(bomb)].append(bomb.at)

    def is_folded(self, event: RoomEvent) -> bool:
        """Whether an event is a single gift out of a known bomb."""
        if event.kind != "sub_gifts":
            return False
        if event.origin_id in self._ids or event.community_gift_id in self._ids:
            return True
        if event.origin_id or event.community_gift_id:
            return False
        return any(0 <= event.at - at <= _BOMB_US for at in self._bombs.get(_giver_key(event), ()))


def _giver_key(event: RoomEvent) -> str:
    return "" if event.is_anonymous else event.user_id or event.user_name or ""


def feed_items(
    events: Sequence[RoomEvent],
    stream_rows: Sequence[StreamRow],
    gaps: Sequence[Gap],
    *,
    until: int,
    limit: int,
    categories: Collection[str] | None = None,
) -> list[FeedItem]:
    """The newest lines of the feed.

    Args:
        events: Of one room, oldest first.
        stream_rows: What was told about its streams, oldest first.
        gaps: What was not seen.
        until: Nothing after this instant.
        limit: At most so many lines.
        categories: Only lines of these; ``None`` is all. A raid is found behind any number of bans.

    Returns:
        Newest first; the same happening always has the same ``item_id``.
    """
    folder = GiftFolder(events)
    told = (event_item(e) for e in reversed(events) if e.at <= until and not folder.is_folded(e))
    changes = sorted(stream_items(stream_rows), key=_newest_first)
    holes = sorted((gap_item(gap) for gap in gaps), key=_newest_first)
    lines: list[FeedItem] = []
    for item in merge(told, changes, holes, key=_newest_first):
        if item.at > until or (categories is not None and item.category not in categories):
            continue
        if len(lines) == limit:
            break
        lines.append(item)
    return lines


def _newest_first(item: FeedItem) -> int:
    return -item.at


def event_item(event: RoomEvent) -> FeedItem:
    """One event as a line."""
    category, title, text = _WORDS[event.kind](event)
    if len(text) > _LONGEST_TEXT:
        text = text[: _LONGEST_TEXT - 1].rstrip() + "…"
    return FeedItem(f"{event.kind}:{event.event_id}", Instant(event.at), category, title, text)


_Words = tuple[str, str, str]


def _name(event: RoomEvent) -> str:
    return "anonymous" if event.is_anonymous else event.user_name or "somebody"


def _plan(plan: str | None) -> str:
    return {"1000": "tier 1", "2000": "tier 2", "3000": "tier 3"}.get(plan or "", plan or "")


def _listed(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _higher_tier(plan: str | None) -> str:
    """A tier is only worth a word when it is not the common one."""
    return _plan(plan) if plan in ("2000", "3000") else ""


def _raid(event: RoomEvent) -> _Words:
    if event.amount is None:
        return "raid", "Raid", f"{_name(event)} raided"
    return "raid", "Raid", f"{_name(event)} brought {_plural(event.amount, 'viewer')}"


def _subscription(event: RoomEvent) -> _Words:
    months = _plural(event.months, "month") if event.months and event.months > 1 else ""
    return "sub", "Sub", _listed(_name(event), _plan(event.plan), months)


def _single_gift(event: RoomEvent) -> _Words:
    to = f" to {event.other_name}" if event.other_name else ""
    months = _plural(event.months, "month") if event.months and event.months > 1 else ""
    return "gift", "Gift", _listed(f"{_name(event)} gave a sub{to}", _higher_tier(event.plan), months)


def _bomb(event: RoomEvent) -> _Words:
    gave = "subs" if event.amount is None else _plural(event.amount, "sub")
    return "gift", "Gifts", _listed(f"{_name(event)} gave {gave}", _higher_tier(event.plan))


def _pay_forward(event: RoomEvent) -> _Words:
    giver = "an anonymous" if event.is_anonymous else f"{event.detail}'s" if event.detail else "a"
    to = f"to {event.other_name}" if event.other_name else "to the community"
    return "gift", "Forward", f"{event.user_name or 'somebody'} passed on {giver} gift {to}"


def _upgrade(event: RoomEvent) -> _Words:
    if event.detail == "prime":
        tier = f" to {_plan(event.plan)}" if event.plan else ""
        return "sub", "Upgrade", f"{_name(event)} went on from Prime{tier}"
    giver = f"{event.other_name}'s gift" if event.other_name else "a gifted sub"
    return "sub", "Upgrade", f"{_name(event)} goes on paying for {giver}"


def _one_tap(event: RoomEvent) -> _Words:
    spent = "" if event.amount is None else f"{event.amount:,} bits"
    return "gift", "Gift", _listed(f"{_name(event)} redeemed a one-tap gift", spent)


def _bits(event: RoomEvent) -> _Words:
    return "bits", "Bits", _listed(_name(event), f"{event.amount:,}" if event.amount is not None else "")


def _bits_badge(event: RoomEvent) -> _Words:
    badge = "a new bits badge" if event.amount is None else f"bits badge {event.amount:,}"
    return "milestone", "Badge", _listed(_name(event), badge)


def _announcement(event: RoomEvent) -> _Words:
    return "announcement", "Announcement", f"{_name(event)}: {event.text or ''}".rstrip(": ")


def _milestone(event: RoomEvent) -> _Words:
    what = (event.detail or "milestone").replace("-", " ")
    return "milestone", "Milestone", _listed(_name(event), f"{what} {event.amount or ''}".rstrip())


def _moderation(event: RoomEvent) -> _Words:
    who = event.user_name or "somebody"
    if event.detail == "timeout":
        length = f" for {span_words(event.amount)}" if event.amount else ""
        return "moderation", "Timeout", f"{who} timed out{length}"
    if event.detail == "ban":
        return "moderation", "Ban", f"{who} banned"
    if event.detail == "delete_message":
        return "moderation", "Deleted", f"a message of {who}"
    if event.detail == "clear_user_messages":
        return "moderation", "Removed", f"all messages of {who}"
    return "moderation", "Cleared", "the chat was cleared"


_WORDS: Final[dict[str, Callable[[RoomEvent], _Words]]] = {
    "raids": _raid,
    "subscriptions": _subscription,
    "sub_gifts": _single_gift,
    "mystery_gifts": _bomb,
    "pay_forwards": _pay_forward,
    "paid_upgrades": _upgrade,
    "one_tap_gifts": _one_tap,
    "bits": _bits,
    "bits_badge_tiers": _bits_badge,
    "announcements": _announcement,
    "milestones": _milestone,
    "moderation": _moderation,
}


def stream_items(rows: Sequence[StreamRow]) -> Iterator[FeedItem]:
    """Starts, ends, and changes of game and title, each once."""
    started: set[str] = set()
    game: str | None = None
    title: str | None = None
    began_at: int | None = None
    for row, following in zip_longest(rows, rows[1:]):
        at = Instant(row.at)
        if row.action == "end" and following is not None and following.action == "end":
            continue  # Polls tell when they last saw the stream, EventSub when it was over.
        began_at = began_at if row.started_at is None else row.started_at
        if row.action == "start":
            key = row.stream_id or str(row.started_at or row.at)
            if key not in started:
                began_at = row.at if row.started_at is None else row.started_at
                yield FeedItem(f"start:{key}", Instant(began_at), "stream", "Stream", "started")
            started.add(key)
            game, title = row.game_name or game, row.title or title
            continue
        if row.action == "end":
            length = "" if began_at is None else f" after {span_words((row.at - began_at) / SECOND_US)}"
            yield FeedItem(f"end:{row.at}", at, "stream", "Stream", f"ended{length}")
            game = title = began_at = None
            continue
        if row.game_name and game and row.game_name != game:
            yield FeedItem(f"game:{row.at}", at, "game", "Game", f"{row.game_name} (was {game})")
        if row.title and title and row.title != title:
            yield FeedItem(f"title:{row.at}", at, "stream", "Title", f"“{row.title}”")
        game, title = row.game_name or game, row.title or title


def gap_item(gap: Gap) -> FeedItem:
    """A stretch that was not seen, as a line at the instant it ended (or began, while it lasts)."""
    why = f" ({gap.reason})" if gap.reason else ""
    if gap.ended_at is None:
        text = f"collector lost the room, nothing seen since{why}"
        return FeedItem(f"gap:{gap.started_at}:open", Instant(gap.started_at), "gap", "Gap", text)
    length = span_words((gap.ended_at - gap.started_at) / SECOND_US)
    text = f"collector reconnected, {length} not seen"
    return FeedItem(f"gap:{gap.started_at}", Instant(gap.ended_at), "gap", "Gap", text)


def span_words(seconds: float) -> str:
    """A length of time in at most two units: ``28 s``, ``10 min``, ``2 h 14 min``, ``14 days``."""
    whole = max(round(seconds), 1) if seconds > 0 else 0
    if whole < 120 and (whole % 60 or not whole):
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return _plural(round(hours / 24), "day")
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def markers(events: Sequence[RoomEvent], stream_rows: Sequence[StreamRow], *, start_at: int) -> list[Marker]:
    """What stands in the lane under the chart.

    Args:
        events: Of one room, oldest first.
        stream_rows: What was told about its streams, oldest first.
        start_at: Left edge of the chart.

    Returns:
        Oldest first. Subs of a minute are one marker; small cheers have none. When there are too many,
        the least telling are left out.
    """
    folder = GiftFolder(events)
    found: list[Marker] = []
    subs: defaultdict[int, int] = defaultdict(int)
    for event in events:
        if event.at < start_at:
            continue
        if event.kind in ("subscriptions", "paid_upgrades") or (
            event.kind == "sub_gifts" and not folder.is_folded(event)
        ):
            subs[floor_to(event.at, MINUTE_US)] += 1
        elif (label := _label(event)) is not None:
            found.append(Marker(Instant(event.at), _WORDS[event.kind](event)[0], label))
    found += [Marker(Instant(at), "sub", "sub" if n == 1 else f"{n} subs") for at, n in subs.items()]
    for item in stream_items(stream_rows):
        if item.at >= start_at and item.title != "Title":
            label = item.text.split(" (was ")[0] if item.category == "game" else item.text.split()[0]
            found.append(Marker(item.at, item.category, label))
    if len(found) > MOST_MARKERS:
        found.sort(key=lambda marker: (_IMPORTANCE.index(marker.category), -marker.at))
        del found[MOST_MARKERS:]
    return sorted(found, key=lambda marker: marker.at)


def _label(event: RoomEvent) -> str | None:
    if event.kind == "raids":
        return "raid" if event.amount is None else f"raid +{event.amount:,}"
    if event.kind == "mystery_gifts":
        return "gifts" if event.amount is None else _plural(event.amount, "gift")
    if event.kind == "bits" and (event.amount or 0) >= LEAST_MARKED_BITS:
        return f"{event.amount:,} bits"
    return "announcement" if event.kind == "announcements" else None
