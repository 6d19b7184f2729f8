"""What works and what does not: the checks behind ``python app.py check``.

Each check answers one question with what was found and, where it is not well, what to do. They
run side by side and give up after seconds; none of them changes anything that stays.
"""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dashboard.config import Settings
from dashboard.config_rules import CURES
from dashboard.config_sources import misspelt_names
from dashboard.storage.catalog import Catalog
from dashboard.storage.lake import LakePaths

Status = Literal["ok", "warn", "fail", "off"]

_TIMEOUT_S = 20.0
"""For one check; its parts have shorter ones of their own."""
_LOW_DISK_BYTES = 2 * 1024**3
_FULL_DISK_BYTES = 200 * 1024**2
_JOURNAL_IS_LEFT_AFTER_S = 10


@dataclass(frozen=True, slots=True)
class Check:
    """One answer: ``fail`` keeps something from working that was asked for, ``off`` was not asked for."""

    name: str
    status: Status
    detail: str
    cure: str = ""


Probe = Callable[[Settings], Awaitable[Check]]


def run_checks(settings: Settings) -> list[Check]:
    """Checks everything.

    Args:
        settings: As they were loaded; wrong ones never get here.

    Returns:
        The answers, always in the same order.
    """
    return asyncio.run(check_all(settings))


async def check_all(settings: Settings) -> list[Check]:
    """:func:`run_checks` for a running event loop."""
    from dashboard.health_s3 import check_s3
    from dashboard.health_twitch import check_api, check_chat, check_chat_token, check_clock

    probes: dict[str, Probe] = {
        "Settings": _in_thread(check_settings),
        "Web address": _in_thread(check_web_address),
        "Data folder": _in_thread(check_data_folder),
        "Disk space": _in_thread(check_disk_space),
        "Lake": _in_thread(check_lake),
        "Journal": _in_thread(check_journal),
        "State database": _in_thread(check_state),
        "Twitch chat": check_chat,
        "Chat token": check_chat_token,
        "Twitch API": check_api,
        "Clock": check_clock,
        "S3": _in_thread(check_s3),
    }
    return list(await asyncio.gather(*(_limited(name, probe, settings) for name, probe in probes.items())))


def _in_thread(check: Callable[[Settings], Check]) -> Probe:
    async def probe(settings: Settings) -> Check:
        return await asyncio.to_thread(check, settings)

    return probe


async def _limited(name: str, probe: Probe, settings: Settings) -> Check:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await probe(settings)
    except TimeoutError:
        return Check(name, "fail", f"no answer within {_TIMEOUT_S:g} s", "Try again; look at the network.")
    except Exception as error:  # one broken check must not hide the others; no text: it may hold a secret
        return Check(name, "fail", f"the check itself failed ({type(error).__name__})", "Please report this.")


def check_settings(settings: Settings) -> Check:
    """Where the data comes from, and whether a name in ``.env`` looks misspelt."""
    name = "Settings"
    if wrong := misspelt_names(Settings.model_fields):
        detail = ", ".join(f"{written} (meant {meant}?)" for written, meant in wrong.items())
        return Check(name, "warn", f"not settings: {detail}", "Correct the name in .env or the environment.")
    if settings.is_sandbox:
        detail = "the sandbox stands in for Twitch; set TWITCH_CHANNELS to read real chat"
    elif settings.twitch_channels:
        detail = f"Twitch, following {', '.join(settings.twitch_channels)} from the start"
    else:
        detail = "Twitch; channels are followed on the Live page, or by TWITCH_CHANNELS"
    return Check(name, "ok", detail)


def check_web_address(settings: Settings) -> Check:
    """Who can reach the pages."""
    name, address = "Web address", f"http://{settings.host}:{settings.port}"
    if _is_loopback(settings.host):
        return Check(name, "ok", f"{address}, for this machine only")
    return Check(
        name,
        "warn",
        f"{address}: anybody who reaches this port sees everything, there is no login yet",
        "Set HOST=127.0.0.1, or put a proxy with a login in front.",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_data_folder(settings: Settings) -> Check:
    """Whether data can be written; makes the folder if it is not there."""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=".check-") as file:
            file.write(b"x" * 4096)
            file.flush()
    except OSError as error:
        return Check("Data folder", "fail", f"{folder}: {error.strerror}", CURES["data_dir"])
    return Check("Data folder", "ok", f"{folder.absolute()} is writable")


