"""Creation days of accounts out of a CSV file, for the command line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboard.errors import RecordingError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CREATED_COLUMNS: Final = ("created_at", "account_created_at", "created", "creation_date")
DAYS_COLUMNS: Final = ("days", "age_days", "account_age_days")
_ID_COLUMNS: Final = ("twitch_user_id", "user_id", "id", "numeric_id")
_EPOCH: Final = date(1970, 1, 1).toordinal()
_MOST_PROBLEMS: Final = 20
_MOST_AGE_DAYS: Final = 40_000
_NOTHING: Final = frozenset({"", "null", "none", "nan", "n/a", "na", "unknown", "-"})


@dataclass(frozen=True, slots=True)
class AccountFile:
    """What a file tells about accounts."""

    days: npt.NDArray[np.int64]
    """Creation day of each account of known age."""
    unknown_count: int
    duplicate_count: int
    """Rows of an account (same id, same age) that was there already."""
    column: str
    """Where the ages come from."""
    problems: tuple[str, ...]
    """Cells that are no date, by line; the first twenty and a count of the rest."""


def day_of(moment: date) -> int:
    """Whole days since 1970-01-01."""
    return moment.toordinal() - _EPOCH


def read_accounts(path: Path, *, as_of_day: int) -> AccountFile:
    """Reads creation days from a CSV file with a header.

    Args:
        path: The file. Its column ``created_at`` has ISO dates or times, or month/day/year; or ``days``
            has ages in days.
        as_of_day: The day the ages were true.

    Raises:
        RecordingError: It can't be read, or has neither column; the message names them.
    """
    import numpy as np

    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            header_line = file.readline()
            file.seek(0)
            rows = csv.reader(file, delimiter=_delimiter(header_line))
            header = [name.strip().lower() for name in next(rows, [])]
            column, read = _column(path, header, as_of_day)
            id_at = next((header.index(name) for name in _ID_COLUMNS if name in header), None)
            found = _Rows(header.index(column), id_at, read, is_single=len(header) == 1)
            found.take(rows)
    except OSError as error:
        raise RecordingError(f"{path.name} can't be read: {error.strerror}.") from None
    except csv.Error as error:
        raise RecordingError(f"{path.name} is no CSV that can be read: {error}.") from None
    days = np.array(found.days, dtype=np.int64)
    return AccountFile(days, found.unknown, found.duplicates, column, tuple(found.told()))


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _column(path: Path, header: Sequence[str], as_of_day: int) -> tuple[str, Callable[[str], int | None]]:
    for name in CREATED_COLUMNS:
        if name in header:
            return name, _created_day
    for name in DAYS_COLUMNS:
        if name in header:
            return name, lambda text: _aged_day(text, as_of_day)
    has = ", ".join(name for name in header[:12] if name) or "no header at all"
    raise RecordingError(
        f"{path.name} has no column with the ages of accounts. Name one created_at (ISO date or time, or "
        f"month/day/year) or days (age in days, with --as-of) in its first line; it has: {has}."
    )


class _Rows:
    """The rows as they come."""

    def __init__(
        self, value_at: int, id_at: int | None, read: Callable[[str], int | None], *, is_single: bool
    ) -> None:
        self.days: list[int] = []
        self.unknown = 0
        self.duplicates = 0
        self._value_at = value_at
        self._id_at = id_at
        # In a file of one column an empty line is an empty cell.
        self._is_single = is_single
        self._read = read
        self._known: dict[str, int | None] = {}
        self._seen: set[tuple[str, str]] = set()
        self._problems: list[str] = []
        self._problem_count = 0

    def take(self, rows: Iterable[list[str]]) -> None:
        for line, row in enumerate(rows, start=2):
            if not row and not self._is_single:
                continue
            text = row[self._value_at].strip() if self._value_at < len(row) else ""
            if self._is_again(row, text):
                self.duplicates += 1
                continue
            if text not in self._known:
                self._known[text] = self._read(text)
            day = self._known[text]
            if day is not None:
                self.days.append(day)
                continue
            self.unknown += 1
            if text.lower() not in _NOTHING:
                self._problem_count += 1
                if len(self._problems) < _MOST_PROBLEMS:
                    self._problems.append(f"row {line}: “{text[:40]}” is no date of an account")

    def _is_again(self, row: list[str], text: str) -> bool:
        if self._id_at is None or self._id_at >= len(row) or not row[self._id_at].strip():
            return False
        key = row[self._id_at].strip(), text
        if key in self._seen:
            return True
        self._seen.add(key)
        return False

    def told(self) -> list[str]:
        """The problems, and how many more there are."""
        more = self._problem_count - len(self._problems)
        return self._problems + ([f"and {more:,} more rows like these"] if more else [])


def _created_day(text: str) -> int | None:
    text = text.removesuffix(" UTC")
    try:
        if "/" in text:
            month, day, year = text.split()[0].split("/")
            return day_of(date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)))
        moment = datetime.fromisoformat(text if text[-1:] != "z" else text.upper())
    except (ValueError, IndexError):
        return None
    if moment.tzinfo is not None:
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            return None
    return day_of(moment.date())


def _aged_day(text: str, as_of_day: int) -> int | None:
    try:
        age = float(text)
    except ValueError:
        return None
    return as_of_day - int(age // 1) if -1 < age < _MOST_AGE_DAYS else None
