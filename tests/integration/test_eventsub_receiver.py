"""The receiver of deliveries with a real journal, lake and state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collectors.eventsub_parse import parse_notification
from dashboard.errors import LockedError, StorageError
from dashboard.events import now_us
from dashboard.storage import eventsub_receiver
from dashboard.storage.eventsub_receiver import STATUS_NAME, EventSubReceiver, SeenIds
from dashboard.storage.eventsub_state import EventSubState, Subscription
from dashboard.storage.ingest import Ingest
from dashboard.storage.state import State
from dashboard.storage.store import Store
from tests.eventsub_messages import SUBSCRIPTION, content, delivery

Make = Callable[..., EventSubReceiver]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    opened: list[EventSubReceiver] = []

    def build(**options: Any) -> EventSubReceiver:
        opened.append(EventSubReceiver(tmp_path, parse_notification, **options))
        return opened[-1]

    yield build
    for receiver in opened:
        receiver.close()


def count(data_dir: Path, kind: str = "notifications") -> tuple[int, int]:
    store = Store(data_dir)
    rows = store.sql(f"select count(*), count(distinct event_id) from {kind}").rows
    store.close()
    return int(rows[0][0]), int(rows[0][1])


def test_what_was_received_is_in_the_lake_and_kept_verbatim(tmp_path: Path, make: Make) -> None:
    receiver = make()
    messages = [delivery(number) for number in range(20)]
    assert all(receiver.receive(message) for message in messages)
    receiver.close()
    assert count(tmp_path) == (20, 20)
    assert count(tmp_path, "follows") == (20, 20)
    files = [
        path
        for path in (tmp_path / "raw/eventsub/channel.follow").glob("*.jsonl")
        if not path.name.endswith(".headers.jsonl")
    ]
    kept = [line for path in sorted(files) for line in path.read_text().splitlines()]
    assert sorted(kept) == sorted(message.body for message in messages)


def test_a_repeated_message_is_stored_once_also_after_a_restart(tmp_path: Path, make: Make) -> None:
    first = make()
    assert first.receive(delivery(1))
    assert not first.receive(delivery(1))
    first.close()
    second = make()
    assert not second.receive(delivery(1)), "its id is read back from the lake"
    assert second.receive(delivery(2))
    second.close()
    assert count(tmp_path) == (2, 2)


def test_the_same_message_from_many_threads_at_once_is_stored_once(tmp_path: Path, make: Make) -> None:
    receiver = make()
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.append(receiver.receive(delivery(1)))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    receiver.close()
    assert sorted(results) == [False] * 15 + [True]
    assert count(tmp_path) == (1, 1)


def test_while_the_journal_can_t_be_written_twitch_is_asked_to_send_again(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventsub_receiver, "_DURABLE_WITHIN_S", 0.2)
    receiver = make()
    receiver.receive(delivery(1))
    ingest = receiver._opened()
    broken = StorageError("the disk is gone")

    def fail(payload: bytes) -> None:
        raise broken

    append = ingest._writer._journal.append
    monkeypatch.setattr(ingest._writer._journal, "append", fail)
    for _ in range(3):
        with pytest.raises(StorageError):
            receiver.receive(delivery(2))
    assert ingest.stats().queued_count <= 4, "what is refused does not pile up"
    monkeypatch.setattr(ingest._writer._journal, "append", append)
    assert ingest.sync(10)
    assert receiver.receive(delivery(2)) in (True, False)
    receiver.close()
    assert count(tmp_path) == (2, 2)


def test_a_second_process_has_to_wait_for_the_first(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventsub_receiver, "_OPEN_WAIT_S", 0.01)
    receiver = make()
    with Ingest(tmp_path, "webhook"), pytest.raises(LockedError):
        receiver.receive(delivery(1))
    assert receiver.receive(delivery(1)), "and takes over when it is gone"


def test_nothing_is_kept_of_people_who_opted_out(tmp_path: Path, make: Make) -> None:
    receiver = make(opt_out=["Viewer1"])
    receiver.receive(delivery(1))
    receiver.receive(delivery(2))
    receiver.close()
    assert count(tmp_path) == (1, 1)
    everything = b"".join(path.read_bytes() for path in (tmp_path / "raw").rglob("*.jsonl"))
    assert b"viewer1" not in everything
    assert b"viewer2" in everything


def test_last_events_and_counters_reach_the_state(tmp_path: Path, make: Make) -> None:
    known = EventSubState(tmp_path)
    row = Subscription(
        key="k",
        eventsub_type="channel.follow",
        version="2",
        room_login="alpha",
        room_id="1337",
        transport="webhook",
        status="enabled",
        subscription_id=SUBSCRIPTION,
    )
    known.replace_subscriptions([row])
    receiver = make()
    before = now_us()
    for number in range(3):
        receiver.receive(delivery(number))
        receiver.count("accepted")
    receiver.count("bad_signature")
    receiver.close()
    (stored,) = known.subscriptions()
    assert stored.event_count == 3
    assert stored.last_event_at is not None
    assert stored.last_event_at >= before
    state = State(tmp_path)
    status = state.read_status(STATUS_NAME)
    assert status is not None
    assert status.payload["counts"] == {"accepted": 3, "bad_signature": 1}
    state.close()
    known.close()


def test_a_revocation_is_kept_and_its_subscription_marked(tmp_path: Path, make: Make) -> None:
    known = EventSubState(tmp_path)
    row = Subscription("k", "channel.follow", "2", "alpha", "1337", "webhook", "enabled")
    known.replace_subscriptions([replace(row, subscription_id=SUBSCRIPTION)])
    ended = content(1)["subscription"] | {"status": "authorization_revoked"}
    message = replace(delivery(9), message_type="revocation", subscription=ended, event={})
    receiver = make()
    assert receiver.revoke(message)
    assert not receiver.revoke(message)
    (revocation,) = known.revocations()
    assert (revocation.subscription_id, revocation.status) == (SUBSCRIPTION, "authorization_revoked")
    (stored,) = known.subscriptions()
    assert stored.status == "authorization_revoked"
    assert stored.error == "Its owner took the permission back; it returns after a new login."
    known.close()


def test_ids_are_remembered_at_least_for_their_time() -> None:
    now_s = 0.0
    seen = SeenIds(60, lambda: now_s)
    seen.add("a")
    now_s = 60.0
    seen.add("b")
    assert "a" in seen
    now_s = 120.0
    seen.add("c")
    assert "a" not in seen
    assert "b" in seen
    assert "c" in seen
