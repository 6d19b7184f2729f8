"""Raw chat lines: with or without tags, perhaps with a stamp in front, perhaps inside JSON.

When a line has no ``tmi-sent-ts`` its time is that of ``rm-received-ts``, else of its stamp, else the last
time that the file told before it (several lines can stand under one stamp), and for the lines
before the first time told that first time. A file that tells no time at all is refused: making
one up would put the chat into the wrong hour without anybody noticing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from collectors.irc_events import to_events
from collectors.recorded.files import RecordedFile
from collectors.recorded.recording import BATCH_EVENTS, Occurrences, Recording
from collectors.recorded.times import STAMP, parse_instant
from dashboard.errors import ParseError, RecordingError
from dashboard.events import Event, Instant, now_us

_DIRECTION = r"(?:>{1,3}|<{1,3}|-->|<--|->|<-|→|←)"
_IRC = re.compile(r"(?:@\S+ +)?(?::\S+ +)?(?:[A-Z]+|\d{3})(?: |$)")
_PREFIX = re.compile(
    rf"\s*(?:{_DIRECTION}\s*)?(?:\[?(?P<stamp>{STAMP})\]?(?=\s|$))?\s*(?:;;;|[|;,-]|{_DIRECTION})?\s*",
    re.ASCII,
)
_CHAT_COMMAND = re.compile(
    r"(?:@\S+ +)?(?::\S+ +)?"
    r"(?:PRIVMSG|USERNOTICE|CLEARCHAT|CLEARMSG|ROOMSTATE|NOTICE|HOSTTARGET|JOIN|PART|MODE|USERSTATE"
    r"|GLOBALUSERSTATE|WHISPER|PING|PONG|RECONNECT|CAP|\d{3})(?: |$)"
)
_TMI_TAG = "tmi-sent-ts="
_RECENT_TIME = re.compile(r"(?:^@|;)rm-received-ts=(\d+)")


def is_chat_line(line: str) -> bool:
    """Whether a line of a file looks like one of Twitch's chat, stamped or not."""
    return _CHAT_COMMAND.match(split_stamp(line)[1]) is not None


def split_stamp(line: str) -> tuple[Instant | None, str]:
    """Takes off what recorders write in front of a line.

    Args:
        line: Like ``2019-04-30_08:56:59 ;;; :nick!… PRIVMSG …`` or ``[1568505600501] < @badge-info=…``.

    Returns:
        The stamp's instant, if there is a stamp, and the line itself.
    """
    if line[:1] in ("@", ":"):
        return None, line
    match = _PREFIX.match(line)
    if match is None or not match.end():
        return None, line
    stamp = match["stamp"]
    return (parse_instant(stamp) if stamp else None), line[match.end() :]


class IrcLines(Recording):
    """Chat as it came over the wire, one line a message."""

    format = "raw IRC lines"

    def __init__(self, file: RecordedFile, clock: Callable[[], Instant] = now_us) -> None:
        super().__init__(file, clock)
        self._first_at = self._find_first_time()

    def events(self) -> Iterator[list[Event]]:
        last_at = self._first_at
        occurrences = Occurrences()
        batch: list[Event] = []
        received_at = self._clock()
        for line in self._lines():
            stamp, line = split_stamp(line)
            told_at = _told_time(line)
            last_at = told_at or stamp or last_at
            if not line or line.isspace():
                continue
            if line[0] not in "@:" and not _IRC.match(line):
                self.reject(line, "not a chat line")
                continue
            try:
                events = to_events(line, received_at, source="import", sent_at=last_at)
            except ParseError as error:
                self.reject(line, str(error))
                continue
            if told_at is None:
                for event in events:
                    occurrences.number(event)
            batch += events
            if len(batch) >= BATCH_EVENTS:
                yield batch
                batch, received_at = [], self._clock()
        self.note_damage()
        if batch:
            yield batch

    def _lines(self) -> Iterator[str]:
        return self._file.lines()

    def _find_first_time(self) -> Instant:
        for line in self._lines():
            stamp, line = split_stamp(line)
            if at := _told_time(line) or stamp:
                return at
        raise RecordingError(
            f"{self.path}: the chat lines do not tell when they were sent (no tmi-sent-ts tag, no time"
            " in front of a line). Record with the capability twitch.tv/tags, or put a time in front of each"
            " line, for example “2019-04-30T08:56:59Z :nick!nick@nick.tmi.twitch.tv PRIVMSG #channel :hello”."
        )


class IrcLinesInJson(IrcLines):
    """Chat lines in a JSON list: recent-messages, raw lines of rustlog and justlog, plain lists."""

    format = "recent-messages JSON"

    def __init__(self, file: RecordedFile, clock: Callable[[], Instant] = now_us) -> None:
        self._read_bytes = 0
        super().__init__(file, clock)

    @property
    def position(self) -> int:
        """How many bytes of the file have been turned into events."""
        return self._read_bytes

    def _lines(self) -> Iterator[str]:
        lines = lines_in_json(load_json(self._file))
        if not lines:
            raise RecordingError(f"{self.path} has no messages: there is nothing to import.")
        for done, line in enumerate(lines, start=1):
            self._read_bytes = self.total_bytes * done // len(lines)
            yield line


def lines_in_json(document: Any) -> list[str] | None:
    """The chat lines of a JSON document: of a list, or of the list under ``messages``.

    Returns:
        The lines, or ``None`` if the document holds none.
    """
    if isinstance(document, dict):
        document = document.get("messages")
    if not isinstance(document, list):
        return None
    lines = [item.get("raw") if isinstance(item, dict) else item for item in document]
    texts = [line for line in lines if isinstance(line, str)]
    return texts if len(texts) == len(lines) else None


def load_json(file: RecordedFile) -> Any:
    """The document in a file.

    Raises:
        RecordingError: It is not JSON, or only its beginning.
    """
    try:
        return orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        raise RecordingError(
            f"{file.path} looks like JSON but can't be read as such ({error}). Download it again."
        ) from None


def _told_time(line: str) -> Instant | None:
    if not line.startswith("@"):
        return None
    end = line.find(" ")
    # The hot path of an import: a slice costs a fifth of a regular expression.
    place = line.find(_TMI_TAG, 0, end)
    digits = line[place + len(_TMI_TAG) : place + len(_TMI_TAG) + 13] if place > 0 else ""
    if len(digits) == 13 and digits.isascii() and digits.isdigit() and "12" <= digits[:2] < "41":
        return Instant(int(digits) * 1_000)  # from 2008 to 2099
    match = _RECENT_TIME.search(line, 0, end)
    return parse_instant(match[1]) if match else None
