"""CSV as it comes: any of the usual separators, with or without names of columns, blank lines between."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dashboard.community_io.names import plain
from dashboard.community_io.numbers import parse_number
from dashboard.community_io.texts import read_text
from dashboard.errors import RecordingError

_SEPARATORS: Final = (",", "\t", ";", "|")
_LOOKED_AT: Final = 50
_COMMENTS: Final = ("#", "%", "//")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it stands in a file."""

    path: Path
    names: tuple[str, ...]
    """Plain names of the columns; all empty when the file names none."""
    titles: tuple[str, ...]
    """As written."""
    rows: list[tuple[int, list[str]]]
    """Number of the line and cells, without blank lines and comments."""

    @property
    def has_header(self) -> bool:
        """Whether the file names its columns."""
        return any(self.names)

    @property
    def width(self) -> int:
        """Columns of the widest of the first rows."""
        return max([len(self.names), *(len(row) for _, row in self.rows[:_LOOKED_AT])])


def read_table(path: Path, is_header: Callable[[Sequence[str]], bool]) -> Table:
    """Reads a table.

    Args:
        path: CSV, TSV or columns with blanks between; also gzipped.
        is_header: Whether plain names of columns are ones that are known.

    Returns:
        Its rows; a first line without any number above lines with some is taken for names, too.

    Raises:
        RecordingError: It can't be read as a table; with the line.
    """
    text = read_text(path)
    if text.lstrip()[:1] in ("{", "["):
        raise RecordingError(f"{path}, line 1: this is JSON, not a table. Polls are read with --polls.")
    if text.lstrip()[:1] == "<":
        raise RecordingError(f"{path}, line 1: this is XML, not a table. GEXF is read with --gexf.")
    rows = _rows(path, text)
    if not rows:
        raise RecordingError(f"{path}: no rows in it, only blank lines or comments. Export it again.")
    first = rows[0][1]
    names = tuple(plain(cell) for cell in first)
    has_numbers = any(parse_number(cell) is not None for cell in first)
    if not has_numbers and (is_header(names) or _looks_like_names(rows)):
        return Table(path, names, tuple(first), rows[1:])
    width = max(len(row) for _, row in rows[:_LOOKED_AT])
    return Table(path, ("",) * width, ("",) * width, rows)


def _rows(path: Path, text: str) -> list[tuple[int, list[str]]]:
    separator = _separator(text)
    if separator is None:
        return [
            (number, line.split())
            for number, line in enumerate(text.splitlines(), start=1)
            if line.strip() and not line.lstrip().startswith(_COMMENTS)
        ]
    # A title can be longer than the csv module's own limit.
    csv.field_size_limit(10_000_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    found: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not cells[0].lstrip().startswith(_COMMENTS):
                found.append((reader.line_num, [cell.strip() for cell in cells]))
    except csv.Error as error:
        raise RecordingError(
            f"{path}, line {reader.line_num}: {error}. Look for a quote that is opened and never closed."
        ) from None
    return found


def _separator(text: str) -> str | None:
    """The separator that cuts most of the first lines into equally many columns; None is blanks."""
    lines = [line for line in text[:200_000].splitlines() if line.strip()]
    lines = [line for line in lines if not line.lstrip().startswith(_COMMENTS)][:_LOOKED_AT]
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) == 5:
        return lines[0][4]
    best, most = None, 0.0
    for separator in _SEPARATORS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if row)
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        # “0,5” between semicolons is no column of its own: the separator with the steadier rows wins.
        score = count / len(lines) + (0.001 * width if width > 1 else -10)
        if score > most:
            best, most = separator, score
    return best


def _looks_like_names(rows: list[tuple[int, list[str]]]) -> bool:
    """A first line of words over lines with numbers where it has none."""
    first = rows[0][1]
    below = [row for _, row in rows[1:_LOOKED_AT]]
    if not below:
        return False
    return any(
        sum(len(row) > index and parse_number(row[index]) is not None for row in below) > len(below) / 2
        for index in range(len(first))
    )
