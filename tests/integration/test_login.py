"""The login as browsers see it, with the sandbox in Twitch's place."""

from __future__ import annotations

import asyncio
import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from waitress import create_server

from dashboard.auth.cookies import CSRF_COOKIE, SESSION_COOKIE
from dashboard.errors import ConfigError, StorageError
from dashboard.scopes import MODERATED_CHANNELS, scopes_for
from dashboard.web import SERVER_OPTIONS
from tests.auth_site import BASE, SandboxThread, Site, agree, csrf_of, open_site


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread() as running:
        yield running


@pytest.fixture(scope="module")
def closed(sandbox: SandboxThread, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation that the first two channels' owners may enter; the first manages it."""
    ids = [sandbox.person(index)[0] for index in (0, 1)]
    values: dict[str, Any] = {
        "login": "required",
        "allowed_user_ids": tuple(ids),
        "admin_user_ids": (ids[0],),
        "public_channels": ("everybodys",),
    }
    with open_site(sandbox, tmp_path_factory.mktemp("closed"), **values) as site:
        yield site


@pytest.fixture(scope="module")
def opened(sandbox: SandboxThread, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(sandbox, tmp_path_factory.mktemp("open")) as site:
        yield site


@pytest.fixture(autouse=True)
def fresh(request: pytest.FixtureRequest) -> None:
    """Nobody is logged in, and nobody was limited."""
    for name in ("closed", "opened"):
        if name in request.fixturenames:
            site: Site = request.getfixturevalue(name)
            site.auth.accounts.close_sessions_except([])
            for token in site.auth.vault.all():
                site.auth.vault.forget(token.user_id)
            site.auth.limit._full_at.clear()


def session_cookie(answer: Any) -> str:
    return next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith(SESSION_COOKIE))


class TestGate:
    @pytest.mark.parametrize("path", ["/live", "/live/somebody", "/account", "/any/thing?x=1"])
    def test_pages_lead_to_the_login(self, closed: Site, path: str) -> None:
        answer = closed.client().get(path, base_url=BASE)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/login?next=/")

    @pytest.mark.parametrize(
        "path", ["/_dash-layout", "/_dash-dependencies", "/_reload-hash", "/_dash-update-component"]
    )
    def test_dash_answers_nobody(self, closed: Site, path: str) -> None:
        answer = closed.client().get(path, base_url=BASE)
        assert answer.status_code == 401
        assert answer.get_json()["error"] == "unauthorized"

    def test_every_route_is_shut_but_these(self, closed: Site) -> None:
        """Also routes that others add later."""
        may_be_open = ("/login", "/auth/twitch", "/logout", "/healthz", "/assets/", "/vendor/", "/api")
        may_be_open += ("/_dash-component-suites/", "/_favicon.ico", "/eventsub/callback")
        client, tried = closed.client(), 0
        for rule in closed.app.server.url_map.iter_rules():
            path = "/x" if rule.rule == "/<path:path>" else rule.rule.replace("<", "").replace(">", "")
            if path.startswith(may_be_open) or path == "/" or "GET" not in (rule.methods or ()):
                continue
            tried += 1
            assert client.get(path, base_url=BASE).status_code in (303, 401), path
        assert tried >= 5

    @pytest.mark.parametrize("path", ["/favicon.icon", "/_favicon.ico/live", "/favicon.ico/live"])
    def test_what_only_begins_like_an_icon_is_shut(self, closed: Site, path: str) -> None:
        assert closed.client().get(path, base_url=BASE).status_code in (303, 401)

    @pytest.mark.parametrize("name", ["nothing/x.js", "dash/../../x.py"])
    def test_scripts_that_are_none_are_not_found(self, closed: Site, name: str) -> None:
        answer = closed.client().get(f"/_dash-component-suites/{name}", base_url=BASE)
        assert (answer.status_code, "Traceback" in answer.text) == (404, False)

    def test_the_door_itself_is_open(self, closed: Site) -> None:
        client = closed.client()
        for path in (
            "/login",
            "/healthz",
            "/assets/10-tokens.css",
            "/vendor/bootstrap/css/bootstrap.min.css",
        ):
            assert client.get(path, base_url=BASE, buffered=True).status_code == 200, path

    def test_a_made_up_session_is_nobodys(self, closed: Site) -> None:
        client = closed.client()
        client.set_cookie(SESSION_COOKIE, "made-up", domain="localhost")
        answer = client.get("/live", base_url=BASE)
        assert answer.status_code == 303
        assert any(c.startswith(f"{SESSION_COOKIE}=;") for c in answer.headers.getlist("Set-Cookie"))


class TestLogin:
    def test_the_page_says_what_is_asked_and_why(self, closed: Site) -> None:
        page = closed.client().get("/login?purpose=moderator&next=/account", base_url=BASE).text
        assert "Your password stays with Twitch" in page
        assert "who is in chat, also who does not speak" in page
        assert 'id="grant-moderator" checked' in page
        assert 'id="grant-clips">' in page
        assert 'name="next" value="/account"' in page
        assert "1 public one" in page

    def test_nothing_is_asked_for_that_was_not_chosen(self, closed: Site) -> None:
        client = closed.client()
        plain = client.get("/auth/twitch", base_url=BASE).headers["Location"]
        assert plain.endswith("&scope=")
        assert "code_challenge_method=S256" in plain
        assert "state=" in plain
        more = client.get("/auth/twitch?purpose=clips&purpose=nonsense", base_url=BASE).headers["Location"]
        assert "clips%3Aedit" in more
        assert "moderator" not in more

    def test_the_way_in(self, closed: Site, sandbox: SandboxThread) -> None:
        user_id, login = sandbox.person(0)
        client = closed.client()
        answer = closed.log_in(client, login, "?next=/account")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
        cookie = session_cookie(answer)
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie
        assert "Max-Age=604800" in cookie
        assert client.get("/account", base_url=BASE).status_code == 200
        (token,) = closed.auth.vault.all()
        assert (token.user_id, token.scopes) == (user_id, frozenset())
        account = closed.auth.accounts.get(user_id)
        assert account is not None
        assert account.user_login == login
        assert closed.auth.audit.recent(1)[0].action == "login"

    def test_the_id_is_nowhere_but_in_the_cookie(self, closed: Site, sandbox: SandboxThread) -> None:
        client = closed.person(sandbox.person(0)[1])
        session_id = client.get_cookie(SESSION_COOKIE, "localhost").value
        assert len(session_id) >= 40
        content = b"".join(path.read_bytes() for path in (closed.settings.data_dir / "state").iterdir())
        assert session_id.encode() not in content

    def test_a_login_makes_a_new_session(self, closed: Site, sandbox: SandboxThread) -> None:
        login = sandbox.person(0)[1]
        client = closed.person(login)
        old = client.get_cookie(SESSION_COOKIE, "localhost").value
        closed.log_in(client, login)
        assert client.get_cookie(SESSION_COOKIE, "localhost").value != old
        client.set_cookie(SESSION_COOKIE, old, domain="localhost")
        assert client.get("/account", base_url=BASE).status_code == 303

    def test_no_session_is_taken_over_that_somebody_planted(
        self, closed: Site, sandbox: SandboxThread
    ) -> None:
        client = closed.client()
        client.set_cookie(SESSION_COOKIE, "planted", domain="localhost")
        closed.log_in(client, sandbox.person(0)[1])
        assert closed.auth.accounts.find_session("planted") is None

    def test_a_state_of_another_browser_counts_for_nothing(
        self, closed: Site, sandbox: SandboxThread
    ) -> None:
        started = closed.client().get("/auth/twitch", base_url=BASE)
        back = agree(started.headers["Location"], sandbox.person(0)[1])
        answer = closed.client().get(back, base_url=BASE)
        assert answer.status_code == 400
        assert "was not started in this browser" in answer.text
        assert closed.auth.vault.all() == []

    @pytest.mark.parametrize("query", ["", "?code=x", "?code=x&state=made-up", "?error=access_denied"])
    def test_a_callback_out_of_nowhere(self, closed: Site, query: str) -> None:
        answer = closed.client().get(f"/auth/twitch/callback{query}", base_url=BASE)
        assert answer.status_code == 400

    def test_a_callback_works_once(self, closed: Site, sandbox: SandboxThread) -> None:
        client = closed.client()
        started = client.get("/auth/twitch", base_url=BASE)
        back = agree(started.headers["Location"], sandbox.person(0)[1])
        assert client.get(back, base_url=BASE).status_code == 303
        assert client.get(back, base_url=BASE).status_code == 400

    def test_a_wrong_code_is_said(self, closed: Site) -> None:
        client = closed.client()
        state = client.get("/auth/twitch", base_url=BASE).headers["Location"].split("state=")[1].split("&")[0]
        answer = client.get(f"/auth/twitch/callback?code=wrong&state={state}", base_url=BASE)
        assert answer.status_code == 502
        assert "Twitch gave no token: Invalid authorization code" in answer.text

    def test_a_no_at_twitch(self, closed: Site) -> None:
        client = closed.client()
        state = client.get("/auth/twitch", base_url=BASE).headers["Location"].split("state=")[1].split("&")[0]
        answer = client.get(f"/auth/twitch/callback?error=access_denied&state={state}", base_url=BASE)
        assert answer.status_code == 403
        assert "you said no there" in answer.text

    def test_twitch_does_not_answer(self, closed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        client = closed.client()
        state = client.get("/auth/twitch", base_url=BASE).headers["Location"].split("state=")[1].split("&")[0]
        routes = closed.app.server.view_functions["auth.callback"].__self__
        monkeypatch.setattr(routes._client, "access_token_url", "http://127.0.0.1:9/token")
        answer = client.get(f"/auth/twitch/callback?code=x&state={state}", base_url=BASE)
        assert answer.status_code == 502
        assert "login does not answer" in answer.text

    def test_not_on_the_list(self, closed: Site, sandbox: SandboxThread) -> None:
        user_id, login = sandbox.person(2)
        client = closed.client()
        issued: list[str] = []
        issue = sandbox.server.oauth.issue
        sandbox.server.oauth.issue = lambda *a, **k: (issued.append(issue(*a, **k)), issued[-1])[1]  # type: ignore[method-assign]
        try:
            answer = closed.log_in(client, login)
        finally:
            sandbox.server.oauth.issue = issue  # type: ignore[method-assign]
        assert answer.status_code == 403
        assert f'<code id="user-id">{user_id}</code>' in answer.text
        assert client.get_cookie(SESSION_COOKIE, "localhost") is None
        assert closed.auth.vault.all() == []
        assert closed.auth.accounts.get(user_id) is None
        assert sandbox.server.oauth.read(issued[0]) is None, "the token was revoked"
        entry = closed.auth.audit.recent(1)[0]
        assert (entry.action, entry.user_id) == ("denied", user_id)

    @pytest.mark.parametrize(
        "evil",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "/%09/evil",
            "\t//x",
        ],
    )
    def test_nobody_is_sent_anywhere_else(self, closed: Site, sandbox: SandboxThread, evil: str) -> None:
        from urllib.parse import quote

        answer = closed.log_in(closed.client(), sandbox.person(0)[1], f"?next={quote(evil)}")
        assert answer.headers["Location"] == "/live" or answer.headers["Location"].startswith("/%09")

    def test_the_address_of_the_callback_is_the_cookies_too(self, closed: Site) -> None:
        answer = closed.client().get("/auth/twitch?next=/account", base_url="http://127.0.0.1:5000")
        assert answer.headers["Location"] == f"{BASE}/auth/twitch?next=/account"

    def test_tries_are_limited_by_address(self, closed: Site) -> None:
        client = closed.client()
        codes = [client.get("/auth/twitch", base_url=BASE).status_code for _ in range(21)]
        assert codes == [303] * 20 + [429]
        other = client.get("/auth/twitch", base_url=BASE, environ_base={"REMOTE_ADDR": "192.0.2.7"})
        assert other.status_code == 303


class TestGrants:
    def test_more_is_asked_together_with_what_there_is(self, closed: Site, sandbox: SandboxThread) -> None:
        login = sandbox.person(0)[1]
        client = closed.person(login, "?purpose=moderator")
        asked = client.get("/auth/twitch?purpose=clips", base_url=BASE).headers["Location"]
        assert "clips%3Aedit" in asked
        assert "user%3Aread%3Amoderated_channels" in asked

    def test_a_plain_login_does_not_lose_what_was_granted(self, closed: Site, sandbox: SandboxThread) -> None:
        user_id, login = sandbox.person(0)
        closed.person(login, "?purpose=moderator")
        before = closed.auth.vault.require(user_id)
        closed.person(login)
        assert closed.auth.vault.require(user_id) == before

    def test_two_halves_become_one_grant(self, closed: Site, sandbox: SandboxThread) -> None:
        user_id, login = sandbox.person(0)
        closed.person(login, "?purpose=moderator")
        client = closed.client()
        again = closed.log_in(client, login, "?purpose=clips&next=/account")
        assert again.headers["Location"].startswith(closed.settings.auth_url)
        done = client.get(agree(again.headers["Location"], login), base_url=BASE)
        assert (done.status_code, done.headers["Location"]) == (303, "/account")
        assert closed.auth.vault.require(user_id).scopes == scopes_for(["moderator", "clips"])

    def test_moderated_channels_are_known_with_that_permission_only(
        self, closed: Site, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user_id, login = sandbox.person(0)
        closed.person(login)
        account = closed.auth.accounts.get(user_id)
        assert account is not None
        assert account.moderated_logins == ()
        closed.person(login, "?purpose=moderator")
        token = closed.auth.vault.require(user_id)
        assert MODERATED_CHANNELS in token.scopes
        account = closed.auth.accounts.get(user_id)
        assert account is not None
        assert account.moderated_at is not None
        assert list(account.moderated_logins) == closed.auth.twitch.moderated_logins(token)

    def test_take_back(self, closed: Site, sandbox: SandboxThread) -> None:
        user_id, login = sandbox.person(0)
        client = closed.person(login, "?purpose=moderator")
        token = closed.auth.vault.require(user_id)
        answer = client.post("/auth/revoke", data={"csrf_token": csrf_of(client)}, base_url=BASE)
        assert answer.headers["Location"] == "/account"
        assert closed.auth.vault.all() == []
        assert sandbox.server.oauth.read(token.access_token.get_secret_value()) is None
        assert client.get("/account", base_url=BASE).status_code == 200

    def test_nobody_takes_another_ones_grant_back(self, closed: Site, sandbox: SandboxThread) -> None:
        closed.person(sandbox.person(0)[1])
        client = closed.person(sandbox.person(1)[1])
        form = {"csrf_token": csrf_of(client), "user_id": sandbox.person(0)[0]}
        client.post("/auth/revoke", data=form, base_url=BASE)
        assert [token.user_id for token in closed.auth.vault.all()] == [sandbox.person(0)[0]]


class TestSessions:
    def test_logout(self, closed: Site, sandbox: SandboxThread) -> None:
        user_id, login = sandbox.person(0)
        client = closed.person(login)
        session_id = client.get_cookie(SESSION_COOKIE, "localhost").value
        token = closed.auth.vault.require(user_id)
        answer = client.post("/logout", data={"csrf_token": csrf_of(client)}, base_url=BASE)
        assert answer.headers["Location"] == "/login?why=out"
        assert client.get_cookie(SESSION_COOKIE, "localhost") is None
        client.set_cookie(SESSION_COOKIE, session_id, domain="localhost")
        assert client.get("/account", base_url=BASE).status_code == 303
        assert closed.auth.vault.all() == []
        assert sandbox.server.oauth.read(token.access_token.get_secret_value()) is None

    def test_logout_of_one_of_two_browsers_keeps_the_grant(
        self, closed: Site, sandbox: SandboxThread
    ) -> None:
        login = sandbox.person(0)[1]
        first, second = closed.person(login), closed.person(login)
        first.post("/logout", data={"csrf_token": csrf_of(first)}, base_url=BASE)
        assert len(closed.auth.vault.all()) == 1
        assert second.get("/account", base_url=BASE).status_code == 200
        second.post("/logout", data={"csrf_token": csrf_of(second), "keep": "1"}, base_url=BASE)
        assert second.get("/account", base_url=BASE).status_code == 303
        assert len(closed.auth.vault.all()) == 1

    def test_logout_everywhere(self, closed: Site, sandbox: SandboxThread) -> None:
        login = sandbox.person(0)[1]
        first, second = closed.person(login), closed.person(login)
        other = closed.person(sandbox.person(1)[1])
        first.post("/auth/logout-everywhere", data={"csrf_token": csrf_of(first)}, base_url=BASE)
        assert [c.get("/account", base_url=BASE).status_code for c in (first, second, other)] == [
            303,
            303,
            200,
        ]

    @pytest.mark.parametrize("path", ["/logout", "/auth/logout-everywhere", "/auth/revoke"])
    def test_an_api_key_sees_no_moderated_channels_once_the_grant_is_gone(
        self, closed: Site, sandbox: SandboxThread, path: str
    ) -> None:
        user_id, login = sandbox.person(0)
        client = closed.person(login, "?purpose=moderator")
        closed.auth.accounts.set_moderated(user_id, ["other_room"])
        assert closed.services.api_keys is not None
        key, _ = closed.services.api_keys.create(user_id, "mine", frozenset({"read"}))
        bearer = {"Authorization": f"Bearer {key}"}
        address = "/api/v1/messages?room-name=other_room"
        assert client.get(address, headers=bearer, base_url=BASE).status_code == 200
        client.post(path, data={"csrf_token": csrf_of(client)}, base_url=BASE)
        assert client.get(address, headers=bearer, base_url=BASE).status_code == 403
        own = f"/api/v1/messages?room-name={login}"
        assert client.get(own, headers=bearer, base_url=BASE).status_code == 200

    def test_a_link_logs_nobody_out(self, closed: Site, sandbox: SandboxThread) -> None:
        client = closed.person(sandbox.person(0)[1])
        assert client.get("/logout", base_url=BASE).headers["Location"] == "/account"
        assert client.get("/account", base_url=BASE).status_code == 200

    def test_a_session_ends_by_itself(self, closed: Site, sandbox: SandboxThread) -> None:
        user_id = sandbox.person(0)[0]
        closed.person(sandbox.person(0)[1])
        client = closed.client()
        for life_s, status in ((60, 200), (0, 303)):
            session_id = closed.auth.accounts.open_session(user_id, life_s=life_s)
            client.set_cookie(SESSION_COOKIE, session_id, domain="localhost")
            assert client.get("/account", base_url=BASE).status_code == status

    def test_a_grant_that_was_revoked_at_twitch_ends_the_session(
        self, closed: Site, sandbox: SandboxThread
    ) -> None:
        from collectors.user_tokens import ValidationSummary, validate_all

        user_id, login = sandbox.person(0)
        client = closed.person(login)
        other = closed.person(sandbox.person(1)[1])
        token = closed.auth.vault.require(user_id)
        for secret in (token.access_token, token.refresh_token):
            sandbox.server.oauth._gone.add(secret.get_secret_value())
        found = asyncio.run(validate_all(closed.settings, closed.auth.vault))
        assert found == ValidationSummary(1, 0, 1, 0)
        assert client.get("/account", base_url=BASE).status_code == 303
        assert other.get("/account", base_url=BASE).status_code == 200
        again = closed.person(login)
        assert again.get("/account", base_url=BASE).status_code == 200

    def test_a_refused_token_ends_the_session_at_once(self, closed: Site, sandbox: SandboxThread) -> None:
        client = closed.person(sandbox.person(0)[1])
        closed.auth.vault.mark_invalid(sandbox.person(0)[0], "revoked")
        assert client.get("/_dash-layout", base_url=BASE).status_code == 401

    def test_who_is_taken_off_the_list_is_out(
        self, sandbox: SandboxThread, closed: Site, tmp_path: Path
    ) -> None:
        client = closed.person(sandbox.person(1)[1])
        session_id = client.get_cookie(SESSION_COOKIE, "localhost").value
        values = {"login": "required", "allowed_user_ids": (sandbox.person(0)[0],)}
        with open_site(sandbox, closed.settings.data_dir, **values) as later:
            browser = later.client()
            browser.set_cookie(SESSION_COOKIE, session_id, domain="localhost")
            assert browser.get("/account", base_url=BASE).status_code == 303


class TestCsrf:
    def update(self, client: Any, **headers: str) -> int:
        answer = client.post("/_dash-update-component", json={}, headers=headers, base_url=BASE)
        return int(answer.status_code)

    def test_a_sessions_token_is_its_own(self, closed: Site, sandbox: SandboxThread) -> None:
        first, second = (closed.person(sandbox.person(index)[1]) for index in (0, 1))
        assert self.update(first) == 403
        assert self.update(first, **{"X-CSRFToken": csrf_of(second)}) == 403
        assert self.update(first, **{"X-CSRFToken": csrf_of(first)}) != 403
        first.set_cookie(CSRF_COOKIE, csrf_of(second), domain="localhost")
        assert self.update(first, **{"X-CSRFToken": csrf_of(second)}) == 403, "a planted cookie"

    @pytest.mark.parametrize("path", ["/logout", "/auth/logout-everywhere", "/auth/revoke"])
    def test_forms(self, closed: Site, sandbox: SandboxThread, path: str) -> None:
        client = closed.person(sandbox.person(0)[1])
        assert client.post(path, data={"csrf_token": "x" * 64}, base_url=BASE).status_code == 403
        assert client.get("/account", base_url=BASE).status_code == 200
        assert len(closed.auth.vault.all()) == 1

    def test_without_login_too(self, opened: Site) -> None:
        client = opened.client()
        client.get("/live", base_url=BASE)
        assert self.update(client) == 403
        assert self.update(client, **{"X-CSRFToken": "x" * 43}) == 403
        good = {"X-CSRFToken": csrf_of(client)}
        assert self.update(client, **good) != 403
        assert self.update(client, **good, **{"Sec-Fetch-Site": "cross-site"}) == 403
        assert self.update(client, **good, **{"Sec-Fetch-Site": "same-origin"}) != 403

    def test_a_refused_page_gets_a_good_token(self, opened: Site) -> None:
        client = opened.client()
        assert self.update(client) == 403
        assert self.update(client, **{"X-CSRFToken": csrf_of(client)}) != 403

    @pytest.mark.parametrize("path", ["/logout", "/nowhere"])
    def test_large_forms_are_not_taken_apart(self, closed: Site, path: str) -> None:
        form = {"data": b"a=b&" * 20_000, "content_type": "application/x-www-form-urlencoded"}
        assert closed.client().post(path, **form, base_url=BASE).status_code == 413

    def test_what_scripts_ask_is_never_a_form(self, closed: Site) -> None:
        client = closed.client()
        client.get("/login", base_url=BASE)
        form = {"csrf_token": csrf_of(client)}
        assert client.post("/_dash-update-component", data=form, base_url=BASE).status_code == 403

    def test_keys_and_webhooks_need_none(self, closed: Site) -> None:
        client = closed.client()
        told = client.post("/eventsub/callback", data=b"x", base_url=BASE)
        assert "page is too old" not in told.text
        keyed = client.post("/api/v1/x", headers={"Authorization": "Bearer sl_x"}, base_url=BASE)
        assert "page is too old" not in keyed.text
        assert "page is too old" in client.post("/api/v1/x", base_url=BASE).text
        elsewhere = client.post("/logout", headers={"Authorization": "Bearer x"}, base_url=BASE)
        assert "page is too old" in elsewhere.text


class TestHeaders:
    def test_on_every_answer(self, closed: Site) -> None:
        for path in ("/login", "/live", "/_dash-layout", "/assets/10-tokens.css", "/healthz", "/nowhere"):
            headers = closed.client().get(path, base_url=BASE, buffered=True).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
            assert "unsafe-eval" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "Strict-Transport-Security" not in headers

    def test_what_is_personal_is_kept_by_no_cache(self, opened: Site) -> None:
        client = opened.client()
        assert client.get("/live", base_url=BASE).headers["Cache-Control"] == "no-store"
        style = client.get("/assets/10-tokens.css", base_url=BASE, buffered=True)
        assert "no-store" not in style.headers.get("Cache-Control", "")

    def test_behind_a_proxy_that_speaks_tls(self, sandbox: SandboxThread, tmp_path: Path) -> None:
        user_id, login = sandbox.person(0)
        values = {
            "login": "required",
            "allowed_user_ids": (user_id,),
            "public_url": "https://lens.example.org",
            "trusted_proxy_count": 1,
        }
        with open_site(sandbox, tmp_path, **values) as site:
            client = site.client()
            proxied = {
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "lens.example.org",
                "X-Forwarded-For": "198.51.100.9, 203.0.113.5",
            }
            started = client.get("/auth/twitch", headers=proxied, base_url="http://127.0.0.1:5000")
            assert (
                "redirect_uri=https%3A%2F%2Flens.example.org%2Fauth%2Ftwitch%2Fcallback"
                in (started.headers["Location"])
            )
            assert started.headers["Strict-Transport-Security"] == "max-age=31536000"
            cookies = started.headers.getlist("Set-Cookie")
            assert all("Secure" in cookie for cookie in cookies), cookies
            kept = next(c for c in cookies if c.startswith("streamlens_login")).split(";")[0]
            back = agree(started.headers["Location"], login)
            answer = site.app.server.test_client(use_cookies=False).get(
                back, headers=proxied | {"Cookie": kept}, base_url="http://127.0.0.1:5000"
            )
            assert answer.status_code == 303, answer.text
            assert "Secure" in session_cookie(answer)
            # The proxy's own word for the address, not what the browser wrote before it.
            assert site.auth.audit.recent(1)[0].address == "203.0.113.5"


@contextmanager
def behind_waitress(site: Site) -> Iterator[str]:
    """The real server: it has its own mind about headers."""
    server = create_server(site.app.server, host="127.0.0.1", port=0, **SERVER_OPTIONS)
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield f"http://localhost:{server.effective_port}"
    finally:
        server.close()


class TestRealServer:
    @pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Real-IP"])
    def test_nobody_comes_in_through_a_proxy(self, opened: Site, name: str) -> None:
        with behind_waitress(opened) as url:
            answer = requests.get(f"{url}/live", headers={name: "198.51.100.9"}, timeout=60)
            assert answer.status_code == 403
            assert requests.get(f"{url}/live", timeout=60).status_code == 200

    @pytest.mark.parametrize(("count", "is_tls"), [(0, False), (1, True)])
    def test_proxies_are_believed_as_many_as_there_are(
        self, sandbox: SandboxThread, tmp_path: Path, count: int, is_tls: bool
    ) -> None:
        values = {"login": "required", "allowed_user_ids": ("11",), "trusted_proxy_count": count}
        proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"}
        with open_site(sandbox, tmp_path, **values) as site, behind_waitress(site) as url:
            answer = requests.get(f"{url}/login", headers=proxied, timeout=60)
            assert ("Strict-Transport-Security" in answer.headers) is is_tls
            requests.get(f"{url}/auth/twitch", headers=proxied, timeout=60, allow_redirects=False)
            where = "203.0.113.5" if count else "127.0.0.1"
            assert list(site.auth.limit._full_at) == [where]


class TestTrouble:
    def test_a_database_that_does_not_answer_lets_nobody_in(
        self, closed: Site, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = closed.person(sandbox.person(0)[1])

        def fail(*_: object, **__: object) -> None:
            raise StorageError("The state database does not answer (Broken).")

        monkeypatch.setattr(type(closed.auth.accounts), "find_session", fail)
        answer = client.get("/account", base_url=BASE)
        assert answer.status_code == 503
        assert "does not answer" in answer.get_json()["message"]
        assert client.get("/assets/10-tokens.css", base_url=BASE, buffered=True).status_code == 200

    def test_a_token_that_cannot_be_stored_is_said(
        self, closed: Site, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise ConfigError("SECRET_KEY: the key file is damaged.")

        monkeypatch.setattr(type(closed.auth.vault), "save", fail)
        client = closed.client()
        answer = closed.log_in(client, sandbox.person(0)[1])
        assert answer.status_code == 503
        assert "SECRET_KEY: the key file is damaged." in answer.text
        assert client.get_cookie(SESSION_COOKIE, "localhost") is None

    def test_a_lost_key_does_not_stop_the_page(
        self, closed: Site, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user_id, login = sandbox.person(0)
        client = closed.person(login)
        monkeypatch.setattr(closed.auth.vault, "_cipher", AESGCM(b"k" * 32))
        assert client.get("/account", base_url=BASE).status_code == 200
        assert closed.person(login).get("/account", base_url=BASE).status_code == 200
        assert closed.auth.vault.require(user_id).is_usable


class TestOpenMode:
    def test_everything_is_this_machines(self, opened: Site) -> None:
        client = opened.client()
        assert client.get("/live", base_url=BASE).status_code == 200
        assert client.get("/account", base_url=BASE).status_code == 200

    def test_a_login_stores_a_token_and_changes_nothing_else(
        self, opened: Site, sandbox: SandboxThread
    ) -> None:
        client = opened.client()
        answer = opened.log_in(client, sandbox.person(3)[1], "?purpose=streamer&next=/account")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
        (token,) = opened.auth.vault.all()
        assert (token.user_id, token.scopes) == (sandbox.person(3)[0], scopes_for(["streamer"]))
        assert client.get_cookie(SESSION_COOKIE, "localhost") is None
        form = {"csrf_token": csrf_of(client), "user_id": token.user_id}
        client.post("/auth/revoke", data=form, base_url=BASE)
        assert opened.auth.vault.all() == []

    @pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "CF-Connecting-IP", "X-Real-IP"])
    def test_nobody_comes_in_through_a_proxy(self, opened: Site, name: str) -> None:
        client = opened.client()
        answer = client.get("/live", headers={name: "for=198.51.100.9"}, base_url=BASE)
        assert answer.status_code == 403
        assert "Set LOGIN=required" in answer.get_json()["message"]
        assert client.get("/healthz", headers={name: "x"}, base_url=BASE).status_code == 200

    @pytest.mark.parametrize("name", ["Origin", "Referer"])
    @pytest.mark.parametrize(
        "page", ["https://lens.example.org/live", "http://localhost:1/", "null", "http://"]
    )
    def test_nor_through_one_that_hides(self, opened: Site, name: str, page: str) -> None:
        client = opened.client()
        assert client.get("/_dash-layout", headers={name: page}, base_url=BASE).status_code == 403
        assert client.get("/_dash-layout", headers={name: f"{BASE}/live"}, base_url=BASE).status_code == 200
        assert client.get("/live", headers={name: page}, base_url=BASE).status_code == 200


class TestSecrets:
    def test_no_log_line_and_no_page_holds_one(
        self, closed: Site, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Through every library's debug lines, with errors on the way."""
        issued: list[str] = []
        issue = sandbox.server.oauth.issue

        def noted(*args: Any, **options: Any) -> str:
            issued.append(issue(*args, **options))
            return issued[-1]

        monkeypatch.setattr(sandbox.server.oauth, "issue", noted)
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        root = logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        # A test before this one may have set the log up, which quiets the libraries.
        loggers = [logging.getLogger(name) for name in list(root.manager.loggerDict)]
        quieted = [(logger, logger.level, logger.disabled, logger.propagate) for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.NOTSET)
            logger.disabled, logger.propagate = False, True
        said = []
        try:
            user_id, login = sandbox.person(0)
            client = closed.client()
            for query in ("", "?purpose=moderator", "?purpose=clips"):
                answer = closed.log_in(client, login, query)
                said.append(answer.text + str(answer.headers))
            said.append(client.get("/account", base_url=BASE).text)
            sandbox.server.oauth.expire_all()
            closed.auth.twitch.moderated_logins(closed.auth.vault.require(user_id))
            said.append(closed.log_in(closed.client(), sandbox.person(2)[1]).text)
            client.post("/logout", data={"csrf_token": csrf_of(client)}, base_url=BASE)
        finally:
            root.removeHandler(handler)
            root.setLevel(before)
            for logger, level, is_disabled, propagates in quieted:
                logger.setLevel(level)
                logger.disabled, logger.propagate = is_disabled, propagates
        text = stream.getvalue() + "".join(said)
        assert len(issued) >= 8
        assert len(stream.getvalue()) > 500, "the libraries' debug lines are in it"
        session_ids = [c.get_cookie(SESSION_COOKIE, "localhost") for c in closed.clients]
        secrets = [*issued, closed.settings.client_secret.get_secret_value()]
        secrets += [cookie.value for cookie in session_ids if cookie]
        assert [secret for secret in secrets if secret in stream.getvalue()] == []
        assert [secret for secret in issued if secret in text] == []
