"""The sandbox's chat: lines as Twitch writes them, rhythms as people make them."""

from __future__ import annotations

import json
import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any

import irctokens
import pytest

from collectors.irc_events import to_events
from dashboard.events import Bits, ChatMessage, Instant, MysteryGift, Raid, SubGift, Subscription
from dashboard.sandbox import World, write_truth
from dashboard.sandbox.phrases import GLOBAL_EMOTES
from dashboard.sandbox.wire import Line, emotes_tag, escape

NOON_S = 1_781_200_800.0
HOUR_S, DAY_S = 3600, 86_400


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, 40)


@pytest.fixture(scope="module")
def lines(world: World) -> list[Line]:
    """Four hours of the first channel."""
    return world.lines("mothlight", NOON_S, NOON_S + 4 * HOUR_S)


@pytest.fixture(scope="module")
def truth(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.ground_truth(NOON_S, NOON_S + 4 * HOUR_S)
    return {name: [i for i in value if i.get("channel") == "mothlight"] if isinstance(value, list) else value
            for name, value in found.items()}  # fmt: skip


def text_of(line: Line) -> str:
    return line.rest.split(" :", 1)[1].removeprefix("\x01ACTION ").rstrip("\x01")


def velocity(lines: list[Line], at: float, window_s: float = 20) -> float:
    """Messages a second around a time."""
    return sum(line.command == "PRIVMSG" and abs(line.at_s - at) < window_s / 2 for line in lines) / window_s


def test_emote_positions_are_code_points_and_lists_are_joined() -> None:
    known = {"Kappa": "25", "LUL": "425618"}
    assert emotes_tag("Kappa 🎉 LUL Kappa notKappa", known) == "25:0-4,12-16/425618:8-10"
    assert emotes_tag("nothing", known) == ""


def test_tag_values_are_escaped() -> None:
    assert escape("a; b\\c\r\n") == "a\\:\\sb\\\\c\\r\\n"
    line = Line(0, "PRIVMSG", {"system-msg": "5 subs; wow", "a": ""}, ":x PRIVMSG #c :hi")
    assert line.raw == "@a=;system-msg=5\\ssubs\\:\\swow :x PRIVMSG #c :hi"


def test_every_line_of_every_channel_is_read_by_two_parsers(world: World) -> None:
    kinds: dict[str, int] = {}
    seen: set[tuple[str, str]] = set()
    for channel in world.channels:
        for raw in world.raw_lines(channel.login, NOON_S, NOON_S + 1200):
            token = irctokens.tokenise(raw)
            assert token.params[0] == f"#{channel.login}"
            for event in to_events(raw, Instant(0)):
                kinds[event.kind] = kinds.get(event.kind, 0) + 1
                assert (event.event_id, event.kind) not in seen
                seen.add((event.event_id, event.kind))
                assert event.room_login == channel.login
    assert kinds["chat_messages"] > 3000
    assert {"subscriptions", "sub_gifts", "bits", "moderation", "milestones", "room_states"} <= set(kinds)


def test_lines_come_in_order_though_their_own_times_go_back_now_and_then(lines: list[Line]) -> None:
    assert [line.at_s for line in lines] == sorted(line.at_s for line in lines)
    times = [int(line.tags["tmi-sent-ts"]) for line in lines if "tmi-sent-ts" in line.tags]
    back = sum(after < before for before, after in pairwise(times))
    assert 0 < back < 0.2 * len(times)
    for line in lines:
        if "tmi-sent-ts" in line.tags:
            assert -0.1 < line.at_s - int(line.tags["tmi-sent-ts"]) / 1000 < 2.6


def test_emotes_tags_cut_out_emotes(world: World, lines: list[Line]) -> None:
    names = {emote_id: name for name, emote_id in GLOBAL_EMOTES.items()}
    names |= {emote_id: name for channel in world.channels for emote_id, name in channel.emotes}
    count = 0
    for line in lines:
        for part in filter(None, line.tags.get("emotes", "").split("/")):
            emote_id, _, spans = part.partition(":")
            for span in spans.split(","):
                first, last = map(int, span.split("-"))
                assert text_of(line)[first : last + 1] == names[emote_id]
                count += 1
    assert count > 1000


def test_the_rate_grows_with_the_viewers_but_less_than_in_proportion(world: World) -> None:
    def per_minute(login: str) -> float:
        own = [line for line in world.lines(login, NOON_S, NOON_S + HOUR_S) if line.command == "PRIVMSG"]
        return len(own) / 60

    rates = {login: per_minute(login) for login in ("mothlight", "quillandbarrow", "saltmarshsam")}
    viewers = {login: world.stream_at(login, NOON_S).viewer_count for login in rates}  # type: ignore[union-attr]
    assert rates["mothlight"] > rates["quillandbarrow"] > rates["saltmarshsam"] > 2
    assert 30 < rates["mothlight"] < 200
    share = {login: rates[login] / viewers[login] for login in rates}
    assert share["saltmarshsam"] > 0.8 * share["mothlight"]


def test_an_offline_channel_is_nearly_silent(world: World) -> None:
    live = {state.channel.login for state in world.live_at(NOON_S)} | {
        state.channel.login for state in world.live_at(NOON_S + 1200)
    }
    offline = [channel.login for channel in world.channels if channel.login not in live]
    assert len(offline) > 5
    counts = [len(world.lines(login, NOON_S, NOON_S + 1200)) for login in offline]
    assert max(counts) < 60
    assert statistics.median(counts) < 15


def test_hype_moments_are_seen_in_the_velocity(lines: list[Line], truth: dict[str, Any]) -> None:
    moments = [m for m in truth["hype_moments"] if NOON_S + 60 < m["peak_at"] < NOON_S + 4 * HOUR_S - 60]
    usual = statistics.median(velocity(lines, NOON_S + k, 60) for k in range(60, 4 * HOUR_S - 60, 60))
    gaps = [b["event_at"] - a["event_at"] for a, b in pairwise(moments)]
    assert 20 <= len(moments) <= 27
    assert 6 * 60 <= statistics.median(gaps) <= 12 * 60
    for moment in moments:
        assert 20 <= moment["peak_at"] - moment["event_at"] <= 25
        assert 20 <= moment["width_s"] <= 40
        ratio = velocity(lines, moment["peak_at"]) / usual
        assert ratio > 1.9, (moment, ratio)
        assert velocity(lines, moment["event_at"] - 5, 10) < 3.2 * usual
    ratios = [velocity(lines, m["peak_at"]) / usual for m in moments]
    assert 3 <= statistics.median(ratios) <= 8


def test_in_a_hype_moment_many_write_little_with_many_emotes(
    lines: list[Line], truth: dict[str, Any]
) -> None:
    excited, calm = [], []
    for line in lines:
        if line.command == "PRIVMSG":
            near = [m for m in truth["hype_moments"] if abs(line.at_s - m["peak_at"]) < m["width_s"] / 2.5]
            far = all(abs(line.at_s - m["peak_at"]) > 60 for m in truth["hype_moments"])
            if near:
                excited.append(text_of(line))
            elif far:
                calm.append(text_of(line))
    assert statistics.mean(map(len, excited)) < 0.8 * statistics.mean(map(len, calm))
    assert sum(t.upper() == t for t in excited) / len(excited) > 2 * sum(t.upper() == t for t in calm) / len(
        calm
    )


def test_gift_bombs_are_whole(world: World, truth: dict[str, Any]) -> None:
    found: dict[str, Any] = world.ground_truth(NOON_S, NOON_S + DAY_S)
    bombs = [bomb for bomb in found["gift_bombs"] if bomb["channel"] == "mothlight"]
    assert len(bombs) > 15
    assert any(bomb["giver"] is None for bomb in found["gift_bombs"])
    for bomb in bombs:
        events = [
            event
            for raw in world.raw_lines("mothlight", bomb["at"] - 0.01, bomb["at"] + 5)
            for event in to_events(raw, Instant(0))
        ]
        giver = bomb["giver"] or "ananonymousgifter"
        mystery = [e for e in events if isinstance(e, MysteryGift) and e.user_login == giver]
        assert [(e.gift_count, e.plan) for e in mystery] == [(bomb["gift_count"], bomb["plan"])]
        gifts = [e for e in events if isinstance(e, SubGift) and e.origin_id == mystery[0].origin_id]
        assert {e.recipient_login for e in gifts} == set(bomb["recipients"])
        assert len(gifts) == bomb["gift_count"]


def test_who_is_given_a_sub_is_a_subscriber_afterwards(world: World) -> None:
    plan = world.plan_at("mothlight", NOON_S)
    assert plan is not None
    checked = 0
    for line in world.lines("mothlight", NOON_S, NOON_S + 4 * HOUR_S):
        since = plan.new_subs.get(line.user or -1)
        if line.command == "PRIVMSG" and since and NOON_S < plan.session.ended_s > line.at_s > since[0] + 1:
            assert line.tags["subscriber"] == "1"
            assert line.tags["badge-info"].startswith("subscriber/")
            checked += 1
    assert checked > 5


def test_subs_bits_and_raids_say_what_they_are(world: World) -> None:
    events = [
        event
        for raw in world.raw_lines("mothlight", NOON_S, NOON_S + 6 * HOUR_S)
        for event in to_events(raw, Instant(0))
        if event.source_room_id in (None, event.room_id)  # type: ignore[attr-defined]
    ]
    resubs = [e for e in events if isinstance(e, Subscription) and e.msg_id == "resub"]
    assert len(resubs) > 10
    for resub in resubs:
        assert resub.cumulative_months is not None
        assert resub.badge_info == f"subscriber/{resub.cumulative_months}"
        assert (resub.streak_months or 0) <= resub.cumulative_months
    cheers = [e for e in events if isinstance(e, Bits)]
    texts = {e.event_id: e.text for e in events if isinstance(e, ChatMessage)}
    assert len(cheers) > 10
    for cheer in cheers:
        assert f"Cheer{cheer.bits}" in (texts[cheer.event_id] or "")
    raids = world.schedule.raids(0, NOON_S, NOON_S + 6 * HOUR_S)
    told = [e for e in events if isinstance(e, Raid)]
    assert [(e.viewer_count, e.user_login) for e in told] == [
        (raid.viewer_count, world.population.user(raid.raider).login) for raid in raids
    ]


def test_raiders_write_and_most_fall_silent(world: World) -> None:
    raids = [r for r in world.schedule.raids(0, NOON_S, NOON_S + 2 * DAY_S) if r.viewer_count > 100]
    assert len(raids) > 3
    early, late = 0, 0
    for raid in raids:
        party = set(world.audience.party(raid)[0].tolist())
        for line in world.lines("mothlight", raid.at_s, raid.at_s + 1800):
            early += line.user in party and line.at_s < raid.at_s + 300
            late += line.user in party and line.at_s > raid.at_s + 1500
    assert early > 60
    assert 0 < late < early / 2


def test_replies_answer_a_message_that_was_written(lines: list[Line]) -> None:
    written = {line.tags["id"]: line for line in lines if line.command == "PRIVMSG"}
    replies = [line for line in written.values() if "reply-parent-msg-id" in line.tags]
    own = [r for r in replies if r.tags["reply-parent-msg-id"] in written]
    assert len(own) > 40
    for reply in own:
        parent = written[reply.tags["reply-parent-msg-id"]]
        assert parent.at_s <= reply.at_s
        assert reply.tags["reply-parent-msg-body"] == text_of(parent)
        assert reply.tags["reply-parent-user-id"] == parent.tags["user-id"]
        assert text_of(reply).startswith(f"@{parent.tags['display-name']} ")
        top = parent.tags.get("reply-thread-parent-msg-id", parent.tags["id"])
        assert reply.tags["reply-thread-parent-msg-id"] == top


def test_moderation_hits_somebody_who_wrote(world: World) -> None:
    own = world.chat.own_lines(0, NOON_S, NOON_S + 4 * HOUR_S)
    writers = {line.tags["user-id"] for line in own if line.command == "PRIVMSG"}
    ids = {line.tags["id"] for line in own if line.command == "PRIVMSG"}
    cleared = [line for line in own if line.command == "CLEARCHAT"]
    deleted = [line for line in own if line.command == "CLEARMSG"]
    assert len(cleared) > 5
    assert len(deleted) > 3
    assert {line.tags["target-user-id"] for line in cleared} <= writers
    assert {line.tags["target-msg-id"] for line in deleted} <= ids
    assert {"ban-duration" in line.tags for line in cleared} == {True, False}


def test_a_shared_chat_shows_every_message_in_both_rooms(world: World) -> None:
    session = world.shared.between(NOON_S, NOON_S + DAY_S)[0]
    host, guest = world.channels[session.host], world.channels[session.guest]
    start, end = session.start_s + 60, min(session.start_s + 600, session.end_s)
    here = [line for line in world.lines(host.login, start, end) if line.command == "PRIVMSG"]
    there = [line for line in world.lines(guest.login, start, end) if line.command == "PRIVMSG"]
    assert len(here) == len(there) > 10
    assert {line.tags["source-id"] for line in here} == {line.tags["source-id"] for line in there}
    assert not {line.tags["id"] for line in here} & {line.tags["id"] for line in there}
    assert {line.tags["source-room-id"] for line in here} == {host.user_id, guest.user_id}
    for line in here:
        is_own = line.tags["source-room-id"] == host.user_id
        assert (line.tags["id"] == line.tags["source-id"]) is is_own
        assert f"PRIVMSG #{host.login} " in line.rest
    before = world.lines(host.login, session.start_s - 120, session.start_s)
    assert not any("source-id" in line.tags for line in before)


def test_room_modes_hold_until_they_are_lifted(world: World) -> None:
    start = NOON_S
    changes = [
        (line.at_s, line)
        for line in world.lines("mothlight", start, start + 8 * HOUR_S)
        if line.command == "ROOMSTATE"
    ]
    assert len(changes) >= 4
    for at, line in changes:
        (tag,) = set(line.tags) - {"room-id"}
        assert world.room_modes("mothlight", at + 0.5)[tag] == line.tags[tag]


def test_the_truth_is_written_whole(world: World, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "truth.json"
    write_truth(world, path, NOON_S, NOON_S + HOUR_S)
    found = json.loads(path.read_text())
    assert found == json.loads(json.dumps(world.ground_truth(NOON_S, NOON_S + HOUR_S)))
    assert sorted(login for c in found["communities"] for login in c["channels"]) == sorted(
        channel.login for channel in world.channels
    )
    assert [p.name for p in path.parent.iterdir()] == ["truth.json"]


def test_a_flood_is_even_and_numbered(world: World) -> None:
    world.boost("saltmarshsam", 1000)
    try:
        flood = world.flood("saltmarshsam", NOON_S, NOON_S + 2)
        numbers = [int(text_of(line).rsplit(" ", 1)[1]) for line in flood]
        assert numbers == list(range(numbers[0], numbers[0] + 2000))
        assert len({line.tags["id"] for line in flood}) == 2000
        halves = world.flood("saltmarshsam", NOON_S, NOON_S + 1.2345)
        halves += world.flood("saltmarshsam", NOON_S + 1.2345, NOON_S + 2)
        assert [line.raw for line in halves] == [line.raw for line in flood]
    finally:
        world.boost("saltmarshsam", 0)
    assert world.flood("saltmarshsam", NOON_S, NOON_S + 2) == []
