"""What ``communities`` does: reads, analyses, keeps, writes files, and says what it found."""

from __future__ import annotations

import hashlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click

from dashboard.cli_communities import Asked
from dashboard.cli_output import say
from dashboard.errors import JobCancelled, StreamLensError
from dashboard.events import now_us
from dashboard.supervisor import EXIT_FAILED

if TYPE_CHECKING:
    from dashboard.analytics.communities.inputs import EdgeList, Presence
    from dashboard.analytics.communities.model import MapRun
    from dashboard.config import Settings
    from dashboard.config_communities import CommunitiesConfig
    from dashboard.jobs.context import OpenTwitch
    from dashboard.storage.job_runs import JobRuns

EXIT_INTERRUPTED: Final = 130
_JOB: Final = "communities"


def analyse_files(settings: Settings, asked: Asked) -> None:
    """Makes a map of files."""
    from dashboard.analytics.communities.analyse import analyse
    from dashboard.config_communities import load_communities
    from dashboard.jobs.communities import services_of

    config = load_communities(asked.preset, asked.overrides)
    with _stoppable() as check:
        progress = StepProgress(asked.as_json, check)
        try:
            source, notes = _read(asked)
            run = analyse(
                source,
                config.params,
                run_id=_run_id(source, config),
                created_at=now_us(),
                seed=config.reading.seed,
                service_logins=services_of(settings.service_accounts_file),
                progress=progress,
            )
            files = _write(settings, asked, run, config, progress)
        finally:
            progress.close()
    if asked.is_kept and run.statistics.is_enough:
        notes = [*notes, _keep(settings, run, config)]
    _tell(asked, run, config, [*notes, *_against_published(source, run)], files)


def analyse_lake(settings: Settings, open_twitch: OpenTwitch | None, asked: Asked) -> int:
    """Makes a map of the lake, as the worker does it.

    Returns:
        The exit code.
    """
    from dashboard.cli_jobs import do_run
    from dashboard.config_communities import load_communities
    from dashboard.jobs.schedule import Worker
    from dashboard.storage.community_runs import CommunityRuns
    from dashboard.storage.store import Store

    config = load_communities(asked.preset, asked.overrides)
    began = now_us()
    worker = Worker(settings, open_twitch)
    try:
        with _followed(worker.runs, began, is_quiet=asked.as_json):
            done = do_run(worker, _JOB, _job_params(asked), is_quiet=True)
    finally:
        worker.close()
    if done.state != "ok":
        message = done.error or done.text
        say({"ok": False, "state": done.state, "message": message}, asked.as_json, f"{done.state}: {message}")
        return EXIT_INTERRUPTED if done.state in ("cancelled", "lost") else EXIT_FAILED
    store = Store(settings.data_dir, memory_mb=settings.query_memory_mb)
    try:
        runs = CommunityRuns(store)
        newest = runs.newest("lake")
        run = runs.load(newest.run_id, names=_names(settings)) if newest else None
    finally:
        store.close()
    if newest is None or run is None or newest.created_at < began:
        say({"ok": True, "run_id": None, "message": done.text}, asked.as_json, done.text)
        return 0
    _tell(asked, run, config, [], _write(settings, asked, run, config, StepProgress(True, lambda: None)))
    return 0


def bring_past(settings: Settings, import_surveys: Callable[[Settings], int], *, is_quiet: bool) -> None:
    """In the sandbox, where nothing was surveyed yet: its last weeks, which need no running server."""
    from dashboard.errors import LockedError
    from dashboard.storage.store import Store

    if not settings.is_sandbox:
        return
    store = Store(settings.data_dir)
    try:
        if store.watermark(["survey_captures"]):
            return
    finally:
        store.close()
    if not is_quiet:
        click.echo("Bringing the sandbox's last weeks in (invented data)", err=True)
    try:
        import_surveys(settings)
    except LockedError:
        return  # StreamLens is doing it; the analysis waits for it.


