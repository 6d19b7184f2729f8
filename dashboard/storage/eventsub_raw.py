"""Every EventSub notification as Twitch sent it, as JSON lines by type and day.

``data/raw/eventsub/<type>/<YYYY-MM-DD>.jsonl`` has one line a notification, and the line is the body
itself: byte for byte what came, except that a body spread over several lines has its line breaks
turned into spaces (outside strings, where JSON allows no others). From the webhook that is the POST's body,
from WebSocket and conduit the whole frame. The day is the UTC day of Twitch's own timestamp.

What the headers said stands beside it in ``<YYYY-MM-DD>.headers.jsonl``, line for line: message id,
type, version, both instants, transport, and ``end``, the byte at which the body's line ends. A
crash between the two leaves a body without its header line; the next writer cuts it off, and
:meth:`RawLog.fill_in` brings back from the lake what is missing.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from dashboard.events_base import Instant
from dashboard.eventsub_message import EventSubMessage
from dashboard.storage.batch import day_of
from dashboard.storage.files import full_disk_said_plainly, make_folder_durably

if TYPE_CHECKING:
    from dashboard.storage.store import Store

_TYPE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_UNKNOWN = "unknown"
_BREAKS = str.maketrans("\r\n", "  ")
_TAIL_BYTES = 4096
_BODIES_AT_ONCE = 500
_SETTLED_S = 60
"""Younger ones may be on their way into the file just now."""

Key = tuple[str, str]
"""Type and day: one file."""


class RawLog:
    """The verbatim record; several processes may append to it at once.

    Args:
        data_dir: The data folder.
    """

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / "raw" / "eventsub"

    def append(self, messages: Iterable[EventSubMessage]) -> int:
        """Adds notifications that are durable already.

        Args:
            messages: Any types and days.

        Returns:
            How many lines were added.

        Raises:
            DiskFullError: No room; :meth:`fill_in` adds them later.
        """
        grouped: defaultdict[Key, list[EventSubMessage]] = defaultdict(list)
        for message in messages:
            grouped[_key(message)].append(message)
        if not grouped:
            return 0
        with full_disk_said_plainly("the raw EventSub record"), self._locked():
            return sum(self._add(key, group) for key, group in grouped.items())

    def path(self, eventsub_type: str, day: str) -> Path:
        """Where the bodies of a type and UTC day are."""
        name = eventsub_type if _TYPE.fullmatch(eventsub_type) else _UNKNOWN
        return self.folder / name / f"{day}.jsonl"

    def received(self, eventsub_type: str, day: str) -> dict[str, str]:
        """When the notifications in a file came (ISO 8601, UTC), by message id; empty without a file."""
        try:
            lines = _headers(self.path(eventsub_type, day)).read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        headers = filter(None, map(_parsed, lines))
        return {str(header["message_id"]): str(header["received_at"]) for header in headers}

    def fill_in(self, store: Store, *, now: Instant, days: int = 3) -> int:
        """Adds what a crash kept out of the files, from the lake's ``notifications``.

        Args:
            store: The lake.
            now: The time; what came in the last minute is left to its own writer.
            days: How far to look back.

        Returns:
            How many lines were added.
        """
        until = now - _SETTLED_S * 1_000_000
        first = datetime.fromtimestamp(now / 1e6, UTC) - timedelta(days=days)
        since = int(first.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1e6)
        wanted = store.query("eventsub_raw_counts", since_at=since, until_at=until)
        added = 0
        for name, day, count in wanted[["eventsub_type", "day", "row_count"]].itertuples(index=False):
            there = self.received(name, day)
            if sum(at < _iso(until) for at in there.values()) >= count:
                continue
            span = {"type": name, "day": day, "since_at": since, "until_at": until}
            known = store.query("eventsub_raw_ids", **span)["event_id"].tolist()
            missing = [event_id for event_id in known if event_id not in there]
            for start in range(0, len(missing), _BODIES_AT_ONCE):
                chunk = missing[start : start + _BODIES_AT_ONCE]
                rows = store.query("eventsub_raw_bodies", ids=chunk, **span).to_dict("records")
                added += self.append(_message(row) for row in rows)
        return added

    def retain(self, days: int, *, now: Instant) -> int:
        """Removes what is past its time: bodies hold chat, as the lake's ``notifications`` do.

        Args:
            days: Kept are the files of so many UTC days before today's; 0 keeps all.
            now: The time.

        Returns:
            How many days of types were removed.
        """
        if not days or not self.folder.exists():
            return 0
        oldest = day_of(Instant(now - days * 86_400_000_000))
        with self._locked():
            gone = [path for path in self.folder.glob("*/*.jsonl") if path.name[:10] < oldest]
            for path in gone:
                path.unlink(missing_ok=True)
        return sum(not path.name.endswith(".headers.jsonl") for path in gone)

    def _add(self, key: Key, messages: list[EventSubMessage]) -> int:
        path = self.folder / key[0] / f"{key[1]}.jsonl"
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as bodies, _headers(path).open("a+b") as headers:
            end = _mend(bodies, headers)
            lines, heads = [], []
            for message in messages:
                line = message.body.translate(_BREAKS).encode("utf-8", "replace") + b"\n"
                end += len(line)
                lines.append(line)
                heads.append(_header(message, end))
            bodies.write(b"".join(lines))
            bodies.flush()
            headers.write(b"".join(heads))
        return len(messages)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        make_folder_durably(self.folder)
        fd = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def _key(message: EventSubMessage) -> Key:
    name = message.eventsub_type
    return (name if _TYPE.fullmatch(name) else _UNKNOWN), day_of(message.sent_at)


def _headers(path: Path) -> Path:
    return path.with_name(f"{path.stem}.headers.jsonl")


def _header(message: EventSubMessage, end: int) -> bytes:
    return orjson.dumps(
        {
            "message_id": message.message_id,
            "type": message.eventsub_type,
            "version": message.version,
            "sent_at": _iso(message.sent_at),
            "received_at": _iso(message.received_at),
            "transport": message.transport,
            "end": end,
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def _mend(bodies: BinaryIO, headers: BinaryIO) -> int:
    """Cuts both files back to the last notification that stands whole in both; gives the bodies' end."""
    size = os.fstat(bodies.fileno()).st_size
    end, whole = _last(headers, size)
    if os.fstat(headers.fileno()).st_size != whole:
        headers.truncate(whole)
    if size != end:
        bodies.truncate(end)
    return end


