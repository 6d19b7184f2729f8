"""Service accounts of chats: publicly known ones, and those of the installation's own list."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from dashboard.errors import ConfigError

_SHIPPED: Final = Path(__file__).parent / "data" / "service_accounts.txt"
SHIPPED, YOURS = "shipped", "yours"


class ServiceAccounts:
    """Knows which accounts are services (moderation, alerts, commands).

    Args:
        own_file: The installation's own list (SERVICE_ACCOUNTS_FILE): ids or logins, one a line.
    """

    def __init__(self, own_file: Path | None = None) -> None:
        self._own_file = own_file
        self._changed_ns = -1
        self._own: frozenset[str] = frozenset()

    def listed_by(self, user_id: str, user_login: str) -> str | None:
        """Whose list has the account: ``shipped``, ``yours``, or None."""
        return self.both().get(user_login.lower()) or self.both().get(user_id)

    def both(self) -> dict[str, str]:
        """By login or id, whose list it is; the own list is read again when it changed.

        Raises:
            ConfigError: The own list can't be read.
        """
        return dict.fromkeys(shipped(), SHIPPED) | dict.fromkeys(self._read_own(), YOURS)

    def _read_own(self) -> frozenset[str]:
        if self._own_file is None:
            return frozenset()
        try:
            changed_ns = self._own_file.stat().st_mtime_ns
            if changed_ns != self._changed_ns:
                self._own = _names(self._own_file.read_text(encoding="utf-8-sig"))
                self._changed_ns = changed_ns
        except (OSError, UnicodeDecodeError):
            raise ConfigError(
                "SERVICE_ACCOUNTS_FILE: can't be read. "
                "Make it a UTF-8 text file with one user id or login a line, or take the setting away."
            ) from None
        return self._own


@cache
def shipped() -> frozenset[str]:
    """Logins of the services that StreamLens knows by itself."""
    return _names(_SHIPPED.read_text(encoding="utf-8"))


def _names(text: str) -> frozenset[str]:
    lines = (line.split("#", 1)[0].strip().lower() for line in text.splitlines())
    return frozenset(line for line in lines if line)
