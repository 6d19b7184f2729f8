"""The sandbox's renames: the same for whoever asks, told by the truth, and never in chat."""

from __future__ import annotations

from dashboard.sandbox.users import WAVE_BASE
from dashboard.sandbox.world import World

NOON_S = 1_700_049_600


def test_names_change_as_the_truth_says_and_logins_lead_back() -> None:
    world = World(7, 8)
    truth = world.ground_truth(NOON_S, NOON_S + 6 * 3600)["bot_waves"]
    assert isinstance(truth, list)
    wave = next(wave for wave in truth if wave["channel"] == world.channels[0].login)
    assert len(wave["renames"]) > 20
    for change in wave["renames"]:
        user = world.population.by_id(change["user_id"])
        assert user is not None
        before, after = (world.population.at(user.index, change["at"] + step) for step in (-1, 1))
        assert (before.display_name, after.display_name) == (change["from"], change["to"])
        assert before.display_name != after.display_name
        assert after.display_name.lower() == after.login
        assert world.population.by_login(after.login) == user
    assert {user["user_id"] for user in wave["renames"]} < {user["user_id"] for user in wave["accounts"]}
    moved = [c for c in wave["renames"] if c["from"].lower() != c["to"].lower()]
    assert 0 < len(moved) < len(wave["renames"]), "most of them only write it differently"


def test_who_writes_keeps_their_name() -> None:
    world = World(7, 8)
    people = world.audience.chatters(0, NOON_S // 60)
    plain = [int(index) for index in people if index < WAVE_BASE]
    assert len(plain) > 100
    assert all(world.population.at(i, NOON_S) == world.population.user(i) for i in plain)
