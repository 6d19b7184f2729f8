"""Subscriptions made, adopted, lost and made again; conduits and their shards; the ledger."""

from __future__ import annotations

import pytest

from collectors.eventsub_book import Book, listed
from collectors.eventsub_conduit import Conduit
from collectors.eventsub_ledger import Ledger, observed_rooms
from collectors.eventsub_plan import Wanted
from dashboard.errors import TwitchRefused, TwitchUnavailable
from dashboard.events import Instant
from dashboard.storage.eventsub_state import Subscription
from tests.eventsub_fake import FakeHelix

SESSION = {"method": "websocket", "session_id": "s1"}
CALLBACK = {"method": "webhook", "callback": "https://example.com/eventsub/callback", "secret": "not told"}


def wanted(name: str, room: str = "1", transport: str = "websocket") -> Wanted:
    condition = {"broadcaster_user_id": room}
    return Wanted(name, "1", f"room{room}", room, transport, condition, "7", 0)


class Desk:
    """A book with a clock that can be set."""

    def __init__(self) -> None:
        self.helix = FakeHelix()
        self.now = 0
        self.book = Book(self.helix, now=lambda: Instant(self.now))

    def statuses(self) -> dict[str, str]:
        return {row.eventsub_type: row.status for row in self.book.rows()}


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_nothing_is_made_without_a_session_and_everything_with_one(desk: Desk) -> None:
    desk.book.want([wanted("channel.cheer"), wanted("channel.ban")])
    assert not await desk.book.sync()
    assert desk.helix.calls == []
    desk.book.started(SESSION)
    assert await desk.book.sync()
    assert desk.statuses() == {"channel.cheer": "enabled", "channel.ban": "enabled"}
    assert not await desk.book.sync(), "once made they are left alone"
    assert desk.book.totals is not None
    assert (desk.book.totals.total_cost, desk.book.totals.max_total_cost) == (2, 10)
    made = {one["type"]: one for one in desk.helix.subscriptions.values()}
    assert made["channel.cheer"]["transport"] == SESSION
    assert made["channel.cheer"]["condition"] == {"broadcaster_user_id": "1"}


async def test_what_is_no_longer_wanted_is_deleted(desk: Desk) -> None:
    desk.book.want([wanted("channel.cheer"), wanted("channel.ban")])
    desk.book.started(SESSION)
    await desk.book.sync()
    desk.book.want([wanted("channel.ban")])
    await desk.book.sync()
    assert [one["type"] for one in desk.helix.subscriptions.values()] == ["channel.ban"]
    assert desk.statuses() == {"channel.ban": "enabled"}


async def test_after_a_lost_connection_all_are_made_anew(desk: Desk) -> None:
    desk.book.want([wanted("channel.cheer")])
    desk.book.started(SESSION)
    await desk.book.sync()
    desk.book.lost("the connection broke")
    (row,) = desk.book.rows()
    assert (row.status, row.error) == ("lost", "the connection broke")
    assert not await desk.book.sync()
    desk.book.started(SESSION | {"session_id": "s2"})
    await desk.book.sync()
    assert desk.statuses() == {"channel.cheer": "enabled"}
    sessions = [one["transport"]["session_id"] for one in desk.helix.subscriptions.values()]
    assert sessions == ["s1", "s2"]


async def test_a_refused_one_holds_up_none_and_is_tried_again_later(desk: Desk) -> None:
    desk.helix.refuse["channel.cheer"] = TwitchRefused("POST /eventsub/subscriptions: missing scope")
    desk.book.want([wanted("channel.cheer"), wanted("channel.ban")])
    desk.book.started(SESSION)
    await desk.book.sync()
    assert desk.statuses() == {"channel.cheer": "failed", "channel.ban": "enabled"}
    assert "missing scope" in str(desk.book.rows()[0].error)
    desk.helix.refuse.clear()
    desk.now = 599_000_000
    await desk.book.sync()
    assert desk.statuses()["channel.cheer"] == "failed"
    desk.now = 600_000_000
    await desk.book.sync()
    assert desk.statuses()["channel.cheer"] == "enabled"


async def test_while_helix_is_down_the_waits_grow_and_a_button_ends_them(desk: Desk) -> None:
    desk.helix.down = TwitchUnavailable("POST /eventsub/subscriptions: no answer")
    desk.book.want([wanted("channel.cheer")])
    desk.book.started(SESSION)
    tries = []
    for second in range(0, 100, 5):
        desk.now = second * 1_000_000
        before = len(desk.helix.calls)
        await desk.book.sync()
        if len(desk.helix.calls) > before:
            tries.append(second)
    assert tries == [0, 5, 15, 35, 75]
    desk.helix.down = None
    assert desk.book.retry() == 1
    await desk.book.sync()
    assert desk.statuses() == {"channel.cheer": "enabled"}


async def test_a_revoked_one_is_made_again_after_a_new_login(desk: Desk) -> None:
    desk.book.want([wanted("channel.cheer")])
    desk.book.started(SESSION)
    await desk.book.sync()
    key = next(iter(desk.helix.subscriptions))
    assert not desk.book.revoked("another", "authorization_revoked")
    assert desk.book.revoked(key, "authorization_revoked")
    await desk.book.sync()
    assert desk.statuses() == {"channel.cheer": "authorization_revoked"}
    desk.helix.subscriptions.clear()
    desk.book.retry()
    await desk.book.sync()
    assert desk.statuses() == {"channel.cheer": "enabled"}


