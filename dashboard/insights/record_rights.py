"""Who may read rows of which kind: one rule, asked before the API reads anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from dashboard.access import Access
from dashboard.errors import AccessDenied

MANAGED_KINDS: Final = frozenset(
    {
        "chatters",
        "chatter_polls",
        "followers",
        "follows",
        "mod_actions",
        "notifications",
        "subscribers",
        "subscription_changes",
        "suspicious_users",
    }
)
"""What Twitch tells only a channel's owner and moderators; also of a public channel it stays with them."""

ROOMLESS_KINDS: Final = frozenset(
    {"accounts", "renames", "community_runs", "community_nodes", "community_edges"}
)
"""What belongs to no channel, so that no channel's rights cover it: for admins."""

Managed = Callable[[Access], frozenset[str]]
"""Logins of the channels that somebody owns or moderates."""


def own_channel(access: Access) -> frozenset[str]:
    """The channel that somebody owns: what holds where nobody tells who moderates what."""
    return frozenset({access.user_login} if access.user_id and access.user_login else ())


def access_to(kind: str, access: Access, managed: Managed) -> Access:
    """What somebody may see of one kind.

    Args:
        kind: Of events; empty for what is made of chat (people, rooms).
        access: What they may see at all.
        managed: Tells which channels they own or moderate.

    Returns:
        The same person, perhaps with fewer rooms; the rows without a channel have the room "".

    Raises:
        AccessDenied: The kind belongs to no channel, and they are no admin.
    """
    if access.rooms is None:
        return access
    if kind in ROOMLESS_KINDS:
        access.require_admin()
        return replace(access, rooms=frozenset({""}))
    if kind in MANAGED_KINDS:
        return replace(access, rooms=access.rooms & managed(access))
    return access


def refusal(kind: str, room: str) -> AccessDenied:
    """What to answer who asks for a channel that they may not see; whether it is collected is not told."""
    if kind in MANAGED_KINDS:
        return AccessDenied(
            f"You can't see {kind} of {room} here: only channels that you own or moderate have them for you."
        )
    return AccessDenied(
        f"You can't see {room} here: only channels that you own or moderate, and public ones."
    )