def _last(headers: BinaryIO, most: int) -> tuple[int, int]:
    """The last header line whose body is there: the end of the body, and that of the line."""
    size = headers.seek(0, os.SEEK_END)
    window = _TAIL_BYTES
    while True:
        start = max(0, size - window)
        headers.seek(start)
        tail = headers.read(size - start)
        stop = len(tail)
        while (stop := tail.rfind(b"\n", 0, stop) + 1) > 0:
            begin = tail.rfind(b"\n", 0, stop - 1) + 1
            if begin == 0 and start > 0:
                break
            header = _parsed(tail[begin:stop])
            if header and header["end"] <= most:
                return header["end"], start + stop
            stop = begin
        if start == 0:
            return 0, 0
        window *= 8


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        header = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None  # Cut off by a crash.
    return (
        header if isinstance(header, dict) and header.keys() >= {"end", "message_id", "received_at"} else None
    )


def _iso(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1e6, UTC).isoformat(timespec="microseconds")


def _message(row: Mapping[Any, Any]) -> EventSubMessage:
    return EventSubMessage(
        message_id=row["event_id"],
        sent_at=row["sent_at"],
        received_at=row["received_at"],
        eventsub_type=row["eventsub_type"],
        version=row["eventsub_version"],
        subscription={},
        event={},
        body=row["body"],
        transport=row["transport"],
    )
