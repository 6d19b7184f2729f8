"""One thing about waitress: an answer without a body need not end the connection."""

from __future__ import annotations

import logging
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import WSGITask


class KeepAliveTask(WSGITask):
    """Keeps the connection after 204 and 304.

    waitress closes it because there is no Content-Length, which those answers must not have and do not need.
    Each EventSub delivery, and each asset that the browser has already, would cost a new connection.
    """

    def set_close_on_finish(self) -> None:
        """Closes only where the end of the answer could not be seen otherwise."""
        headers: Any = self.request.headers
        wants_close = headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or wants_close or self.version != "1.1":
            super().set_close_on_finish()


def tune() -> None:
    """Makes all waitress servers of this process keep connections, and quiet about a busy moment."""
    HTTPChannel.task_class = KeepAliveTask
    # A line for every request that waits a moment for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
