"""Clips that people make when something happens, and the recordings that they are cut from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp

from dashboard.sandbox import chance, users, words
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import DAY_S, Session
from dashboard.sandbox.users import User
from dashboard.sandbox.world import World

KEPT_S = 60 * DAY_S
"""How long recordings are kept; nobody has older clips of this world either."""
_VIDEO_SHIFT = 318_000_000_000
_TITLES = ("NO WAY", "how", "the save", "chat lost it", "clean", "first try btw", "that sound", "again??")
_OFFSET_AFTER_S = 900.0
"""The place in the recording is not told at first."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip."""

    clip_id: str
    channel: int
    creator: int
    """Person's number."""
    title: str
    created_s: float
    duration_s: float
    video_id: str
    offset_s: int
    """Where in the recording it begins."""
    game_id: str
    views: float
    """What it will have in the end."""

    def view_count(self, t: float) -> int:
        """How often it was seen until a time: most come in the first days."""
        return int(self.views * (1 - exp(-max(0.0, t - self.created_s) / (1.5 * DAY_S))))

    def offset_at(self, t: float) -> int | None:
        """Its place in the recording, once that is told."""
        return self.offset_s if t - self.created_s > _OFFSET_AFTER_S else None


def video_id(session: Session) -> str:
    """Id of a stream's recording."""
    return str(int(session.stream_id) - _VIDEO_SHIFT)


class Clips:
    """All clips that the world's people make.

    Args:
        world: What happens.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.of_session = lru_cache(maxsize=2048)(self._of_session)

    def between(self, c: int, start: float, end: float, now: float) -> list[Clip]:
        """Clips of a channel made with ``start <= created < end`` until now, in order of time."""
        start, end = max(start, now - KEPT_S), min(end, now)
        found = [
            clip
            for session in self._world.schedule.sessions_between(c, start - 120, end)
            for clip in self.of_session(session)
            if start <= clip.created_s < end
        ]
        return sorted(found, key=lambda clip: clip.created_s)

    def _of_session(self, session: Session) -> tuple[Clip, ...]:
        """About one in three great moments is clipped; more in large channels, some twice."""
        channel = self._world.channels[session.channel]
        share = 0.45 * min(1.0, 0.2 + channel.usual_viewers / 700)
        found: list[Clip] = []
        for n, hype in enumerate(self._world.planner.hypes(session)):
            random = chance.dice(self._world.seed, "clips", session.channel, session.started_s, n)
            while random.random() < share and len(found) < 200:
                found.append(self._clip(channel, session, hype.peak_at_s + random.uniform(5, 90), len(found)))
        return tuple(clip for clip in found if clip.created_s < session.ended_s)

    def _clip(self, channel: Channel, session: Session, at: float, n: int) -> Clip:
        random = chance.dice(self._world.seed, "clip", session.channel, session.started_s, n)
        people, _, _ = self._world.schedule.members(session.channel)
        creator = int(random.choice(people))
        if self._world.population.user(creator).created_s > at:
            creator = users.CHANNEL_BASE + channel.index
        duration = random.choice((30.0, 30.0, 30.0, 60.0, round(random.uniform(8, 58), 1)))
        return Clip(
            clip_id=slug(self._world.seed, channel.index, session.started_s, n),
            channel=channel.index,
            creator=creator,
            title=random.choice(_TITLES),
            created_s=float(int(at)),
            duration_s=duration,
            video_id=video_id(session),
            offset_s=max(0, int(at - session.started_s - duration)),
            game_id=session.game_at(at).game_id,
            views=random.lognormvariate(0, 1.4) * channel.usual_viewers**0.7 * 0.6,
        )

    def find(self, clip_id: str, now: float) -> Clip | None:
        """The clip with this id, if it was made by now."""
        try:
            c = int(clip_id.rpartition("-")[2][:4], 16)
        except ValueError:
            return None
        if c >= len(self._world.channels):
            return None
        return next((clip for clip in self.between(c, 0, now, now) if clip.clip_id == clip_id), None)

    def session_of(self, wanted: str, now: float) -> Session | None:
        """The stream with this recording, if it is still kept."""
        if not wanted.isascii() or not wanted.isdigit() or len(wanted) > 15:
            return None
        number = int(wanted) + _VIDEO_SHIFT - 320_000_000_000
        start, c = divmod(number, 5000)
        if number < 0 or c >= len(self._world.channels):
            return None
        for started_s in (int(now // 10**8) * 10**8 + start, int(now // 10**8 - 1) * 10**8 + start):
            session = self._world.schedule.session_at(c, started_s)
            if session and video_id(session) == wanted and now - KEPT_S < started_s <= now:
                return session
        return None

    def creator(self, clip: Clip) -> User:
        """Who made it."""
        return self._world.population.user(clip.creator)


def slug(seed: int, c: int, *key: object) -> str:
    """The name of a clip: words, and signs that nobody else has; the channel is to be found in them."""
    random = chance.dice(seed, "slug", c, *key)
    parts = [random.choice(words.ADJECTIVES), random.choice(words.ADJECTIVES), random.choice(words.NOUNS)]
    return "".join(part.capitalize() for part in parts) + f"-{c:04x}{random.getrandbits(48):012x}"
