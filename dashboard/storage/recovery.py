"""Before a start: what a crash left behind is put in order."""

from __future__ import annotations

from pathlib import Path

from dashboard.errors import ConfigError, LockedError
from dashboard.storage.ingest import Ingest
from dashboard.storage.lake import LakePaths


def recover_orphans(data_dir: Path) -> dict[str, int]:
    """Replays the journals of writers that died and whose place nobody took (an import that was killed).

    Args:
        data_dir: The data folder.

    Returns:
        Events made visible by writer; journals that somebody is writing are left alone.
    """
    recovered = {}
    for folder in sorted(LakePaths(data_dir).journal.glob("*/")):
        if not any(folder.glob("*.journal")):
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
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(
            f"OPT_OUT_FILE: {path} can't be read ({error.strerror}). "
            f"Make the file, with one user id or login a line, or take the setting away."
        ) from None
    return frozenset(name for line in lines if (name := line.split("#")[0].strip().lower()))
