"""What the login's parts share: one bundle, made once for a server."""

from __future__ import annotations

from dataclasses import dataclass, field

import flask

from dashboard.auth.cookies import Csrf
from dashboard.auth.limits import AddressLimit
from dashboard.auth.twitch import TwitchLogin
from dashboard.config import Settings
from dashboard.storage.accounts import Accounts
from dashboard.storage.audit import AuditLog
from dashboard.storage.tokens import TokenVault

LOGIN_TRIES = 20
LOGIN_WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Auth:
    """The running parts of the login; tests put fakes in their places."""

    settings: Settings
    accounts: Accounts
    vault: TokenVault
    audit: AuditLog
    twitch: TwitchLogin
    csrf: Csrf
    limit: AddressLimit = field(default_factory=lambda: AddressLimit(LOGIN_TRIES, LOGIN_WINDOW_S))

    def note(self, action: str, user_id: str, user_login: str, detail: str = "") -> None:
        """Writes a line of the audit log about this request."""
        address = flask.request.remote_addr or ""
        self.audit.write(action, user_id=user_id, user_login=user_login, address=address, detail=detail)
