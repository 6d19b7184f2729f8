from __future__ import annotations

import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from dashboard.config import Settings
from dashboard.errors import ConfigError
from dashboard.events import Instant
from dashboard.storage.secret_key import derived_key
from dashboard.storage.tokens import TokenVault, UserToken, open_vault

ACCESS = "access-5f4dcc3b5aa765d61d83"
REFRESH = "refresh-27deb882cf99abc01a2b"


def settings_for(data_dir: Path, **more: object) -> Settings:
    return Settings(_env_file=None, data_dir=data_dir, sandbox=True, **more)


def token(user_id: str = "11", access: str = ACCESS, **more: object) -> UserToken:
    values: dict[str, object] = {
        "user_id": user_id,
        "user_login": f"login{user_id}",
        "user_display_name": f"Login{user_id}",
        "scopes": frozenset({"user:read:chat"}),
        "access_token": SecretStr(access),
        "refresh_token": SecretStr(REFRESH),
        "expires_at": Instant(5_000_000),
    }
    return UserToken(**(values | more))  # type: ignore[arg-type]


@pytest.fixture
def vault(tmp_path: Path) -> TokenVault:
    return open_vault(settings_for(tmp_path))


def test_what_is_saved_comes_back(vault: TokenVault, tmp_path: Path) -> None:
    saved = token(validated_at=Instant(7))
    vault.save(token("22"))
    vault.save(saved)
    assert open_vault(settings_for(tmp_path)).all() == [saved, token("22")]
    assert vault.get("11") == saved
    assert vault.get("33") is None
    vault.save(replace(saved, scopes=frozenset()))
    assert vault.get("11") == replace(saved, scopes=frozenset())
    vault.forget("11")
    assert [t.user_id for t in vault.all()] == ["22"]


def test_nothing_readable_lies_on_the_disk(vault: TokenVault, tmp_path: Path) -> None:
    vault.save(token())
    vault.close()
    content = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert b"login11" in content
    assert ACCESS.encode() not in content
    assert REFRESH.encode() not in content


def test_a_token_shows_no_secret(vault: TokenVault) -> None:
    for text in (repr(token()), str(token()), repr(vault), f"{token()!r:>500}"):
        assert ACCESS not in text
        assert REFRESH not in text


def test_swap_is_for_who_holds_the_stale_pair(vault: TokenVault) -> None:
    vault.save(token())
    first, second = token(access="first"), token(access="second")
    assert vault.swap("11", ACCESS, first) == first
    assert vault.swap("11", SecretStr(ACCESS), second) == first
    assert vault.get("11") == first


def test_a_swap_does_not_bring_back_what_was_forgotten(vault: TokenVault) -> None:
    assert vault.swap("11", ACCESS, token(access="late")).error
    assert vault.get("11") is None


def test_many_threads_swap_once(vault: TokenVault) -> None:
    vault.save(token())
    barrier, got = threading.Barrier(8), []

    def race(index: int) -> None:
        barrier.wait()
        got.append(vault.swap("11", ACCESS, token(access=f"new-{index}")).access_token.get_secret_value())

    threads = [threading.Thread(target=race, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 1
    assert len(got) == 8


def test_the_lease_is_one_holders(vault: TokenVault) -> None:
    vault.save(token())
    assert vault.lease("11", "a", 30)
    assert vault.lease("11", "a", 30)
    assert not vault.lease("11", "b", 30)
    vault.release("11", "b")
    assert not vault.lease("11", "b", 30)
    vault.release("11", "a")
    assert vault.lease("11", "b", -1)
    assert vault.lease("11", "a", 30), "a dead holder's lease ends"
    assert not vault.lease("nobody", "a", 30)


def test_marked_only_while_it_is_that_token(vault: TokenVault) -> None:
    vault.save(token())
    vault.mark_invalid("11", "revoked", SecretStr("older"))
    assert vault.require("11") == token()
    vault.mark_invalid("11", "revoked", SecretStr(ACCESS))
    assert vault.get("11") == token(error="revoked")
    with pytest.raises(ConfigError, match="token of login11 does not work: revoked"):
        vault.require("11")
    with pytest.raises(ConfigError, match="No token of user 33"):
        vault.require("33")


def test_another_key_is_said_and_stops_nobody(vault: TokenVault, tmp_path: Path) -> None:
    vault.save(token())
    other = open_vault(settings_for(tmp_path, secret_key="k" * 40))
    (found,) = other.all()
    assert found.error is not None
    assert found.error.startswith("SECRET_KEY: this token was stored with another")
    assert not found.is_usable
    assert found.access_token.get_secret_value() == ""
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        other.require("11")
    other.save(token(access="again"))
    assert other.require("11") == token(access="again")


def test_a_sealed_text_opens_in_its_own_row_only(vault: TokenVault) -> None:
    from sqlalchemy import text

    vault.save(token("11"))
    vault.save(token("22", access="theirs"))
    with vault._database.write() as con:
        con.execute(
            text(
                "update user_tokens set access_sealed ="
                " (select access_sealed from user_tokens where user_id = '11') where user_id = '22'"
            )
        )
    found = vault.get("22")
    assert found is not None
    assert not found.is_usable


def test_a_damaged_key_file_is_said_and_stops_nobody(vault: TokenVault, tmp_path: Path) -> None:
    vault.save(token())
    (tmp_path / "state" / "secret.key").write_bytes(b"short\n")
    again = open_vault(settings_for(tmp_path))
    (found,) = again.all()
    assert found.error is not None
    assert "is damaged" in found.error
    with pytest.raises(ConfigError, match=r"secret\.key is damaged"):
        again.save(token())


def test_the_key_file_is_its_owners_only(tmp_path: Path) -> None:
    key = derived_key(settings_for(tmp_path), "tokens")
    path = tmp_path / "state" / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["secret.key"]
    path.chmod(0o644)
    assert derived_key(settings_for(tmp_path), "tokens") == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert derived_key(settings_for(tmp_path), "csrf") != key
    assert derived_key(settings_for(tmp_path, secret_key="k" * 40), "tokens") != key


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dashboard.config import Settings;"
        "from dashboard.storage.secret_key import derived_key; sys.stdin.readline();"
        "print(derived_key(Settings(_env_file=None, data_dir=Path(sys.argv[1])), 'x').hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert len({process.communicate()[0] for process in started}) == 1


def test_a_key_file_that_cannot_be_read_names_the_cure(tmp_path: Path) -> None:
    (tmp_path / "state" / "secret.key").mkdir(parents=True)
    with pytest.raises(ConfigError, match="SECRET_KEY: the key file"):
        derived_key(settings_for(tmp_path), "x")
