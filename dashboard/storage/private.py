"""Folders that only their owner looks into: sessions, sealed tokens, keys, addresses of people."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_OTHERS = 0o077


def make_private_folder(folder: Path) -> None:
    """Makes a folder that nobody else on the machine reads; one that is there is shut for the others.

    Args:
        folder: Those above it are made as usual.

    Raises:
        OSError: It is not there and can't be made.

    Caveats:
        A folder that belongs to somebody else stays as it is.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError):
        mode = folder.stat().st_mode
        if mode & _OTHERS:
            folder.chmod(mode & ~_OTHERS & 0o7777)
