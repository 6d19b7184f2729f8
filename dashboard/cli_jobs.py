"""The command line's part about jobs: the worker, what there is to do, and doing it now."""

from __future__ import annotations

import signal
import sys
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli_commands import checked_settings
from dashboard.cli_output import errors_said_plainly, print_table, say
from dashboard.errors import JobError, StorageError
from dashboard.supervisor import EXIT_FAILED, end_with_parent

if TYPE_CHECKING:
    from dashboard.config import Settings
    from dashboard.jobs.context import OpenTwitch
    from dashboard.jobs.schedule import Worker
    from dashboard.storage.job_runs import JobRun

EXIT_INTERRUPTED = 130
BY_COMMAND = "command line"
_BEAT_EVERY_S = 2


def jobs_commands(open_twitch: OpenTwitch | None) -> list[click.Command]:
    """The worker and the jobs.

    Args:
        open_twitch: Gives jobs their access to Twitch.

    Returns:
        ``work`` and ``jobs``.
    """

    @click.command()
    def work() -> None:
        """Run only the worker: jobs by the clock and by button, compaction and retention."""
        with errors_said_plainly():
            from dashboard.jobs.schedule import run_worker

            end_with_parent()
            run_worker(checked_settings(serves=True), open_twitch)

    @click.group()
    def jobs() -> None:
        """List the jobs, or do one now."""

    @jobs.command("list")
    @click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
    def list_(as_json: bool) -> None:
        """Say what jobs there are, when they run, how they went, and why one can't run."""
        with errors_said_plainly(as_json):
            _list(checked_settings(), as_json)

    @jobs.command()
    @click.argument("name")
    @click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="For jobs that take any.")
    @click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
    def run(name: str, params: tuple[str, ...], as_json: bool) -> None:
        """Do one job now, in this process. NAME is one of `jobs list`.

        \b
        python app.py jobs run followers
        python app.py jobs run report --param day=2026-03-01
        """
        with errors_said_plainly(as_json):
            sys.exit(_run(checked_settings(), open_twitch, name, _pairs(params), as_json))

    return [work, jobs]


def _list(settings: Settings, as_json: bool) -> None:
    from dashboard.insights.jobs import JobsInsights
    from dashboard.storage.job_runs import JobRuns
    from dashboard.storage.state import State
    from dashboard.storage.tokens import open_vault
    from dashboard.ui import text

    url = settings.database_url.get_secret_value()
    insights = JobsInsights(
        settings, JobRuns(settings.data_dir, url), State(settings.data_dir, url), open_vault(settings)
    )
    overview = insights.overview()
    if as_json:
        say({"ok": True, "jobs": [card.as_dict() for card in overview.cards]}, True, "")
        return
    rows = []
    for card in overview.cards:
        ago = "never" if card.last_at is None else f"{text.span((overview.now - card.last_at) / 1e6)} ago"
        rows.append((card.name, card.rhythm, card.state, ago, card.why_not or card.last_text))
    print_table(("name", "when", "state", "last run", "what"), rows)


def _run(
    settings: Settings, open_twitch: OpenTwitch | None, name: str, params: dict[str, Any], as_json: bool
) -> int:
    from dashboard.jobs.needs import why_not
    from dashboard.jobs.schedule import Worker

    worker = Worker(settings, open_twitch)
    try:
        spec = worker.specs.get(name)
        if spec is None or not spec.is_startable:
            names = ", ".join(known.name for known in worker.specs.values() if known.is_startable)
            raise JobError(f"There is no job “{name}” to start. There are {names}.")
        obstacle = why_not(spec, settings, worker.vault)
        if obstacle is not None:
            raise JobError(f"{obstacle.text} {obstacle.cure}")
        run = do_run(worker, name, params, is_quiet=as_json)
        summary = {
            "ok": run.state == "ok",
            "name": name,
            "run_id": run.run_id,
            "state": run.state,
            "text": run.text,
            "message": run.error,
            "duration_s": run.duration_s,
        }
        say(summary, as_json, f"{run.state}: {run.error or run.text}")
        if run.state in ("cancelled", "lost"):
            return EXIT_INTERRUPTED
        return 0 if run.state == "ok" else EXIT_FAILED
    finally:
        worker.close()


def do_run(worker: Worker, name: str, params: dict[str, Any], *, is_quiet: bool) -> JobRun:
    """Asks for the run and does it here, unless a worker was faster: then watches it."""
    from dashboard.jobs.runner import execute

    runs = worker.runs
    run_id = runs.request(name, params, BY_COMMAND)
    stop, ended = threading.Event(), threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()
        runs.cancel(run_id)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    claimed = runs.claim(worker.name, run_id=run_id)
    watcher = threading.Thread(target=_watch, args=[worker, run_id, ended, is_quiet], daemon=True)
    watcher.start()
    try:
        if claimed is not None:
            execute(claimed, worker.specs[name], worker.work_of(name), runs, worker.context)
        while (run := runs.get(run_id)) is not None and run.is_open:
            time.sleep(0.2)
    finally:
        ended.set()
        watcher.join(5)
        for number, handler in before.items():
            signal.signal(number, handler)
    if run is None:
        raise JobError(f"The run of “{name}” is gone from the list.")
    return run


def _watch(worker: Worker, run_id: str, ended: threading.Event, is_quiet: bool) -> None:
    """Keeps the run alive in the eyes of workers, and shows its log."""
    shown = 0
    while not ended.wait(_BEAT_EVERY_S / 4):
        try:
            worker.runs.beat(worker.name, [run_id])
            shown = _show(worker, run_id, shown, is_quiet)
        except StorageError as error:
            click.echo(str(error), err=True)
    _show(worker, run_id, shown, is_quiet)


def _show(worker: Worker, run_id: str, shown: int, is_quiet: bool) -> int:
    lines = worker.runs.lines(run_id)
    for line in [] if is_quiet else lines[shown:]:
        click.echo(line.line, err=True)
    return len(lines)


def _pairs(params: tuple[str, ...]) -> dict[str, Any]:
    pairs = {}
    for param in params:
        name, sign, value = param.partition("=")
        if not sign or not name:
            raise click.UsageError(f"--param {param}: write NAME=VALUE.")
        pairs[name] = value
    return pairs
