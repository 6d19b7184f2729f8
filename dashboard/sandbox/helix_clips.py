"""Helix: clips and recordings.

Source: https://dev.twitch.tv/docs/api/reference/#create-clip and the ones after it, #get-videos
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from dashboard.sandbox import chance
from dashboard.sandbox.clips import Clip, Clips, slug, video_id
from dashboard.sandbox.faults import Faults
from dashboard.sandbox.helix_answers import Answers
from dashboard.sandbox.helix_call import Answer, Call, Handler, HelixError, rfc3339
from dashboard.sandbox.scene import Channel
from dashboard.sandbox.schedule import DAY_S, Session
from dashboard.sandbox.world import World

MOST = 1000
"""About so many clips a question are given, however many there are."""
_WEEK_S = 7 * DAY_S
_NO_PERMISSION = "User does not have permissions to Clip on this Channel."


@dataclass(frozen=True, slots=True)
class _Made:
    clip: Clip
    ready_s: float


class ClipsHelix(Answers):
    """Make clips, list clips, list recordings.

    Args:
        world: What happens.
        faults: How long clips are under way, and whether they come at all.
    """

    def __init__(self, world: World, faults: Faults) -> None:
        super().__init__(world)
        self._faults = faults
        self._clips = Clips(world)
        self._made: dict[str, _Made] = {}

    def handlers(self) -> dict[str, Handler]:
        """By method and path."""
        return {
            "POST clips": self._create,
            "POST videos/clips": self._create_from_video,
            "GET clips": self._list,
            "GET videos": self._videos,
        }

    # -- make --------------------------------------------------------------------------------

    async def _create(self, call: Call) -> Answer:
        user = call.need("clips:edit")
        channel = self._broadcaster(call)
        title, duration = _title(call), _duration(call)
        session = self._world.schedule.session_at(channel.index, call.now_s)
        if session is None:
            raise HelixError(404, "Clipping is not possible for an offline channel.")
        if user.user_id != channel.user_id and is_restricted(self._world, channel):
            raise HelixError(403, _NO_PERMISSION)
        offset = max(0, int(call.now_s - session.started_s - duration))
        return self._make(call, channel, session, title or session.title, duration, offset)

    async def _create_from_video(self, call: Call) -> Answer:
        user = call.need("editor:manage:clips", "channel:manage:clips")
        channel = self._broadcaster(call)
        if call.one("editor_id") != user.user_id:
            raise HelixError(
                401, "The ID in editor_id must match the user ID found in the request's OAuth token."
            )
        if user.user_id != channel.user_id:
            raise HelixError(403, "The user in editor_id is not one of the broadcaster's editors.")
        wanted, title, duration = call.one("vod_id"), call.one("title"), _duration(call)
        end = call.one("vod_offset")
        if not end.isdigit() or int(end) < duration:
            raise HelixError(
                400, 'The parameter "vod_offset" was malformed: it is the end of the clip, in seconds'
            )
        session = self._clips.session_of(wanted, call.now_s)
        if session is None or session.channel != channel.index:
            raise HelixError(404, "The VOD was not found.")
        if int(end) > min(call.now_s, session.ended_s) - session.started_s:
            raise HelixError(400, 'The parameter "vod_offset" lies behind the end of the VOD')
        return self._make(call, channel, session, title, duration, int(int(end) - duration))

    def _make(
        self, call: Call, channel: Channel, session: Session, title: str, duration: float, offset: int
    ) -> Answer:
        assert call.user is not None
        clip_id = slug(self._world.seed, channel.index, call.user.user_id, call.now_s, len(self._made))
        clip = Clip(
            clip_id=clip_id,
            channel=channel.index,
            creator=call.user.index,
            title=title,
            created_s=float(int(call.now_s)),
            duration_s=duration,
            video_id=video_id(session),
            offset_s=offset,
            game_id=session.game_at(call.now_s).game_id,
            views=8.0 + chance.unit(self._world.seed, clip_id) * channel.usual_viewers * 0.2,
        )
        ready_s = float("inf") if self._faults.clips_fail else call.now_s + self._faults.clip_pending_s
        self._made[clip_id] = _Made(clip, ready_s)
        edit_url = f"https://www.twitch.tv/{channel.login}/clip/{clip_id}"
        return Answer(202, {"data": [{"id": clip_id, "edit_url": edit_url}]})

    # -- list --------------------------------------------------------------------------------

    async def _list(self, call: Call) -> dict[str, object]:
        ids = call.all("id")
        chosen = [name for name in ("id", "broadcaster_id", "game_id") if name in call.request.query]
        if len(chosen) != 1:
            raise HelixError(400, "Exactly one of id, broadcaster_id and game_id is required")
        if ids:
            return self._page(call, [clip for one in ids if (clip := self._by_id(one, call.now_s))])
        start, end = _stretch(call)
        if chosen == ["broadcaster_id"]:
            channels = [self._broadcaster(call)]
        else:
            game_id = call.one("game_id")
            channels = [c for c in self._world.channels if game_id in {g.game_id for g in c.community.games}]
            start = max(start, call.now_s - _WEEK_S)
        found = [clip for c in channels for clip in self._clips.between(c.index, start, end, call.now_s)]
        numbers = {c.index for c in channels}
        found += [
            made.clip
            for made in self._made.values()
            if made.clip.channel in numbers
            and made.ready_s <= call.now_s
            and start <= made.clip.created_s < end
        ]
        if chosen == ["game_id"]:
            found = [clip for clip in found if clip.game_id == game_id]
        featured = call.request.query.get("is_featured")
        if featured in ("true", "false"):
            found = [clip for clip in found if _is_featured(clip) == (featured == "true")]
        # Most seen first; equally seen ones always in the same order.
        found.sort(key=lambda clip: (-clip.view_count(call.now_s), clip.clip_id))
        return self._page(call, found[:MOST])

    def _by_id(self, clip_id: str, now_s: float) -> Clip | None:
        made = self._made.get(clip_id)
        if made is not None:
            return made.clip if made.ready_s <= now_s else None
        return self._clips.find(clip_id, now_s)

    def _page(self, call: Call, found: list[Clip]) -> dict[str, object]:
        page, pagination = call.page(found, call.first(20, 100))
        return {"data": [self._clip(clip, call.now_s) for clip in page], "pagination": pagination}

    def _clip(self, clip: Clip, now_s: float) -> dict[str, object]:
        channel, creator = self._world.channels[clip.channel], self._clips.creator(clip)
        offset = clip.offset_at(now_s)
        return {
            "id": clip.clip_id,
            "url": f"https://clips.twitch.tv/{clip.clip_id}",
            "embed_url": f"https://clips.twitch.tv/embed?clip={clip.clip_id}",
            "broadcaster_id": channel.user_id,
            "broadcaster_name": channel.display_name,
            "creator_id": creator.user_id,
            "creator_name": creator.display_name,
            "video_id": clip.video_id if offset is not None else "",
            "game_id": clip.game_id,
            "language": channel.language,
            "title": clip.title,
            "view_count": clip.view_count(now_s),
            "created_at": rfc3339(clip.created_s),
            "thumbnail_url": f"https://static-cdn.jtvnw.net/twitch-clips-thumbnails-prod/{clip.clip_id}.jpg",
            "duration": clip.duration_s,
            "vod_offset": offset,
            "is_featured": _is_featured(clip),
        }

    # -- recordings --------------------------------------------------------------------------

    async def _videos(self, call: Call) -> dict[str, object]:
        ids = call.all("id")
        chosen = [name for name in ("id", "user_id", "game_id") if name in call.request.query]
        if len(chosen) != 1:
            raise HelixError(400, "Exactly one of id, user_id and game_id is required")
        now = call.now_s
        if ids:
            sessions = [s for one in ids if (s := self._clips.session_of(one, now))]
            if not sessions:
                raise HelixError(404, "The videos were not found.")
        elif chosen == ["user_id"]:
            channel = self._world.channel_by_id(call.one("user_id"))
            sessions = self._kept(channel, now) if channel else []
        else:
            game_id = call.one("game_id")
            sessions = [
                session
                for channel in self._world.channels
                if game_id in {game.game_id for game in channel.community.games}
                for session in self._kept(channel, now)[:2]
                if game_id in {game.game_id for _, game in session.segments}
            ]
        if call.request.query.get("type", "all") not in ("all", "archive"):
            sessions = []
        page, pagination = call.page(sessions, call.first(20, 100))
        return {"data": [self._video(session, now) for session in page], "pagination": pagination}

    def _kept(self, channel: Channel, now: float) -> list[Session]:
        """The recordings of a channel, newest first: sixty days for partners, else fourteen."""
        days = 60 if channel.usual_viewers > 150 else 14
        found = self._world.schedule.sessions_between(channel.index, now - days * DAY_S, now)
        return [session for session in reversed(found) if session.started_s > now - days * DAY_S]

    def _video(self, session: Session, now: float) -> dict[str, object]:
        channel, number = self._world.channels[session.channel], video_id(session)
        seconds = int(min(now, session.ended_s) - session.started_s)
        length = f"{seconds // 3600}h{seconds % 3600 // 60}m{seconds % 60}s"
        thumbnail = f"https://static-cdn.jtvnw.net/cf_vods/sandbox/{number}/thumb0-%{{width}}x%{{height}}.jpg"
        return {
            "id": number,
            "stream_id": session.stream_id,
            "user_id": channel.user_id,
            "user_login": channel.login,
            "user_name": channel.display_name,
            "title": session.title,
            "description": "",
            "created_at": rfc3339(session.started_s),
            "published_at": rfc3339(session.started_s),
            "url": f"https://www.twitch.tv/videos/{number}",
            "thumbnail_url": thumbnail,
            "viewable": "public",
            "view_count": int(channel.usual_viewers * 1.8 * (1 - 0.5 ** ((now - session.started_s) / DAY_S))),
            "language": channel.language,
            "type": "archive",
            "duration": length,
            "muted_segments": None,
        }


def is_restricted(world: World, channel: Channel) -> bool:
    """Whether only the owner may clip this channel: one in twelve, none of the home channels."""
    return not channel.is_home and chance.unit(world.seed, "no clips", channel.index) < 1 / 12


def _is_featured(clip: Clip) -> bool:
    return clip.views > 400


def _title(call: Call) -> str:
    title: str = call.request.query.get("title", "")
    if len(title) > 140:
        raise HelixError(400, 'The parameter "title" was malformed: at most 140 characters are allowed')
    return title


def _duration(call: Call) -> float:
    """Documented: 5 to 60 s in steps of 0.1, 30 by default."""
    text = call.request.query.get("duration", "30")
    try:
        seconds = round(float(text), 1)
    except ValueError:
        seconds = 0.0
    if not 5 <= seconds <= 60:
        raise HelixError(400, 'The parameter "duration" was malformed: the value must be between 5 and 60')
    return seconds


def _stretch(call: Call) -> tuple[float, float]:
    """The times asked for; a start alone means the week from it on."""
    start, end = (_time(call, name) for name in ("started_at", "ended_at"))
    if start is None:
        return 0.0, call.now_s
    return start, end if end is not None else start + _WEEK_S


def _time(call: Call, name: str) -> float | None:
    text = call.request.query.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise HelixError(400, f'The parameter "{name}" was malformed: RFC 3339 is expected') from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
