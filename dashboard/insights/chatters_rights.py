"""Whose captures somebody may use: one rule, asked before anything is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dashboard.access import Access
from dashboard.errors import AccessDenied
from dashboard.jobs.capture_orders import may_see, moderated_by
from dashboard.storage.accounts import Accounts
from dashboard.storage.captures import Capture

_NOT_YOURS: Final = "There is no such capture among those of the channels that you own or moderate."


class Rights:
    """Answers what an :class:`Access` may see of captures.

    Args:
        accounts: Who logged in, and what they moderate by Twitch's word.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def usable(self, access: Access, captures: Iterable[Capture]) -> list[Capture]:
        """Of these captures those that somebody may use, in their order."""
        answers: dict[tuple[str, str, str], bool] = {}
        found = []
        for capture in captures:
            what = (capture.room_id, capture.room_login, capture.source)
            if what not in answers:
                answers[what] = may_see(capture, access, self._accounts)
            if answers[what]:
                found.append(capture)
        return found

    def require(self, access: Access, captures: Iterable[Capture], wanted: Iterable[str]) -> list[Capture]:
        """All of the captures that were asked for.

        Args:
            access: Who asks.
            captures: What there is of them.
            wanted: Their ids.

        Raises:
            AccessDenied: One is not theirs, or there is none; which of the two is not told.
        """
        usable = {capture.capture_id: capture for capture in self.usable(access, captures)}
        ids = list(dict.fromkeys(wanted))
        if any(capture_id not in usable for capture_id in ids):
            raise AccessDenied(_NOT_YOURS)
        return [usable[capture_id] for capture_id in ids]

    def managed(self, access: Access) -> frozenset[str]:
        """Logins of the channels that somebody owns or moderates; not for who may see everything."""
        own = {access.user_login} if access.user_id and access.user_login else set()
        return moderated_by(access, self._accounts) | own
