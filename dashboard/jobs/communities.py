"""The map of communities: who was seen where, made into a map that is kept and matched with the last."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dashboard.errors import JobError, TwitchUnavailable
from dashboard.events import Instant
from dashboard.jobs.context import JobContext

if TYPE_CHECKING:
    from dashboard.analytics.communities.inputs import Presence
    from dashboard.analytics.communities.model import MapRun
    from dashboard.config_communities import CommunitiesConfig
    from dashboard.storage.store import Store

FOLDER: Final = "community-maps"
"""Under ``exports``; what is there is on S3 too when there is a bucket."""
KEPT_FOLDERS: Final = 7
SANDBOX_READING_S: Final = 60
"""How long each channel of the sandbox is read when there is nothing to make a map of yet."""
STEP: Final = 100
"""A run's progress counts to six times this."""
WORDS: Final = {
    "aggregate": "Who was seen where",
    "overlap": "Overlaps of channels",
    "communities": "Communities",
    "labels": "Labels",
    "layout": "Layout",
    "compare": "Comparing with the last map, files",
}
SANDBOX_STATUS: Final = "sandbox_surveys"
"""Says whether the sandbox's past surveys are still coming in, on the first start."""
_WAITS_S: Final = 120
_DAY_US: Final = 86_400 * 1_000_000


def communities(context: JobContext) -> str:
    """Makes a map of what was seen in the last days and keeps it.

    Params:
        ``preset`` names a preset or a YAML file, ``files=false`` writes none; every other one is a setting
        of the map (``min_shared=10``).
    """
    config = config_of(context.params)
    told = Steps(context)
    told("aggregate", 0.0)
    presence = _presence(context, config)
    if presence is None and context.settings.is_sandbox:
        if not _past_came_in(context):
            _look_around(context)
        presence = _presence(context, config)
    if presence is None:
        return (
            "Nothing to make a map of: nobody was seen in "
            f"{config.reading.period_days:g} days. Follow channels, or set SURVEY_CHANNEL_COUNT."
        )
    run = make_map(context, presence, config, told)
    if not run.statistics.is_enough:
        return (
            f"Too little for a map: {run.statistics.n_channels} channels with "
            f"{run.params.min_channel_chatters} people or more, {run.statistics.n_edges} overlaps of "
            f"{run.params.min_shared} people or more. Observe more channels, or longer."
        )
    keep(context, run, config)
    for line in lines_of(run, is_long=config.reading.verbose):
        context.handle.log(line)
    if str(context.params.get("files", "true")).lower() not in ("false", "no", "0"):
        write_files(context.settings.data_dir, run, config, told)
    told("compare", 1.0)
    return summary_of(run)


class Steps:
    """Tells how far a map is, by its six steps; stops where that is asked for."""

    def __init__(self, context: JobContext) -> None:
        from dashboard.analytics.communities.model import STEPS

        self._names = STEPS
        self._handle = context.handle

    def __call__(self, step: str, share: float) -> None:
        """Says so much of a step is done.

        Raises:
            JobCancelled: Somebody asked to stop.
        """
        self._handle.check()
        number = self._names.index(step)
        done = round((number + min(max(share, 0.0), 1.0)) * STEP)
        self._handle.progress(done, len(self._names) * STEP, f"{number + 1} of 6 · {WORDS[step]}")


def config_of(params: dict[str, Any]) -> CommunitiesConfig:
    """How the map is to be made, from what a run was told (always text, as the command line has it)."""
    from dashboard.config_communities import load_communities, read_texts

    told = {name: value for name, value in params.items() if name not in ("preset", "files")}
    return load_communities(str(params.get("preset") or ""), read_texts(told))


def make_map(
    context: JobContext, presence: Presence, config: CommunitiesConfig, progress: Callable[[str, float], None]
) -> MapRun:
    """A map of what was seen, matched with the last one that was made from the lake."""
    from dashboard.analytics.communities.analyse import analyse
    from dashboard.storage.community_names import open_names
    from dashboard.storage.community_runs import CommunityRuns

    runs, given = CommunityRuns(context.store), open_names(context.settings)
    names = given.names()
    given.close()
    newest = runs.newest("lake")
    now = context.now()
    return analyse(
        presence,
        config.params,
        run_id=new_run_id(now),
        created_at=now,
        seed=config.reading.seed,
        previous=runs.load(newest.run_id, names=names) if newest else None,
        names=names,
        service_logins=services_of(context.settings.service_accounts_file),
        progress=progress,
    )


def keep(context: JobContext, run: MapRun, config: CommunitiesConfig) -> None:
    """Writes a map to the lake."""
    from dashboard.storage.community_runs import write_run

    with context.ingest() as ingest:
        write_run(ingest, run, origin="lake", preset=config.preset)


def write_files(
    data_dir: Path, run: MapRun, config: CommunitiesConfig, progress: Callable[[str, float], None]
) -> Path:
    """Writes a map's files under ``exports``, where the copy to S3 takes them from; the oldest go."""
    from dashboard.community_io.outputs import NAMES, write_outputs

    folder = data_dir / "exports" / FOLDER / run.run_id
    write_outputs(
        run,
        folder,
        preset=config.preset,
        on_file=lambda name: progress("compare", NAMES.index(name) / len(NAMES)),
    )
    made = sorted(path for path in folder.parent.iterdir() if path.is_dir())
    for path in made[:-KEPT_FOLDERS]:
        shutil.rmtree(path, ignore_errors=True)
    return folder


def new_run_id(now: Instant) -> str:
    """A name for a run; names sort by time."""
    return f"{datetime.fromtimestamp(now / 1e6, UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def services_of(own_file: Path | None) -> frozenset[str]:
    """Logins and ids of known service accounts: the shipped list and the installation's own."""
    from dashboard.insights.chatters_services import ServiceAccounts

    return frozenset(ServiceAccounts(own_file).both())


