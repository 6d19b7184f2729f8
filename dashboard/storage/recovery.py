"""Before a start: what a crash left behind is put in order."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from dashboard.errors import ConfigError, LockedError
from dashboard.storage.files import is_locked
from dashboard.storage.ingest import Ingest
from dashboard.storage.lake import LakePaths


def recover_orphans(data_dir: Path, *, skip: Collection[str] = ("collect",)) -> dict[str, int]:
    """Replays the journals of writers that died and whose place nobody took (an import that was killed).

    Args:
        data_dir: The data folder.
        skip: Writers that are about to start and recover their own journal; taking their lock just
            then would send them away.

    Returns:
        Events made visible by writer; journals that somebody is writing are left alone.
    """
    recovered = {}
    for folder in sorted(LakePaths(data_dir).journal.glob("*/")):
        if folder.name in skip or is_locked(folder) or not any(folder.glob("*.journal")):
            continue
        try:
            with Ingest(data_dir, folder.name, dedupe_against_lake=True) as ingest:
                recovered[folder.name] = ingest.stats().recovered_count
        except LockedError:
            continue
    return recovered


def read_opt_out(path: Path) -> frozenset[str]:
    """Reads the people whose events are never written.

    Args:
        path: One user id or login a line; ``#`` starts a comment.

    Returns:
        Ids and lower-case logins.

    Raises:
        ConfigError: The file can't be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(f"OPT_OUT_FILE: {path} is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise ConfigError(
            f"OPT_OUT_FILE: {path} can't be read ({error.strerror}). "
            f"Make the file, with one user id or login a line, or take the setting away."
        ) from None
    return frozenset(name for line in lines if (name := line.split("#")[0].strip().lstrip("@").lower()))
