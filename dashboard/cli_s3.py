"""``sync``, ``restore`` and ``export`` on the command line."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import click

from dashboard.cli_commands import checked_settings
from dashboard.cli_output import errors_said_plainly, say
from dashboard.errors import ConfigError, JobCancelled
from dashboard.supervisor import EXIT_FAILED

EXIT_INTERRUPTED = 130
_DAY = click.DateTime(formats=["%Y-%m-%d"])
_LINE_EVERY_S = 5
_NO_BUCKET = "S3_BUCKET: not set. Set it to the bucket's name (.env.example says more)."


class TransferProgress:
    """How far a transfer is: one line that changes on a terminal, a line now and then elsewhere.

    Args:
        is_quiet: For ``--json``.
    """

    def __init__(self, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._next_line_s = 0.0
        self._width = 0

    def __call__(self, done: int, total: int, text: str) -> None:
        """Shows it."""
        if self._is_quiet:
            return
        line = f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB  {text}" if total else text
        if sys.stderr.isatty():
            click.echo("\r" + line.ljust(self._width), nl=False, err=True)
            self._width = len(line)
        elif time.monotonic() >= self._next_line_s:
            self._next_line_s = time.monotonic() + _LINE_EVERY_S
            click.echo(line, err=True)

    def close(self) -> None:
        """Leaves the terminal as it was."""
        if self._width:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM end the work in order; what is done is noted."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except JobCancelled as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_INTERRUPTED)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def sync(as_json: bool) -> None:
    """Bring the copy on S3 up to date now: the lake, raw notifications, rejects, reports, exports and
    a copy of the state.

    The worker does the same every half minute; this is for when it does not run, and before a disk
    is given away. What is there already is not sent again.
    """
    with errors_said_plainly(as_json), _stopped_by_signals() as stop:
        from dashboard.storage.sync import sync_once, target_of

        settings = checked_settings()
        if not settings.s3_bucket:
            raise ConfigError(_NO_BUCKET)
        progress = TransferProgress(as_json)
        try:
            done = sync_once(settings, on_progress=progress, is_cancelled=stop.is_set, everything=True)
        finally:
            progress.close()
        words = (
            f"{done.uploaded_count:,} files ({done.uploaded_bytes / 1e6:,.1f} MB) went to "
            f"{target_of(settings)}, {done.deleted_count:,} old ones were removed there. "
            f"{done.synced_count:,} of {done.live_count:,} files of the lake are on S3."
        )
        say({"ok": True, "target": target_of(settings), **asdict(done)}, as_json, words)


@click.command()
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="A data folder to restore into.  [default: DATA_DIR]",
)
@click.option("--from-date", type=_DAY, metavar="YYYY-MM-DD", help="Only from this UTC day on.")
@click.option("--to-date", type=_DAY, metavar="YYYY-MM-DD", help="Only up to this UTC day.")
@click.option("--kinds", help="Only these kinds of events, with commas between.")
@click.option("--merge", is_flag=True, help="Also into a folder with events: they stay, none is doubled.")
@click.option("--with-state", is_flag=True, help="Also accounts, followed channels, encrypted logins.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def restore(
    to: Path | None,
    from_date: datetime | None,
    to_date: datetime | None,
    kinds: str | None,
    merge: bool,
    with_state: bool,
    as_json: bool,
) -> None:
    """Bring the lake back from S3: all of it, or some days and kinds.

    Every file is checked against its hash. Cut off, it goes on where it was when it is called again.
    What is back can be queried at once (with DATA_DIR set to the folder).
    """
    with errors_said_plainly(as_json), _stopped_by_signals() as stop:
        from dashboard.storage.restore import Wanted, restore

        settings = checked_settings()
        wanted = Wanted(_day(from_date), _day(to_date), _kinds(kinds), with_state)
        progress = TransferProgress(as_json)
        try:
            done = restore(
                settings,
                to=to,
                wanted=wanted,
                merge=merge,
                on_progress=progress,
                is_cancelled=stop.is_set,
            )
        finally:
            progress.close()
        say({"ok": not done.damaged, **asdict(done)}, as_json, _restore_words(done, to or settings.data_dir))
        if done.damaged:
            sys.exit(EXIT_FAILED)


@click.command("export")
@click.option("--date", "day", type=_DAY, metavar="YYYY-MM-DD", help="UTC day.  [default: all that is due]")
@click.option("--channels", help="Only these channels, with commas between.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def export_(day: datetime | None, channels: str | None, as_json: bool) -> None:
    """Write a day's events as CSV and JSON, a file a channel and kind, into exports/ of the data folder.

    With S3 they go up with the next sync.
    """
    with errors_said_plainly(as_json), _stopped_by_signals() as stop:
        from dashboard.config import parse_channels
        from dashboard.storage.exports import export_day, export_due

        settings = checked_settings()
        progress = TransferProgress(as_json)
        try:
            rooms = parse_channels(channels.split(",")) if channels else None
        except ValueError as error:
            raise click.UsageError(f"--channels: {error}.") from None
        options: dict[str, Any] = {"on_progress": progress, "is_cancelled": stop.is_set}
        try:
            if day is None and rooms is None:
                done = export_due(settings, **options)
            else:
                yesterday = datetime.now(UTC).date() - timedelta(days=1)
                done = export_day(settings, _day(day) or str(yesterday), rooms, **options)
        finally:
            progress.close()
        words = (
            f"{done.file_count:,} files with {done.row_count:,} events written, "
            f"{done.unchanged_count:,} were up to date, {done.removed_count:,} removed. "
            f"They are in {settings.data_dir / 'exports'}."
        )
        say({"ok": True, **asdict(done)}, as_json, words)


def _day(value: datetime | None) -> str | None:
    return str(date(value.year, value.month, value.day)) if value else None


def _kinds(text: str | None) -> tuple[str, ...]:
    from dashboard.events import KINDS

    kinds = tuple(filter(None, (part.strip() for part in (text or "").split(","))))
    for kind in kinds:
        if kind not in KINDS:
            raise click.UsageError(f"--kinds: there is no kind “{kind}” (there are {', '.join(KINDS)}).")
    return kinds


def _restore_words(done: Any, data_dir: Path) -> str:
    lines = [
        f"{done.row_count:,} events in {done.file_count:,} files ({done.byte_count / 1e6:,.1f} MB) "
        f"are back in {data_dir}; {done.known_count:,} files were here already."
    ]
    if done.duplicate_count:
        lines.append(f"{done.duplicate_count:,} events were here already and were not added again.")
    if done.other_count:
        lines.append(f"{done.other_count:,} other files (raw notifications, rejects, reports, exports).")
    if done.is_state_restored:
        lines.append("The state is back.")
    lines += done.notes
    if done.damaged:
        lines.append(f"{len(done.damaged)} objects on S3 are damaged or gone and were left out:")
        lines += [f"    {name}" for name in done.damaged]
        lines.append("Where the bucket keeps versions, bring older ones back, and restore again.")
    elif done.is_adopted:
        lines.append("The next sync goes on from here.")
    return "\n".join(lines)
