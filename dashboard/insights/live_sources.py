"""What the Live insights ask of storage, and how its frames become plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import pandas as pd

from dashboard.analytics.timebins import MINUTE_US, merge_spans
from dashboard.events import Instant


class ChangeSpans(Protocol):
    """Answer of ``changes``: a new watermark, and where something was added."""

    @property
    def watermark(self) -> int:
        """To be given back in the next call."""

    @property
    def spans(self) -> list[tuple[Instant, Instant]]:
        """First and last ``sent_at`` of each addition."""


class Lake(Protocol):
    """The part of the store that is needed here."""

    def query(
        self, name: str, *, window: tuple[Instant, Instant] | None = None, **params: Any
    ) -> pd.DataFrame:
        """Runs a named query over the files of the window."""

    def changes(self, kind: str, after: int) -> ChangeSpans:
        """Tells which stretches of time got new events of a kind."""


class Status(Protocol):
    """A process's last word about itself."""

    @property
    def payload(self) -> dict[str, Any]:
        """What it said."""

    @property
    def updated_at(self) -> Instant:
        """When."""


class Statuses(Protocol):
    """What the processes say of themselves."""

    def read_status(self, name: str) -> Status | None:
        """The last word of a process."""


class Ledger(Statuses, Protocol):
    """The part of the state that is needed here."""

    def followed(self) -> list[str]:
        """Channels that somebody follows."""


_NO_KIND = "gaps"
"""A view made from other kinds: nothing is ever added to it, so asking for its changes costs nothing."""
_SLACK_US = MINUTE_US
_MOST_STRETCHES = 6


class ChangeReader:
    """Tells one cache which stretches of time it has to read again."""

    def __init__(self, lake: Lake, kinds: Iterable[str]) -> None:
        self._lake = lake
        newest = lake.changes(_NO_KIND, 0).watermark
        self._after = dict.fromkeys(kinds, newest)

    def take(self) -> list[tuple[int, int]]:
        """Stretches with something new since the call before (since the making, at first), oldest first."""
        spans: list[tuple[int, int]] = []
        for kind, after in self._after.items():
            changes = self._lake.changes(kind, after)
            self._after[kind] = changes.watermark
            spans += [(int(start), int(end)) for start, end in changes.spans]
        return merge_spans(spans, slack_us=_SLACK_US, limit=_MOST_STRETCHES)


def records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of a small frame as plain values, with ``None`` for what is not there."""
    columns = {
        name: [None if missing else value for value, missing in zip(column, column.isna(), strict=True)]
        for name, column in frame.items()
    }
    for values in zip(*columns.values(), strict=True):
        yield dict(zip((str(name) for name in columns), values, strict=True))


def whole(value: Any) -> int | None:
    """A whole number as DuckDB gives it through a frame (floats where some are missing)."""
    return None if value is None else int(value)


def words(value: Any) -> str | None:
    """A text, or ``None`` when it is missing or empty."""
    return str(value) if value else None
