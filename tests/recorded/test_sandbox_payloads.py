"""What the sandbox tells over EventSub has the fields of Twitch's own examples, no more and no less."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from dashboard.sandbox import World
from dashboard.sandbox.eventsub_tell import Teller
from dashboard.sandbox.eventsub_types import TYPES

NOON_S = 1_781_200_800.0
HOUR_S = 3600
Key = tuple[str, str]
_SINCE = {
    # Told by Twitch by now (TwitchIO takes them for granted), but not yet in the recorded examples.
    ("channel.chat.message", "1"): {"channel_points_animation_id"},
    ("stream.offline", "1"): {"id"},
    ("channel.moderate", "1"): {f"source_broadcaster_user_{part}" for part in ("id", "login", "name")},
}
_WITH_EXAMPLES = 40


@pytest.fixture(scope="module")
def recorded(recorded_dir: Path) -> dict[Key, list[set[str]]]:
    """The fields of each recorded event, by type and version."""
    found: dict[Key, list[set[str]]] = defaultdict(list)
    for path in sorted((recorded_dir / "eventsub").glob("*/*.json")):
        content = json.loads(path.read_text())
        about = content.get("subscription") if isinstance(content, dict) else None
        if about and isinstance(content.get("event"), dict):
            found[about["type"], str(about.get("version"))].append(set(content["event"]))
    return found


@pytest.fixture(scope="module")
def told() -> dict[Key, set[frozenset[str]]]:
    """The fields of each event of a day of the sandbox."""
    world = World(7, 12)
    teller = Teller(world)
    names = frozenset(name for name, _ in TYPES)
    found: dict[Key, set[frozenset[str]]] = defaultdict(set)
    for channel in world.channels[:8]:
        events = teller.stage.events(channel, NOON_S - 20 * HOUR_S, NOON_S + 12 * HOUR_S, names)
        for line in world.lines(channel.login, NOON_S, NOON_S + 1800):
            events += teller.of_line(channel, line, names)
        for item in events:
            found[item.name, item.version].add(frozenset(item.event))
    return found


def test_every_event_has_the_fields_that_were_recorded(
    recorded: dict[Key, list[set[str]]], told: dict[Key, set[frozenset[str]]]
) -> None:
    checked = 0
    for key, shapes in told.items():
        assert key in recorded, f"nobody recorded {key}"
        possible = set().union(*recorded[key]) | _SINCE.get(key, set())
        always = set.intersection(*recorded[key])
        for shape in shapes:
            assert shape <= possible, (key, sorted(shape - possible))
            assert always <= shape, (key, sorted(always - shape))
        checked += 1
    assert checked >= _WITH_EXAMPLES


def test_most_of_what_is_documented_can_be_subscribed_to(recorded: dict[Key, list[set[str]]]) -> None:
    elsewhere = {"drop.entitlement.grant", "extension.bits_transaction.create"}
    old = {("channel.follow", "1"), ("channel.update", "1")}
    old |= {(f"channel.hype_train.{what}", "1") for what in ("begin", "progress", "end")}
    missing = {key for key in recorded if key not in TYPES and key[0] not in elsewhere} - old
    assert missing == set()
