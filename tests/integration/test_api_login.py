"""The API inside the whole application: sessions and keys of people who logged in, through the gate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.events import Instant
from dashboard.events_accounts import Account
from dashboard.events_helix import Chatter
from dashboard.storage.ingest import Ingest
from tests.auth_site import BASE, SandboxThread, Site, open_site
from tests.storage_events import T0, message


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread() as running:
        yield running


@pytest.fixture(scope="module")
def site(sandbox: SandboxThread, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("api-login")
    allowed = tuple(sandbox.person(index)[0] for index in (0, 1))
    with open_site(sandbox, folder, login="required", allowed_user_ids=allowed) as made:
        rooms = [sandbox.person(index)[1] for index in (0, 1)]
        with Ingest(folder) as ingest:
            ingest.put([message(number, room=room) for number, room in enumerate(rooms)])
            ingest.flush()
        yield made


def ask(client: Any, path: str, key: str = "") -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return client.get(f"/api/v1/{path}", base_url=BASE, headers=headers)


def rooms_in(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {row["room_login"] for row in answer.json["data"]}


def test_a_stranger_is_told_401_and_not_sent_to_the_login(site: Site) -> None:
    answer = ask(site.client(), "messages")
    assert (answer.status_code, answer.json["error"]) == (401, "unauthorized")
    assert ask(site.client(), "messages", "sl_wrong").status_code == 401
    page = site.client().get("/api-docs", base_url=BASE)
    assert page.status_code == 303
    assert "/login" in page.headers["Location"]


def test_a_session_sees_its_own_rooms_over_the_api(site: Site, sandbox: SandboxThread) -> None:
    own, other = sandbox.person(0)[1], sandbox.person(1)[1]
    client = site.person(own)
    assert rooms_in(ask(client, "messages")) == {own}
    assert rooms_in(ask(client, "rooms")) == {own}
    assert ask(client, f"messages?room-name={other}").status_code == 403
    assert ask(client, f"messages?room-name={other}&format=csv&limit=20000").status_code == 403
    answer = client.get("/api/messages", base_url=BASE)
    assert answer.headers["Cache-Control"].startswith("private")
    assert "Set-Cookie" not in answer.headers


def test_a_key_is_its_owners_whoever_sends_it(site: Site, sandbox: SandboxThread) -> None:
    (user_id, own), (_, other) = sandbox.person(0), sandbox.person(1)
    site.person(own)
    keys = site.services.api_keys
    assert keys is not None
    key, kept = keys.create(user_id, "script", frozenset({"read"}))
    for client in (site.client(), site.person(other)):
        assert rooms_in(ask(client, "messages", key)) == {own}
        assert ask(client, f"messages?room-name={other}", key).status_code == 403
    stranger, _ = keys.create("999999", "nobody's", frozenset({"read"}))
    assert ask(site.client(), "messages", stranger).status_code == 401
    local, _ = keys.create("local", "of the time without login", frozenset({"read"}))
    assert ask(site.client(), "messages", local).status_code == 401
    assert keys.revoke(user_id, kept.prefix)
    assert ask(site.client(), "messages", key).status_code == 401


def test_nothing_is_changed_over_the_api(site: Site) -> None:
    for method in ("post", "put", "delete"):
        answer = getattr(site.client(), method)("/api/v1/messages", base_url=BASE)
        assert answer.status_code in (403, 405)
        assert set(answer.json) == {"error", "message"}


def test_lists_of_a_public_channel_are_for_its_owner_and_its_moderators(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    (user_id, own), (other_id, other) = sandbox.person(0), sandbox.person(1)
    values = {"allowed_user_ids": (user_id, other_id), "admin_user_ids": (other_id,)}
    with open_site(sandbox, tmp_path, login="required", public_channels=(other,), **values) as site:
        at = Instant(T0)
        common: Any = {"source": "helix", "sent_at": at, "received_at": at, "user_id": "7"}
        with Ingest(tmp_path) as ingest:
            ingest.put(
                [
                    *(
                        Chatter(event_id=room, room_login=room, capture_id="c", **common)
                        for room in (own, other)
                    ),
                    message(1, room=other),
                    Account(event_id="a", room_login="", **common),
                ]
            )
            ingest.flush()
        client, admin = site.person(own), site.person(other)
        assert rooms_in(ask(client, "messages")) == {other}
        assert rooms_in(ask(client, "chatters")) == {own}
        assert ask(client, f"chatters?room-name={other}").status_code == 403
        assert ask(client, "accounts").status_code == 403
        assert rooms_in(ask(admin, "chatters")) == {other}
        assert rooms_in(ask(admin, "accounts")) == {""}
        site.auth.accounts.set_moderated(user_id, [other])
        assert rooms_in(ask(client, "chatters")) == {own, other}
