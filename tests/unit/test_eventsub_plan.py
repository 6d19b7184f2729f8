"""What is subscribed to, with whose token, and what can't be had."""

from __future__ import annotations

from collections import Counter

from collectors.eventsub_plan import Grant, Plan, Room, Wanted, plan
from dashboard.eventsub_types import TYPES
from dashboard.scopes import ALL_SCOPES

ALPHA, BETA = Room("alpha", "1"), Room("beta", "2")
FREE = {
    "stream.online",
    "stream.offline",
    "channel.update",
    "channel.raid",
    "channel.shared_chat.begin",
    "channel.shared_chat.update",
    "channel.shared_chat.end",
}
CHAT = {name for name in TYPES if name.startswith("channel.chat.")}


def names(made: Plan, room: str = "alpha") -> set[str]:
    return {one.eventsub_type for one in made.wanted if one.room_login == room}


def why(made: Plan, name: str, room: str = "alpha") -> str:
    (found,) = [one.reason for one in made.impossible if (one.eventsub_type, one.room_login) == (name, room)]
    return found


def one(made: Plan, name: str, room: str = "alpha") -> Wanted:
    (found,) = [w for w in made.wanted if (w.eventsub_type, w.room_login) == (name, room)]
    return found


def test_every_type_of_a_room_is_wanted_or_impossible_never_both() -> None:
    made = plan([ALPHA, BETA], [Grant("1", "alpha", ALL_SCOPES)], transport="websocket", with_chat=True)
    for room in ("alpha", "beta"):
        impossible = {one.eventsub_type for one in made.impossible if one.room_login == room}
        assert names(made, room) | impossible == set(TYPES)
        assert not names(made, room) & impossible


def test_nobody_logged_in_can_have_nothing_on_a_websocket_and_the_free_types_on_a_webhook() -> None:
    socket = plan([ALPHA], [], transport="websocket")
    assert socket.wanted == ()
    assert why(socket, "stream.online") == "A WebSocket needs somebody who is logged in; any account will do."
    webhook = plan([ALPHA], [], transport="webhook")
    assert names(webhook) == FREE
    assert {one.cost for one in webhook.wanted} == {1}
    assert {one.user_id for one in webhook.wanted} == {None}


def test_the_owner_with_all_scopes_has_everything_for_nothing() -> None:
    made = plan([ALPHA], [Grant("1", "alpha", ALL_SCOPES)], transport="websocket")
    assert made.impossible == ()
    assert names(made) == set(TYPES) - CHAT
    assert {one.cost for one in made.wanted} == {0}
    assert {one.user_id for one in made.wanted} == {"1"}
    assert one(made, "channel.follow").condition == {"broadcaster_user_id": "1", "moderator_user_id": "1"}
    assert one(made, "channel.subscribe").condition == {"broadcaster_user_id": "1"}
    raids = [dict(w.condition) for w in made.wanted if w.eventsub_type == "channel.raid"]
    assert raids == [{"to_broadcaster_user_id": "1"}, {"from_broadcaster_user_id": "1"}]
    assert len({w.key for w in made.wanted}) == len(made.wanted)


def test_only_what_the_scopes_allow_and_the_missing_one_is_named() -> None:
    made = plan([ALPHA], [Grant("1", "alpha", frozenset({"bits:read"}))], transport="websocket")
    assert names(made) == FREE | {"channel.cheer", "channel.bits.use"}
    assert why(made, "channel.subscribe") == "alpha has to log in and grant channel:read:subscriptions."
    (follow,) = [w for w in made.impossible if w.eventsub_type == "channel.follow"]
    assert follow.needs_scope == "moderator:read:followers"
    assert follow.reason == "alpha or one of its moderators has to log in and grant moderator:read:followers."


def test_a_scope_that_allows_changes_allows_reading_too() -> None:
    managing = frozenset({"channel:manage:polls", "moderator:manage:shield_mode"})
    made = plan([ALPHA], [Grant("1", "alpha", managing)], transport="websocket")
    assert {"channel.poll.begin", "channel.shield_mode.end"} <= names(made)


