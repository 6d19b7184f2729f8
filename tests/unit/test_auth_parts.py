from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.access import LOCAL, NOBODY, Access
from dashboard.auth.current import access_of, current_access, from_plain, plain
from dashboard.auth.guard import check_doors
from dashboard.auth.limits import AddressLimit
from dashboard.auth.paths import is_open, local_path
from dashboard.config import Settings
from dashboard.errors import AccessDenied, ConfigError
from dashboard.events import Instant, now_us
from dashboard.scopes import ALL_SCOPES, PURPOSES, SCOPES, USES, granted_purposes, scopes_for
from dashboard.storage.accounts import Account, open_accounts
from dashboard.storage.audit import open_audit


def settings_for(**values: object) -> Settings:
    return Settings(_env_file=None, **values)


class TestDoors:
    """A server that others can reach never opens without a login."""

    def test_this_machine_needs_nothing(self) -> None:
        for host in ("127.0.0.1", "localhost", "::1"):
            check_doors(settings_for(host=host))
        check_doors(settings_for(login="off"))

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.5", "::", "lens.example.org"])
    def test_others_need_a_list_and_an_application(self, host: str) -> None:
        app = {"twitch_client_id": "x", "twitch_client_secret": "y"}
        with pytest.raises(ConfigError, match=f"ALLOWED_USER_IDS: HOST={host} is reached by others"):
            check_doors(settings_for(host=host, **app))
        with pytest.raises(ConfigError, match=r"TWITCH_CLIENT_ID: .*dev\.twitch\.tv/console/apps"):
            check_doors(settings_for(host=host, allowed_user_ids="11", twitch_channels="a_channel"))
        check_doors(settings_for(host=host, allowed_user_ids="11", **app))

    def test_off_is_for_this_machine_only(self) -> None:
        values = {"allowed_user_ids": "11", "twitch_client_id": "x", "twitch_client_secret": "y"}
        with pytest.raises(ConfigError, match=r"LOGIN: off is for this machine only"):
            check_doors(settings_for(host="0.0.0.0", login="off", **values))

    def test_required_needs_a_list_here_too(self) -> None:
        with pytest.raises(ConfigError, match="ALLOWED_USER_IDS: LOGIN=required"):
            check_doors(settings_for(login="required"))

    def test_neither_server_nor_gunicorn_start(self, tmp_path: Path) -> None:
        from app import create_server

        with pytest.raises(ConfigError, match="ALLOWED_USER_IDS"):
            create_server(settings_for(host="0.0.0.0", data_dir=tmp_path))


class TestNext:
    @pytest.mark.parametrize("path", ["/live", "/live/somebody?x=1&y=2", "/account", "/chatters"])
    def test_pages(self, path: str) -> None:
        assert local_path(path) == path

    @pytest.mark.parametrize(
        "address",
        [
            None,
            "",
            "live",
            "https://evil.example/live",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/live\n//evil.example",
            "\t//evil.example",
            "javascript:alert(1)",
            "/login?next=/login",
            "/logout",
            "/auth/twitch",
            "/_dash-layout",
            "/api/v1/messages",
            "/" + "x" * 600,
        ],
    )
    def test_everything_else(self, address: str | None) -> None:
        assert local_path(address) == "/live"

    def test_a_fragment_goes_nowhere(self) -> None:
        assert local_path("/live#//evil") == "/live"

    @pytest.mark.parametrize(
        "path", ["/auth/revoke", "/auth/anything", "/apiary", "/loginx", "/live", "/_dash-layout"]
    )
    def test_what_is_not_open(self, path: str) -> None:
        assert not is_open(path)


class TestLimit:
    def test_a_burst_then_a_pace(self) -> None:
        now = [100.0]
        limit = AddressLimit(3, 60, monotonic=lambda: now[0])
        assert [limit.wait_s("192.0.2.1") for _ in range(3)] == [0, 0, 0]
        assert limit.wait_s("192.0.2.1") == pytest.approx(20)
        assert limit.wait_s("192.0.2.2") == 0
        now[0] += 20
        assert limit.wait_s("192.0.2.1") == 0
        assert limit.wait_s("192.0.2.1") == pytest.approx(20)
        now[0] += 60
        assert [limit.wait_s("192.0.2.1") for _ in range(4)] == [0, 0, 0, pytest.approx(20)]

    def test_one_household_is_one(self) -> None:
        limit = AddressLimit(1, 60, monotonic=lambda: 0.0)
        assert limit.wait_s("2001:db8:1:2::1") == 0
        assert limit.wait_s("2001:db8:1:2:ffff::9") > 0
        assert limit.wait_s("2001:db8:1:3::1") == 0
        assert limit.wait_s("::ffff:192.0.2.1") == 0
        assert limit.wait_s("192.0.2.1") > 0

    def test_memory_is_bounded(self) -> None:
        limit = AddressLimit(1, 60, most_addresses=50, monotonic=lambda: 0.0)
        for index in range(500):
            assert limit.wait_s(f"10.0.{index // 250}.{index % 250}") == 0
        assert len(limit._full_at) == 50
        assert limit.wait_s("10.0.1.249") > 0


