"""What the sandbox tells over EventSub is the same world that IRC and Helix tell."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any

import pytest

from collectors.eventsub_events.differences import told_by_both
from collectors.eventsub_parse import parse_notification
from collectors.irc_events import to_events
from dashboard.events import Event, Instant
from dashboard.eventsub_message import EventSubMessage
from dashboard.sandbox import SandboxServer, World
from dashboard.sandbox.eventsub_chat import NAMES as CHAT
from dashboard.sandbox.eventsub_messages import Message, Told
from dashboard.sandbox.eventsub_store import Subscription, Transport
from dashboard.sandbox.eventsub_tell import Teller
from dashboard.sandbox.eventsub_types import TYPES

NOON_S = 1_781_200_800.0
HOUR_S = 3600
ALL = frozenset(name for name, _ in TYPES)
_NOT_IN_EVENTSUB = {"room_states", "notices"}


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, 12)


@pytest.fixture(scope="module")
def teller(world: World) -> Teller:
    return Teller(world)


def parsed(told: Told) -> list[Event]:
    """A happening as the collector reads it, without the verbatim row."""
    field, _, value = told.subject.partition(":")
    subscription = {"id": "s", "type": told.name, "version": told.version, "condition": {field: value}}
    at = Instant(int(told.at_s * 1_000_000))
    message = EventSubMessage(
        message_id="m",
        sent_at=at,
        received_at=at,
        eventsub_type=told.name,
        version=told.version,
        subscription=subscription,
        event=told.event,
        body="{}",
        transport="websocket",
    )
    return parse_notification(message)[1:]


def seen_both_ways(world: World, teller: Teller) -> list[tuple[Event, Event]]:
    """Every event of half an hour of chat: by IRC and by EventSub."""
    pairs = []
    for channel in world.channels:
        for line in world.lines(channel.login, NOON_S, NOON_S + 1800):
            by_irc = [e for e in to_events(line.raw, Instant(0)) if e.kind not in _NOT_IN_EVENTSUB]
            happenings = teller.of_line(channel, line, CHAT - {"channel.chat_settings.update"})
            by_eventsub = [event for told in happenings for event in parsed(told)]
            assert [e.kind for e in by_irc] == [e.kind for e in by_eventsub], line.raw
            pairs += list(zip(by_irc, by_eventsub, strict=True))
    return pairs


_OF_SOURCE = {"source_room_id", "source_message_id", "source_badges", "source_badge_info", "is_source_only"}
_OF_FIRST_SUB = {"cumulative_months", "is_streak_shared", "was_gifted"}


def may_differ(by_irc: Any, name: str) -> bool:
    """The differences that only some events have (IN_SOME_CASES of the parser)."""
    if name in _OF_SOURCE:
        return by_irc.source_room_id in (None, by_irc.room_id)
    if name in _OF_FIRST_SUB:
        return bool(by_irc.msg_id == "sub")
    return by_irc.kind == "moderation" and name in ("event_id", "action") and by_irc.target_message_id is None


def alike(name: str, value: Any) -> Any:
    return sorted(value.split("/")) if name == "emotes" and value else value


def test_chat_is_the_same_over_both(world: World, teller: Teller) -> None:
    kinds: Counter[str] = Counter()
    for by_irc, by_eventsub in seen_both_ways(world, teller):
        for name in told_by_both(by_irc.kind, [field.name for field in fields(by_irc)]):
            one, other = alike(name, getattr(by_irc, name)), alike(name, getattr(by_eventsub, name))
            assert one == other or may_differ(by_irc, name), (by_irc.kind, name, one, other, by_irc)
        kinds[by_irc.kind] += 1
    assert kinds["chat_messages"] > 2000
    assert {"subscriptions", "sub_gifts", "bits", "moderation", "milestones", "raids"} <= set(kinds)


def test_mirrored_messages_of_a_shared_chat_name_their_source(world: World, teller: Teller) -> None:
    session = next(s for s in world.shared.between(NOON_S, NOON_S + 20 * HOUR_S) if s.start_s > NOON_S)
    here, there = world.channels[session.host], world.channels[session.guest]
    lines = world.lines(here.login, session.start_s, session.start_s + 600)
    told = [t.event for line in lines for t in teller.of_line(here, line, CHAT)]
    mirrored = [event for event in told if event.get("source_message_id")]
    assert mirrored
    ids = {line.tags.get("id") for line in world.lines(there.login, session.start_s, session.start_s + 600)}
    for event in mirrored:
        assert event["source_broadcaster_user_login"] == there.login
        assert event["source_message_id"] in ids
        assert event["broadcaster_user_login"] == here.login


def test_fragments_make_up_the_text(world: World, teller: Teller) -> None:
    kinds: Counter[str] = Counter()
    channel = world.channels[0]
    for line in world.lines(channel.login, NOON_S, NOON_S + HOUR_S):
        for told in teller.of_line(channel, line, frozenset({"channel.chat.message"})):
            message = told.event["message"]
            text = message["text"]
            if text.startswith("\x01"):
                text = text.removeprefix("\x01ACTION ").removesuffix("\x01")
            assert "".join(part["text"] for part in message["fragments"]) == text
            kinds.update(part["type"] for part in message["fragments"])
    assert {"text", "emote", "mention", "cheermote"} == set(kinds)


# -- besides chat ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told(world: World, teller: Teller) -> list[Told]:
    """A night of the first channel."""
    return teller.stage.events(world.channels[0], NOON_S, NOON_S + 12 * HOUR_S, ALL)


def of(told: list[Told], name: str) -> list[Told]:
    return [item for item in told if item.name == name]


def test_the_stage_is_the_sum_of_its_minutes(world: World, told: list[Told]) -> None:
    again = Teller(World(7, 12)).stage
    parts = [
        item
        for minute in range(0, 12 * 60, 15)
        for item in again.events(world.channels[0], NOON_S + minute * 60, NOON_S + (minute + 15) * 60, ALL)
    ]
    assert [(p.at_s, p.key, p.event) for p in parts] == [(t.at_s, t.key, t.event) for t in told]
    assert len({t.key for t in told}) == len(told)


def test_a_follow_is_told_once_and_stays_on_the_list(world: World, told: list[Told]) -> None:
    before, _ = world.follows.of(0, NOON_S)
    at, people = world.follows.of(0, NOON_S + 12 * HOUR_S)
    news = of(told, "channel.follow")
    assert len(news) == len(at) - len(before) > 5
    assert len(set(people.tolist())) == len(people)
    listed = {world.population.user(int(p)).user_id: int(a) for a, p in zip(at, people, strict=True)}
    for item in news:
        assert item.version == "2"
        assert listed[item.event["user_id"]] == int(item.at_s)
    later, _ = world.follows.of(0, NOON_S + 40 * 24 * HOUR_S)
    assert (later[: len(at)] == at).all()


def test_streams_go_on_and_off_as_helix_tells(world: World, teller: Teller) -> None:
    channel = next(c for c in world.channels if not c.is_always_live)
    day = teller.stage.events(channel, NOON_S, NOON_S + 48 * HOUR_S, ALL)
    online = of(day, "stream.online")
    assert online
    for item in online:
        state = world.stream_at(channel.login, item.at_s)
        assert state is not None
        assert item.event["id"] == state.stream_id
    for item in of(day, "stream.offline"):
        assert world.stream_at(channel.login, item.at_s) is None
    first = of(day, "channel.update")[0].event
    assert first["broadcaster_user_id"] == channel.user_id
    assert first["category_id"]


def test_a_raid_is_told_at_both_ends(world: World, teller: Teller) -> None:
    raid = next(
        raid
        for channel in world.channels
        for raid in world.schedule.raids(channel.index, NOON_S, NOON_S + 96 * HOUR_S)
        if raid.source is not None
    )
    assert raid.source is not None
    seen = []
    for c, field in ((raid.source, "from_broadcaster_user_id"), (raid.target, "to_broadcaster_user_id")):
        channel = world.channels[c]
        events = teller.stage.events(channel, raid.at_s - 1, raid.at_s + 1, frozenset({"channel.raid"}))
        seen += [e for e in events if e.subject == f"{field}:{channel.user_id}" and e.at_s == raid.at_s]
    assert len(seen) == 2
    assert seen[0].event == seen[1].event
    assert seen[0].event["viewers"] == raid.viewer_count


def test_hype_trains_begin_move_and_end(told: list[Told]) -> None:
    begun, ended = of(told, "channel.hype_train.begin"), of(told, "channel.hype_train.end")
    assert len(begun) >= 2
    assert len(begun) == len(ended)
    for first, last in zip(begun, ended, strict=True):
        steps = [
            s.event for s in of(told, "channel.hype_train.progress") if s.event["id"] == first.event["id"]
        ]
        assert first.event["id"] == last.event["id"]
        assert first.version == "2"
        assert [s["total"] for s in steps] == sorted(s["total"] for s in steps)
        assert last.event["total"] == steps[-1]["total"]
        assert all(0 <= s["progress"] < s["goal"] for s in steps)
        assert last.event["cooldown_ends_at"] > last.event["ended_at"] > first.event["started_at"]


def test_polls_and_predictions_run_their_course(told: list[Told]) -> None:
    for name, stages in (("poll", ("begin", "progress", "end")),
                         ("prediction", ("begin", "progress", "lock", "end"))):  # fmt: skip
        ids = {item.event["id"] for item in of(told, f"channel.{name}.begin")}
        assert ids
        for one in ids:
            course = [t.name.rpartition(".")[2] for t in told if t.event.get("id") == one]
            assert tuple(dict.fromkeys(course)) == stages[: len(dict.fromkeys(course))]
    end = of(told, "channel.poll.end")[0].event
    progress = [p.event for p in of(told, "channel.poll.progress") if p.event["id"] == end["id"]]
    votes = [sum(choice["votes"] for choice in p["choices"]) for p in [*progress, end]]
    assert votes == sorted(votes)
    over = of(told, "channel.prediction.end")[0].event
    winner = next(o for o in over["outcomes"] if o["id"] == over["winning_outcome_id"])
    assert winner["top_predictors"][0]["channel_points_won"] > 0


def test_a_redemption_is_settled_later_and_belongs_to_a_reward(told: list[Told]) -> None:
    name = "channel.channel_points_custom_reward_redemption"
    added = {t.event["id"]: t for t in of(told, f"{name}.add")}
    settled = of(told, f"{name}.update")
    assert len(settled) > 10
    for item in settled:
        assert item.event["status"] in ("fulfilled", "canceled")
        if item.event["id"] in added:
            first = added[item.event["id"]]
            assert first.event["status"] == "unfulfilled"
            assert item.at_s > first.at_s
            assert item.reward_id == first.reward_id == first.event["reward"]["id"]


def test_bans_are_told_to_moderators_with_their_length(world: World, teller: Teller) -> None:
    channel = world.channels[0]
    wanted = frozenset({"channel.ban", "channel.moderate"})
    checked = 0
    for line in world.lines(channel.login, NOON_S, NOON_S + 2 * HOUR_S):
        found = teller.of_line(channel, line, wanted)
        if line.command == "CLEARCHAT":
            bans = of(found, "channel.ban")
            first, second = of(found, "channel.moderate")
            assert (first.version, second.version) == ("1", "2")
            action = "timeout" if "ban-duration" in line.tags else "ban"
            assert second.event["action"] == action
            assert second.event[action]["user_id"] == bans[0].event["user_id"] == line.tags["target-user-id"]
            assert bans[0].event["is_permanent"] == (action == "ban")
            assert (bans[0].event["ends_at"] is None) == (action == "ban")
            checked += 1
    assert checked > 3


def test_an_unban_follows_a_ban(world: World, teller: Teller) -> None:
    channel = world.channels[0]
    unbans = of(teller.stage.events(channel, NOON_S, NOON_S + 72 * HOUR_S, ALL), "channel.unban")
    assert unbans
    sessions = world.schedule.sessions_between(0, NOON_S - 10 * HOUR_S, NOON_S + 72 * HOUR_S)
    banned = {
        (world.population.user(item.user).user_id, item.at_s)
        for session in sessions
        for item in world.planner.plan(session).happenings
        if item.kind == "ban" and item.user is not None
    }
    for unban in unbans:
        assert any(u == unban.event["user_id"] and 800 < unban.at_s - at < 7000 for u, at in banned)


# -- at work ---------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.at_s = NOON_S

    def __call__(self) -> float:
        return self.at_s


class Ear:
    """An EventSub that nobody is connected to: what would be sent is kept."""

    def __init__(self, world: World) -> None:
        self.clock = Clock()
        self.server = SandboxServer(world, clock=self.clock)
        self.eventsub = self.server.eventsub
        self.sent: list[Message] = []
        self.eventsub.send = self.sent.append  # type: ignore[method-assign, assignment]

    def subscribe(
        self, login: str, name: str, version: str = "1", field: str = "broadcaster_user_id"
    ) -> None:
        channel = self.server.world.channel(login)
        assert channel is not None
        condition = {field: channel.user_id}
        transport = Transport("websocket", session_id="s")
        kind = TYPES[name, version]
        self.eventsub.subscriptions.add(
            Subscription(kind, condition, transport, "sandbox-client", login, 0, NOON_S)
        )

    def run(self, seconds: float, step_s: float = 0.1) -> None:
        for _ in range(round(seconds / step_s)):
            self.clock.at_s += step_s
            self.eventsub.deliver()


def test_what_is_sent_is_what_the_truth_counts() -> None:
    world = World(7, 12)
    ear = Ear(world)
    login = world.channels[0].login
    for name, version in TYPES:
        if TYPES[name, version].required and "broadcaster_user_id" in TYPES[name, version].required:
            ear.subscribe(login, name, version)
    ear.subscribe(login, "channel.raid", field="to_broadcaster_user_id")
    ear.subscribe(login, "channel.raid", field="from_broadcaster_user_id")
    ear.subscribe(login, "user.update", field="user_id")
    ear.run(1800, 5.0)
    truth: Any = World(7, 12).ground_truth(NOON_S, ear.clock.at_s)
    latest = {name: max(v for n, v in TYPES if n == name) for name, _ in TYPES}
    counts = Counter(
        m.subscription.kind.name + " (from)" * ("from_broadcaster_user_id" in m.subscription.condition)
        for m in ear.sent
        if m.subscription.kind.version == latest[m.subscription.kind.name]
    )
    assert dict(counts) == truth["eventsub"]["channels"][login]
    assert counts["channel.chat.message"] > 500
    assert len(counts) > 10


def test_forty_channels_of_chat_are_told() -> None:
    world = World(7, 40)
    ear = Ear(world)
    for channel in world.channels:
        for name in ("channel.chat.message", "channel.chat.notification", "channel.chat.message_delete"):
            ear.subscribe(channel.login, name)
        ear.subscribe(channel.login, "stream.online")
    ear.run(1)
    ear.run(60)
    assert len(ear.sent) > 300


def test_nobody_subscribed_is_told_nothing_also_not_afterwards() -> None:
    ear = Ear(World(7, 12))
    login = ear.server.world.channels[0].login
    ear.run(600)
    assert ear.sent == []
    ear.subscribe(login, "channel.chat.message")
    ear.run(0.1)
    assert all(message.payload["event"]["message_id"] for message in ear.sent)
    assert len(ear.sent) < 20
    ear.run(60)
    count = len(ear.sent)
    for subscription in ear.eventsub.subscriptions:
        ear.eventsub.subscriptions.set_status(subscription, "websocket_disconnected")
    ear.run(120)
    assert len(ear.sent) == count
    for subscription in ear.eventsub.subscriptions:
        ear.eventsub.subscriptions.set_status(subscription, "enabled")
    ear.run(1)
    assert len(ear.sent) - count < 20