def test_moderators_actions_need_all_their_scopes() -> None:
    scopes = {group[0] for group in TYPES["channel.moderate"].scopes}
    assert len(scopes) == 8
    made = plan([ALPHA], [Grant("1", "alpha", frozenset(scopes))], transport="websocket")
    assert "channel.moderate" in names(made)
    for missing in scopes:
        made = plan([ALPHA], [Grant("1", "alpha", frozenset(scopes - {missing}))], transport="websocket")
        assert missing in why(made, "channel.moderate")


def test_a_moderator_reads_what_moderators_may_and_nothing_of_the_owner() -> None:
    moderator = Grant("9", "mod", ALL_SCOPES, frozenset({"1"}))
    made = plan([ALPHA, BETA], [moderator], transport="websocket")
    follow = one(made, "channel.follow")
    assert follow.condition == {"broadcaster_user_id": "1", "moderator_user_id": "9"}
    assert (follow.user_id, follow.cost) == ("9", 0)
    assert "channel.subscribe" not in names(made)
    assert "channel.follow" not in names(made, "beta")


def test_the_owner_goes_before_a_moderator() -> None:
    people = [Grant("0", "mod", ALL_SCOPES, frozenset({"1"})), Grant("1", "alpha", ALL_SCOPES)]
    made = plan([ALPHA], people, transport="websocket")
    assert one(made, "channel.follow").user_id == "1"
    weak = [people[0], Grant("1", "alpha", frozenset())]
    assert one(plan([ALPHA], weak, transport="websocket"), "channel.follow").user_id == "0"


def test_ten_points_a_token_are_spent_on_the_starts_of_streams_first() -> None:
    rooms = [Room(f"room{number}", str(100 + number)) for number in range(7)]
    made = plan(rooms, [Grant("1", "alpha", frozenset())], transport="websocket")
    assert sum(one.cost for one in made.wanted) == 10
    assert Counter(one.eventsub_type for one in made.wanted) == {"stream.online": 7, "stream.offline": 3}
    assert "costs nothing once room3 logs in" in why(made, "stream.offline", "room3")
    two = [Grant("1", "alpha", frozenset()), Grant("2", "beta", frozenset())]
    more = plan(rooms, two, transport="websocket")
    assert sum(one.cost for one in more.wanted) == 20, "each token has points of its own"


def test_raids_come_both_ways_or_not_at_all() -> None:
    rooms = [Room(f"room{number}", str(100 + number)) for number in range(3)]
    made = plan(rooms, [Grant("1", "alpha", frozenset())], transport="websocket")
    # 3 starts, 3 ends, 3 titles: one point is left, and a raid costs two.
    assert sum(one.cost for one in made.wanted) == 10
    assert "channel.raid" not in {one.eventsub_type for one in made.wanted}
    assert "channel.shared_chat.begin" in names(made, "room0")


def test_chat_is_read_when_it_is_wanted_by_whoever_may() -> None:
    reader = Grant("5", "reader", frozenset({"user:read:chat"}))
    assert not names(plan([ALPHA], [reader], transport="websocket")) & CHAT
    made = plan([ALPHA], [reader], transport="websocket", with_chat=True)
    assert names(made) >= CHAT
    assert one(made, "channel.chat.message").condition == {"broadcaster_user_id": "1", "user_id": "5"}
    over_web = plan([ALPHA], [reader], transport="webhook", with_chat=True)
    assert why(over_web, "channel.chat.message") == "Somebody has to log in and grant user:bot."


def test_what_was_deleted_by_hand_stays_deleted_and_what_was_asked_for_is_there() -> None:
    owner = Grant("1", "alpha", ALL_SCOPES)
    choices = {("channel.cheer", "alpha"): False, ("channel.chat.message", "alpha"): True}
    made = plan([ALPHA], [owner], transport="websocket", choices=choices)
    assert "channel.cheer" not in names(made)
    assert names(made) & CHAT == {"channel.chat.message"}
    (stopped,) = made.impossible
    assert (stopped.eventsub_type, stopped.is_stopped) == ("channel.cheer", True)


def test_a_login_that_twitch_does_not_know_has_nothing() -> None:
    made = plan([Room("gone", None)], [Grant("1", "alpha", ALL_SCOPES)], transport="webhook")
    assert made.wanted == ()
    assert {one.reason for one in made.impossible} == {"Twitch knows no channel of this login."}