class TestAccess:
    ACCOUNT = Account("11", "eleven", "Eleven", Instant(0), ("twelve",), now_us())

    def test_own_moderated_and_public(self) -> None:
        settings = settings_for(login="required", allowed_user_ids="11,12", public_channels="open_one")
        access = access_of(self.ACCOUNT, settings)
        assert access == Access("11", "eleven", "Eleven", rooms=frozenset({"eleven", "twelve", "open_one"}))
        with pytest.raises(AccessDenied, match="You can't see other"):
            access.require_room("other")
        with pytest.raises(AccessDenied):
            access.require_admin()

    @pytest.mark.parametrize("moderated_at", [None, Instant(now_us() - 25 * 3600 * 1_000_000)])
    def test_what_twitch_was_not_asked_for_a_day_is_no_right(self, moderated_at: Instant | None) -> None:
        settings = settings_for(login="required", allowed_user_ids="11")
        old = replace(self.ACCOUNT, moderated_at=moderated_at)
        assert access_of(old, settings).rooms == frozenset({"eleven"})

    def test_who_manages(self) -> None:
        settings = settings_for(login="required", allowed_user_ids="11", admin_user_ids="11")
        assert access_of(self.ACCOUNT, settings).is_admin

    def test_who_is_not_on_the_list_sees_nothing(self) -> None:
        settings = settings_for(login="required", allowed_user_ids="12", public_channels="open_one")
        assert access_of(self.ACCOUNT, settings) == NOBODY
        assert access_of(None, settings) == NOBODY

    def test_without_login_everything(self) -> None:
        assert access_of(None, settings_for()) == LOCAL
        assert access_of(self.ACCOUNT, settings_for()) == LOCAL

    def test_outside_of_a_request_nobody(self) -> None:
        assert current_access() == NOBODY

    @pytest.mark.parametrize("access", [LOCAL, NOBODY, Access("1", "a", "A", True, frozenset({"b", "a"}))])
    def test_there_and_back(self, access: Access) -> None:
        import json

        assert from_plain(json.loads(json.dumps(plain(access)))) == access


class TestScopes:
    def test_every_scope_has_a_purpose_and_a_use(self) -> None:
        assert {scope.purpose for scope in SCOPES} == set(PURPOSES)
        assert all(USES[name] for name in ALL_SCOPES)
        assert len(ALL_SCOPES) == len(SCOPES)

    def test_granted_means_all_of_it(self) -> None:
        assert granted_purposes(scopes_for(["clips", "streamer"])) == {"clips", "streamer"}
        assert granted_purposes(scopes_for(["clips"]) - {"clips:edit"}) == set()
        assert scopes_for(["nonsense"]) == set()


class TestAudit:
    def test_newest_first_and_ones_own(self, tmp_path: Path) -> None:
        audit = open_audit(settings_for(data_dir=tmp_path))
        for index in range(5):
            audit.write(
                "login", user_id=str(index % 2), user_login="x", address="192.0.2.1", detail=str(index)
            )
        assert [entry.detail for entry in audit.recent(3)] == ["4", "3", "2"]
        assert [entry.detail for entry in audit.recent(user_id="1")] == ["3", "1"]

    def test_long_words_are_cut_and_old_entries_go(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        audit = open_audit(settings_for(data_dir=tmp_path))
        monkeypatch.setattr("dashboard.storage.audit.now_us", lambda: Instant(1))
        audit.write("denied", detail="x" * 1000)
        assert len(audit.recent()[0].detail) == 300
        monkeypatch.setattr("dashboard.storage.audit.now_us", lambda: Instant(366 * 86_400_000_000 + 1))
        audit.write("login")
        assert [entry.action for entry in audit.recent()] == ["login"]


class TestAccounts:
    def test_names_are_taken_over_and_channels_kept(self, tmp_path: Path) -> None:
        accounts = open_accounts(settings_for(data_dir=tmp_path))
        accounts.note_login("11", "old_name", "Old_Name")
        accounts.set_moderated("11", ["Beta", "alpha", "beta"])
        accounts.note_login("11", "new_name", "")
        account = accounts.get("11")
        assert account is not None
        assert (account.user_login, account.user_display_name) == ("new_name", "new_name")
        assert account.moderated_logins == ("alpha", "beta")
        assert accounts.get("12") is None

    def test_two_processes_open_at_once(self, tmp_path: Path) -> None:
        first, second = (open_accounts(settings_for(data_dir=tmp_path)) for _ in range(2))
        first.note_login("11", "eleven", "Eleven")
        session_id = first.open_session("11", life_s=60, address="a" * 100, agent="b" * 500)
        found = second.find_session(session_id)
        assert found is not None
        assert (found[0].user_id, len(found[0].address), len(found[0].agent)) == ("11", 64, 120)
        assert second.close_sessions("11") == 1
        assert first.find_session(session_id) is None

    def test_being_seen_is_written_seldom(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        accounts = open_accounts(settings_for(data_dir=tmp_path))
        accounts.note_login("11", "eleven", "Eleven")
        now = [Instant(1_000_000_000)]
        monkeypatch.setattr("dashboard.storage.accounts.now_us", lambda: now[0])
        session_id = accounts.open_session("11", life_s=3600)
        for later_s, seen_s in ((30, 1000), (61, 1061), (90, 1061)):
            now[0] = Instant(1_000_000_000 + later_s * 1_000_000)
            accounts.find_session(session_id)
            assert accounts.sessions("11")[0].seen_at == seen_s * 1_000_000
