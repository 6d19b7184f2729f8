"""Deliveries: what is Twitch's, what is refused, and what is counted."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from pydantic import SecretStr
from structlog.testing import capture_logs

from dashboard.config import Settings
from dashboard.errors import StorageError
from dashboard.events import Instant
from dashboard.eventsub_message import EventSubMessage
from dashboard.eventsub_web import MOST_BYTES, answer_deliveries, signature
from dashboard.storage.eventsub_secret import eventsub_secret

SECRET = "s3cRe7abcdef"
MESSAGE_ID = "e76c6bd4-55c9-4987-8304-da1588d8988b"
SENT = "2019-11-16T10:11:12.634234626Z"
SENT_AT = 1_573_899_072_634_234
BODY = (
    b'{"subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","status":"enabled","type":"channel.follow",'
    b'"version":"1","cost":1,"condition":{"broadcaster_user_id":"12826"},"transport":{"method":"webhook",'
    b'"callback":"https://example.com/webhooks/callback"},"created_at":"2019-11-16T10:11:12.634234626Z"},'
    b'"event":{"user_id":"1337","user_login":"awesome_user","user_name":"Awesome_User",'
    b'"broadcaster_user_id":"12826","broadcaster_user_login":"twitch","broadcaster_user_name":"Twitch",'
    b'"followed_at":"2020-07-15T18:16:11.17106713Z"}}'
)
# Twitch's example of a notification, signed with: openssl dgst -sha256 -hmac s3cRe7abcdef
SIGNED = "sha256=23f68aa5c5faba95ed3447ae04d9566ceb007e75d27be6d1fbf5495d69a808a3"


class FakeReceiver:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.received: list[EventSubMessage] = []
        self.revoked: list[EventSubMessage] = []
        self.counted: list[str] = []
        self.error: StorageError | None = None

    def receive(self, message: EventSubMessage) -> bool:
        if self.error:
            raise self.error
        is_new = message.message_id not in {known.message_id for known in self.received}
        self.received.append(message)
        return is_new

    def revoke(self, message: EventSubMessage) -> bool:
        self.revoked.append(message)
        return True

    def count(self, result: str) -> None:
        self.counted.append(result)


class Site:
    """The address with a clock that can be set."""

    def __init__(self) -> None:
        self.receiver = FakeReceiver()
        self.now = SENT_AT + 1_000_000
        server = Flask("test")
        answer_deliveries(server, lambda: SecretStr(SECRET), self.receiver, now=lambda: Instant(self.now))
        self.client = server.test_client()

    def post(self, body: bytes = BODY, **changed: str | None) -> Any:
        headers = {
            "Message-Id": MESSAGE_ID,
            "Message-Timestamp": SENT,
            "Message-Type": "notification",
            "Subscription-Type": "channel.follow",
        } | {name.replace("_", "-"): value for name, value in changed.items()}
        signed = signature(SECRET, headers["Message-Id"] or "", headers["Message-Timestamp"] or "", body)
        headers.setdefault("Message-Signature", signed)
        told = {f"Twitch-Eventsub-{name}": value for name, value in headers.items() if value is not None}
        return self.client.post("/eventsub/callback", data=body, headers=told)


@pytest.fixture
def site() -> Site:
    return Site()


def test_the_signature_is_what_openssl_makes_of_id_timestamp_and_body() -> None:
    assert signature(SECRET, MESSAGE_ID, SENT, BODY) == SIGNED


def test_a_notification_is_handed_on_whole_and_answered_with_204(site: Site) -> None:
    answer = site.post(Message_Signature=SIGNED)
    assert (answer.status_code, answer.data) == (204, b"")
    (message,) = site.receiver.received
    assert (message.message_id, message.sent_at) == (MESSAGE_ID, SENT_AT)
    assert message.body.encode() == BODY
    assert message.eventsub_type == "channel.follow"
    assert site.receiver.counted == ["accepted"]


def test_the_same_again_is_answered_the_same_and_counted_apart(site: Site) -> None:
    assert [site.post().status_code for _ in range(2)] == [204, 204]
    assert site.receiver.counted == ["accepted", "repeated"]


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "sha256=",
        SIGNED[:-1] + ("0" if SIGNED[-1] != "0" else "1"),
        SIGNED.upper(),
        SIGNED.removeprefix("sha256="),
        "sha256=é",
    ],
)
def test_a_wrong_signature_is_403_and_nothing_else_is_looked_at(site: Site, given: str | None) -> None:
    answer = site.post(Message_Signature=given)
    assert answer.status_code == 403
    assert site.receiver.received == []
    assert site.receiver.counted == ["bad_signature"]


def test_a_body_changed_by_one_byte_is_403(site: Site) -> None:
    answer = site.post(BODY.replace(b'"1337"', b'"1338"'), Message_Signature=SIGNED)
    assert (answer.status_code, site.receiver.counted) == (403, ["bad_signature"])


def test_a_broken_body_with_a_wrong_signature_is_no_400(site: Site) -> None:
    answer = site.post(b"{", Message_Signature=SIGNED, Message_Timestamp="yesterday")
    assert (answer.status_code, site.receiver.counted) == (403, ["bad_signature"])


@pytest.mark.parametrize(
    ("seconds", "status", "result"),
    [
        (600, 204, "accepted"),
        (600.000001, 403, "too_old"),
        (86_400, 403, "too_old"),
        (-600, 204, "accepted"),
        (-600.000001, 403, "too_old"),
    ],
)
def test_ten_minutes_either_way(site: Site, seconds: float, status: int, result: str) -> None:
    site.now = SENT_AT + round(seconds * 1_000_000)
    assert site.post().status_code == status
    assert site.receiver.counted == [result]


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b"not JSON", {}),
        (b"[]", {}),
        (b"{}", {}),
        (b"\xff\xfe{}", {}),
        (BODY, {"Message_Timestamp": "yesterday"}),
        (BODY, {"Message_Timestamp": "2019-11-16T10:11:12"}),
        (BODY, {"Message_Timestamp": None}),
        (BODY, {"Message_Id": None}),
        (BODY, {"Message_Type": None}),
        (BODY, {"Message_Type": "something_new"}),
        (BODY, {"Message_Type": "webhook_callback_verification"}),
    ],
)
def test_what_is_signed_yet_broken_is_400(site: Site, body: bytes, changed: dict[str, str | None]) -> None:
    with capture_logs() as logs:
        answer = site.post(body, **changed)
    assert answer.status_code == 400
    assert site.receiver.counted == ["malformed"]
    assert site.receiver.received == []
    assert len(logs) == 1
    assert "awesome_user" not in str(logs)


def test_a_refusal_is_logged_without_body_and_signature(site: Site) -> None:
    with capture_logs() as logs:
        site.post(Message_Signature="sha256=0123456789abcdef")
    (line,) = logs
    assert (line["result"], line["log_level"]) == ("bad_signature", "warning")
    assert "awesome_user" not in str(line)
    assert "0123456789abcdef" not in str(line)


def test_a_challenge_is_answered_raw_as_plain_text(site: Site) -> None:
    challenge = "pogchamp-kappa-360noscope-vohiyo"
    body = orjson.dumps({"challenge": challenge, "subscription": {"id": "1", "type": "channel.follow"}})
    answer = site.post(body, Message_Type="webhook_callback_verification")
    assert (answer.status_code, answer.data.decode()) == (200, challenge)
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Content-Length"] == str(len(challenge))
    assert site.receiver.counted == ["verified"]


def test_a_revocation_is_written_down(site: Site) -> None:
    subscription = {"id": "1", "type": "channel.follow", "status": "authorization_revoked"}
    answer = site.post(orjson.dumps({"subscription": subscription}), Message_Type="revocation")
    assert answer.status_code == 204
    (message,) = site.receiver.revoked
    assert message.subscription["status"] == "authorization_revoked"
    assert site.receiver.counted == ["revoked"]


@pytest.mark.parametrize("over", [0, 1])
def test_a_megabyte_is_the_limit(site: Site, over: int) -> None:
    body = BODY + b" " * (MOST_BYTES - len(BODY) + over)
    assert site.post(body).status_code == (413 if over else 204)
    assert site.receiver.counted == ["too_large" if over else "accepted"]


def test_what_could_not_be_stored_is_to_be_sent_again(site: Site) -> None:
    site.receiver.error = StorageError("the disk is full")
    answer = site.post()
    assert answer.status_code == 503
    assert "disk" not in answer.data.decode(), "nobody outside learns what is wrong in here"
    assert site.receiver.counted == ["not_stored"]
    site.receiver.error = None
    assert site.post().status_code == 204


def test_the_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
    made = eventsub_secret(settings)
    assert eventsub_secret(settings) == made
    assert 10 <= len(made.get_secret_value()) <= 100
    assert made.get_secret_value().isascii()
    path = tmp_path / "state" / "eventsub_secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(p.name for p in path.parent.iterdir()) == ["eventsub_secret"]
    own = Settings(_env_file=None, data_dir=tmp_path, sandbox=True, eventsub_secret="one of our own")
    assert eventsub_secret(own).get_secret_value() == "one of our own"
