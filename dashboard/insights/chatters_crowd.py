"""The people of one or several captures as columns: who they are, when made, when met, what they wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from dashboard.analytics.timebins import DAY_US, HOUR_US, SECOND_US
from dashboard.events import Instant
from dashboard.insights.chatters_services import ServiceAccounts
from dashboard.insights.live_sources import Lake, records

if TYPE_CHECKING:
    import pandas as pd

LIST_KINDS: Final = (
    "chatters",
    "chatter_polls",
    "speakers",
    "speaker_polls",
    "accounts",
    "renames",
)
UNKNOWN: Final = -1
"""Stands for a creation date, or a time, that is not known."""
_DAY_S: Final = 86_400

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Closed:
    """A complete capture, as the lake has it."""

    capture_id: str
    source: str
    room_login: str
    person_count: int
    started_at: Instant
    closed_at: Instant
    cut_at: Instant
    """Who was met before this instant was not met in this capture first."""


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """One row a person, ordered by user id; what it says of history ends with the newest capture."""

    captures: tuple[Closed, ...]
    """Oldest first, all of one source."""
    source: str
    rooms: tuple[str, ...]
    who: npt.NDArray[np.uint64]
    """A number for each id, as queries give it."""
    login_who: npt.NDArray[np.uint64]
    """The same of the login."""
    user_id: list[str]
    user_login: list[str]
    user_display_name: list[str]
    created_s: Numbers
    """Seconds since 1970; :data:`UNKNOWN` where not known."""
    created_day: Numbers
    """Whole days since 1970; :data:`UNKNOWN` where not known."""
    listed_at: Numbers
    """First listing in these captures."""
    seen_count: Numbers
    first_listed_at: Numbers
    last_listed_at: Numbers
    was_listed_before: Flags
    rename_count: Numbers
    service: list[str | None]
    """Whose list of services has the account, or None."""
    is_service: Flags

    def __len__(self) -> int:
        return len(self.user_id)

    @property
    def capture_ids(self) -> list[str]:
        """Of the captures, as queries take them."""
        return [capture.capture_id for capture in self.captures]

    @property
    def as_of(self) -> Instant:
        """When the newest capture was finished."""
        return max(capture.closed_at for capture in self.captures)

    @property
    def as_of_day(self) -> int:
        """The day of that."""
        return int(self.as_of // DAY_US)

    def span(self) -> tuple[Instant, Instant]:
        """From when to when rows of these captures can have been sent."""
        return span_of(self.captures)

    def cuts(self) -> tuple[list[str], list[int]]:
        """The channels, and for each the instant before which a person counts as seen earlier."""
        return cuts_of(self.captures)

    @property
    def params(self) -> dict[str, Any]:
        """What every query about the people of these captures is told."""
        start_at, end_at = self.span()
        return {"capture_ids": self.capture_ids, "start_at": start_at, "end_at": end_at}


def read_closed(lake: Lake, capture_ids: Sequence[str]) -> list[Closed]:
    """Of these captures those whose closing row is in the lake, oldest first."""
    frame = lake.query("chatters_closed", capture_ids=list(capture_ids))
    found = {
        row["capture_id"]: Closed(
            row["capture_id"],
            row["source"],
            row["room_login"],
            int(row["person_count"]),
            Instant(int(row["started_at"])),
            Instant(int(row["closed_at"])),
            Instant(int(row["cut_at"])),
        )
        for row in records(frame)
    }
    return list(found.values())


def span_of(captures: Sequence[Closed]) -> tuple[Instant, Instant]:
    """From when to when rows of captures can have been sent; a capture can be resumed after a day."""
    start = min(min(capture.started_at, capture.cut_at) for capture in captures)
    end = max(capture.closed_at for capture in captures)
    return Instant(start - DAY_US), Instant(end + HOUR_US)


def cuts_of(captures: Sequence[Closed]) -> tuple[list[str], list[int]]:
    """The channels of captures, and for each the instant before which a person counts as seen earlier."""
    first: dict[str, int] = {}
    for capture in captures:
        first[capture.room_login] = min(capture.cut_at, first.get(capture.room_login, capture.cut_at))
    return list(first), list(first.values())


def read_crowd(lake: Lake, captures: Sequence[Closed], services: ServiceAccounts) -> Crowd:
    """Reads the people of complete captures.

    Args:
        lake: The store.
        captures: At least one, all of one source.
        services: Knows service accounts.
    """
    span = span_of(captures)
    which: dict[str, Any] = {
        "capture_ids": [capture.capture_id for capture in captures],
        "start_at": span[0],
        "end_at": span[1],
    }
    people = lake.query("chatters_people", window=span, **which)
    who = people["who"].to_numpy(np.uint64)
    index = Aligned(who)
    ages = lake.query("chatters_ages", **which)
    renames = lake.query("chatters_renames", **which)
    source = captures[0].source
    rooms, cuts = cuts_of(captures)
    seen = lake.query("chatters_sightings", rooms=rooms, cuts=cuts, source=source, **which)
    listed_at = people["listed_at"].to_numpy(np.int64)
    ids = people["user_id"].tolist()
    logins: list[str] = people["user_login"].fillna("").tolist()
    names: list[str] = people["user_display_name"].fillna("").tolist()
    created_s = index.column(ages, "created_s", UNKNOWN)
    service = _services(people, services)
    return Crowd(
        captures=tuple(captures),
        source=source,
        rooms=tuple(rooms),
        who=who,
        login_who=people["login_who"].fillna(0).to_numpy(np.uint64),
        user_id=ids,
        user_login=logins,
        user_display_name=[name or login for name, login in zip(names, logins, strict=True)],
        created_s=created_s,
        created_day=np.where(created_s == UNKNOWN, UNKNOWN, created_s // _DAY_S),
        listed_at=listed_at,
        seen_count=np.maximum(index.column(seen, "seen_count", 1), 1),
        first_listed_at=index.column(seen, "first_at", listed_at),
        last_listed_at=index.column(seen, "last_at", listed_at),
        was_listed_before=index.column(seen, "is_earlier", 0) == 1,
        rename_count=index.column(renames, "rename_count", 0),
        service=service,
        is_service=np.array([listed is not None for listed in service], dtype=np.bool_),
    )


def _services(people: pd.DataFrame, services: ServiceAccounts) -> list[str | None]:
    """By person, whose list of services has them."""
    listed_by = services.both()
    logins = people["user_login"].str.lower()
    is_listed = logins.isin(list(listed_by)) | people["user_id"].isin(list(listed_by))
    found: list[str | None] = [None] * len(people)
    for at in np.flatnonzero(is_listed.to_numpy(dtype=np.bool_)).tolist():
        found[at] = listed_by.get(logins.iloc[at]) or listed_by.get(people["user_id"].iloc[at])
    return found


class Aligned:
    """Puts columns about some of the people into the order of all of them.

    Args:
        numbers: Of all of them, each once: ``who`` (or ``login_who``) of the query ``chatters_people``.
            Texts would cost more to look up than all the queries.
    """

    def __init__(self, numbers: npt.NDArray[np.uint64]) -> None:
        import pandas as pd

        self._index = pd.Index(numbers)

    def column(self, frame: pd.DataFrame, name: str, missing: int | Numbers) -> Numbers:
        """One column of whole numbers.

        Args:
            frame: Some people (``who``) and what is known of them; who is not among all is left out.
            name: Of the column.
            missing: For those it does not have (a number, or one a person).
        """
        values = np.empty(len(self._index), dtype=np.int64)
        values[:] = missing
        if len(frame):
            at = self._places(frame)
            is_here = (at >= 0) & frame[name].notna().to_numpy()
            values[at[is_here]] = frame[name].to_numpy()[is_here].astype(np.int64)
        return values

    def words(self, frame: pd.DataFrame, name: str) -> list[str | None]:
        """One column of texts; None for those it does not have."""
        values: list[str | None] = [None] * len(self._index)
        if len(frame):
            for at, value in zip(self._places(frame).tolist(), frame[name].tolist(), strict=True):
                if at >= 0 and isinstance(value, str):
                    values[at] = value
        return values

    def _places(self, frame: pd.DataFrame) -> Numbers:
        import pandas as pd

        found: Numbers = self._index.get_indexer(pd.Index(frame["who"]))
        return found


def seconds(instants: Numbers) -> list[int]:
    """Instants as whole seconds."""
    found: list[int] = (instants // SECOND_US).tolist()
    return found
