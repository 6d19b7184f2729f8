"""The ground truth in the form of a JSON file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dashboard.sandbox.audience import EPOCH_S
from dashboard.sandbox.renames import renames
from dashboard.sandbox.truth_eventsub import eventsub_counts
from dashboard.sandbox.words import LURKERS, SERVICE_BOTS

if TYPE_CHECKING:
    from dashboard.sandbox.plan import Plan
    from dashboard.sandbox.world import World


EVENTSUB_MOST_S = 6 * 3600
"""Of longer stretches only so much at the end is counted: all chat has to be written for it."""


def ground_truth(
    world: World, start: float, end: float, logins: Sequence[str] | None = None
) -> dict[str, object]:
    """What really happens in a stretch of time; see :meth:`World.ground_truth`."""
    if logins is None:
        logins = [channel.login for channel in world.home]
    counted_from = max(start, end - EVENTSUB_MOST_S)
    streams: list[dict[str, object]] = []
    hypes: list[dict[str, object]] = []
    bursts: list[dict[str, object]] = []
    bombs: list[dict[str, object]] = []
    raids: list[dict[str, object]] = []
    for channel in world.channels:
        for session in world.schedule.sessions_between(channel.index, start, end):
            streams.append(
                {
                    "channel": channel.login,
                    "stream_id": session.stream_id,
                    "started_at": session.started_s,
                    "ended_at": session.ended_s,
                    "games": [{"from": at, "game_name": game.name} for at, game in session.segments],
                }
            )
            plan = world.planner.plan(session)
            hypes += _hypes(channel.login, plan, start, end)
            bursts += [
                {
                    "channel": channel.login,
                    "at": b.at_s,
                    "length_s": b.length_s,
                    "text": b.text,
                    "factor": b.factor,
                }
                for b in plan.bursts
                if start <= b.at_s < end
            ]
            bombs += _bombs(world, channel.login, plan, start, end)
        raids += [
            {
                "channel": channel.login,
                "at": raid.at_s,
                "raider": world.population.user(raid.raider).login,
                "from_channel": world.channels[raid.source].login if raid.source is not None else None,
                "viewer_count": raid.viewer_count,
                "party": [world.population.user(int(i)).user_id for i in world.audience.party(raid)[0]],
            }
            for raid in world.schedule.raids(channel.index, start, end)
        ]
    return {
        "seed": world.seed,
        "start": start,
        "end": end,
        "communities": _communities(world),
        "lurker_bots": _lurkers(world),
        "service_bots": _service_bots(world),
        "bot_waves": _waves(world, start, end),
        "streams": streams,
        "hype_moments": hypes,
        "bursts": bursts,
        "raids": raids,
        "gift_bombs": bombs,
        "eventsub": {
            "start": counted_from,
            "end": end,
            "channels": eventsub_counts(world, logins, counted_from, end),
        },
        "shared_chats": [
            {
                "start": session.start_s,
                "end": session.end_s,
                "channels": [world.channels[session.host].login, world.channels[session.guest].login],
            }
            for session in world.shared.between(start, end)
        ],
    }


def _communities(world: World) -> list[dict[str, object]]:
    return [
        {
            "name": community.name,
            "language": community.language,
            "games": [game.name for game in community.games],
            "people": community.pool_size,
            "channels": [ch.login for ch in world.channels if ch.community is community],
        }
        for community in world.communities
    ]


def _lurkers(world: World) -> list[dict[str, object]]:
    where: dict[int, list[str]] = {}
    for channel in world.channels:
        for index in world.audience.lurkers(channel.index):
            where.setdefault(index, []).append(channel.login)
    bots = [world.population.by_login(login) for login in LURKERS]
    return [
        {"login": bot.login, "user_id": bot.user_id, "channels": where.get(bot.index, [])}
        for bot in bots
        if bot
    ]


def _service_bots(world: World) -> list[dict[str, object]]:
    where: dict[int, list[str]] = {}
    for channel in world.channels:
        for index in world.audience.service_bots(channel.index):
            where.setdefault(index, []).append(channel.login)
    bots = [world.population.by_login(login) for login in SERVICE_BOTS]
    return [
        {"login": bot.login, "user_id": bot.user_id, "channels": where.get(bot.index, [])}
        for bot in bots
        if bot
    ]


def _waves(world: World, start: float, end: float) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for epoch in range(int(start // EPOCH_S), int(end // EPOCH_S) + 1):
        for wave in world.audience.waves(epoch):
            people = [world.population.user(index) for index in wave.people]
            found.append(
                {
                    "channel": world.channels[wave.channel].login,
                    "from": epoch * EPOCH_S,
                    "to": (epoch + 1) * EPOCH_S,
                    "first_day": datetime.fromtimestamp(wave.first_day_s, UTC).date().isoformat(),
                    "day_count": wave.day_count,
                    "accounts": [{"user_id": user.user_id, "login": user.login} for user in people],
                    "renames": [
                        {"user_id": old.user_id, "at": at, "from": old.display_name, "to": new.display_name}
                        for user in people
                        for at, old, new in renames(world.seed, user, start, end)
                    ],
                }
            )
    return found


def _hypes(login: str, plan: Plan, start: float, end: float) -> list[dict[str, object]]:
    return [
        {
            "channel": login,
            "event_at": hype.event_at_s,
            "peak_at": hype.peak_at_s,
            "width_s": hype.width_s,
            "factor": hype.factor,
            "flavour": hype.flavour,
        }
        for hype in plan.hypes
        if start <= hype.event_at_s < end
    ]


def _bombs(world: World, login: str, plan: Plan, start: float, end: float) -> list[dict[str, object]]:
    return [
        {
            "channel": login,
            "at": item.at_s,
            "giver": world.population.user(item.user).login if item.user is not None else None,
            "gift_count": item.amount,
            "plan": item.tier,
            "recipients": [world.population.user(i).login for i in item.others],
        }
        for item in plan.happenings
        if item.kind == "bomb" and start <= item.at_s < end
    ]
