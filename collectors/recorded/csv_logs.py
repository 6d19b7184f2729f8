"""Tables of messages: CSV with a header, whatever its columns are called.

Needed are a time, a user and a text; a channel may stand in a column or be given. Times without a zone are
taken as UTC.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import TextIO

from collectors.recorded.files import DAMAGED, MAX_LINE_CHARACTERS, RecordedFile
from collectors.recorded.plain import plain_events
from collectors.recorded.recording import BATCH_EVENTS, Occurrences, Recording
from collectors.recorded.times import parse_instant
from dashboard.errors import RecordingError
from dashboard.events import Bits, ChatMessage, Event, Instant, now_us

SYNONYMS: dict[str, tuple[str, ...]] = {
    "time": ("time", "timestamp", "datetime", "date", "sent_at", "created_at", "tmi_sent_ts", "ts", "sent"),
    "user": (
        "username",
        "user",
        "user_login",
        "login",
        "user_name",
        "nick",
        "nickname",
        "author",
        "sender",
        "chatter",
        "name",
    ),
    "text": ("message", "text", "body", "msg", "content", "comment"),
    "channel": ("channel", "channel_name", "channel_login", "room", "room_login", "streamer", "broadcaster"),
    "user_display_name": ("user_display_name", "display_name", "displayname"),
    "user_id": ("user_id", "userid"),
    "room_id": ("room_id", "channel_id", "broadcaster_id"),
    "event_id": ("event_id", "message_id", "id"),
    "color": ("color", "colour", "user_color"),
    "badges": ("badges", "user_badges"),
    "bits": ("bits", "bits_spent"),
}
"""What the columns may be called, best first; upper case, spaces and hyphens make no difference."""

_NEEDED = ("time", "user", "text")
_TOLD = ("event_id", "user_id", "room_id", "user_display_name", "color", "badges")
_DELIMITERS = ",;\t|"


def find_columns(header_line: str) -> tuple[str, dict[str, int]] | None:
    """Looks for the columns in a header.

    Args:
        header_line: The first line of the file.

    Returns:
        The delimiter and the place of each known column, or ``None`` if a needed one is missing.
    """
    for delimiter in _DELIMITERS:
        try:
            header = next(csv.reader(io.StringIO(header_line), delimiter=delimiter), [])
        except csv.Error:
            continue
        names = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in header]
        columns = {
            meaning: next(names.index(name) for name in synonyms if name in names)
            for meaning, synonyms in SYNONYMS.items()
            if any(name in names for name in synonyms)
        }
        if all(meaning in columns for meaning in _NEEDED):
            return delimiter, columns
    return None


class CsvLog(Recording):
    """A table with one row a message."""

    format = "CSV"

    def __init__(
        self, file: RecordedFile, channel: str | None = None, clock: Callable[[], Instant] = now_us
    ) -> None:
        super().__init__(file, clock)
        found = find_columns(first_line(file.head_text))
        assert found is not None, "only files with such a header are opened as CSV"
        self._delimiter, self._columns = found
        self._channel = channel.lower() if channel else None
        if self._channel is None and "channel" not in self._columns:
            raise RecordingError(f"{self.path} has no column for the channel: give it with --channel NAME.")

    def events(self) -> Iterator[list[Event]]:
        occurrences = Occurrences()
        batch: list[Event] = []
        received_at = self._clock()
        with self._file.text(newline="") as text:
            for row in self._rows(text):
                events = self._read(row, received_at)
                for event in events:
                    if event.event_id.startswith("x-"):
                        occurrences.number(event)
                batch += events
                if len(batch) >= BATCH_EVENTS:
                    yield batch
                    batch, received_at = [], self._clock()
        self.note_damage()
        if batch:
            yield batch

    def _rows(self, text: TextIO) -> Iterator[list[str]]:
        csv.field_size_limit(MAX_LINE_CHARACTERS)
        reader = csv.reader(text, delimiter=self._delimiter)
        is_header = True
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self.reject("", f"row {reader.line_num} is not CSV: {error}")
                continue
            except DAMAGED:
                self._file.is_damaged = True
                return
            if row and not is_header:
                yield row
            is_header = False

    def _read(self, row: list[str], received_at: Instant) -> list[Event]:
        def value(meaning: str) -> str | None:
            place = self._columns.get(meaning)
            return (row[place] or None) if place is not None and place < len(row) else None

        line = self._delimiter.join(row)
        at = parse_instant(value("time") or "")
        if at is None:
            self.reject(line, f"“{value('time') or ''}” is not a time")
            return []
        user = (value("user") or "").strip().lstrip("@")
        room = (value("channel") or self._channel or "").strip().lstrip("#").lower()
        if not user or not room:
            self.reject(line, "the row names no " + ("user" if room else "channel"))
            return []
        told = {name: value(name) for name in _TOLD}
        # Numbers are rows of a database or of this table, the same in another file for another message.
        if (told["event_id"] or "").isdigit():
            told["event_id"] = None
        events = plain_events(user, value("text") or "", room=room, at=at, received_at=received_at, **told)
        return events + self._bits(events, value("bits"))

    @staticmethod
    def _bits(events: list[Event], told: str | None) -> list[Event]:
        message = events[0] if events else None
        bits = int(told) if told and re.fullmatch(r"\d{1,9}", told, re.ASCII) else 0
        if not isinstance(message, ChatMessage) or not bits:
            return []
        message.bits = bits
        shared = {each.name: getattr(message, each.name) for each in fields(Bits) if each.name != "bits"}
        return [Bits(**shared, bits=bits)]


def first_line(text: str) -> str:
    """The first line that is not empty."""
    return next((line for line in text.splitlines() if line.strip()), "")
