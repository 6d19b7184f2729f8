"""Puts login, gate, CSRF and headers on the server, and keeps everybody's jobs apart."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from dashboard.auth.bundle import Auth
from dashboard.auth.cookies import Csrf, is_https
from dashboard.auth.current import current_session
from dashboard.auth.gate import install_gate
from dashboard.auth.guard import check_doors
from dashboard.auth.headers import content_policy, inline_hashes
from dashboard.auth.login import auth_blueprint
from dashboard.auth.twitch import TwitchLogin
from dashboard.config import Settings
from dashboard.storage.accounts import open_accounts
from dashboard.storage.audit import open_audit
from dashboard.storage.secret_key import derived_key
from dashboard.storage.tokens import TokenVault, open_vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from dash import Dash

LOGIN_COOKIE = "streamlens_login"
"""Lives only on the way to Twitch and back."""


def open_auth(settings: Settings, twitch: Callable[[Settings, TokenVault], TwitchLogin]) -> Auth:
    """What the login's parts share.

    Args:
        settings: Checked settings.
        twitch: Makes what asks Twitch.

    Returns:
        The bundle; nothing is read but the key.

    Raises:
        ConfigError: The key can't be read or made, or others could come in without a login.
    """
    check_doors(settings)
    vault = open_vault(settings)
    return Auth(
        settings=settings,
        accounts=open_accounts(settings),
        vault=vault,
        audit=open_audit(settings),
        twitch=twitch(settings, vault),
        csrf=Csrf(derived_key(settings, "csrf")),
    )


def install_auth(app: Dash, auth: Auth) -> None:
    """Puts the login on an app; its pages and callbacks may be registered before or after.

    Args:
        app: The Dash app.
        auth: What :func:`open_auth` made.
    """
    server: Flask = app.server
    settings = auth.settings
    count = settings.trusted_proxy_count
    if count:
        server.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            server.wsgi_app, x_for=count, x_proto=count, x_host=count
        )
    server.secret_key = derived_key(settings, "login")
    server.session_interface = _LoginCookie(settings)
    server.config["SESSION_COOKIE_NAME"] = LOGIN_COOKIE
    server.extensions["auth"] = auth

    @cache
    def policy() -> str:
        hashes = [*inline_hashes(app.index_string), *app.csp_hashes()]
        return content_policy(hashes, settings.auth_url)

    install_gate(server, auth, policy)
    from dash.exceptions import DependencyException

    # Anybody may ask for scripts; a name that none has is no error of ours, with a traceback in the log.
    server.register_error_handler(
        DependencyException, lambda _: ("Not found", 404, {"Content-Type": "text/plain"})
    )
    server.register_blueprint(auth_blueprint(auth))
    # Dash signs the handles of background jobs. With a key of each session's own, a handle that got
    # into other hands can neither fetch nor cancel anything there.
    app._get_signing_secret = lambda: auth.csrf.secret_of(current_session())  # type: ignore[method-assign]


class _LoginCookie(SecureCookieSessionInterface):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def get_cookie_secure(self, app: Flask) -> bool:
        return is_https(self._settings)

    def get_cookie_samesite(self, app: Flask) -> str:
        return "Lax"
