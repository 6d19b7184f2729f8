"""Small things that every durable file needs: locks, atomic names, a full disk said in words."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dashboard.errors import DiskFullError, LockedError

# EFBIG is what a file-size limit (ulimit -f) gives where a full disk gives ENOSPC.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FolderLock:
    """Makes one process the only writer of a folder; the lock falls with the process.

    Args:
        folder: Made if it is absent.
        who: What to call the holder in the other's error, as in ``collector``.
    """

    def __init__(self, folder: Path, who: str) -> None:
        self._path = folder / "lock"
        self._who = who
        self._fd: int | None = None

    def acquire(self) -> None:
        """Takes the lock.

        Raises:
            LockedError: Another process has it; the message names it and the folder.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise LockedError(
                f"Another {self._who} (process {holder}) already writes to {self._path.parent}. "
                f"Stop it first, or give this one its own DATA_DIR."
            ) from None
        os.ftruncate(fd, 0)
        os.write(fd, str(os.getpid()).encode())
        self._fd = fd

    def release(self) -> None:
        """Gives the lock back; harmless when it is not held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


@contextmanager
def full_disk_said_plainly(what: str) -> Iterator[None]:
    """Turns the system's "no space" into :class:`DiskFullError` that says what is safe."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(
                f"No room left on the disk while writing {what}. Everything acknowledged so far is safe in "
                f"the journal; free some space and writing goes on by itself."
            ) from error
        raise


def fsync_folder(folder: Path) -> None:
    """Makes names in a folder durable (a new file's name is lost with the power otherwise)."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def fsync_file(path: Path) -> None:
    """Makes a file's content durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_durably(temporary: Path, final: Path) -> None:
    """Gives a finished file its name so that readers see all of it or nothing, power cut or not."""
    fsync_file(temporary)
    temporary.replace(final)
    fsync_folder(final.parent)
