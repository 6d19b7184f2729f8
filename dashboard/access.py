"""Who may see and do what: one value, asked everywhere (pages, callbacks, exports, API)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dashboard.errors import AccessDenied

LOCAL_USER = "local"
"""The one user of an installation without login."""


@dataclass(frozen=True, slots=True)
class Access:
    """What one person, or one API key, may see and do. ``user_id`` is the identity; logins change."""

    user_id: str
    user_login: str = ""
    user_display_name: str = ""
    is_admin: bool = False
    """May manage jobs, subscriptions and collectors."""
    rooms: frozenset[str] | None = frozenset()
    """Logins (lower case) of the channels that may be seen; None is every one."""

    @property
    def is_local(self) -> bool:
        """Whether this is the single user of an installation without login."""
        return self.user_id == LOCAL_USER

    def may_see(self, room_login: str) -> bool:
        """Whether a channel's data may be shown."""
        return self.rooms is None or room_login.lower() in self.rooms

    def visible(self, room_logins: Iterable[str]) -> list[str]:
        """Of these channels the ones that may be seen, in their order."""
        return [login for login in room_logins if self.may_see(login)]

    def require_room(self, room_login: str) -> None:
        """Stops here unless the channel may be seen.

        Raises:
            AccessDenied: It may not; the words do not tell whether the channel is collected.
        """
        if not self.may_see(room_login):
            raise AccessDenied(
                f"You can't see {room_login or 'this channel'} here: "
                "only channels that you own or moderate, and public ones."
            )

    def require_admin(self) -> None:
        """Stops here unless this person may manage the installation.

        Raises:
            AccessDenied: They may not.
        """
        if not self.is_admin:
            raise AccessDenied("Only people in ADMIN_USER_IDS may do this.")


LOCAL = Access(LOCAL_USER, "local", "This machine", is_admin=True, rooms=None)
"""Everything: the single user of an installation that only this machine reaches."""

NOBODY = Access("")
"""Nobody is logged in: nothing may be seen."""
