"""The other parts of the state on SQLite and Postgres alike."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.events import Instant
from dashboard.storage.accounts import open_accounts
from dashboard.storage.api_keys import open_api_keys
from dashboard.storage.eventsub_state import CREATE, EventSubState, Subscription, revocation_of
from dashboard.storage.state import State
from dashboard.storage.state_db import StateDatabase
from dashboard.storage.tokens import UserToken, open_vault


@pytest.fixture
def settings(tmp_path: Path, state_url: str) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, sandbox=True, database_url=state_url)


@pytest.fixture
def state(tmp_path: Path, state_url: str) -> Iterator[State]:
    state = State(tmp_path, state_url)
    yield state
    state.close()


def test_followed_channels_and_statuses(state: State) -> None:
    assert state.follow(["zed", "abe", "zed"], by="7") == ["zed", "abe"]
    assert state.follow(["abe", "kim"]) == ["kim"]
    state.unfollow(["abe"])
    assert state.followed() == ["zed", "kim"]
    state.write_status("collector", {"text": "ä\u2028🙂", "rooms": {"a": None}})
    state.write_status("collector", {"text": "again"})
    row = state.read_status("collector")
    assert row is not None
    assert row.payload == {"text": "again"}


def test_accounts_and_their_browsers(settings: Settings) -> None:
    accounts = open_accounts(settings)
    accounts.note_login("11", "eleven", "Eleven")
    accounts.note_login("11", "eleven_new", "")
    accounts.set_moderated("11", ["Beta", "alpha"])
    session_id = accounts.open_session("11", life_s=60, address="a" * 100, agent="b" * 500)
    other = accounts.open_session("12", life_s=60)
    found = accounts.find_session(session_id)
    assert found is not None
    assert (found[1].user_login, found[1].moderated_logins) == ("eleven_new", ("alpha", "beta"))
    assert accounts.find_session(other) is None, "nobody of that id has an account"
    assert accounts.close_sessions_except(["11"]) == 1
    assert len(accounts.sessions("11")) == 1
    accounts.close_session(session_id)
    assert accounts.find_session(session_id) is None
    accounts.close()


def test_tokens_are_swapped_once_and_leased_by_one(settings: Settings) -> None:
    vault = open_vault(settings)
    stale = UserToken(
        user_id="11",
        user_login="eleven",
        user_display_name="Eleven",
        scopes=frozenset({"user:read:chat"}),
        access_token=SecretStr("access-5f4dcc3b5aa765d61d83"),
        refresh_token=SecretStr("refresh-27deb882cf99abc01a2b"),
        expires_at=Instant(5_000_000),
    )
    vault.save(stale)
    assert vault.get("11") == stale
    stored, start = [], threading.Barrier(4)

    def refresh(number: int) -> None:
        mine = open_vault(settings)
        new = replace(stale, access_token=SecretStr(f"access-of-the-refresher-{number}"))
        start.wait(30)
        stored.append(mine.swap("11", stale.access_token, new).access_token.get_secret_value())
        mine.close()

    threads = [threading.Thread(target=refresh, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(stored) == 4
    assert len(set(stored)) == 1, "the second one to come gets what the first one stored"
    assert vault.lease("11", "one", 60)
    assert not vault.lease("11", "two", 60)
    vault.release("11", "one")
    assert vault.lease("11", "two", 60)
    vault.mark_invalid("11", "x" * 400)
    broken = vault.get("11")
    assert broken is not None
    assert broken.error == "x" * 300
    vault.close()


def test_api_keys(settings: Settings) -> None:
    keys = open_api_keys(settings)
    text, key = keys.create("11", "Tool", frozenset({"read"}))
    found = keys.find(text)
    assert found is not None
    assert (found.user_id, found.name, found.scopes) == ("11", "Tool", frozenset({"read"}))
    assert [one.prefix for one in keys.of_user("11")] == [key.prefix]
    assert not keys.revoke("12", key.prefix)
    assert keys.revoke("11", key.prefix)
    assert keys.find(text) is None
    keys.close()


def test_eventsub(tmp_path: Path, state_url: str) -> None:
    known = EventSubState(tmp_path, state_url)
    row = Subscription(
        "k1", "channel.cheer", "1", "beta", "2", "websocket", "enabled", {"a": "1"}, subscription_id="s1"
    )
    known.replace_subscriptions([row])
    known.touch({"s1": (Instant(5), 2)})
    known.touch({"s1": (Instant(9), 1)})
    (found,) = known.subscriptions()
    assert (found.condition, found.last_event_at, found.event_count) == ({"a": "1"}, 9, 3)
    first = known.wish(CREATE, "11", eventsub_type="channel.ban", room_login="beta")
    assert known.wish("retry", "11") > first > 0
    for wish in known.open_wishes():
        known.fulfil(wish, "done")
    assert known.choices() == {("channel.ban", "beta"): True}
    revoked = revocation_of(
        "m1",
        {"id": "s1", "type": "channel.cheer", "condition": {"a": "1"}},
        transport="webhook",
        at=Instant(7),
    )
    assert known.revoke(revoked)
    assert not known.revoke(revoked)
    assert [one.message_id for one in known.revocations()] == ["m1"]
    known.replace_subscriptions([])
    assert known.subscriptions() == []
    known.close()


def test_what_is_read_is_of_one_moment(tmp_path: Path, state_url: str, state: State) -> None:
    reader = StateDatabase(tmp_path, state_url)
    count = "select count(*) from followed_channels"
    with reader.read() as con:
        assert con.exec_driver_sql(count).scalar() == 0
        state.follow(["zed"])
        assert con.exec_driver_sql(count).scalar() == 0
    with reader.read() as con:
        assert con.exec_driver_sql(count).scalar() == 1
    reader.close()


def test_what_fails_in_the_middle_leaves_nothing(tmp_path: Path, state_url: str, state: State) -> None:
    database = StateDatabase(tmp_path, state_url)
    with pytest.raises(RuntimeError, match="power"), database.write() as con:  # noqa: PT012 (all in one)
        con.exec_driver_sql("insert into followed_channels values ('zed', '', 1)")
        raise RuntimeError("power cut")
    assert state.followed() == []
    database.close()


def test_a_child_process_opens_its_own(tmp_path: Path, state_url: str, state: State) -> None:
    state.follow(["zed"])
    pid = os.fork()
    if pid == 0:
        try:
            state.follow(["kim"])
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert state.followed() == ["zed", "kim"], "and the parent's connection still works"


def test_a_server_that_is_not_there_is_said_without_the_password(tmp_path: Path) -> None:
    state = State(tmp_path, "postgresql://me:hunter2@127.0.0.1:1/nothing")
    with pytest.raises(StorageError, match="does not answer") as caught:
        state.followed()
    assert "hunter2" not in str(caught.value)