@contextmanager
def _followed(runs: JobRuns, began: int, *, is_quiet: bool) -> Iterator[None]:
    """Shows how far the job is while something else waits for it."""
    ended = threading.Event()

    def follow() -> None:
        shown = ""
        while not ended.wait(0.3):
            run = runs.last(_JOB)
            if run is not None and run.requested_at >= began and run.is_open and run.text != shown:
                shown = run.text
                click.echo(shown, err=True)

    thread = threading.Thread(target=follow, daemon=True)
    if not is_quiet:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if not is_quiet:
            thread.join(5)


def keep_analysing(settings: Settings, open_twitch: OpenTwitch | None, asked: Asked) -> None:
    """Makes a map of the lake again and again, until it is stopped; a failure does not end it."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    while not stop.is_set():
        began = time.monotonic()
        try:
            if analyse_lake(settings, open_twitch, asked) == EXIT_INTERRUPTED:
                return
        except StreamLensError as error:
            click.echo(str(error), err=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, on_signal)
        stop.wait(max(0.0, asked.every_s - (time.monotonic() - began)))


class StepProgress:
    """The six steps: one line that changes on a terminal, a line a step elsewhere, nothing when quiet.

    Args:
        is_quiet: For ``--json``.
        check: Raises when somebody asked to stop.
    """

    def __init__(self, is_quiet: bool, check: Callable[[], None]) -> None:
        self._is_quiet = is_quiet
        self._check = check
        self._last = ""
        self._width = 0

    def __call__(self, step: str, share: float) -> None:
        """Shows how far a step is."""
        from dashboard.analytics.communities.model import STEPS
        from dashboard.jobs.communities import WORDS

        self._check()
        if self._is_quiet:
            return
        line = f"{STEPS.index(step) + 1} of {len(STEPS)} · {WORDS[step]}"
        if sys.stderr.isatty():
            line = f"{line}  {share:.0%}"
            click.echo("\r" + line.ljust(self._width), nl=False, err=True)
            self._width = len(line)
        elif step != self._last:
            click.echo(line, err=True)
        self._last = step

    def close(self) -> None:
        """Leaves the terminal as it was."""
        if self._width:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)


@contextmanager
def _stoppable() -> Iterator[Callable[[], None]]:
    """Ctrl-C and SIGTERM end the work at its next step."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    def check() -> None:
        if stop.is_set():
            raise JobCancelled("Stopped. Files that were written are whole.")

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield check
    except JobCancelled as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_INTERRUPTED)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _read(asked: Asked) -> tuple[Presence | EdgeList, list[str]]:
    if asked.polls:
        from dashboard.community_io.polls import read_polls

        polls = read_polls(asked.polls)
        return polls.presence, list(polls.notes)
    if asked.gexf is not None:
        from dashboard.community_io.gexf import read_gexf

        found = read_gexf(asked.gexf)
    else:
        from dashboard.community_io.tables_edges import read_edges

        found = read_edges(asked.edges, asked.nodes)
    return found.edges, list(found.notes)


def _run_id(source: Presence | EdgeList, config: CommunitiesConfig) -> str:
    """The same for the same input and settings, so that names of communities are the same too."""
    import numpy as np

    told = hashlib.blake2b(repr((config.params, config.reading.seed)).encode(), digest_size=6)
    told.update(repr(source.channels.ids).encode("utf-8", "replace"))
    for name in ("channel_index", "chatter_index", "source", "target", "shared"):
        column = getattr(source, name, None)
        if column is not None:
            told.update(np.ascontiguousarray(column).tobytes())
    return f"import-{told.hexdigest()}"


def _write(
    settings: Settings,
    asked: Asked,
    run: MapRun,
    config: CommunitiesConfig,
    progress: Callable[[str, float], None],
) -> list[str]:
    """Writes the files where they were asked for, and those of an import where S3's copy is taken from."""
    from dashboard.community_io.outputs import NAMES, write_outputs
    from dashboard.jobs.communities import write_files

    folders: list[Path] = []
    is_enough = run.statistics.is_enough
    if asked.is_import and asked.is_kept and is_enough and (asked.out is None or settings.s3_bucket):
        folders.append(write_files(settings.data_dir, run, config, progress))
    if asked.out is not None:
        write_outputs(
            run,
            asked.out,
            preset=config.preset,
            names=[name for name in NAMES if name in (asked.only or NAMES)],
            on_file=lambda name: progress("compare", NAMES.index(name) / len(NAMES)),
        )
        folders.append(asked.out)
    return [str(folder) for folder in folders]


