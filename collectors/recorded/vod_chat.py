"""Chat of a video on demand: TwitchDownloader, and the two forms that Twitch's own API has had.

The three differ in names only and are brought to one form (:class:`Comment`). Twitch announces subs, gifts
and raids in this chat as sentences by the person concerned; they are chat messages like every comment, and
the events they tell of besides, see :mod:`collectors.recorded.notices`.

When was it said? A comment tells its place in the video and a ``createdAt``. For a broadcast's own video
the two agree to the second, and ``createdAt``, which is finer, is taken. For highlights and uploads
``createdAt`` is when Twitch copied the chat into the new video, minutes for hours of chat, and the true
times are lost: the chat is put where it would have been had the video been sent live at its creation,
and the recording says so in its notes.

The video's start is looked for in the document, in ``vod.json`` beside the file, in the comments
themselves (where they agree), and in the folder's or file's name (``2021-02-12_04-22-38_910716790``).
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from collectors.recorded.comments import Comment, comment_from, events_of, video_from
from collectors.recorded.files import RecordedFile
from collectors.recorded.irc_lines import load_json
from collectors.recorded.recording import BATCH_EVENTS, Recording
from collectors.recorded.times import DAY, SECOND, parse_instant
from dashboard.errors import RecordingError
from dashboard.events import Event, Instant, StreamChange, now_us, synthetic_id

_TOLERANCE = 10 * SECOND
_DATED_NAME = re.compile(r"(\d{4}-\d\d-\d\d)[_T ](\d\d)[-:](\d\d)[-:](\d\d)")
_VIDEO_ID = re.compile(r"(?<!\d)(\d{8,11})(?!\d)")


@dataclass(slots=True)
class _Room:
    login: str
    room_id: str | None


class VodChat(Recording):
    """The comments of one video, oldest first."""

    format = "VOD chat JSON"
    # The chat of a whole video: where nobody writes, nothing is missing.
    longest_silence_us = 7 * DAY

    def __init__(
        self,
        file: RecordedFile,
        document: Any,
        channel: str | None = None,
        clock: Callable[[], Instant] = now_us,
    ) -> None:
        super().__init__(file, clock)
        self._read_bytes = 0
        comments = self._comments(document, is_first_time=True)
        self._video = video_from(document, self._sibling())
        self._find_start(comments)
        self._room = self._find_room(comments, channel)
        self._find_id(comments)
        self._is_highlight = self._told_times_differ(comments)
        if self._is_highlight:
            self.notes.append(
                "A highlight or an upload: Twitch does not tell when its chat was written. The messages are"
                " placed as if the video had been live when it was created."
            )

    @property
    def position(self) -> int:
        """How many bytes of the file have been turned into events."""
        return self._read_bytes

    def events(self) -> Iterator[list[Event]]:
        comments = self._comments(load_json(self._file))
        received_at = self._clock()
        batch: list[Event] = [self._change("start", self._start_at, received_at)]
        for done, comment in enumerate(comments, start=1):
            batch += events_of(
                comment,
                at=self._time_of(comment),
                received_at=received_at,
                room_login=self._room.login,
                room_id=self._room.room_id,
            )
            if len(batch) >= BATCH_EVENTS:
                self._read_bytes = self.total_bytes * done // len(comments)
                yield batch
                batch, received_at = [], self._clock()
        batch.append(self._change("end", self._end_of(comments), received_at))
        self._read_bytes = self.total_bytes
        yield batch

    def _comments(self, document: Any, is_first_time: bool = False) -> list[Comment]:
        items = document.get("comments") if isinstance(document, dict) else document
        comments: list[Comment] = []
        for item in items if isinstance(items, list) else []:
            try:
                comments.append(comment_from(item))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                if not is_first_time:
                    reason = f"not a VOD comment: {type(error).__name__} {error}"
                    self.reject(orjson.dumps(item).decode(), reason)
        if not comments:
            raise RecordingError(
                f"{self.path} has no comments: there is nothing to import. Download the chat again."
            )
        comments.sort(key=lambda comment: comment.offset_us)
        return comments

    def _sibling(self) -> Any:
        path = self.path.parent / "vod.json"
        if path == self.path or not path.is_file():
            return None
        try:
            return orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            self.notes.append(f"{path} can't be read and is left out.")
            return None

    def _find_start(self, comments: list[Comment]) -> None:
        start_at = self._video.start_at or _start_in(comments) or self._start_in_names()
        if start_at is None:
            raise RecordingError(
                f"{self.path} does not tell when the video began. Put a vod.json with “created_at” beside it,"
                " or name its folder like 2021-02-12_04-22-38_910716790 (date, time in UTC, video id)."
            )
        self._start_at = start_at

    def _start_in_names(self) -> Instant | None:
        for name in (self.path.name, self.path.parent.name):
            if match := _DATED_NAME.search(name):
                return parse_instant(f"{match[1]} {match[2]}:{match[3]}:{match[4]}")
        return None

    def _find_room(self, comments: list[Comment], channel: str | None) -> _Room:
        room_id = self._video.room_id or next((c.room_id for c in comments if c.room_id), None)
        login = self._video.room_login
        for comment in comments:
            is_owner = comment.user_id == room_id if room_id else comment.has_badge("broadcaster")
            if is_owner and comment.user_id and comment.user_login:
                room_id, login = comment.user_id, login or comment.user_login
                break
        login = login or channel or self._room_in_folders()
        if login is None:
            raise RecordingError(f"{self.path} does not tell its channel: give it with --channel NAME.")
        return _Room(login.lower(), room_id)

    def _room_in_folders(self) -> str | None:
        # …/<channel>/<date>_<time>_<video>/chat.json is how download tools lay their files out.
        folder = self.path.resolve().parent
        if _DATED_NAME.search(folder.name) and re.fullmatch(r"[a-z0-9_]{3,25}", folder.parent.name.lower()):
            return folder.parent.name
        return None

    def _find_id(self, comments: list[Comment]) -> None:
        told = self._video.video_id or next((c.video_id for c in comments if c.video_id), None)
        match = _VIDEO_ID.search(_DATED_NAME.sub("", self.path.parent.name))
        self._video_id = told or (match[1] if match else None)

    def _told_times_differ(self, comments: list[Comment]) -> bool:
        differences = [
            abs(comment.created_at - self._start_at - comment.offset_us)
            for comment in comments
            if comment.created_at is not None
        ]
        return not differences or statistics.median(differences) > _TOLERANCE

    def _time_of(self, comment: Comment) -> Instant:
        placed_at = Instant(self._start_at + comment.offset_us)
        created_at = comment.created_at
        if self._is_highlight or created_at is None or abs(created_at - placed_at) > 6 * _TOLERANCE:
            return placed_at
        return created_at

    def _end_of(self, comments: list[Comment]) -> Instant:
        # Comments can come in for some seconds after the video's end.
        last_at = max(self._time_of(comment) for comment in comments)
        return Instant(max(self._start_at + (self._video.duration_us or 0), last_at))

    def _change(self, action: str, at: Instant, received_at: Instant) -> StreamChange:
        key = self._video_id or self._start_at
        return StreamChange(
            event_id=synthetic_id("streams", self._room.login, f"v{key}", action),
            source="import",
            room_login=self._room.login,
            room_id=self._room.room_id,
            sent_at=at,
            received_at=received_at,
            action=action,
            stream_id=f"v{self._video_id}" if self._video_id else None,
            started_at=self._start_at,
            game_name=self._video.game_name,
            title=self._video.title,
            language=self._video.language,
        )


def _start_in(comments: list[Comment]) -> Instant | None:
    """The start on which the comments agree; highlights' do not."""
    starts = [c.created_at - c.offset_us for c in comments if c.created_at is not None]
    if not starts or max(starts) - min(starts) > _TOLERANCE:
        return None
    # Offsets are cut down to whole seconds: the earliest of the differences is the nearest.
    return Instant(min(starts) // SECOND * SECOND)
