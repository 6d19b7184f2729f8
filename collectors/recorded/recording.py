"""What all recordings have in common, whatever their format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

from collectors.recorded.files import RecordedFile
from collectors.recorded.times import HOUR, MINUTE, SECOND
from dashboard.events import ChatMessage, Event, Instant, now_us, synthetic_id

BATCH_EVENTS = 1_000
_KEPT_CHARACTERS = 4_096


class Recording(ABC):
    """A file that has been recognised and can be read as events.

    Lines that can't be understood are put into ``rejects`` with the reason; who reads the
    recording empties the list. ``notes`` are remarks on the file for its owner.
    """

    format: ClassVar[str] = ""
    reorder_us: ClassVar[int] = 5 * SECOND
    """How far back in time an event may lie behind those before it in the file."""
    longest_silence_us: ClassVar[int] = 30 * MINUTE
    """After so long without any event the recording counts as interrupted."""

    def __init__(self, file: RecordedFile, clock: Callable[[], Instant] = now_us) -> None:
        self.path: Path = file.path
        self.total_bytes = file.total_bytes
        self.rejects: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self._file = file
        self._clock = clock

    @property
    def position(self) -> int:
        """How many bytes of the file have been read."""
        return self._file.position

    @abstractmethod
    def events(self) -> Iterator[list[Event]]:
        """Reads the file from its beginning.

        Returns:
            Batches of events in the order of the file; ``received_at`` is the time of reading.

        Raises:
            RecordingError: The file is not what its beginning promised.
        """

    def reject(self, line: str, reason: str) -> None:
        """Keeps a line that could not be understood."""
        self.rejects.append((line[:_KEPT_CHARACTERS], reason))

    def note_damage(self) -> None:
        """Tells if the file's packed data ended early."""
        if self._file.is_damaged:
            self.notes.append("The packed data ends early: the rest of the recording is missing.")
            self.reject("", "the packed data ends early")


class Occurrences:
    """Tells apart what happened twice in the same second.

    Logs to the second hold the same words of the same person twice or more often; these are
    several messages. The first keeps the id made of room, second, person and text, each further
    one gets an id with its number: the same at every import, and the same in another log.
    """

    def __init__(self) -> None:
        self._seen: dict[Instant, dict[str, int]] = {}
        self._newest = Instant(0)

    def number(self, event: Event) -> None:
        """Gives the event its final id.

        Args:
            event: With the id made of its room, time and content.
        """
        at = event.sent_at
        ids = self._seen.get(at)
        if ids is None:
            self._forget(at)
            ids = self._seen[at] = {}
        key = f"{event.kind}\x1f{event.event_id}"
        count = ids.get(key, 0)
        ids[key] = count + 1
        if count:
            event.event_id = synthetic_id(event.event_id, count)

    def _forget(self, at: Instant) -> None:
        self._newest = max(self._newest, at)
        if len(self._seen) > 7_200:
            self._seen = {second: ids for second, ids in self._seen.items() if second > self._newest - HOUR}


def message_id(room: str, at: Instant, user: str | None, text: str) -> str:
    """The id of a message without one of Twitch's: the same as chat lines without tags get."""
    return synthetic_id(ChatMessage.kind, room, at, user, text)
