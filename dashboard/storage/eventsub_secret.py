"""The secret that Twitch signs its EventSub deliveries with."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from dashboard.config import Settings
from dashboard.errors import ConfigError
from dashboard.storage.private import make_private_folder

_SECRET_BYTES = 32


def eventsub_secret(settings: Settings) -> SecretStr:
    """What Twitch signs its deliveries with, the same for all processes.

    Args:
        settings: EVENTSUB_SECRET wins; without it one is made and kept in the data folder.

    Returns:
        ASCII, 10 to 100 characters, as Twitch wants it.

    Raises:
        ConfigError: The file can't be made or read.
    """
    if settings.eventsub_secret.get_secret_value():
        return settings.eventsub_secret
    path = settings.data_dir / "state" / "eventsub_secret"
    try:
        return SecretStr(_kept(path))
    except OSError as error:
        raise ConfigError(
            f"EVENTSUB_SECRET: the file for it can't be used ({error.strerror}): {path}. "
            "Check its owner, or set EVENTSUB_SECRET."
        ) from None


def _kept(path: Path) -> str:
    if not path.exists():
        make_private_folder(path.parent)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(fd, secrets.token_urlsafe(_SECRET_BYTES).encode())
            os.fsync(fd)
        finally:
            os.close(fd)
        try:
            os.link(unfinished, path)  # Unlike a rename it fails if another process was first.
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()
    return path.read_text(encoding="ascii").strip()
