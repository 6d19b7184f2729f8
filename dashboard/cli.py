"""The command line: what ``python app.py`` can do, told like a manual.

Parts that live outside ``dashboard`` (the collectors, the pages) come in through :class:`Parts`;
``app.py`` wires them. Heavy imports wait until a command needs them: ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli_accounts import accounts
from dashboard.cli_capture import capture_command
from dashboard.cli_commands import check, checked_settings, compact, query, sandbox
from dashboard.cli_communities import communities_command
from dashboard.cli_jobs import jobs_commands
from dashboard.cli_login import LogIn, LogOut, login_commands
from dashboard.cli_output import (
    ImportProgress,
    errors_said_plainly,
    import_words,
    say,
)
from dashboard.cli_s3 import export_, restore, sync
from dashboard.cli_state import migrate
from dashboard.supervisor import Child, Supervisor, end_with_parent

if TYPE_CHECKING:
    from dashboard.config import Settings
    from dashboard.jobs.context import OpenTwitch

_EPILOG = """\b
Exit codes
  0   done
  1   failed; the message says what, and what is safe
  2   wrong use of the command line
  75  another process already writes to the data folder
  78  a setting is missing or wrong
  130 stopped by Ctrl-C before the end; what was done is safe

\b
Settings come from the environment, a .env file or streamlens.yaml; .env.example
documents each. With none at all, everything runs on the sandbox: a local
stand-in for Twitch.
"""


EXIT_INTERRUPTED = 130
"""As the shell says it of a program that Ctrl-C ended, so that ``import … && …`` stops there."""

_WORKER_AFTER_S = 5


@dataclass(frozen=True, slots=True)
class Parts:
    """What ``app.py`` brings to the command line."""

    app: Path
    serve_web: Callable[[Settings], None]
    run_collector: Callable[[Settings, Sequence[str]], None]
    import_files: Callable[..., Any]
    import_history: Callable[[Settings], int]
    open_twitch: OpenTwitch | None = None
    log_in: LogIn | None = None
    log_out: LogOut | None = None
    find_rooms: Callable[..., Any] | None = None
    import_surveys: Callable[[Settings], int] | None = None


def build_cli(parts: Parts) -> click.Group:
    """Makes the command line.

    Args:
        parts: The entry points that live outside ``dashboard``.

    Returns:
        A click group; called without a command it runs everything.
    """

    @click.group(invoke_without_command=True, epilog=_EPILOG, context_settings={"max_content_width": 100})
    @click.version_option("0.1.0", prog_name="StreamLens")
    @click.pass_context
    def cli(context: click.Context) -> None:
        """StreamLens: self-hosted Twitch analytics.

        Without a command it runs everything on this machine: the web server, the collector and
        the worker (and the sandbox, if no channel is set), each restarted when it dies. Ctrl-C
        stops them cleanly.
        """
        if context.invoked_subcommand is None:
            with errors_said_plainly():
                sys.exit(_run_all(parts))

    for command in (
        _import_command(parts),
        _collect_command(parts),
        _web_command(parts),
        _history_command(parts),
        *jobs_commands(parts.open_twitch),
        communities_command(parts.open_twitch, parts.import_surveys),
        sandbox,
        query,
        accounts,
        compact,
        sync,
        restore,
        export_,
        check,
        migrate,
        capture_command(parts.open_twitch, parts.find_rooms),
    ):
        cli.add_command(command)
    if parts.log_in and parts.log_out:
        for command in login_commands(parts.log_in, parts.log_out):
            cli.add_command(command)
    return cli


def _run_all(parts: Parts) -> int:
    from dashboard.auth.guard import check_doors

    settings = checked_settings(serves=True)
    check_doors(settings)
    # The worker has nothing to do yet; until it starts, the page opens sooner.
    later_s = time.monotonic() + _WORKER_AFTER_S
    children = [
        Child("web", ["web"]),
        Child("collector", ["collect"]),
        Child("worker", ["work"], start_after_s=later_s),
    ]
    if settings.is_sandbox:
        children.insert(0, Child("sandbox", ["sandbox"]))
        if _is_first_start(settings):
            children.append(Child("history", ["history"], runs_once=True))
    host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0") else settings.host
    where = f"http://{host}:{settings.port}"
    source = "the sandbox (invented data)" if settings.is_sandbox else ", ".join(settings.twitch_channels)
    click.echo(f"StreamLens opens at {where}  ·  reading {source or 'the channels you add'}  ·  Ctrl-C stops")
    return Supervisor(parts.app, children).run()


def _is_first_start(settings: Settings) -> bool:
    from dashboard.jobs.communities import SANDBOX_STATUS
    from dashboard.sandbox import World
    from dashboard.storage.state import State
    from dashboard.storage.store import Store

    state = State(settings.data_dir, settings.database_url.get_secret_value())
    is_first = not state.followed() and not Store(settings.data_dir).totals()
    if is_first:
        home = World(settings.sandbox_seed, settings.sandbox_channel_count).home
        state.follow([channel.login for channel in home], by="sandbox")
        state.write_status(SANDBOX_STATUS, {"is_done": False})
    state.close()
    return is_first


def _import_command(parts: Parts) -> click.Command:
    @click.command("import")
    @click.argument(
        "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
    )
    @click.option("--channel", help="Login of the channel, where the file does not tell it.")
    @click.option(
        "--speed",
        default="max",
        show_default=True,
        help="max, or how many times faster than it happened: 1 replays in real time into the Live page.",
    )
    @click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
    def import_(files: tuple[Path, ...], channel: str | None, speed: str, as_json: bool) -> None:
        """Read recordings: raw IRC lines, recent-messages JSON, TwitchDownloader and VOD chat JSON,
        Chatty logs, rustlog or justlog text, CSV; also gzipped.

        The format is told by the content. The events are the same as live ones; importing the same
        file again adds nothing.
        """
        with errors_said_plainly(as_json):
            login, times = _one_channel(channel), _speed(speed)
            settings = checked_settings()
            summary = _import(parts, settings, files, login, times, as_json)
            say({"ok": not summary.is_interrupted, **summary.as_dict()}, as_json, import_words(summary))
            if summary.is_interrupted:
                sys.exit(EXIT_INTERRUPTED)

    return import_


def _collect_command(parts: Parts) -> click.Command:
    @click.command()
    @click.argument("channels", nargs=-1)
    def collect(channels: tuple[str, ...]) -> None:
        """Run only the collector: chat (and viewer counts, with credentials) into the lake.

        CHANNELS are followed besides those in TWITCH_CHANNELS and those added on the page.
        """
        with errors_said_plainly():
            from dashboard.config import parse_channels

            end_with_parent()
            settings = checked_settings(serves=True)
            try:
                logins = parse_channels(list(channels))
            except ValueError as error:
                raise click.UsageError(str(error)) from None
            parts.run_collector(settings, logins)

    return collect


def _web_command(parts: Parts) -> click.Command:
    @click.command()
    def web() -> None:
        """Run only the web server."""
        with errors_said_plainly():
            end_with_parent()
            parts.serve_web(checked_settings(serves=True))

    return web


def _history_command(parts: Parts) -> click.Command:
    @click.command(hidden=True)
    def history() -> None:
        """Bring the sandbox's last hours (home channels) and weeks (surveys) in."""
        with errors_said_plainly():
            end_with_parent()
            settings = checked_settings()
            parts.import_history(settings)
            if hasattr(os, "nice"):
                os.nice(10)  # The pages come first.
            if parts.import_surveys is not None:
                parts.import_surveys(settings)

    return history


def _import(
    parts: Parts,
    settings: Settings,
    files: tuple[Path, ...],
    channel: str | None,
    speed: float | None,
    is_quiet: bool,
) -> Any:
    from dashboard.storage.ingest import Ingest
    from dashboard.storage.recovery import read_opt_out

    opt_out = read_opt_out(settings.opt_out_file) if settings.opt_out_file else frozenset()
    progress = ImportProgress(is_quiet)
    try:
        with Ingest(settings.data_dir, "import", dedupe_against_lake=True, opt_out=opt_out) as ingest:
            return parts.import_files(
                list(files), channel=channel, speed=speed, ingest=ingest, on_progress=progress
            )
    finally:
        progress.close()


def _one_channel(text: str | None) -> str | None:
    from dashboard.config import parse_channels

    if text is None:
        return None
    try:
        logins = parse_channels([text])
    except ValueError as error:
        raise click.UsageError(f"--channel: {error}.") from None
    if not logins:
        raise click.UsageError("--channel is empty: give the login of the channel.")
    return logins[0]


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e6:
        raise click.UsageError(f"--speed {text}: give max, or a number above 0 such as 1 or 10.")
    return speed
