"""The web server under the pages."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from dashboard.config import Settings
from dashboard.errors import ConfigError

if TYPE_CHECKING:
    from flask import Flask

_THREADS = 8


def serve(server: Flask, settings: Settings) -> None:
    """Serves until the process is stopped.

    Raises:
        ConfigError: The port is taken, or the address is not this machine's.
    """
    import waitress

    try:
        waitress.serve(
            server, host=settings.host, port=settings.port, threads=_THREADS, ident=None, _quiet=True
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"PORT: {settings.port} is in use by another program. Stop it, or set PORT to a free one."
            ) from None
        raise ConfigError(
            f"HOST: {settings.host} can't be listened on ({error.strerror}). "
            f"Use 127.0.0.1 for this machine only, 0.0.0.0 for the whole network."
        ) from None