def check_disk_space(settings: Settings) -> Check:
    """How much room is left for collecting."""
    absolute = settings.data_dir.absolute()
    place = next(path for path in (absolute, *absolute.parents) if path.exists())
    free = shutil.disk_usage(place).free
    detail = f"{size_in_words(free)} free for {absolute}"
    cure = "Free some space, shorten RETENTION_DAYS, or move DATA_DIR to a larger disk."
    if free < _FULL_DISK_BYTES:
        return Check("Disk space", "fail", detail, cure)
    if free < _LOW_DISK_BYTES:
        return Check("Disk space", "warn", detail, cure)
    return Check("Disk space", "ok", detail)


def check_lake(settings: Settings) -> Check:
    """What has been collected, and whether the files are where the catalogue says."""
    paths = LakePaths(settings.data_dir)
    if not paths.catalog.exists():
        return Check("Lake", "ok", "nothing collected yet")
    catalog = Catalog(paths.catalog)
    try:
        totals = catalog.totals()
        # A file that compaction replaced since the list was read is gone rightly.
        missing = [path for path in _live_paths(catalog, totals) if not (paths.lake / path).exists()]
        missing = sorted(set(missing) & _live_paths(catalog, totals))
    finally:
        catalog.close()
    file_count = sum(files for _, files, _, _ in totals)
    row_count = sum(rows for _, _, rows, _ in totals)
    byte_count = sum(count for _, _, _, count in totals)
    if missing:
        return Check(
            "Lake",
            "fail",
            f"{len(missing)} of {file_count} files are gone, for example {missing[0]}",
            f"Put them back from a backup into {paths.lake}.",
        )
    return Check("Lake", "ok", f"{row_count:,} events in {file_count:,} files, {size_in_words(byte_count)}")


def _live_paths(catalog: Catalog, totals: list[tuple[str, int, int, int]]) -> set[str]:
    return {file.path for kind, *_ in totals for file in catalog.live(kind)}


def check_journal(settings: Settings) -> Check:
    """Whether events wait in a journal that nobody is emptying."""
    waiting = {
        folder.name: byte_count
        for folder in sorted(LakePaths(settings.data_dir).journal.glob("*/"))
        if (byte_count := _left_bytes(settings.data_dir, folder))
    }
    if not waiting:
        return Check("Journal", "ok", "everything acknowledged is in the lake")
    detail = ", ".join(f"{size_in_words(count)} of {writer}" for writer, count in waiting.items())
    return Check(
        "Journal",
        "warn",
        f"{detail} not in the lake yet, left by a process that was killed; nothing is lost",
        "Start StreamLens: it takes them over first.",
    )


def check_state(settings: Settings) -> Check:
    """Whether the state database answers, and whether its tables are those that this version needs."""
    from dashboard.errors import ConfigError, StorageError
    from dashboard.storage.migrations import HEAD
    from dashboard.storage.state_db import StateDatabase

    name, url = "State database", settings.database_url.get_secret_value()
    try:
        schema = StateDatabase(settings.data_dir, url).schema()
    except (ConfigError, StorageError) as error:
        return Check(name, "fail", str(error), CURES["database_url"])
    where = "DATABASE_URL" if url else "SQLite in DATA_DIR"
    if schema is None or schema.is_empty:
        return Check(name, "ok", f"{where}, made at the first start")
    if schema.differences:
        detail = f"{where}, version {HEAD}, but its tables were changed by hand"
        return Check(name, "warn", detail, "python app.py migrate --check names the differences.")
    if schema.version != HEAD:
        version = schema.version or "from before there were versions"
        return Check(name, "ok", f"{where}, {version}; the next start brings it to {HEAD}")
    return Check(name, "ok", f"{where}, version {HEAD}")


def _left_bytes(data_dir: Path, folder: Path) -> int:
    """Bytes behind the point that the lake has; none while somebody is writing."""
    segments = {int(path.stem): path.stat() for path in folder.glob("*.journal") if path.stem.isdigit()}
    newest = max((stat.st_mtime for stat in segments.values()), default=0.0)
    if not segments or time.time() - newest < _JOURNAL_IS_LEFT_AFTER_S:
        return 0
    catalog = Catalog(LakePaths(data_dir).catalog)
    try:
        done = catalog.position(folder.name)
    finally:
        catalog.close()
    left = {number: stat.st_size for number, stat in segments.items() if number >= done.segment}
    if done.segment in left:
        left[done.segment] = max(left[done.segment] - done.offset, 0)
    return sum(left.values())


def size_in_words(byte_count: float) -> str:
    """A size for people: ``1.5 GB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if byte_count < 1000:
            return f"{byte_count:.0f} {unit}" if unit == "bytes" else f"{byte_count:.1f} {unit}"
        byte_count /= 1000
    return f"{byte_count:.1f} TB"
