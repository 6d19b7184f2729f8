"""Upkeep of the state: what is over is really gone, whether somebody asks for it or not."""

from __future__ import annotations

import structlog

from dashboard.config import Settings
from dashboard.events import Instant, now_us
from dashboard.storage.accounts import open_accounts
from dashboard.storage.analysis_sessions import open_sessions
from dashboard.storage.captures import open_captures

log = structlog.get_logger(__name__)


class StateUpkeep:
    """Ends logins and analysis sessions whose time is over, and forgets old captures.

    Args:
        settings: Where the state is.

    Raises (all calls):
        StorageError: The state database does not answer.
    """

    def __init__(self, settings: Settings) -> None:
        self._accounts = open_accounts(settings)
        self._sessions = open_sessions(settings)
        self._captures = open_captures(settings)

    def run(self, now: Instant | None = None) -> None:
        """Does all of it once."""
        now = now or now_us()
        login_count = self._accounts.end_expired()
        session_count = self._sessions.purge(now)
        capture_count = self._captures.prune(now, keep=self._sessions.captures_in_use())
        if login_count or session_count or capture_count:
            log.info("over and gone", logins=login_count, sessions=session_count, captures=capture_count)

    def close(self) -> None:
        """Closes all connections."""
        for part in (self._accounts, self._sessions, self._captures):
            part.close()
