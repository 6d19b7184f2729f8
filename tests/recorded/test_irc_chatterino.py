"""Chatterino's snapshots: what another client shows of a line is what our events must hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors.irc_events import to_events
from dashboard.events import (
    Announcement,
    BitsBadgeTier,
    ChatMessage,
    Event,
    Instant,
    Milestone,
    Moderation,
    Notice,
    Raid,
    SubGift,
    Subscription,
    UserEvent,
    UserNotice,
)

# Chatterino's own settings change these texts before they are shown.
REPLACED_TEXTS = {"ignore-block1", "ignore-infinite", "ignore-replace", "reply-ignore"}
# The user's colour comes from Chatterino's own list of users here.
REPLACED_COLORS = {"sub-message-user-color-override"}


def _snapshots(recorded_dir: Path) -> Iterator[tuple[str, dict[str, Any], list[Event]]]:
    for path in sorted((recorded_dir / "irc/chatterino_snapshots").glob("*.json")):
        snapshot = json.loads(path.read_text(encoding="utf-8"))
        lines = [*snapshot.get("params", {}).get("prevMessages", []), snapshot["input"]]
        yield path.stem, snapshot, [event for line in lines for event in to_events(line, _shown_at(line))]


def _shown_at(line: str) -> Instant:
    """The second that Chatterino shows: of recent messages, when their service received them."""
    received = re.search(r"rm-received-ts=(\d+)", line) or re.search(r"tmi-sent-ts=(\d+)", line)
    assert received is not None
    return Instant(int(received[1]) // 1000 * 1_000_000)


def _outputs(recorded_dir: Path) -> Iterator[tuple[str, dict[str, Any], list[Event]]]:
    for name, snapshot, events in _snapshots(recorded_dir):
        for output in snapshot["output"]:
            yield name, output, events


def _author(output: dict[str, Any], events: list[Event]) -> ChatMessage | UserNotice:
    candidates = [event for event in events if isinstance(event, ChatMessage | UserNotice)]
    if output["id"]:
        candidates = [event for event in candidates if event.event_id == output["id"]]
    assert len(candidates) == 1
    assert _is_shown_at(candidates[0], output)
    return candidates[0]


def _is_shown_at(event: Event, output: dict[str, Any]) -> bool:
    shown = datetime.fromisoformat(output["serverReceivedTime"])
    return int(shown.timestamp()) * 1_000_000 == event.received_at


def _names(badges: str | None) -> list[str]:
    pairs = [badge.partition("/") for badge in (badges or "").split(",")]
    return [name for name, slash, _ in pairs if slash]


def test_every_snapshot_gives_events(recorded_dir: Path) -> None:
    counts = {name: len(events) for name, _, events in _snapshots(recorded_dir)}
    assert len(counts) == 110
    assert [name for name, count in counts.items() if count == 0] == []


def test_shown_messages(recorded_dir: Path) -> None:
    seen = 0
    wrong: list[object] = []

    def same(name: str, what: str, ours: object, theirs: object) -> None:
        if ours != theirs:
            wrong.append((name, what, ours, theirs))

    for name, output, events in _outputs(recorded_dir):
        flags = output["flags"].split("|")
        if "System" in flags:
            continue
        seen += 1
        event = _author(output, events)
        if output["loginName"]:
            same(name, "login", event.user_login, output["loginName"])
        shown_names = (output["displayName"], output["localizedName"])
        same(name, "display name", (event.user_display_name or "") in shown_names, True)
        same(name, "user id", event.user_id or "", output["userID"])
        same(name, "badges", _names(event.badges), output["twitchBadges"])
        infos = {key: value.replace("\\s", " ") for key, value in output["twitchBadgeInfos"].items()}
        pairs = [info.partition("/") for info in (event.badge_info or "").split(",") if info]
        same(name, "badge info", {key: value for key, _, value in pairs}, infos)
        if name not in REPLACED_TEXTS:
            text = event.text or ""
            if isinstance(event, ChatMessage) and event.reply_parent_message_id:
                # Chatterino mostly hides the @mention that starts a reply.
                text = text if text == output["messageText"] else re.sub(r"^@\S+ +", "", text)
            same(name, "text", text, output["messageText"])
        if event.color and name not in REPLACED_COLORS:
            ours = [int(event.color[at : at + 2], 16) for at in (1, 3, 5)]
            theirs = [int(output["usernameColor"][at : at + 2], 16) for at in (3, 5, 7)]
            near = all(abs(a - b) <= 1 for a, b in zip(ours, theirs, strict=True))
            same(name, "color", (near, event.color), (True, event.color))
        is_mirrored = event.source_room_id is not None and event.source_room_id != event.room_id
        same(name, "shared", is_mirrored, "SharedMessage" in flags)
        if isinstance(event, ChatMessage):
            same(name, "action", event.is_action, "Action" in flags)
            same(name, "first", event.is_first_message is True, "FirstMessage" in flags)
            same(name, "cheer", event.bits is not None, "CheerMessage" in flags)
            same(name, "highlight", event.msg_id == "highlighted-message", "RedeemedHighlight" in flags)
            if "ReplyMessage" in flags:
                same(name, "reply", bool(event.reply_parent_message_id), True)
        else:
            same(name, "announcement", isinstance(event, Announcement), "Announcement" in flags)
            same(name, "subscription", isinstance(event, Subscription), "Subscription" in flags)
    assert wrong == []
    assert seen == 82


def test_shown_twitch_emotes(recorded_dir: Path) -> None:
    wrong, seen = [], 0
    for name, output, events in _outputs(recorded_dir):
        if "System" in output["flags"].split("|") or name in REPLACED_TEXTS:
            continue
        shown = [element["emote"]["name"] for element in output["elements"] if _is_emote(element)]
        names = (_author(output, events).emote_names or "").split()
        seen += len(names)
        # Emotes of other services are shown as well, so ours must appear in theirs in our order.
        rest = iter(shown)
        if not all(any(word == candidate for candidate in rest) for word in names):
            wrong.append((name, names, shown))
    assert wrong == []
    assert seen == 22


def _is_emote(element: dict[str, Any]) -> bool:
    return element["type"] == "EmoteElement" and "name" in element.get("emote", {})


def test_shown_moderation(recorded_dir: Path) -> None:
    seen = 0
    for name, output, events in _outputs(recorded_dir):
        flags = output["flags"].split("|")
        if "ModerationAction" not in flags:
            continue
        seen += 1
        acts = [event for event in events if isinstance(event, Moderation)]
        text = output["messageText"]
        latest = [event for event in acts if output["serverReceivedTime"] and _is_shown_at(event, output)]
        if deleted := re.fullmatch(r"A message from (\w+) was deleted: (.*)", text, re.DOTALL):
            assert len(acts) == 1, name
            act = acts[0]
            assert act.action == "delete_message"
            assert f"msg:{act.target_message_id}" == output["timeoutUser"]
            shown_text = deleted[2].removesuffix("…")
            assert act.target_user_login == deleted[1]
            assert (act.target_text or "").startswith(shown_text)
            assert (act.target_text == shown_text) is (name == "clearmsg-non-truncated")
        elif timeout := re.match(r"(\w+) has been timed out for (\d+)([sm])\.", text):
            seconds = int(timeout[2]) * (60 if timeout[3] == "m" else 1)
            assert {(act.action, act.target_user_login, act.duration_s) for act in latest} == {
                ("timeout", timeout[1], seconds)
            }, name
            assert output["timeoutUser"] == timeout[1]
        else:
            assert text.startswith("Chat has been cleared by a moderator.")
            assert {(act.action, act.target_user_id, act.duration_s) for act in latest} == {
                ("clear_chat", None, None)
            }, name
    assert seen == 11


def test_shown_system_messages(recorded_dir: Path) -> None:
    unread = []
    seen = 0
    for name, output, events in _outputs(recorded_dir):
        flags = output["flags"].split("|")
        if "System" not in flags or "ModerationAction" in flags:
            continue
        seen += 1
        event = events[-1]
        if not _states(output["messageText"], output, event):
            unread.append((name, output["messageText"], event))
    assert unread == []
    assert seen == 26


def _states(text: str, output: dict[str, Any], event: Event) -> bool:
    """Whether the event holds everything that the shown text says."""
    if isinstance(event, Notice):
        return event.text == text
    assert isinstance(event, UserEvent)
    shown_name = event.user_display_name
    if isinstance(event, SubGift):
        giver = "An anonymous user" if event.is_anonymous else shown_name
        count = f"{event.gift_months} months of a" if (event.gift_months or 1) > 1 else "a"
        months = "months" if (event.gift_months or 1) > 1 else "Gift Subs"
        tier = int(event.plan or 0) // 1000
        shown = f"{giver} gifted {count} Tier {tier} sub to {event.recipient_display_name}!"
        if event.sender_total == 1:
            shown += " This is their first Gift Sub in the channel!"
        elif event.sender_total:
            shown += f" They've gifted {event.sender_total} {months} in the channel."
        return text == shown
    if isinstance(event, Subscription):
        ahead = event.multi_month_duration or 1
        tier = int(event.plan or 0) // 1000 if event.plan != "Prime" else "Prime"
        if ahead > 1:
            shown = f"{shown_name} subscribed at Tier {tier} for {ahead} months in advance"
            if (event.cumulative_months or 0) > 1:
                shown += f", reaching {event.cumulative_months} months cumulatively so far"
            return text == f"{shown}!"
        return text == event.system_message
    if isinstance(event, Raid):
        return text == f"{event.viewer_count} raiders from {shown_name} have joined!"
    if isinstance(event, BitsBadgeTier):
        return text == f"{shown_name} just earned a new {(event.threshold or 0) // 1000}K Bits badge!"
    if isinstance(event, Milestone):
        watched = f"watched {event.value} consecutive streams and sparked a watch streak!"
        return (text, event.category) == (f"{shown_name} {watched}", "watch-streak")
    if isinstance(event, Announcement):
        shown_color = output.get("announcementColor", "Primary")
        return text == "Announcement" and (event.announcement_color or "PRIMARY").title() == shown_color
    if isinstance(event, UserNotice) and event.msg_id == "modiversary":
        return text == f"{shown_name} {event.system_message}"
    if isinstance(event, UserNotice) and event.msg_id == "socialsharingbadge":
        level = json.loads(event.tags or "{}")["msg-param-current-badge-level"]
        return text == f"{shown_name} earned a Level {level} Social Media Badge!"
    if isinstance(event, ChatMessage):  # shown beside the message: a reward, a reply, a first message
        return event.custom_reward_id is not None
    return False
