"""The questions of the Account page: who you are here, what you see and why, what was granted."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.access import Access
from dashboard.config import Settings
from dashboard.events import Instant
from dashboard.storage.accounts import Accounts, hashed
from dashboard.storage.audit import AuditEntry, AuditLog
from dashboard.storage.tokens import TokenVault

AUDIT_FIRST, AUDIT_MORE = 20, 100
"""Entries shown at first, and added at each wish for older ones."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one Twitch account lets StreamLens read; nothing secret is in it."""

    user_id: str
    user_login: str
    user_display_name: str
    scopes: frozenset[str]
    validated_at: Instant | None
    error: str | None


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One browser that is logged in."""

    created_at: Instant
    seen_at: Instant
    expires_at: Instant
    address: str
    agent: str
    is_this: bool


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Everything that the page shows."""

    access: Access
    host: str
    has_application: bool
    """Whether there is an application to log in with."""
    grants: tuple[Grant, ...]
    """The person's own; every stored one where there is no login."""
    moderated_logins: tuple[str, ...]
    moderated_at: Instant | None
    public_channels: tuple[str, ...]
    sessions: tuple[SessionInfo, ...]


@dataclass(frozen=True, slots=True)
class AuditPage:
    """What happened, as far as the person who asks may know."""

    entries: tuple[AuditEntry, ...]
    """The newest first."""
    has_older: bool
    is_everybodys: bool
    """Else only their own."""
    may_choose: bool
    """Whether they may see everybody's beside their own."""


class AccountInsights:
    """Reads what there is to tell one person about themselves.

    Args:
        settings: Public channels and how the server is reached.
        vault: The tokens.
        accounts: Accounts and sessions.
        audit: What happened.
    """

    def __init__(self, settings: Settings, vault: TokenVault, accounts: Accounts, audit: AuditLog) -> None:
        self._settings = settings
        self._vault = vault
        self._accounts = accounts
        self._audit = audit

    def note(self, action: str, access: Access, address: str, detail: str = "") -> None:
        """Adds a line to what happened.

        Args:
            action: Such as ``key created``.
            access: Who did it.
            address: Where from.
            detail: In words, without a secret.
        """
        self._audit.write(
            action, user_id=access.user_id, user_login=access.user_login, address=address, detail=detail
        )

    def page(self, access: Access, session_id: str = "") -> AccountPage:
        """What the page of one person shows.

        Args:
            access: Who asks.
            session_id: The session of the browser that asks.

        Returns:
            Only what is theirs; of an installation without login every grant.

        Raises:
            StorageError: The state database does not answer.
        """
        account = None if access.is_local else self._accounts.get(access.user_id)
        tokens = [t for t in self._vault.all() if access.is_local or t.user_id == access.user_id]
        sessions = [] if access.is_local else self._accounts.sessions(access.user_id)
        this = hashed(session_id)
        return AccountPage(
            access=access,
            host=self._settings.host,
            has_application=bool(self._settings.client_id),
            grants=tuple(
                Grant(t.user_id, t.user_login, t.user_display_name, t.scopes, t.validated_at, t.error)
                for t in tokens
            ),
            moderated_logins=account.moderated_logins if account else (),
            moderated_at=account.moderated_at if account else None,
            public_channels=self._settings.public_channels,
            sessions=tuple(
                SessionInfo(s.created_at, s.seen_at, s.expires_at, s.address, s.agent, s.session_hash == this)
                for s in sessions
            ),
        )

    def audit(self, access: Access, *, is_everybodys: bool = True, older_count: int = 0) -> AuditPage:
        """What happened, newest first.

        Args:
            access: Who asks: admins may see everybody's, others always get their own.
            is_everybodys: What an admin wants to see.
            older_count: How many times older entries were asked for.

        Raises:
            StorageError: The state database does not answer.
        """
        if not access.user_id:  # What nobody in particular did is nobody's own.
            return AuditPage((), False, False, False)
        is_everybodys = access.is_local or (access.is_admin and is_everybodys)
        limit = AUDIT_FIRST + AUDIT_MORE * max(0, older_count)
        # One more than is shown: it tells whether there are older ones.
        found = self._audit.recent(limit + 1, user_id=None if is_everybodys else access.user_id)
        may_choose = access.is_admin and not access.is_local
        return AuditPage(tuple(found[:limit]), len(found) > limit, is_everybodys, may_choose)
