"""Who may ask the API for what: sessions, keys, scopes, rooms, limits, other sites; attempts to get past."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.access import LOCAL, NOBODY, Access
from dashboard.api.resources import all_resources
from dashboard.errors import StorageError
from dashboard.events import KINDS, Instant, RoomState, now_us
from dashboard.events_accounts import Account, Rename, Speaker
from dashboard.events_communities import CommunityEdge, CommunityNode, CommunityRun
from dashboard.events_helix import Chatter, ChatterPoll, Follower
from dashboard.insights.record_rights import MANAGED_KINDS, ROOMLESS_KINDS
from dashboard.storage.api_keys import MOST_KEYS, SCOPES
from tests.api_parts import Api, put
from tests.storage_events import T0, message

ALL = frozenset(SCOPES)
ANN = Access("1", "ann", rooms=frozenset({"ann", "shared"}))
BOB = Access("2", "bob", rooms=frozenset({"bob", "shared"}))
ROOMS = {"ann": "101", "bob": "102", "shared": "103", "other": "104"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    put(tmp_path, [message(n, room=room, room_id=i) for n, (room, i) in enumerate(ROOMS.items())])
    put(tmp_path, [state(room) for room in ROOMS])
    api.access = ANN
    api.people = {"1": ANN, "2": BOB}
    yield api
    api.close()


def state(room: str) -> RoomState:
    at = Instant(T0)
    return RoomState(
        event_id=f"s-{room}", source="irc", room_login=room, sent_at=at, received_at=at, slow_s=5
    )


def rooms_in(rows: list[dict[str, Any]]) -> set[str]:
    return {row["room_login"] for row in rows}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_everybody_sees_only_their_own_rooms_in_every_list(api: Api) -> None:
    for path in ("messages", "rooms", "roomstates", "roomstates?state=current"):
        assert rooms_in(api.data(path)) == {"ann", "shared"}, path
    api.access = BOB
    for path in ("messages", "rooms", "roomstates", "roomstates?state=current"):
        assert rooms_in(api.data(path)) == {"bob", "shared"}, path
    [person] = api.data("users?user-id=7")
    assert (person["room_count"], person["message_count"]) == (2, 2)


@pytest.mark.parametrize("form", ["json", "csv", "ndjson", "parquet"])
@pytest.mark.parametrize("resource", [r.name for r in all_resources() if "room-id" in r.parameters])
def test_a_foreign_room_is_refused_whatever_is_asked(api: Api, resource: str, form: str) -> None:
    for query in (
        "room-name=bob",
        "room-name=%23BOB",
        "room-name=unknown_room",
        "room-id=102",
        "room-id=999",
    ):
        answer = api.get(f"{resource}?{query}&format={form}")
        assert answer.status_code == 403, query
        assert answer.json["error"] == "forbidden"
        assert "only channels that you own or moderate" in answer.json["message"]
    assert api.get(f"{resource}?room-id=101&format={form}").status_code == 200


def base(number: int, room: str) -> dict[str, Any]:
    at = Instant(T0 + number)
    return {
        "event_id": f"e{number}",
        "source": "helix",
        "room_login": room,
        "room_id": ROOMS.get(room),
        "sent_at": at,
        "received_at": at,
    }


def put_people(api: Api) -> None:
    """Who is connected, who follows, and who spoke, in each room; and what has no room."""
    events: list[Any] = []
    for number, room in enumerate(ROOMS):
        events += [
            Chatter(**base(number, room), capture_id=room, user_id="7", user_login=f"sits_in_{room}"),
            ChatterPoll(**base(number, room), capture_id=room, chatter_count=1),
            Follower(**base(number, room), user_id="7", user_login=f"follows_{room}"),
            Speaker(**base(number, room), capture_id=room, user_id="7", user_login=f"spoke_in_{room}"),
        ]
    run: dict[str, Any] = {"run_id": "r"}
    events += [
        Account(**base(90, ""), user_id="7", user_login="met"),
        Rename(**base(91, ""), user_id="7", old_login="once", user_login="met"),
        CommunityRun(
            **base(92, ""), **run, seed=1, origin="lake", channel_count=1, edge_count=1, community_count=1
        ),
        CommunityNode(**base(93, ""), **run, place=0, channel_id="1", channel_login="other"),
        CommunityEdge(
            **base(94, ""),
            **run,
            place=0,
            source_place=0,
            target_place=1,
            source_login="other",
            target_login="bob",
        ),
    ]
    put(api.settings.data_dir, events)


@pytest.mark.parametrize("resource", ["chatters", "chatter_polls", "followers"])
def test_who_is_connected_or_follows_is_told_to_owners_and_moderators_only(api: Api, resource: str) -> None:
    """A public channel is seen, but not the lists that Twitch gives only to those who run it."""
    put_people(api)
    assert rooms_in(api.data(resource)) == {"ann"}
    assert rooms_in(api.data("speakers")) == {"ann", "shared"}, "what stands in the chat is everybody's"
    for query in ("room-name=shared", "room-id=103"):
        for form in ("json", "csv", "ndjson&limit=20000", "parquet&limit=20000"):
            answer = api.get(f"{resource}?{query}&format={form}")
            assert answer.status_code == 403, answer.text
            assert "only channels that you own or moderate" in answer.json["message"]
            assert "public" not in answer.json["message"]
    assert "shared" not in api.get(f"{resource}?format=csv&limit=20000").text
    api.moderated = {"1": frozenset({"shared"})}
    assert rooms_in(api.data(resource)) == {"ann", "shared"}
    assert rooms_in(api.data(f"{resource}?room-id=103")) == {"shared"}
    api.moderated = {"1": frozenset({"other"})}
    assert rooms_in(api.data(resource)) == {"ann"}, "what may not be seen at all is not opened by it"
    api.access = LOCAL
    assert rooms_in(api.data(resource)) == set(ROOMS)


@pytest.mark.parametrize("resource", sorted(ROOMLESS_KINDS))
def test_what_has_no_channel_is_for_admins(api: Api, resource: str) -> None:
    put_people(api)
    key, _ = api.keys.create("1", "script", ALL)
    for headers in ({}, bearer(key)):
        for query in ("", "?format=csv&limit=20000", "?start-date=2023-11-14"):
            answer = api.get(resource + query, headers=headers)
            assert (answer.status_code, answer.json["error"]) == (403, "forbidden")
            assert "ADMIN_USER_IDS" in answer.json["message"]
    api.access = Access("3", "eve", is_admin=True, rooms=frozenset({"eve"}))
    assert len(api.data(resource)) == 1
    assert api.data("chatters") == [], "managing is not reading"
    api.access = LOCAL
    assert len(api.data(resource)) == 1
    answer = api.get(f"{resource}?room-name=ann")
    assert (answer.status_code, answer.json["error"]) == (400, "bad_request")


def test_the_document_says_for_whom(api: Api) -> None:
    paths = api.get("openapi.json").json["paths"]
    for kind in MANAGED_KINDS:
        assert "own or moderate" in paths[f"/{kind}"]["get"]["description"]
    for kind in ROOMLESS_KINDS:
        assert "manages" in paths[f"/{kind}"]["get"]["description"]
        assert "room-name" not in {p["name"] for p in paths[f"/{kind}"]["get"]["parameters"]}


def test_every_kind_without_a_channel_is_known_to_be_one() -> None:
    """A new kind of the same families has to be put under one rule or the other, by hand."""
    told = {kind for kind in KINDS if kind.startswith("community_") or kind in ("accounts", "renames")}
    assert told == ROOMLESS_KINDS
    assert set(KINDS) >= MANAGED_KINDS


def test_a_cursor_of_one_person_opens_nothing_to_another(api: Api) -> None:
    put(api.settings.data_dir, [message(n, room="bob", room_id="102") for n in range(10, 14)])
    api.access = BOB
    cursor = api.get("messages?limit=1").json["pagination"]["cursor"]
    api.access = ANN
    assert rooms_in(api.data(f"messages?limit=100&cursor={cursor}")) <= {"ann", "shared"}


def test_a_foreign_room_is_not_reached_by_any_export(api: Api) -> None:
    body = api.get("messages?format=csv&limit=20000").text
    assert "shared" in body
    assert "bob" not in body


def test_nobody_gets_401_and_is_told_how(api: Api) -> None:
    api.access = NOBODY
    for path in ("messages", "rooms", "health", "nonsense"):
        answer = api.get(path)
        assert (answer.status_code, answer.json["error"]) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert api.get("openapi.json").status_code == 200


def test_a_key_sees_what_its_owner_sees_at_that_moment(api: Api) -> None:
    key, _ = api.keys.create("2", "script", ALL)
    api.access = NOBODY
    assert rooms_in(api.data("messages", headers=bearer(key))) == {"bob", "shared"}
    # A key goes before the browser's session.
    api.access = ANN
    assert rooms_in(api.data("messages", headers=bearer(key))) == {"bob", "shared"}
    api.people["2"] = Access("2", "bob", rooms=frozenset({"shared"}))
    assert rooms_in(api.data("messages", headers=bearer(key))) == {"shared"}
    del api.people["2"]
    assert api.get("messages", headers=bearer(key)).status_code == 401


def test_wrong_ended_and_revoked_keys_are_refused_in_the_same_words(api: Api) -> None:
    good, kept = api.keys.create("1", "good", ALL)
    ended, _ = api.keys.create("1", "ended", ALL, expires_at=Instant(now_us() - 1))
    revoked, gone = api.keys.create("1", "revoked", ALL)
    assert api.keys.revoke("2", gone.prefix) is False
    assert api.keys.revoke("1", gone.prefix) is True
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    words = set()
    for text in (ended, revoked, wrong, "sl_x_y", "", good + "\u00e9", good.upper()):
        answer = api.get("messages", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 401
        words.add(answer.json["message"])
    assert len(words) == 1
    assert api.get("messages", headers={"Authorization": "Basic YTpi"}).status_code == 401
    assert api.get("messages", headers=bearer(good)).status_code == 200
    [found] = [key for key in api.keys.of_user("1") if key.prefix == kept.prefix]
    assert found.used_at is not None


def test_only_a_hash_of_a_key_is_kept_and_none_is_logged(
    api: Api, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key, kept = api.keys.create("1", "x" * 500, frozenset({"read"}))
    api.get("messages", headers=bearer(key))
    secret = key.rsplit("_", 1)[1]
    api.keys.close()
    for path in (tmp_path / "state").glob("state.sqlite*"):
        assert secret.encode() not in path.read_bytes()
    assert secret not in caplog.text
    assert secret not in repr(kept)
    assert len(kept.name) == 60


def test_keys_of_one_person_are_not_without_number(api: Api) -> None:
    for _ in range(MOST_KEYS):
        api.keys.create("1", "key", ALL)
    with pytest.raises(StorageError, match="Revoke one"):
        api.keys.create("1", "key", ALL)
    with pytest.raises(ValueError, match="read, export, manage"):
        api.keys.create("2", "key", frozenset({"everything"}))


def test_scopes_hold_back_what_they_do_not_name(api: Api) -> None:
    reading, _ = api.keys.create("1", "reading", frozenset({"read"}))
    managing, _ = api.keys.create("1", "managing", frozenset({"manage"}))
    path = "messages?format=csv&limit=10001"
    assert api.get("messages?format=csv&limit=10000", headers=bearer(reading)).status_code == 200
    answer = api.get(path, headers=bearer(reading))
    assert (answer.status_code, "export" in answer.json["message"]) == (403, True)
    assert api.get("messages", headers=bearer(managing)).status_code == 403
    exporting, _ = api.keys.create("1", "exporting", frozenset({"read", "export"}))
    assert api.get(path, headers=bearer(exporting)).status_code == 200


def test_too_many_requests_are_told_when_to_come_again(tmp_path: Path) -> None:
    api = Api(tmp_path, api_requests_per_min=3)
    left = [api.get("messages").headers["RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    answer = api.get("messages")
    assert (answer.status_code, answer.json["error"]) == (429, "too_many_requests")
    assert answer.headers["RateLimit-Limit"] == "3"
    assert 1 <= int(answer.headers["Retry-After"]) <= 20
    # Another key is another caller; mistakes count as well.
    key, _ = api.keys.create("local", "script", ALL)
    codes = [api.get("messages?limit=-1", headers=bearer(key)).status_code for _ in range(4)]
    assert codes == [400, 400, 400, 429]
    # Trying keys is counted by address.
    codes = [api.get("messages", headers=bearer("sl_wrong")).status_code for _ in range(4)]
    assert codes == [401, 401, 401, 429]
    api.close()


def test_other_sites_read_nothing_unless_configured(tmp_path: Path) -> None:
    origin = {"Origin": "https://pages.example"}
    ask = origin | {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    closed = Api(tmp_path)
    for answer in (
        closed.get("messages", headers=origin),
        closed.client.options("/api/v1/messages", headers=ask),
    ):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
    closed.close()
    api = Api(tmp_path, cors_origins="https://pages.example")
    preflight = api.client.options("/api/v1/messages", headers=ask)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://pages.example"
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in preflight.headers
    for path in ("messages", "messages?limit=-1"):
        answer = api.get(path, headers=origin)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://pages.example"
        assert "Origin" in answer.headers["Vary"]
    other = api.get("messages", headers={"Origin": "https://pages.example.evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
    api.close()


def test_only_reading_is_possible(api: Api) -> None:
    for method in ("post", "put", "patch", "delete"):
        answer = getattr(api.client, method)("/api/v1/messages")
        assert (answer.status_code, answer.json["error"]) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert api.client.options("/api/v1/messages").headers["Allow"] == "GET, HEAD, OPTIONS"
    head = api.client.head("/api/v1/messages")
    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(api.get("messages").data)
    for path in ("nonsense", "messages/1", "../messages", "v1/messages"):
        assert api.get(path).status_code in (404, 200)
    answer = api.client.get("/api/v2/messages")
    assert (answer.status_code, answer.json["error"]) == (404, "not_found")


ATTEMPTS = [
    "' or '1'='1",
    "alpha' union select * from read_text('/etc/passwd') --",
    '"; drop view chat_messages; --',
    "$start_at",
    "{files}",
    "{conditions}",
    "%",
    "\\",
    "../../etc/passwd",
    "a" * 5000,
    "\u202e\u0000",
    "=cmd|'/c calc'!A1",
]


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_no_parameter_takes_sql(api: Api, attempt: str) -> None:
    names = {name for resource in all_resources() for name in resource.parameters}
    for name in sorted(names):
        resource = next(r for r in all_resources() if name in r.parameters)
        answer = api.get(resource.name, query_string={name: attempt})
        # Only the text that is searched for may be anything; it finds nothing here.
        expected = {200, 400} if name == "q" else {400}
        assert answer.status_code in expected, (name, answer.text)
        if answer.status_code == 200:
            assert answer.json["data"] == []
    answer = api.get("messages", query_string={attempt: "x"})
    assert answer.status_code == 400
    assert len(answer.json["message"]) < 1000
    assert rooms_in(api.data("messages")) == {"ann", "shared"}


def test_our_own_mistake_is_told_as_a_reference_only(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("inner secret at /srv/data")

    monkeypatch.setattr("dashboard.insights.records.read_page", broken)
    answer = api.get("messages")
    assert (answer.status_code, answer.json["error"]) == (500, "internal")
    assert "inner secret" not in answer.text
    assert "Reference" in answer.json["message"]


def test_every_kind_is_served(api: Api) -> None:
    assert {r.kind for r in all_resources() if r.form == "events"} == set(KINDS)
