"""A file of raw IRC lines, opened to be replayed as a channel."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from dashboard.errors import RecordingError

_ROOM = re.compile(r" (?:PRIVMSG|USERNOTICE|CLEARCHAT|ROOMSTATE|JOIN) #([a-z0-9_]{1,25})\b")
_LOOKED_AT = 1000


def open_replay(path: Path) -> dict[str, Iterator[str]]:
    """Finds out which channel a recording is of.

    Args:
        path: Raw IRC lines, one a line, perhaps gzipped.

    Returns:
        The channel's login, and its lines as they are read.

    Raises:
        RecordingError: No line near the beginning names a channel.
    """
    for line, _ in zip(_lines(path), range(_LOOKED_AT), strict=False):
        if found := _ROOM.search(line):
            return {found[1]: _lines(path)}
    raise RecordingError(
        f"{path.name}: none of the first {_LOOKED_AT} lines is a raw IRC line that names a channel. "
        f"The sandbox replays raw IRC; other formats go through `python app.py import`."
    )


def _lines(path: Path) -> Iterator[str]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", errors="replace", newline="\n") as file:
        yield from file
