"""How the command line speaks: tables, CSV, JSON, progress, errors."""

from __future__ import annotations

import csv
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from dashboard.errors import ConfigError, LockedError, QueryRefused, StreamLensError
from dashboard.supervisor import EXIT_CONFIG, EXIT_FAILED, EXIT_LOCKED

Rows = Sequence[Sequence[Any]]

_CONTROL = {code: "\ufffd" for code in (*range(32), 127, *range(128, 160)) if chr(code) not in "\n\t"}
"""What chat may not do to a terminal."""
_FOLDED_WIDTH = 14
"""Narrower than this nobody reads a column."""


@contextmanager
def errors_said_plainly(as_json: bool = False) -> Iterator[None]:
    """Ends the process with the right code and a message for people instead of a traceback."""
    try:
        yield
    except StreamLensError as error:
        if as_json:
            summary = {"ok": False, "error": type(error).__name__, "message": str(error)}
            click.echo(json.dumps(summary, ensure_ascii=False))
        click.echo(str(error), err=True)
        sys.exit(_exit_code(error))


def say(summary: dict[str, Any], as_json: bool, words: str) -> None:
    """Ends a command: one line of JSON for programs, a sentence for people."""
    click.echo(json.dumps(summary, ensure_ascii=False, default=_plain) if as_json else words)


def print_table(columns: Sequence[str], rows: Rows) -> None:
    """Prints rows for eyes; numbers to the right, NULL as nothing.

    A terminal that is too narrow for the columns gets each row as a list, one value a line; where
    there is no terminal, lines are as long as they need to be.
    """
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    console = Console(soft_wrap=not is_terminal, markup=False, highlight=False, emoji=False)
    cells = [["" if value is None else _as_text(value).translate(_CONTROL) for value in row] for row in rows]
    if is_terminal and sum(_least_width(columns, cells)) > console.width:
        _print_records(columns, cells)
    else:
        if not is_terminal:
            console.width = sum(_widths(columns, cells)) + 2
        console.print(_table(columns, rows, cells))
    click.echo(f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'}", err=True)


def _table(columns: Sequence[str], rows: Rows, cells: Sequence[Sequence[str]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for index, column in enumerate(columns):
        is_number = any(isinstance(row[index], int | float | Decimal) for row in rows[:50])
        table.add_column(Text(column), justify="right" if is_number else "left", overflow="fold")
    for row in cells:
        # What people wrote in chat is no markup.
        table.add_row(*(Text(cell) for cell in row))
    return table


def _widths(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    """Cells of the terminal that each column takes, with the room to the next."""
    from rich.cells import cell_len

    return [
        2 + max([cell_len(column), *(cell_len(line) for row in cells for line in row[index].split("\n"))])
        for index, column in enumerate(columns)
    ]


def _least_width(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    """The same when long values are folded."""
    return [min(width, _FOLDED_WIDTH) for width in _widths(columns, cells)]


def _print_records(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    width = max((len(column) for column in columns), default=0)
    for number, row in enumerate(cells, start=1):
        click.echo(f"── {number} " + "─" * width)
        for column, cell in zip(columns, row, strict=True):
            click.echo(f"{column:<{width}}  {cell}".rstrip())


def print_csv(columns: Sequence[str], rows: Rows) -> None:
    """Prints RFC 4180 CSV; instants in ISO 8601, lists and structs as JSON, NULL as nothing."""
    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    writer.writerows([None if value is None else _as_text(value) for value in row] for row in rows)


def print_json(columns: Sequence[str], rows: Rows) -> None:
    """Prints one JSON array of objects."""
    records = [{column: _plain(value) for column, value in zip(columns, row, strict=True)} for row in rows]
    click.echo(json.dumps(records, ensure_ascii=False, allow_nan=False))


PRINTERS: dict[str, Callable[[Sequence[str], Rows], None]] = {
    "table": print_table,
    "csv": print_csv,
    "json": print_json,
}


class ImportProgress:
    """A progress bar on a terminal; a line now and then where there is none; nothing when quiet.

    Args:
        is_quiet: For ``--json``.
    """

    def __init__(self, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._next_line_s = 0.0
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, done_bytes: int, total_bytes: int, event_count: int, path: Path) -> None:
        """Shows how far a file is."""
        if self._is_quiet:
            return
        if sys.stderr.isatty():
            self._draw(done_bytes, total_bytes, event_count, path)
        elif time.monotonic() >= self._next_line_s:
            self._next_line_s = time.monotonic() + 5
            share = done_bytes / total_bytes if total_bytes else 1.0
            click.echo(f"{path.name}: {share:.0%}, {event_count:,} events", err=True)

    def close(self) -> None:
        """Leaves the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _draw(self, done_bytes: int, total_bytes: int, event_count: int, path: Path) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            text = TextColumn("{task.description}  {task.fields[events]:,} events")
            self._bar = Progress(text, BarColumn(), TimeRemainingColumn(), console=Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task(path.name, total=total_bytes or None, events=0)
        self._bar.update(self._task, description=path.name, completed=done_bytes, events=event_count)


def say_merge(kind: str, day: str, row_count: int) -> None:
    """A line for each merge of a compaction, while the rest is still to come."""
    click.echo(f"{kind} {day}: {row_count:,} rows", err=True)


def import_words(summary: Any) -> str:
    """What an import did, a line a file.

    Args:
        summary: The importer's; it has ``files`` and the totals.
    """
    lines = []
    for file in summary.files:
        kinds = ", ".join(
            f"{count:,} {kind}" for kind, count in file.counts.items() if kind != "observations"
        )
        lines.append(f"{file.path.name} ({file.format}): {kinds or 'no events'}")
        lines.append(f"    {file.user_count:,} people, {file.reject_count:,} lines not understood")
        lines += [f"    {note}" for note in file.notes]
    if summary.reject_count:
        lines.append("Lines that were not understood are kept in the rejects folder, with the reason.")
    if summary.duplicate_count:
        lines.append(f"{summary.duplicate_count:,} events were in the lake already and were not added again.")
    if summary.is_interrupted:
        lines.append("Interrupted. Everything counted is safe; import again to go on.")
    return "\n".join(lines)


def _exit_code(error: StreamLensError) -> int:
    if isinstance(error, ConfigError):
        return EXIT_CONFIG
    if isinstance(error, LockedError):
        return EXIT_LOCKED
    return 2 if isinstance(error, QueryRefused) else EXIT_FAILED


def _plain(value: Any) -> Any:
    """A value as JSON has it: numbers stay numbers, and what JSON can't say (NaN) is null."""
    if isinstance(value, Decimal):
        # DuckDB's sums of whole numbers come as decimals.
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "nanoseconds"):
        return f"P{value.months}M{value.days}DT{value.nanoseconds / 1e9:g}S"
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return value if isinstance(value, int | str | bool | None) else str(value)


def _as_text(value: Any) -> str:
    """A value in a table or in CSV."""
    if isinstance(value, float | Decimal):
        return str(value)
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
