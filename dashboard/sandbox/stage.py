"""All that happens on a channel besides chat, as EventSub tells it: a function of the time.

Source: https://dev.twitch.tv/docs/eventsub/eventsub-subscription-types/
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache

from dashboard.sandbox import chance, users
from dashboard.sandbox.eventsub_chat import tier
from dashboard.sandbox.eventsub_lines import LineTeller, moderate_told, moderation
from dashboard.sandbox.eventsub_messages import Payload, Told
from dashboard.sandbox.eventsub_text import who
from dashboard.sandbox.eventsub_types import BROADCASTER, USER
from dashboard.sandbox.nanos import nanos
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import DAY_S, Raid, Session
from dashboard.sandbox.shared import SharedChat
from dashboard.sandbox.stage_games import Games
from dashboard.sandbox.world import World

MONTH_S = 30 * DAY_S
_AHEAD_S = 60.0
_UNBAN_SHARE = 0.15
_SECOND = ("channel.follow", "channel.update")
"""Types that are at their second version."""

Group = Callable[[Channel, float, float], Iterable[Told]]


class Stage:
    """Tells everything but chat.

    Args:
        world: What happens.
        lines: Knows who moderates.
        games: What streamers run.
    """

    def __init__(self, world: World, lines: LineTeller, games: Games) -> None:
        self._world, self._lines, self._games = world, lines, games
        by_session = {
            ("channel.poll.",): games.poll_events,
            ("channel.prediction.",): games.prediction_events,
            ("channel.channel_points_custom_reward_redemption.",): games.reward_events,
            ("channel.ad_break.",): games.ad_events,
            ("channel.goal.",): games.goal_events,
            ("channel.hype_train.",): games.train_events,
            ("stream.", "channel.update"): self._stream_events,
            ("channel.shield_mode.",): self._shield_events,
            ("channel.unban", "channel.moderate"): self._unban_events,
            ("channel.suspicious_user.update",): self._suspicion_events,
        }
        self._groups: list[tuple[tuple[str, ...], Group]] = [
            (names, self._of_sessions(lru_cache(maxsize=256)(make))) for names, make in by_session.items()
        ]
        self._groups += [
            (("channel.follow",), self._follows),
            (("channel.raid", "channel.moderate"), self._raids),
            (("channel.subscription.end",), self._sub_ends),
            (("channel.shared_chat.",), self._shared_chats),
            (("user.update",), self._user_updates),
        ]

    def needs(self, names: frozenset[str]) -> bool:
        """Whether any of these types is told here."""
        return any(name.startswith(prefixes) for prefixes, _ in self._groups for name in names)

    def events(self, channel: Channel, start: float, end: float, names: frozenset[str]) -> list[Told]:
        """What happens with ``start <= at < end``, as far as it is among the wanted names.

        Args:
            channel: Where.
            start: Unix time.
            end: Unix time.
            names: The wanted types.

        Returns:
            In order of time.
        """
        found: list[Told] = []
        for prefixes, group in self._groups:
            if any(name.startswith(prefixes) for name in names):
                found += [
                    told
                    for told in group(channel, start, end)
                    if start <= told.at_s < end and told.name in names
                ]
        return sorted(found, key=lambda told: told.at_s)

    def _of_sessions(self, make: Callable[[Channel, Session], list[Told]]) -> Group:
        def events(channel: Channel, start: float, end: float) -> Iterable[Told]:
            # What a stream sets off can come up to three hours after its end (unbans).
            for session in self._world.schedule.sessions_between(channel.index, start - 10_800, end + 60):
                yield from make(channel, session)

        return events

    def _told(self, name: str, channel: Channel, at_s: float, event: Payload, key: object = "") -> Told:
        key = f"{name} {channel.user_id} {at_s} {key}"
        event = event | who("broadcaster_user", channel)
        version = "2" if name in _SECOND else "1"
        return Told(at_s, name, f"{BROADCASTER}:{channel.user_id}", event, key, version)

    # -- the stream --------------------------------------------------------------------------

    def _stream_events(self, channel: Channel, session: Session) -> list[Told]:
        """Online and offline some seconds after the fact, and what was changed about the channel."""
        online = {"id": session.stream_id, "type": "live", "started_at": nanos(session.started_s, 0)}
        found = [self._told("stream.online", channel, session.started_s + 2.5, online)]
        offline = {"id": session.stream_id}
        found.append(self._told("stream.offline", channel, session.ended_s + 0.5, offline))
        for at, game in session.segments:
            event = {
                "title": session.title,
                "language": channel.language,
                "category_id": game.game_id,
                "category_name": game.name,
                "content_classification_labels": [],
            }
            moment = at - 40.0 if at == session.started_s else float(at)
            found.append(self._told("channel.update", channel, moment, event))
        return found

    def _user_updates(self, channel: Channel, start: float, end: float) -> Iterable[Told]:
        """The owner touches their profile once a day."""
        for day in range(int(start // DAY_S), int(end // DAY_S) + 1):
            at = day * DAY_S + DAY_S * chance.unit(self._world.seed, "profile", channel.index, day)
            event = who("user", channel) | {
                "email": "",
                "email_verified": True,
                "description": channel.description,
            }
            yield Told(at, "user.update", f"{USER}:{channel.user_id}", event, f"user.update {at}")

    def _shared_chats(self, channel: Channel, start: float, end: float) -> Iterable[Told]:
        for session in self._world.shared.between(start, end):
            if channel.index in (session.host, session.guest):
                yield from self._shared_events(channel, session)

    def _shared_events(self, channel: Channel, session: SharedChat) -> list[Told]:
        host = self._world.channels[session.host]
        members = [host, self._world.channels[session.guest]]
        session_id = chance.uuid(self._world.seed, "shared chat", session.host, session.start_s)
        common = {"session_id": session_id} | who("host_broadcaster_user", host)
        begin = common | {"participants": [who("broadcaster_user", member) for member in members]}
        return [
            self._told("channel.shared_chat.begin", channel, session.start_s, begin),
            self._told("channel.shared_chat.end", channel, session.end_s, common),
        ]

    # -- people ------------------------------------------------------------------------------

    def _follows(self, channel: Channel, start: float, end: float) -> Iterable[Told]:
        for at, person in self._world.follows.between(channel.index, start, end):
            user = self._world.population.user(person)
            # The same second as Get Channel Followers tells.
            event = who("user", user) | {"followed_at": nanos(int(at), 0)}
            yield self._told("channel.follow", channel, at, event, person)

    def _raids(self, channel: Channel, start: float, end: float) -> Iterable[Told]:
        """Raids that arrive here, and those that leave from here."""
        for raid in self._world.schedule.raids(channel.index, start - 1, end):
            yield self._raid(raid, channel, "to_broadcaster_user_id")
        for session in self._world.schedule.sessions_between(channel.index, start - 60, end):
            target = None if channel.is_always_live else self._world.schedule.raid_target(session)
            if target is None:
                continue
            for raid in self._world.schedule.raids(target, session.ended_s, session.ended_s + 10):
                if raid.source == channel.index:
                    yield self._raid(raid, channel, "from_broadcaster_user_id")
                    yield from self._raid_order(raid, channel)

    def _raid(self, raid: Raid, channel: Channel, field: str) -> Told:
        source = self._world.population.user(raid.raider)
        event = who("from_broadcaster_user", source)
        event |= who("to_broadcaster_user", self._world.channels[raid.target]) | {
            "viewers": raid.viewer_count
        }
        key = f"raid {raid.target} {raid.at_s}"
        return Told(raid.at_s, "channel.raid", f"{field}:{channel.user_id}", event, key)

    def _raid_order(self, raid: Raid, channel: Channel) -> list[Told]:
        owner = self._world.population.user(users.CHANNEL_BASE + channel.index)
        details = who("user", self._world.channels[raid.target]) | {"viewer_count": raid.viewer_count}
        at = raid.at_s - 10
        return moderate_told(at, channel, moderation(channel, owner, "raid", details), f"raid {at}")

    def _sub_ends(self, channel: Channel, start: float, end: float) -> Iterable[Told]:
        """Subs that began thirty days ago and are not renewed."""
        world = self._world
        for session in world.schedule.sessions_between(channel.index, start - MONTH_S, end - MONTH_S):
            plan = world.planner.plan(session)
            gifted = {i for h in plan.happenings if h.kind in ("subgift", "bomb") for i in h.others}
            for person, (since, plan_name) in plan.new_subs.items():
                is_kept = chance.unit(world.seed, "renews", channel.index, person, since) < 0.35
                if start <= since + MONTH_S < end and (person in gifted or not is_kept):
                    event = who("user", world.population.user(person))
                    event |= {"tier": tier(plan_name), "is_gift": person in gifted}
                    yield self._told("channel.subscription.end", channel, since + MONTH_S, event, person)

    # -- moderation --------------------------------------------------------------------------

    def _shield_events(self, channel: Channel, session: Session) -> list[Told]:
        """Ten minutes behind the shield, in one stream of three."""
        random = chance.dice(self._world.seed, "shield", channel.index, session.started_s)
        at = session.started_s + random.uniform(0.2, 0.8) * (session.ended_s - session.started_s)
        if random.random() > 0.35:
            return []
        moderator = who("moderator_user", self._lines.moderator(channel, at))
        begin = moderator | {"started_at": nanos(at, 171)}
        end = moderator | {"ended_at": nanos(at + 600, 171)}
        return [
            self._told("channel.shield_mode.begin", channel, at, begin),
            self._told("channel.shield_mode.end", channel, at + 600, end),
        ]

    def _unban_events(self, channel: Channel, session: Session) -> list[Told]:
        """Some who were banned are let in again within two hours."""
        found = []
        for happening in self._world.planner.plan(session).happenings:
            roll = chance.unit(self._world.seed, "unban", channel.index, happening.at_s)
            if happening.kind != "ban" or happening.user is None or roll > _UNBAN_SHARE:
                continue
            at = happening.at_s + 900 + roll / _UNBAN_SHARE * 6000
            moderator = self._lines.moderator(channel, at)
            target = who("user", self._world.population.user(happening.user))
            event = target | who("moderator_user", moderator)
            found.append(self._told("channel.unban", channel, at, event))
            act = moderation(channel, moderator, "unban", target)
            found += moderate_told(at, channel, act, f"unban {channel.user_id} {at}")
        return found

    def _suspicion_events(self, channel: Channel, session: Session) -> list[Told]:
        """Moderators look at somebody whom Twitch marked, and decide."""
        found = []
        people, _, _ = self._world.schedule.members(channel.index)
        for hour, start in enumerate(range(session.started_s, session.ended_s - 3600, 3600)):
            random = chance.dice(self._world.seed, "looks", channel.index, session.started_s, hour)
            person, status = (
                int(random.choice(people)),
                random.choice(("restricted", "active_monitoring", "none")),
            )
            if random.random() < 0.6:
                continue
            at = start + random.uniform(0, 3600)
            event = who("user", self._world.population.user(person))
            event |= who("moderator_user", self._lines.moderator(channel, at)) | {"low_trust_status": status}
            found.append(self._told("channel.suspicious_user.update", channel, at, event))
        return found


class StageFeed:
    """What is still to come on a channel's stage; looked up a minute at a time.

    Args:
        stage: Tells.
        channel: Where.
        start: From when on (Unix time).
        names: The wanted types.
    """

    def __init__(self, stage: Stage, channel: Channel, start: float, names: frozenset[str]) -> None:
        self._stage, self._channel, self.names = stage, channel, names
        self._made_until = self.told_until = start
        self._coming: deque[Told] = deque()

    def take(self, end: float) -> list[Told]:
        """What comes before ``end`` and was not given yet."""
        if end > self._made_until:
            until = end + _AHEAD_S
            self._coming.extend(self._stage.events(self._channel, self._made_until, until, self.names))
            self._made_until = until
        found = []
        while self._coming and self._coming[0].at_s < end:
            found.append(self._coming.popleft())
        self.told_until = end
        return found
