"""The login's routes: to Twitch and back, log out, take a grant back.

Authorization code flow with ``state`` and PKCE. Twitch ignores PKCE's parameters; the sandbox and other
services may check them. What must outlive the way to Twitch and back lies in a signed cookie.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import flask
from flask.typing import ResponseReturnValue
from pydantic import SecretStr

from dashboard.access import NOBODY
from dashboard.auth.bundle import Auth
from dashboard.auth.cookies import SESSION_COOKIE, drop_session_cookie, set_session_cookie
from dashboard.auth.current import access_of, current_access, current_session, set_current
from dashboard.auth.pages import login_page, message_page
from dashboard.auth.paths import local_path
from dashboard.auth.twitch import Identity
from dashboard.errors import StreamLensError, TwitchError
from dashboard.events import now_us
from dashboard.logs import hide, scrub
from dashboard.scopes import PURPOSES, scopes_for
from dashboard.storage.tokens import UserToken

log = logging.getLogger(__name__)

CALLBACK = "/auth/twitch/callback"
_TIMEOUT_S = 10
_NOTES = {
    "ended": "Your session is over. Log in again to go on.",
    "out": "You are logged out.",
    "everywhere": "You are logged out everywhere.",
}


def auth_blueprint(auth: Auth) -> flask.Blueprint:
    """``/login``, ``/auth/twitch``, its callback, ``/logout`` and ``/auth/revoke``.

    Args:
        auth: Settings, sessions, tokens and Twitch.

    Returns:
        A blueprint; the gate must be installed besides.
    """
    blueprint = flask.Blueprint("auth", __name__, template_folder="templates")
    routes = _Routes(auth)
    blueprint.get("/login")(routes.login_page)
    blueprint.get("/auth/twitch")(routes.start)
    blueprint.get(CALLBACK)(routes.callback)
    blueprint.post("/logout")(routes.logout)
    # A link must log nobody out.
    blueprint.get("/logout", endpoint="logout_page")(lambda: flask.redirect("/account", 303))
    blueprint.post("/auth/logout-everywhere")(routes.logout_everywhere)
    blueprint.post("/auth/revoke")(routes.revoke)
    blueprint.register_error_handler(StreamLensError, routes.failed)
    return blueprint


class _Routes:
    def __init__(self, auth: Auth) -> None:
        self._auth = auth
        self._settings = auth.settings

    @cached_property
    def _client(self) -> Any:
        # Imported late: the way in is slow to load and seldom used.
        from authlib.integrations.flask_client import OAuth

        url = self._settings.auth_url.rstrip("/")
        oauth = OAuth(flask.current_app)
        return oauth.register(
            "twitch",
            client_id=self._settings.client_id,
            client_secret=self._settings.client_secret.get_secret_value(),
            authorize_url=f"{url}/authorize",
            access_token_url=f"{url}/token",
            client_kwargs={
                "token_endpoint_auth_method": "client_secret_post",
                "code_challenge_method": "S256",
                "timeout": _TIMEOUT_S,
            },
        )

    # -- to Twitch and back ------------------------------------------------------------------

    def login_page(self) -> ResponseReturnValue:
        next_path = local_path(flask.request.args.get("next"))
        chosen = _purposes()
        is_known = current_access() != NOBODY and not current_access().is_local
        wants_more = chosen or "more" in flask.request.args
        if is_known and not wants_more and "next" in flask.request.args:
            return flask.redirect(next_path, 303)
        note = _NOTES.get(flask.request.args.get("why", ""), "")
        return login_page(self._auth, next_path=next_path, chosen=chosen, note=note)

    def start(self) -> ResponseReturnValue:
        if not self._settings.client_id:
            return message_page(
                self._auth,
                409,
                "No application",
                "Logging in with Twitch needs an application of your own.",
                "Set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps).",
                actions=(("/live", "Back"),),
            )
        if limited := self._limited():
            return limited
        here = urlsplit(self._settings.base_url)
        if flask.request.host != here.netloc:
            # Twitch comes back to this one address, and the cookie must have been set there.
            return flask.redirect(f"{self._settings.base_url}{flask.request.full_path}", 303)
        next_path = local_path(flask.request.args.get("next"))
        scopes = scopes_for(_purposes()) | self._granted()
        return self._to_twitch(scopes, next_path, is_switch="switch" in flask.request.args)

    def _to_twitch(
        self, scopes: frozenset[str], next_path: str, *, is_switch: bool = False, is_merged: bool = False
    ) -> ResponseReturnValue:
        extra = {"force_verify": "true"} if is_switch else {}
        asked = self._client.create_authorization_url(
            self._settings.base_url + CALLBACK, scope=" ".join(sorted(scopes)), **extra
        )
        if not scopes:
            asked["url"] += "&scope="  # Twitch wants it said also when nothing is asked for.
        redirect_uri = self._settings.base_url + CALLBACK
        self._client.save_authorize_data(
            redirect_uri=redirect_uri, next=next_path, is_merged=is_merged, **asked
        )
        return flask.redirect(asked["url"], 303)

    def callback(self) -> ResponseReturnValue:
        if limited := self._limited():
            return limited
        started = self._started()
        if started is None:
            return message_page(
                self._auth, 400, "Start again", "This login was not started in this browser, or is too old."
            )
        if flask.request.args.get("error"):
            flask.session.clear()
            self._auth.note("login refused at Twitch", "", "", str(flask.request.args["error"]))
            return message_page(
                self._auth, 403, "Not logged in", "Twitch did not let StreamLens in: you said no there."
            )
        try:
            granted = self._exchange()
            identity = self._auth.twitch.identify(SecretStr(granted["access_token"]))
            if identity is None:
                raise TwitchError("Twitch gave a token that it does not accept.")
            return self._admit(granted, identity, started)
        except TwitchError as error:
            log.warning("login failed: %s", error)
            return message_page(self._auth, 502, "Twitch did not let you in", scrub(str(error)))

    def _started(self) -> dict[str, Any] | None:
        """What :meth:`_to_twitch` kept under the state that came back."""
        state = flask.request.args.get("state", "")
        return self._client.framework.get_state_data(flask.session, state) if state else None

    def _exchange(self) -> dict[str, Any]:
        from authlib.integrations.base_client import OAuthError
        from requests import RequestException

        try:
            token = dict(self._client.authorize_access_token())
        except OAuthError as error:
            raise TwitchError(f"Twitch gave no token: {error.description or error.error}") from None
        except (RequestException, ValueError) as error:
            raise TwitchError(f"Twitch's login does not answer ({type(error).__name__}).") from None
        finally:
            flask.session.clear()
        # Errors come in the form of tokens.
        if not token.get("access_token"):
            raise TwitchError(f"Twitch gave no token: {token.get('message') or 'no reason told'}")
        hide([str(token["access_token"]), str(token.get("refresh_token") or "")])
        return token

    def _admit(
        self, granted: dict[str, Any], identity: Identity, started: dict[str, Any]
    ) -> ResponseReturnValue:
        access_token = SecretStr(str(granted["access_token"]))
        if self._settings.needs_login and identity.user_id not in self._settings.allowed_user_ids:
            self._auth.twitch.revoke(access_token)
            self._auth.note("denied", identity.user_id, identity.user_login, "not in ALLOWED_USER_IDS")
            return message_page(
                self._auth,
                403,
                "You are not on the list",
                f"Twitch says that you are {identity.user_login}. Only people in ALLOWED_USER_IDS may enter.",
                "Nothing was stored. Give this id to whoever runs this server:",
                actions=(("/login?switch=1", "Use another account"),),
                user_id=identity.user_id,
            )
        stored = self._auth.vault.get(identity.user_id)
        if stored and self._is_better(stored, identity):
            missing = identity.scopes - stored.scopes
            self._auth.twitch.revoke(access_token)
            if missing and not started.get("is_merged"):
                # Neither grant has all: ask once for both together.
                return self._to_twitch(stored.scopes | identity.scopes, started["next"], is_merged=True)
            return self._enter(stored, started["next"])
        token = UserToken(
            user_id=identity.user_id,
            user_login=identity.user_login,
            user_display_name=identity.user_login,
            scopes=identity.scopes,
            access_token=access_token,
            refresh_token=SecretStr(str(granted.get("refresh_token") or "")),
            expires_at=identity.expires_at,
            validated_at=now_us(),
        )
        self._auth.vault.save(token)
        return self._enter(self._named(token), started["next"])

    def _is_better(self, stored: UserToken, identity: Identity) -> bool:
        """Whether what is stored still works and allows something that the new grant does not."""
        if not stored.is_usable or not stored.scopes - identity.scopes:
            return False
        try:
            return self._auth.twitch.identify(stored.access_token) is not None
        except TwitchError:
            return True

    def _named(self, token: UserToken) -> UserToken:
        try:
            named = replace(token, user_display_name=self._auth.twitch.display_name(token))
        except TwitchError as error:
            log.warning("display name is not known: %s", error)
            return token
        return self._auth.vault.swap(token.user_id, token.access_token, named)

    def _enter(self, token: UserToken, next_path: str) -> ResponseReturnValue:
        auth = self._auth
        auth.accounts.note_login(token.user_id, token.user_login, token.user_display_name)
        try:
            auth.accounts.set_moderated(token.user_id, auth.twitch.moderated_logins(token))
        except TwitchError as error:
            log.warning("moderated channels are not known: %s", error)
        response = flask.make_response(flask.redirect(local_path(next_path), 303))
        if not self._settings.needs_login:
            auth.note("grant", token.user_id, token.user_login)
            return response
        if old := flask.request.cookies.get(SESSION_COOKIE):
            auth.accounts.close_session(old)
        session_id = auth.accounts.open_session(
            token.user_id,
            life_s=self._settings.session_hours * 3600,
            address=flask.request.remote_addr or "",
            agent=flask.request.user_agent.string,
        )
        set_current(access_of(auth.accounts.get(token.user_id), self._settings), session_id)
        set_session_cookie(response, session_id, self._settings)
        auth.note("login", token.user_id, token.user_login)
        return response

    # -- out ---------------------------------------------------------------------------------

    def logout(self) -> ResponseReturnValue:
        access = current_access()
        if session_id := current_session():
            self._auth.accounts.close_session(session_id)
            self._auth.note("logout", access.user_id, access.user_login)
            # Twitch wants tokens revoked at logout; who wants the collectors to go on says so.
            if not flask.request.form.get("keep"):
                self._revoke_if_last(access.user_id)
        return self._out("out")

    def logout_everywhere(self) -> ResponseReturnValue:
        access = current_access()
        if current_session():
            count = self._auth.accounts.close_sessions(access.user_id)
            browsers = "1 browser" if count == 1 else f"{count} browsers"
            self._auth.note("logout everywhere", access.user_id, access.user_login, browsers)
            self._revoke_if_last(access.user_id)
        return self._out("everywhere")

    def revoke(self) -> ResponseReturnValue:
        """Takes a grant back; whoever is alone on their machine may do so for every account there."""
        access = current_access()
        if access == NOBODY:
            return flask.redirect("/login", 303)
        user_id = flask.request.form.get("user_id", "") if access.is_local else access.user_id
        if user_id:
            self._forget(user_id)
            self._auth.note("revoke", user_id, access.user_login)
        return flask.redirect("/account", 303)

    def _revoke_if_last(self, user_id: str) -> None:
        """Other browsers of the same person still need the grant."""
        if not self._auth.accounts.sessions(user_id):
            self._forget(user_id)

    def _forget(self, user_id: str) -> None:
        """Without the grant nobody can look any more which channels somebody moderates: API keys live on."""
        self._auth.twitch.forget(user_id)
        self._auth.accounts.set_moderated(user_id, ())

    def _out(self, why: str) -> ResponseReturnValue:
        set_current(current_access() if current_access().is_local else NOBODY)
        response = flask.make_response(flask.redirect(f"/login?why={why}", 303))
        drop_session_cookie(response, self._settings)
        return response

    def failed(self, error: Exception) -> ResponseReturnValue:
        """The state or the key does not answer: said in words, and nobody is let in by it."""
        log.error("login failed: %s", error)
        return message_page(self._auth, 503, "This does not work now", scrub(str(error)))

    # -- helpers -----------------------------------------------------------------------------

    def _granted(self) -> frozenset[str]:
        """What was granted before and has to be asked for again: a new grant replaces the old one."""
        access = current_access()
        if access.is_local:
            tokens = self._auth.vault.all()
            token = tokens[0] if len(tokens) == 1 else None
        else:
            token = self._auth.vault.get(access.user_id) if access != NOBODY else None
        return token.scopes if token and token.is_usable else frozenset()

    def _limited(self) -> ResponseReturnValue | None:
        wait_s = self._auth.limit.wait_s(flask.request.remote_addr or "")
        if not wait_s:
            return None
        response = message_page(self._auth, 429, "Too many tries", f"Try again in {max(1, round(wait_s))} s.")
        response.headers["Retry-After"] = str(max(1, round(wait_s)))
        return response


def _purposes() -> list[str]:
    return [key for key in flask.request.args.getlist("purpose") if key in PURPOSES]
