"""The installation's own key: from SECRET_KEY, or from a file that only its owner reads."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

from dashboard.config import Settings
from dashboard.errors import ConfigError
from dashboard.storage.private import make_private_folder

_KEY_BYTES = 32


def derived_key(settings: Settings, purpose: str) -> bytes:
    """A key for one purpose; keys of two purposes tell nothing of each other.

    Args:
        settings: SECRET_KEY, or the data folder whose key file is made on first use.
        purpose: Such as ``tokens``.

    Returns:
        32 bytes, the same in every process of the installation.

    Raises:
        ConfigError: The key file is damaged or can't be read or made.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    given = settings.secret_key.get_secret_value().encode()
    root = given or _key_of_file(settings.data_dir / "state" / "secret.key")
    return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=b"streamlens " + purpose.encode()).derive(root)


def _key_of_file(path: Path) -> bytes:
    try:
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            _make(path)
            text = path.read_bytes()
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise ConfigError(
            f"SECRET_KEY: the key file {path} can't be read or made ({error.strerror}). "
            "Check its owner and mode, or set SECRET_KEY."
        ) from None
    try:
        key = base64.urlsafe_b64decode(text.strip())
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigError(
            f"SECRET_KEY: the key file {path} is damaged. Put it back from a copy, "
            "or remove it and log in again: tokens stored with the old key are lost."
        )
    return key


def _make(path: Path) -> None:
    """Whoever is first makes the file, whole at once; the others find it."""
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link fails when the name is taken: nobody's key is ever replaced, nor seen half written.
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)