def presence_of(store: Store, config: CommunitiesConfig, now: Instant) -> Presence | None:
    """Who was seen in the last days, as the settings say."""
    from dashboard.storage.community_presence import PresenceQuery, read_presence

    reading = config.reading
    return read_presence(
        store,
        PresenceQuery(
            Instant(int(now - reading.period_days * _DAY_US)),
            now,
            speakers_only=reading.seen == "speakers",
            with_survey=reading.sources in ("all", "survey"),
            with_chat=reading.sources in ("all", "chat"),
        ),
    )


def _presence(context: JobContext, config: CommunitiesConfig) -> Presence | None:
    found = presence_of(context.store, config, context.now())
    if (
        found is not None
        and context.settings.is_sandbox
        and not any(s.startswith("survey") for s in found.sources)
    ):
        return None  # Two or three followed channels are no map yet; the sandbox has more to show.
    return found


def _past_came_in(context: JobContext) -> bool:
    """Waits for the sandbox's past where it is on its way; False where it is not."""
    ends_s = time.monotonic() + _WAITS_S
    row = context.state.read_status(SANDBOX_STATUS)
    if row is None or context.now() - row.updated_at > _WAITS_S * 1_000_000:
        return False
    while row is not None and not row.payload.get("is_done") and time.monotonic() < ends_s:
        context.handle.check()
        context.handle.tell("1 of 6 · Waiting for the sandbox's last weeks")
        time.sleep(0.3)
        row = context.state.read_status(SANDBOX_STATUS)
    return row is not None and bool(row.payload.get("is_done"))


def _look_around(context: JobContext) -> None:
    try:
        asyncio.run(_read_sandbox(context))
    except TwitchUnavailable as error:
        raise JobError(
            f"There is nothing to make a map of yet, and the sandbox does not answer ({error}). "
            "Start it with StreamLens (python app.py), or alone (python app.py sandbox)."
        ) from None


async def _read_sandbox(context: JobContext) -> None:
    """A look at the chats of the invented platform, on the same way as the survey of the real one."""
    from dashboard.jobs.platform import kept_whole

    settings = context.settings
    context.handle.tell(f"1 of 6 · Reading the sandbox's chats, {SANDBOX_READING_S} s each")
    async with context.twitch() as twitch:
        with context.ingest() as ingest:
            count = await twitch.survey(
                settings.sandbox_channel_count,
                SANDBOX_READING_S / 60,
                (),
                kept_whole(ingest),
                _Telling(context, "1 of 6 · Reading the sandbox's chats: "),
            )
            ingest.flush()
    context.handle.log(f"{count} channels of the sandbox were read for {SANDBOX_READING_S} s each")


class _Telling:
    """A handle for a part of the work: its progress is told within the first step."""

    def __init__(self, context: JobContext, before: str) -> None:
        self._handle = context.handle
        self._before = before

    def progress(self, done: int, total: int | None, text: str) -> None:
        share = done / total if total else 0
        self._handle.progress(round(share * STEP * 0.5), 6 * STEP, self._before + text)

    def tell(self, text: str) -> None:
        self._handle.tell(self._before + text)

    def log(self, line: str) -> None:
        self._handle.log(line)

    def check(self) -> None:
        self._handle.check()


def summary_of(run: MapRun) -> str:
    """A map in one sentence."""
    from dashboard.community_io.words import number, percent, statement

    told = run.statistics
    return (
        f"{told.n_channels:,} channels: {told.n_channels - told.n_isolates:,} in {told.n_communities:,} "
        f"communities, {told.n_isolates:,} in none; "
        f"modularity {number(told.modularity)}, stability {percent(told.stability)}. {statement(run)}"
    )


def lines_of(run: MapRun, *, is_long: bool = False) -> list[str]:
    """A map in lines: its communities, how far they are to be believed, what was left out.

    Args:
        run: The map.
        is_long: Also every channel, and how long each step took.
    """
    from dashboard.community_io.words import counted, number, percent

    told, quality = run.statistics, run.quality
    lines = [
        f"{community.label}: {community.size:,} channels, {community.chatters:,} chatters, stability "
        f"{percent(community.stability)}, {community.fate} ({', '.join(community.top_channels[:3])})"
        for community in run.communities
    ]
    if run.communities:
        lines.append("Chatters are the sum of its channels': people in several are counted in each.")
    one = told.n_isolates == 1
    lines.append(
        f"{told.n_isolates:,} channel{'' if one else 's'} belong{'s' if one else ''} to no community."
    )
    lines.append(
        f"Modularity {number(told.modularity)}; {told.other_algorithm} finds {told.other_communities:,} "
        f"communities and agrees by {number(told.agreement)} (ARI); stability over {told.seeds} seeds "
        f"{percent(told.stability)}."
    )
    if told.edges_dropped:
        lines.append(
            f"The {len(run.edges):,} strongest overlaps are kept with the map and in its files; "
            f"{told.edges_dropped:,} weaker ones above the threshold are not (max_edges_kept)."
        )
    left_out = [(name, count) for name, count in quality.left_out if count]
    if left_out:
        lines.append("Left out: " + ", ".join(counted(count, name) for name, count in left_out) + ".")
    if quality.sources:
        lines.append("From " + "; ".join(quality.sources) + ".")
    if is_long:
        lines += [f"{step}: {seconds:.2f} s" for step, seconds in told.seconds]
        channels = run.nodes.channels
        for place, login in enumerate(channels.logins):
            community = int(run.nodes.community[place])
            label = run.communities[community].label if community >= 0 else "–"
            lines.append(f"{login}: {label}, {int(run.nodes.degree[place])} overlaps")
    return lines
