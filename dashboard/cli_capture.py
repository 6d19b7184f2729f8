"""``python app.py capture``: who is in a chat now, from the command line."""

from __future__ import annotations

import signal
import sys
import threading
import time
from contextlib import closing
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli_commands import checked_settings
from dashboard.cli_output import errors_said_plainly, say
from dashboard.config import parse_channels
from dashboard.errors import ConfigError, JobError
from dashboard.supervisor import EXIT_FAILED

if TYPE_CHECKING:
    from dashboard.config import Settings
    from dashboard.jobs.capture_orders import CaptureOrders, CaptureRoom, FindRooms
    from dashboard.jobs.context import OpenTwitch
    from dashboard.jobs.schedule import Worker
    from dashboard.storage.captures import Capture

EXIT_INTERRUPTED = 130
_BEAT_EVERY_S = 2
_LOOK_EVERY_S = 0.2


def capture_command(open_twitch: OpenTwitch | None, find_rooms: Any) -> click.Command:
    """The command.

    Args:
        open_twitch: Gives jobs their access to Twitch.
        find_rooms: Asks Twitch, with settings, for the channels behind logins.

    Returns:
        ``capture``.
    """

    @click.command()
    @click.argument("channel")
    @click.option(
        "--source",
        type=click.Choice(["connected", "spoke"]),
        default="connected",
        show_default=True,
        help="Everybody connected (needs a login that owns or moderates the channel), or who spoke lately.",
    )
    @click.option(
        "--minutes",
        type=click.IntRange(1, 1440),
        default=10,
        show_default=True,
        help="How far back for spoke.",
    )
    @click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
    def capture(channel: str, source: str, minutes: int, as_json: bool) -> None:
        """List who is in a chat, with the ages of their accounts.

        What is found is kept in the lake and shown on the Chatters page. Ctrl-C cancels it.

        \b
        python app.py capture somechannel
        python app.py capture somechannel --source spoke --minutes 30 --json
        """
        with errors_said_plainly(as_json):
            settings = checked_settings()
            window_s = minutes * 60 if source == "spoke" else None
            sys.exit(_capture(settings, open_twitch, find_rooms, channel, source, window_s, as_json))

    return capture


def _capture(
    settings: Settings,
    open_twitch: OpenTwitch | None,
    find_rooms: Any,
    channel: str,
    source: str,
    window_s: int | None,
    as_json: bool,
) -> int:
    from functools import partial

    from dashboard.access import LOCAL
    from dashboard.jobs.capture_orders import open_capture_orders
    from dashboard.jobs.schedule import Worker

    asks: FindRooms = partial(find_rooms, settings)
    worker = Worker(settings, open_twitch)
    with closing(worker), closing(open_capture_orders(settings, asks)) as orders:
        if settings.is_sandbox and not worker.vault.all():
            _log_in(worker)
        room = _room(orders, channel)
        asked = orders.ask(room.room_id, source, LOCAL, window_s)
        ended = _do(worker, orders, asked, is_quiet=as_json)
        summary = {
            "ok": ended.is_complete,
            "capture_id": ended.capture_id,
            "channel": ended.room_login,
            "source": ended.source,
            "window_s": ended.window_s,
            "state": ended.state,
            "people": ended.listed_count,
            "ages_known": ended.known_count,
            "ages_unknown": ended.unknown_count,
            "message": ended.error,
        }
        what = "connected" if source == "connected" else f"spoke in the last {(window_s or 0) // 60} min"
        words = f"{ended.listed_count:,} {what}, ages of {ended.known_count:,} known. {ended.capture_id}"
        say(summary, as_json, words if ended.is_complete else f"{ended.state}: {ended.error}")
    if ended.state == "cancelled":
        return EXIT_INTERRUPTED
    return 0 if ended.is_complete else EXIT_FAILED


def _room(orders: CaptureOrders, channel: str) -> CaptureRoom:
    from dashboard.access import LOCAL

    try:
        (login,) = parse_channels([channel])
    except (ConfigError, ValueError):
        raise click.UsageError(f"“{channel}” is not one channel.") from None
    room = next((room for room in orders.rooms(LOCAL) if room.room_login == login), None)
    if room is None:
        raise JobError(
            f"{login} is neither collected here nor a channel of somebody who has logged in. "
            f"Collect it (python app.py collect {login}) or log in (python app.py login)."
        )
    return room


def _log_in(worker: Worker) -> None:
    """The sandbox's streamer, as the worker does it at its start."""
    from dashboard.cli_jobs import do_run

    do_run(worker, "tokens", {}, is_quiet=True)


def _do(worker: Worker, orders: CaptureOrders, asked: Capture, *, is_quiet: bool) -> Capture:
    """Does it here, unless a worker is at it; says how far it is."""
    from dashboard.access import LOCAL
    from dashboard.jobs.runner import execute

    def on_signal(number: int, frame: FrameType | None) -> None:
        orders.cancel(asked.capture_id, LOCAL)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    run = worker.runs.claim(worker.name, names=["capture"])
    thread = None
    if run is not None:
        spec, work = worker.specs[run.name], worker.work_of(run.name)
        arguments = (run, spec, work, worker.runs, worker.context)
        thread = threading.Thread(target=execute, args=arguments, daemon=True)
        thread.start()
    told, beaten_s = "", 0.0
    try:
        while (found := orders.get(asked.capture_id, LOCAL)).is_open or (thread and thread.is_alive()):
            if run is not None and time.monotonic() - beaten_s > _BEAT_EVERY_S:
                worker.runs.beat(worker.name, [run.run_id])
                beaten_s = time.monotonic()
            words = f"{found.state}: {found.listed_count:,} people, ages of {found.known_count:,} known"
            if words != told and not is_quiet:
                click.echo(words, err=True)
            told = words
            if run is not None and not (thread and thread.is_alive()) and found.is_open:
                break  # It could not go on; the worker does, when there is one.
            time.sleep(_LOOK_EVERY_S)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if run is not None and (ended := worker.runs.get(run.run_id)) is not None and found.is_open:
        raise JobError(f"{ended.error or ended.text} It waits, and is gone on with by the worker.")
    return found