def _keep(settings: Settings, run: MapRun, config: CommunitiesConfig) -> str:
    from dashboard.errors import LockedError
    from dashboard.storage.community_runs import CommunityRuns, write_run
    from dashboard.storage.ingest import Ingest
    from dashboard.storage.store import Store

    store = Store(settings.data_dir)
    try:
        if CommunityRuns(store).load(run.run_id) is not None:
            return f"The same map is kept already ({run.run_id})."
    finally:
        store.close()
    try:
        with Ingest(settings.data_dir, "import-communities") as ingest:
            write_run(ingest, run, origin="import", preset=config.preset)
    except LockedError:
        return "Not kept in the lake: another import of a map is writing. Do it again for that."
    return f"Kept in the lake as {run.run_id}."


def _job_params(asked: Asked) -> dict[str, Any]:
    params: dict[str, Any] = dict(asked.overrides)
    if asked.preset:
        path = Path(asked.preset)
        # Another process may do it, in another folder.
        params["preset"] = str(path.absolute()) if path.is_file() else asked.preset
    return {name: list(value) if isinstance(value, tuple) else value for name, value in params.items()}


def _names(settings: Settings) -> dict[str, str]:
    from dashboard.storage.community_names import open_names

    names = open_names(settings)
    try:
        return names.names()
    finally:
        names.close()


def _against_published(source: Presence | EdgeList, run: MapRun) -> list[str]:
    """How the communities agree with those that a file brought along."""
    import numpy as np

    from dashboard.analytics.communities.scores import adjusted_rand, normalised_mutual_information

    published = getattr(source, "published", None)
    if published is None:
        return []
    told = dict(zip(source.channels.ids, published, strict=True))
    ours = run.nodes.community.tolist()
    both = [
        (told[channel_id], community)
        for channel_id, community in zip(run.nodes.channels.ids, ours, strict=True)
        if community >= 0 and told.get(channel_id)
    ]
    if len(both) < 2:
        return []
    theirs = np.unique([word for word, _ in both], return_inverse=True)[1].astype(np.int64)
    mine = np.array([community for _, community in both], dtype=np.int64)
    nmi, ari = normalised_mutual_information(theirs, mine), adjusted_rand(theirs, mine)
    return [
        f"The file's own communities: {len(set(theirs.tolist())):,}, over {len(both):,} channels that have "
        f"one in both; NMI {nmi:.2f}, ARI {ari:.2f}."
    ]


def _tell(
    asked: Asked, run: MapRun, config: CommunitiesConfig, notes: Sequence[str], files: Sequence[str]
) -> None:
    if asked.as_json:
        say(_summary(run, config, notes, files), True, "")
        return
    from dashboard.jobs.communities import lines_of, summary_of

    click.echo(summary_of(run))
    click.echo("")
    for line in (*lines_of(run, is_long=config.reading.verbose), *notes):
        click.echo(line)
    if not run.statistics.is_enough:
        click.echo("Too little for a map: fewer than three channels share enough people.")
    for folder in files:
        click.echo(f"Files in {folder}")


def _summary(
    run: MapRun, config: CommunitiesConfig, notes: Sequence[str], files: Sequence[str]
) -> dict[str, Any]:
    from dashboard.community_io.plain import to_plain

    told = asdict(replace(run.statistics, seconds=()))
    told.pop("seconds")
    return {
        "ok": True,
        "run_id": run.run_id,
        "preset": config.preset,
        "seed": run.seed,
        "statistics": to_plain(told),
        "communities": [
            {
                "key": community.key,
                "label": community.label,
                "size": community.size,
                "chatters": community.chatters,
                "stability": to_plain(community.stability),
                "coherence": to_plain(community.coherence),
            }
            for community in run.communities
        ],
        "left_out": dict(run.quality.left_out),
        "mended": to_plain(run.quality.mended),
        "sources": list(run.quality.sources),
        "notes": list(notes),
        "files": list(files),
        "seconds": dict(run.statistics.seconds),
    }
