"""Plain text logs: rustlog, justlog and those that look like them.

``[2019-11-04 18:12:33] #pajlada forsen: hi`` or, where the log is of one channel and does not name it,
``[2019-11-04 18:12:33 UTC] forsen: hi``. Times without a zone are UTC, as rustlog and justlog write them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from collectors.recorded.files import RecordedFile
from collectors.recorded.plain import plain_events
from collectors.recorded.recording import BATCH_EVENTS, Occurrences, Recording
from collectors.recorded.times import STAMP, parse_instant
from dashboard.errors import RecordingError
from dashboard.events import Event, Instant, now_us

_LINE = re.compile(rf"\[({STAMP})\] (?:#(\w{{1,80}}) )?(.*)", re.ASCII | re.DOTALL)
_AUTHOR = re.compile(r"([^\s:]{1,60}): (.*)|([^\s:]{1,60}):", re.DOTALL)


def is_text_log_line(line: str) -> bool:
    """Whether a line of a file has the form of rustlog's and justlog's."""
    match = _LINE.fullmatch(line)
    return match is not None and (match[2] is not None or _AUTHOR.fullmatch(match[3]) is not None)


class TextLog(Recording):
    """A log with a whole time in front of every line."""

    format = "rustlog or justlog text"

    def __init__(
        self, file: RecordedFile, channel: str | None = None, clock: Callable[[], Instant] = now_us
    ) -> None:
        super().__init__(file, clock)
        self._channel = channel.lower() if channel else None
        if self._channel is None and not any(self._names_room(line) for line in self._file.lines()):
            raise RecordingError(f"{self.path} does not tell its channel: give it with --channel NAME.")

    def events(self) -> Iterator[list[Event]]:
        occurrences = Occurrences()
        batch: list[Event] = []
        received_at = self._clock()
        for line in self._file.lines():
            if not line.strip():
                continue
            events = self._read(line, received_at)
            for event in events:
                occurrences.number(event)
            batch += events
            if len(batch) >= BATCH_EVENTS:
                yield batch
                batch, received_at = [], self._clock()
        self.note_damage()
        if batch:
            yield batch

    def _read(self, line: str, received_at: Instant) -> list[Event]:
        match = _LINE.fullmatch(line)
        at = parse_instant(match[1]) if match else None
        if match is None or at is None:
            self.reject(line, "not a line of a text log: “[time] #channel user: text” was looked for")
            return []
        room = (match[2] or self._channel or "").lower()
        if not room:
            self.reject(line, "the line names no channel")
            return []
        author = _AUTHOR.fullmatch(match[3])
        # “X subscribed at Tier 1. They've…: …” has a colon too, but not behind its first word.
        user, text = (author[1] or author[3], author[2] or "") if author else (None, match[3])
        events = plain_events(user, text, room=room, at=at, received_at=received_at)
        if not events:
            self.reject(line, "neither a message nor a known announcement")
        return events

    @staticmethod
    def _names_room(line: str) -> bool:
        match = _LINE.fullmatch(line)
        return match is not None and match[2] is not None
