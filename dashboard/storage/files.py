"""Small things that every durable file needs: locks, atomic names, a full disk said in words."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from dashboard.errors import DiskFullError, LockedError, StorageError

# EFBIG is what a file-size limit (ulimit -f) gives where a full disk gives ENOSPC.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DUCKDB_ERRNO = re.compile(r'"errno":"(\d+)"')


class FolderLock:
    """Makes one process the only writer of a folder; the lock falls with the process.

    Args:
        folder: Made if it is absent.
        who: What to call the holder in the other's error, as in ``collector``.

    Caveats:
        A child made by a bare fork shares the lock and keeps it when its parent dies.
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
        make_folder_durably(self._path.parent)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock_soon(fd)
        except BlockingIOError:
            holder = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise LockedError(
                f"Another {self._who} (process {holder}) already writes to {self._path.parent}. "
                f"Stop it first, or give this one its own DATA_DIR."
            ) from None
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        with suppress(OSError):  # The name is a courtesy; on a full disk the lock holds without it.
            os.ftruncate(fd, 0)
            os.write(fd, str(os.getpid()).encode())

    def release(self) -> None:
        """Gives the lock back; harmless when it is not held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _lock_soon(fd: int) -> None:
    for _ in range(3):
        with suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.05)  # Perhaps is_locked was just looking.
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_locked(folder: Path) -> bool:
    """Whether somebody holds the :class:`FolderLock` of a folder right now."""
    try:
        fd = os.open(folder / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


@contextmanager
def full_disk_said_plainly(what: str) -> Iterator[None]:
    """Turns "no space" of the system, of SQLite and of DuckDB into :class:`DiskFullError`.

    Any other failure of DuckDB and a database that stays locked become a plain
    :class:`StorageError`, so that callers can wait and try again.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _full(what) from error
        raise
    except sqlite3.OperationalError as error:
        # A file-size limit reaches SQLite as a failed write, not as a full disk.
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
            raise _full(what) from error
        if error.sqlite_errorcode == sqlite3.SQLITE_IOERR_WRITE:
            raise _full(what) from error
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            raise StorageError(f"Another process has kept {what} locked for too long.") from error
        raise
    except duckdb.Error as error:
        number = _DUCKDB_ERRNO.search(str(error))
        if number and int(number[1]) in _FULL:
            raise _full(what) from error
        raise StorageError(f"Working on {what} failed: {error}") from error


def _full(what: str) -> DiskFullError:
    return DiskFullError(
        f"No room left on the disk while writing {what}. Everything acknowledged so far is safe in "
        f"the journal; free some space and writing goes on by itself."
    )


def make_folder_durably(folder: Path) -> None:
    """Makes a folder with those above it, so that a power cut can't take it from under its files."""
    if folder.is_dir():
        return
    make_folder_durably(folder.parent)
    folder.mkdir(exist_ok=True)
    fsync_folder(folder.parent)


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
