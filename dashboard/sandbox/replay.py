"""A recording served as a channel: recorded lines, told as if they were written now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dashboard.sandbox import chance
from dashboard.sandbox.wire import Line

_TIME = re.compile(r"(?<=[@;])tmi-sent-ts=(\d+)")
_ID = re.compile(r"(?<=[@;])((?:source-|target-msg-|reply-parent-msg-|reply-thread-parent-msg-)?id)=([^; ]+)")
_ROOM_TAG = re.compile(r"(?<=[@;])room-id=(\d*)")
_ROOM = re.compile(r"^((?::\S+ )?[A-Z]+ )#\S+")
_SKIPPED = {"PING", "PONG", "CAP", "RECONNECT", "GLOBALUSERSTATE", "USERSTATE", "JOIN", "PART"}


class Replay:
    """One recording as a channel.

    The first line is heard when somebody first listens, the others after it with the recording's
    own distances (divided by ``speed``). So that a client sees a plausible live channel,
    ``tmi-sent-ts`` is moved to now, the room becomes the channel's, and ids are made anew from
    the recorded id and the start (two replays are two streams). Texts, people, badges and
    everything else stay as recorded. Lines without a time come right after the one before.

    Args:
        login: The channel's login.
        lines: Raw IRC lines in the order of the recording; read as needed, never as a whole.
        speed: How much faster than recorded.

    Caveats:
        Recordings of chat have no viewers, so Get Streams does not know the channel: a count
        would be an invention beside real messages.
    """

    def __init__(self, login: str, lines: Iterable[str], *, speed: float = 1.0) -> None:
        self.login = login
        self.room_id = str(900_000_000 + chance.number(0, "replay", login) % 90_000_000)
        self._speed = speed
        self._recorded = lines
        self._pending: Iterator[Line] | None = None
        self._next: Line | None = None

    def lines(self, start: float, end: float) -> list[Line]:
        """What comes before ``end`` and was not given yet; what nobody listened to is skipped."""
        if self._pending is None:
            self._pending = self._restamped(start)
            self._next = next(self._pending, None)
        found = []
        while self._next is not None and self._next.at_s < end:
            if self._next.at_s >= start:
                found.append(self._next)
            self._next = next(self._pending, None)
        return found

    def _restamped(self, start_s: float) -> Iterator[Line]:
        first_ms: int | None = None
        at_s = start_s
        for raw in self._recorded:
            text = raw.rstrip("\r\n")
            tags, rest = text.split(" ", 1) if text.startswith("@") and " " in text else ("", text)
            words = rest.split(" ", 2)
            command = words[1] if rest.startswith(":") and len(words) > 1 else words[0]
            if not text or command in _SKIPPED or command.isdigit():
                continue
            if told := _TIME.search(tags):
                sent_ms = int(told.group(1))
                first_ms = sent_ms if first_ms is None else first_ms
                moved_s = start_s + (sent_ms - first_ms) / 1000 / self._speed
                # Recorded times go backwards now and then; lines keep their order.
                at_s = max(at_s, moved_s)
                tags = _TIME.sub(f"tmi-sent-ts={int(moved_s * 1000)}", tags)
            if own := _ROOM_TAG.search(tags):
                # Also where it says that a message of a shared chat comes from this very room.
                tags = re.sub(rf"(?<=[@;-])room-id={own[1]}(?=;|$)", f"room-id={self.room_id}", tags)
            tags = _ID.sub(lambda m: f"{m[1]}={chance.uuid(0, self.login, int(start_s), m[2])}", tags)
            yield _Recorded(at_s, command, tags, _ROOM.sub(rf"\1#{self.login}", rest))


class _Recorded(Line):
    """A line whose tags are kept as they were recorded."""

    __slots__ = ("_tags_text",)

    def __init__(self, at_s: float, command: str, tags_text: str, rest: str) -> None:
        super().__init__(at_s, command, {}, rest)
        self._tags_text = tags_text

    @property
    def raw(self) -> str:
        return f"{self._tags_text} {self.rest}" if self._tags_text else self.rest
