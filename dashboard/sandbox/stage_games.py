"""What a streamer runs beside the stream: polls, predictions, goals, rewards, ads; and hype trains.

Each function of a stream; the same at Helix and in EventSub.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dashboard.sandbox import chance
from dashboard.sandbox.eventsub_messages import Payload, Told
from dashboard.sandbox.eventsub_text import who
from dashboard.sandbox.eventsub_types import BROADCASTER
from dashboard.sandbox.nanos import nanos
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import Session
from dashboard.sandbox.trains import Step, Train
from dashboard.sandbox.world import World

ANONYMOUS = {
    "user_id": "274598607",
    "user_login": "ananonymousgifter",
    "user_name": "AnAnonymousGifter",
}
_POLLS = (
    ("Which way next?", ("Left", "Right", "Back to town")),
    ("One more run?", ("Yes", "No")),
    ("Tomorrow's game?", ("The same", "Something new", "Chat decides", "Day off")),
    ("How was that?", ("Clean", "Lucky", "Both")),
)
_PREDICTIONS = (
    ("Will this attempt make it?", ("Yes", "No")),
    ("First try?", ("First", "Second", "Never")),
    ("Boss in under ten minutes?", ("Under", "Over")),
)
_COLORS = ("blue", "pink", "blue", "pink")
_REWARDS = (("Hydrate!", 300, "Take a sip", ""), ("Choose the song", 1000, "Which one?", "something calm"))
POLL_S, PREDICTION_S = 120, 180


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll; ``votes`` are what each choice has in the end."""

    poll_id: str
    title: str
    choices: tuple[tuple[str, str, int], ...]
    """Id, title, votes in the end."""
    started_s: float
    ended_s: float

    def votes_at(self, t: float) -> list[int]:
        """What each choice has at a time."""
        share = min(1.0, max(0.0, (t - self.started_s) / (self.ended_s - self.started_s))) ** 0.6
        return [int(votes * share) for _, _, votes in self.choices]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One prediction; the winner is known when it ends."""

    prediction_id: str
    title: str
    outcomes: tuple[tuple[str, str, int, int], ...]
    """Id, title, users and points in the end."""
    started_s: float
    locks_s: float
    ended_s: float
    winner: int
    predictors: tuple[int, ...]
    """The greatest predictor of each outcome."""


class Games:
    """All that streamers run.

    Args:
        world: What happens.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.polls = lru_cache(maxsize=256)(self._polls)
        self.predictions = lru_cache(maxsize=256)(self._predictions)

    def _slots(self, session: Session, kind: str, every_s: int, share: float) -> list[tuple[int, float]]:
        """Moments of a stream, at most one in each so many seconds."""
        found = []
        for k, start in enumerate(range(session.started_s + 900, session.ended_s - 1800, every_s)):
            random = chance.dice(self._world.seed, kind, session.channel, session.started_s, k)
            if random.random() < share:
                found.append((k, start + random.uniform(0, every_s - 1700)))
        return found

    def _polls(self, session: Session) -> tuple[Poll, ...]:
        found = []
        seed, viewers = self._world.seed, self._world.channels[session.channel].usual_viewers
        for k, at in self._slots(session, "poll", 5400, 0.75):
            random = chance.dice(seed, "poll votes", session.channel, session.started_s, k)
            title, choices = random.choice(_POLLS)
            poll_id = chance.uuid(seed, "poll", session.channel, session.started_s, k)
            voted = tuple(
                (chance.uuid(seed, poll_id, n), choice, int(viewers * random.uniform(0.01, 0.12)))
                for n, choice in enumerate(choices)
            )
            found.append(Poll(poll_id, title, voted, at, at + POLL_S))
        return tuple(found)

    def _predictions(self, session: Session) -> tuple[Prediction, ...]:
        found = []
        world = self._world
        viewers = world.channels[session.channel].usual_viewers
        people, _, _ = world.schedule.members(session.channel)
        for k, at in self._slots(session, "prediction", 6300, 0.7):
            random = chance.dice(world.seed, "predicted", session.channel, session.started_s, k)
            title, names = random.choice(_PREDICTIONS)
            prediction_id = chance.uuid(world.seed, "prediction", session.channel, session.started_s, k)
            outcomes = []
            for n, name in enumerate(names):
                users = 1 + int(viewers * random.uniform(0.01, 0.08))
                points = users * random.randint(200, 3000)
                outcomes.append((chance.uuid(world.seed, prediction_id, n), name, users, points))
            locks, winner = at + PREDICTION_S, random.randrange(len(names))
            ends = locks + random.uniform(240, 1200)
            top = tuple(int(random.choice(people)) for _ in names)
            found.append(Prediction(prediction_id, title, tuple(outcomes), at, locks, ends, winner, top))
        return tuple(found)

    # -- as events ---------------------------------------------------------------------------

    def _told(self, name: str, channel: Channel, at_s: float, event: Payload, version: str = "1") -> Told:
        key = f"{name} {channel.user_id} {event.get('id', '')} {at_s}"
        event = event | who("broadcaster_user", channel)
        return Told(at_s, f"channel.{name}", f"{BROADCASTER}:{channel.user_id}", event, key, version)

    def poll_events(self, channel: Channel, session: Session) -> list[Told]:
        """Begin, progress each 15 s, end."""
        found = []
        for poll in self.polls(session):
            common: Payload = {
                "id": poll.poll_id,
                "title": poll.title,
                "bits_voting": {"is_enabled": False, "amount_per_vote": 0},
                "channel_points_voting": {"is_enabled": True, "amount_per_vote": 100},
                "started_at": nanos(poll.started_s, 107),
            }
            plain = [{"id": choice_id, "title": title} for choice_id, title, _ in poll.choices]
            ends = {"ends_at": nanos(poll.ended_s, 107)}
            begin = common | {"choices": plain} | ends
            found.append(self._told("poll.begin", channel, poll.started_s, begin))
            for n in range(1, POLL_S // 15):
                at = poll.started_s + 15 * n
                event = common | {"choices": _voted(poll, at)} | ends
                found.append(self._told("poll.progress", channel, at, event))
            done = {"status": "completed", "ended_at": nanos(poll.ended_s, 107)}
            event = common | {"choices": _voted(poll, poll.ended_s)} | done
            found.append(self._told("poll.end", channel, poll.ended_s, event))
        return found

    def prediction_events(self, channel: Channel, session: Session) -> list[Told]:
        """Begin, progress each 20 s, lock, end."""
        found = []
        for item in self.predictions(session):
            common: Payload = {
                "id": item.prediction_id,
                "title": item.title,
                "started_at": nanos(item.started_s, 171),
            }
            locks = {"locks_at": nanos(item.locks_s, 171)}
            plain = [
                {"id": outcome_id, "title": title, "color": color}
                for (outcome_id, title, _, _), color in zip(item.outcomes, _COLORS, strict=False)
            ]
            begin = common | {"outcomes": plain} | locks
            found.append(self._told("prediction.begin", channel, item.started_s, begin))
            for n in range(1, PREDICTION_S // 20):
                at = item.started_s + 20 * n
                event = common | {"outcomes": self.outcomes(item, n * 20 / PREDICTION_S)} | locks
                found.append(self._told("prediction.progress", channel, at, event))
            event = common | {"outcomes": self.outcomes(item, 1), "locked_at": nanos(item.locks_s, 171)}
            found.append(self._told("prediction.lock", channel, item.locks_s, event))
            event = common | {
                "winning_outcome_id": item.outcomes[item.winner][0],
                "outcomes": self.outcomes(item, 1, is_ended=True),
                "status": "resolved",
                "ended_at": nanos(item.ended_s, 171),
            }
            found.append(self._told("prediction.end", channel, item.ended_s, event))
        return found

    def outcomes(self, item: Prediction, share: float, *, is_ended: bool = False) -> list[Payload]:
        """How the outcomes stand when a share of the time to predict has gone."""
        whole = sum(points for _, _, _, points in item.outcomes)
        found = []
        for n, (outcome_id, title, users, points) in enumerate(item.outcomes):
            used = max(10, points // users // 2)
            won = used * whole // max(1, points) if is_ended and n == item.winner else None
            person = self._world.population.user(item.predictors[n])
            top = who("user", person) | {"channel_points_won": won, "channel_points_used": used}
            found.append(
                {
                    "id": outcome_id,
                    "title": title,
                    "color": _COLORS[n],
                    "users": max(1, int(users * share)),
                    "channel_points": int(points * share),
                    "top_predictors": [top],
                }
            )
        return found

    def reward_events(self, channel: Channel, session: Session) -> list[Told]:
        """Rewards that are redeemed without a message, and fulfilled some time later."""
        found = []
        seed = self._world.seed
        per_hour = channel.usual_viewers**0.85 * 0.05
        people, _, _ = self._world.schedule.members(channel.index)
        for start in range(session.started_s, session.ended_s, 3600):
            random = chance.dice(seed, "rewards", channel.index, start)
            for k in range(chance.poisson(random, per_hour)):
                at, n = start + random.uniform(0, 3600), random.randrange(len(_REWARDS))
                person = self._world.population.user(int(random.choice(people)))
                later, is_refused = random.uniform(20, 200), random.random() < 0.08
                if at > session.ended_s - 300 or person.created_s > at:
                    continue
                title, cost, prompt, text = _REWARDS[n]
                reward_id = chance.uuid(seed, "own reward", channel.index, n)
                event = who("user", person) | {
                    "id": chance.uuid(seed, "redeemed", channel.index, start, k),
                    "user_input": text,
                    "status": "unfulfilled",
                    "reward": {"id": reward_id, "title": title, "cost": cost, "prompt": prompt},
                    "redeemed_at": nanos(at, 107),
                }
                name = "channel_points_custom_reward_redemption"
                done = event | {"status": "canceled" if is_refused else "fulfilled"}
                pair = [self._told(f"{name}.add", channel, at, event)]
                pair.append(self._told(f"{name}.update", channel, at + later, done))
                for told in pair:
                    told.reward_id = reward_id
                found += pair
        return found

    def ad_events(self, channel: Channel, session: Session) -> list[Told]:
        """A break each hour."""
        found = []
        for at in range(session.started_s + 1500, session.ended_s - 300, 3600):
            event = who("requester_user", channel) | {
                "duration_seconds": 90,
                "started_at": nanos(at, 226),
                "is_automatic": True,
            }
            found.append(self._told("ad_break.begin", channel, float(at), event))
        return found

    def goal_events(self, channel: Channel, session: Session) -> list[Told]:
        """A follower goal a stream: it moves with each follow, and ends when it is reached."""
        begin = session.started_s + 300
        count = len(self._world.follows.of(channel.index, begin)[0])
        expected = max(3, int(channel.usual_viewers**0.5 * 0.5))
        target = count + expected
        common: Payload = {
            "id": chance.uuid(self._world.seed, "goal", channel.index, session.started_s),
            "type": "follow",
            "description": "Tonight's new faces",
            "target_amount": target,
            "started_at": nanos(begin, 171),
        }
        event = common | {"current_amount": count}
        found = [self._told("goal.begin", channel, begin, event)]
        end = session.ended_s - 60.0
        for at, _ in self._world.follows.between(channel.index, begin, end):
            count += 1
            event = common | {"current_amount": count}
            found.append(self._told("goal.progress", channel, at + 0.5, event))
            if count >= target:
                end = at + 1
                break
        done = {"current_amount": count, "is_achieved": count >= target, "ended_at": nanos(end, 171)}
        found.append(self._told("goal.end", channel, end, common | done))
        return found

    # -- hype trains -------------------------------------------------------------------------

    def record(self, channel: Channel) -> tuple[int, int]:
        """The best hype train that a channel has ever had: level and total."""
        level = 4 + chance.number(self._world.seed, "record", channel.index) % 5
        return level, level * 2600

    def train_id(self, channel: Channel, train: Train) -> str:
        """A hype train's id."""
        return chance.uuid(self._world.seed, "train", channel.index, train.started_s)

    def train_event(self, channel: Channel, train: Train, step: Step) -> Payload:
        """How a hype train stands, in the form of version 2."""
        return {
            "id": self.train_id(channel, train),
            "total": step.total,
            "progress": step.progress,
            "goal": step.goal,
            "top_contributions": [
                self._person(person) | {"type": kind, "total": points} for person, kind, points in step.top
            ],
            "shared_train_participants": None,
            "level": step.level,
            "started_at": nanos(train.started_s, 171),
            "expires_at": nanos(step.expires_s, 171),
            "is_shared_train": False,
            "type": "regular",
        }

    def _person(self, person: int | None) -> Payload:
        return dict(ANONYMOUS) if person is None else who("user", self._world.population.user(person))

    def train_events(self, channel: Channel, session: Session) -> list[Told]:
        """Begin, progress with each contribution, end."""
        found = []
        level, total = self.record(channel)
        for train in self._world.trains.of(session):
            first, last = train.steps[0], train.steps[-1]
            event = self.train_event(channel, train, first)
            event |= {"all_time_high_level": level, "all_time_high_total": total}
            found.append(self._told("hype_train.begin", channel, first.at_s, event, "2"))
            for step in train.steps:
                event = self.train_event(channel, train, step)
                found.append(self._told("hype_train.progress", channel, step.at_s + 0.05, event, "2"))
            event = self.train_event(channel, train, last)
            for name in ("progress", "goal", "expires_at"):
                del event[name]
            event["ended_at"] = nanos(train.ended_s, 171)
            event["cooldown_ends_at"] = nanos(train.ended_s + 3600, 171)
            found.append(self._told("hype_train.end", channel, train.ended_s, event, "2"))
        return found


def _voted(poll: Poll, at: float) -> list[Payload]:
    return [
        {"id": i, "title": title, "bits_votes": 0, "channel_points_votes": votes // 9, "votes": votes}
        for (i, title, _), votes in zip(poll.choices, poll.votes_at(at), strict=True)
    ]