async def test_after_a_restart_what_is_there_is_taken_over_and_the_rest_cleared_away(desk: Desk) -> None:
    before = Book(desk.helix)
    before.want([wanted("channel.cheer"), wanted("channel.ban"), wanted("channel.goal.end")])
    before.started(CALLBACK, keeps=True)
    await before.sync()
    by_type = {one["type"]: one for one in desk.helix.subscriptions.values()}
    by_type["channel.ban"]["status"] = "notification_failures_exceeded"
    made_before = by_type["channel.cheer"]["id"]
    desk.helix.calls.clear()
    desk.book.want([wanted("channel.cheer"), wanted("channel.ban")])
    desk.book.started(CALLBACK, keeps=True)
    found, totals = await listed(desk.helix)
    assert totals.total == 3
    await desk.book.adopt(found)
    await desk.book.sync()
    assert desk.statuses() == {"channel.cheer": "enabled", "channel.ban": "enabled"}
    rows = {row.eventsub_type: row for row in desk.book.rows()}
    assert rows["channel.cheer"].subscription_id == made_before
    assert sorted(one["type"] for one in desk.helix.subscriptions.values()) == [
        "channel.ban",
        "channel.cheer",
    ]
    assert [method for method, _ in desk.helix.calls].count("POST") == 1


async def test_what_other_machines_made_on_a_shared_conduit_stays(desk: Desk) -> None:
    other = Book(desk.helix)
    transport = {"method": "conduit", "conduit_id": "c"}
    other.want([wanted("channel.cheer", "2", "conduit")])
    other.started(transport, keeps=True)
    await other.sync()
    desk.book.started(transport, keeps=True)
    found, _ = await listed(desk.helix)
    await desk.book.adopt(found, is_shared=True)
    assert len(desk.helix.subscriptions) == 1


async def test_machines_share_one_conduit_by_shard() -> None:
    helix = FakeHelix()
    first, second = Conduit(helix), Conduit(helix)
    assert await first.bind("s1") == "0"
    assert await second.bind("s2") == "1"
    assert helix.conduits == {"conduit-1": 2}
    assert await first.bind("s3") == "0", "the shard of before, also while Twitch has not missed it yet"
    helix.shards["0"]["status"] = "websocket_disconnected"
    assert await first.bind("s3b") == "0"
    helix.shards["1"]["status"] = "websocket_disconnected"
    third = Conduit(helix)
    assert await third.bind("s4") == "1", "a free one before a new one"
    assert await second.bind("s5") == "2"
    assert helix.conduits == {"conduit-1": 3}


async def test_who_reaches_for_a_taken_shard_tries_another() -> None:
    helix = FakeHelix()
    helix.conduits["conduit-1"] = 2
    helix.shards["0"] = {"id": "0", "status": "websocket_disconnected", "transport": {"session_id": "old"}}
    loser = Conduit(helix)
    put = loser._put
    stolen = []

    async def too_late(shard_id: str, session_id: str) -> None:
        await put(shard_id, session_id)
        if not stolen:
            stolen.append(shard_id)
            helix.shards[shard_id]["transport"] = {"session_id": "of another machine"}

    loser._put = too_late  # type: ignore[method-assign]
    assert await loser.bind("mine") == "1"
    assert stolen == ["0"]


def row(room: str, status: str) -> Subscription:
    return Subscription(f"{room}-{status}", "channel.cheer", "1", room, "1", "websocket", status)


def test_a_room_is_seen_with_something_enabled_and_nothing_missing() -> None:
    rows = [
        row("all", "enabled"),
        row("some_refused", "enabled"),
        row("some_refused", "failed"),
        row("starting", "enabled"),
        row("starting", "creating"),
        row("gone", "lost"),
        row("refused", "failed"),
        row("revoked", "enabled"),
        row("revoked", "authorization_revoked"),
    ]
    assert observed_rooms(rows) == {
        "all": True,
        "some_refused": True,
        "starting": False,
        "gone": False,
        "refused": False,
        "revoked": False,
    }


def test_the_ledger_says_what_changed_and_when_it_was_last_heard() -> None:
    ledger = Ledger()

    def changes(
        observed: dict[str, bool],
        now: int,
        followed: tuple[str, ...] = ("a", "b"),
        lost_at: int | None = None,
    ) -> list[tuple]:
        lost = {} if lost_at is None else {"a": Instant(lost_at)}
        found = ledger.changes(
            observed, followed, now=Instant(now), lost_at=lost, reasons=dict.fromkeys(lost, "it broke")
        )
        return [(o.room_login, o.state, o.sent_at, o.reason) for o in found]

    assert changes({"a": True, "b": False}, 10) == [("a", "joined", 10, None)]
    assert changes({"a": True, "b": True}, 11) == [("b", "joined", 11, None)]
    assert changes({"a": True, "b": True}, 12) == []
    assert changes({"a": False, "b": True}, 20, lost_at=17) == [("a", "lost", 17, "it broke")]
    assert changes({"a": True}, 30) == [("a", "joined", 30, None), ("b", "lost", 30, "subscriptions ended")]
    assert changes({"a": True}, 35, lost_at=33) == [("a", "lost", 33, "it broke"), ("a", "joined", 35, None)]
    assert changes({}, 40, ()) == [("a", "left", 40, "not followed any more")]
