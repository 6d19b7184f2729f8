"""EventSub as the collector runs it, against the sandbox: subscriptions, losses, revoked tokens, wishes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from waitress.server import create_server as create_waitress

from collectors.eventsub import STATUS_NAME, EventSubManager
from collectors.eventsub_directory import Directory
from collectors.eventsub_parse import parse_notification
from collectors.helix_client import open_client, open_user_client
from collectors.sandbox_login import log_in_to_sandbox
from collectors.waiting import cancelled
from dashboard.access import LOCAL
from dashboard.config import Settings
from dashboard.events import Event, Observation
from dashboard.events_eventsub import Cheer, Notification
from dashboard.eventsub_message import EventSubMessage
from dashboard.eventsub_types import NO_SUCH_ROOM, TYPES
from dashboard.eventsub_web import answer_deliveries
from dashboard.insights.eventsub import EventSubInsights
from dashboard.sandbox import SandboxServer, World
from dashboard.sandbox.eventsub_messages import Told
from dashboard.sandbox.eventsub_socket import SocketLimits
from dashboard.storage.eventsub_receiver import EventSubReceiver
from dashboard.storage.eventsub_secret import eventsub_secret
from dashboard.storage.eventsub_state import CREATE, CREATE_ALL, DELETE, EventSubState, Subscription
from dashboard.storage.state import State
from dashboard.storage.store import Store
from dashboard.storage.tokens import open_vault

CHAT = {name for name in TYPES if name.startswith("channel.chat.")}
LIMITS = SocketLimits(reconnect_within_s=2.0, keepalive_s=10)


class Sink:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.kept: list[EventSubMessage] = []

    async def put(self, events: Sequence[Event]) -> None:
        self.events += events

    async def reject(self, line: str, reason: str) -> None:
        raise AssertionError(reason)

    def keep(self, message: EventSubMessage) -> None:
        self.kept.append(message)

    def ledger(self, room: str) -> list[tuple[str, str | None]]:
        told = [e for e in self.events if isinstance(e, Observation) and e.room_login == room]
        return [(event.state, event.reason) for event in told]


class Tail:
    def __init__(self, sink: Sink) -> None:
        self.put = sink.keep


class Installation:
    """The sandbox, an installation that looks at it, and its manager."""

    def __init__(self, server: SandboxServer, tmp_path: Path) -> None:
        self.server = server
        port = int(server.urls["http"].rsplit(":", 1)[1])
        self.settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True, sandbox_port=port)
        self.home = server.world.home[0]
        self.state, self.known = State(tmp_path), EventSubState(tmp_path)
        self.vault = open_vault(self.settings)
        self.sink = Sink()
        self.followed = [self.home.login]
        self._task: asyncio.Task[None] | None = None
        self._app: Any = None
        self._number = 0

    async def start(self, **changed: Any) -> None:
        settings = self.settings.model_copy(update=changed)
        self._app = open_client(settings)
        directory = Directory(
            self.vault, self._app, lambda user_id: open_user_client(settings, self.vault, user_id)
        )
        self.manager = EventSubManager(
            settings,
            self.sink,
            Tail(self.sink),
            parse_notification,
            directory=directory,
            app=self._app,
            state=self.state,
            known=self.known,
            followed=lambda: self.followed,
            tick_s=0.1,
        )
        self._task = asyncio.create_task(self.manager.run())

    async def log_in(self, login: str | None = None) -> None:
        assert await log_in_to_sandbox(self.settings, self.vault, login or self.home.login)

    async def stop(self) -> None:
        if self._task:
            await cancelled([self._task])
            await self.manager.close()
            await self._app.close()
            self._task = None

    def rows(self, status: str | None = None) -> list[Subscription]:
        return [row for row in self.known.subscriptions() if status in (None, row.status)]

    def names(self, status: str) -> set[str]:
        return {row.eventsub_type for row in self.rows(status)}

    def status(self) -> dict[str, Any]:
        row = self.state.read_status(STATUS_NAME)
        return row.payload if row else {}

    def tell(self, count: int = 1) -> list[str]:
        """Lets something happen in the home channel; the cheers' texts."""
        texts = []
        for _ in range(count):
            self._number += 1
            texts.append(f"cheer number {self._number}")
            event = {
                "broadcaster_user_id": self.home.user_id,
                "broadcaster_user_login": self.home.login,
                "broadcaster_user_name": self.home.display_name,
                "is_anonymous": True,
                "user_id": None,
                "user_login": None,
                "user_name": None,
                "message": texts[-1],
                "bits": 100,
            }
            subject = f"broadcaster_user_id:{self.home.user_id}"
            told = Told(self.server.now_s(), "channel.cheer", subject, event, texts[-1])
            self.server.eventsub.tell([told])
        return texts

    def heard(self) -> list[str]:
        """The texts of our cheers that came, without the sandbox's own."""
        cheers = [event.text or "" for event in self.sink.events if isinstance(event, Cheer)]
        return [text for text in cheers if text.startswith("cheer number")]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Installation]:
    async with SandboxServer(World(7, 12), "127.0.0.1", 0, socket_limits=LIMITS) as server:
        place = Installation(server, tmp_path)
        yield place
        await place.stop()
        place.state.close()
        place.known.close()


async def until(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    limit = asyncio.get_running_loop().time() + timeout_s
    while not condition():
        assert asyncio.get_running_loop().time() < limit
        await asyncio.sleep(0.05)


def everything(place: Installation) -> Callable[[], bool]:
    return lambda: place.names("enabled") == set(TYPES) - CHAT and not place.rows("creating")


async def test_everything_that_the_owner_allows_is_subscribed_to_and_heard(place: Installation) -> None:
    await place.log_in()
    await place.start()
    await until(everything(place))
    await until(lambda: place.status().get("rooms") == [place.home.login])
    assert place.sink.ledger(place.home.login) == [("joined", None)]
    status = place.status()
    (connection,) = status["connections"]
    assert connection["is_connected"]
    assert connection["user_login"] == place.home.login
    assert connection["subscription_count"] == len(place.rows())
    (totals,) = status["totals"]
    assert totals["total"] == len(place.rows())
    assert totals["total_cost"] == 0
    texts = place.tell(5)
    await until(lambda: len(place.heard()) == 5)
    assert place.heard() == texts
    raw = [event for event in place.sink.events if isinstance(event, Notification)]
    assert [message.body for message in place.sink.kept] == [event.body for event in raw]


async def test_without_a_login_each_type_says_what_is_missing_and_a_login_brings_all(
    place: Installation,
) -> None:
    await place.start()
    await until(lambda: len(place.rows("impossible")) == len(set(TYPES) - CHAT))
    assert all(row.error for row in place.rows())
    assert place.status()["connections"] == []
    await place.log_in()
    await until(everything(place))


async def test_a_handover_loses_nothing_and_is_no_gap(place: Installation) -> None:
    await place.log_in()
    await place.start()
    await until(everything(place))
    texts = place.tell(3)
    place.server.eventsub.sockets.send_reconnect()
    for _ in range(40):
        texts += place.tell()
        await asyncio.sleep(0.02)
    await until(lambda: place.status()["connections"][0]["handover_count"] == 1)
    texts += place.tell(3)
    await until(lambda: set(place.heard()) == set(texts))
    assert place.sink.ledger(place.home.login) == [("joined", None)]


async def test_a_broken_connection_is_a_gap_and_all_is_subscribed_again(place: Installation) -> None:
    await place.log_in()
    await place.start()
    await until(everything(place))
    await until(lambda: place.status().get("rooms") == [place.home.login])
    before = {row.subscription_id for row in place.rows()}
    place.server.eventsub.sockets.kill()
    await until(lambda: len(place.sink.ledger(place.home.login)) == 3)
    assert [state for state, _ in place.sink.ledger(place.home.login)] == ["joined", "lost", "joined"]
    await until(everything(place))
    assert not before & {row.subscription_id for row in place.rows()}
    texts = place.tell(2)
    await until(lambda: place.heard() == texts)


async def test_helix_and_eventsub_down_for_a_while(place: Installation) -> None:
    await place.log_in()
    await place.start()
    await until(everything(place))
    await until(lambda: place.status().get("rooms"))
    place.server.faults.go_down(1.5)
    place.server.eventsub.sockets.kill()
    await until(lambda: place.status().get("rooms") == [])
    await until(lambda: place.rows("failed") or place.rows("lost") or place.rows("creating"))
    place.known.wish("retry", "test")
    await asyncio.sleep(1.6)
    place.known.wish("retry", "test")
    await until(everything(place), 25)
    await until(lambda: place.status().get("rooms") == [place.home.login])
    states = [state for state, _ in place.sink.ledger(place.home.login)]
    assert states == ["joined", "lost", "joined"]


async def test_a_revoked_token_stops_its_own_and_comes_back_with_a_new_login(place: Installation) -> None:
    other = place.server.world.home[1]
    place.followed.append(other.login)
    await place.log_in()
    token = place.vault.get(place.home.user_id)
    assert token is not None
    place.vault.forget(place.home.user_id)
    await place.log_in(other.login)
    place.vault.save(token)
    await place.start()
    await until(lambda: {row.room_login for row in place.rows("enabled")} == set(place.followed))
    await until(lambda: sorted(place.status().get("rooms", [])) == sorted(place.followed))
    place.server.oauth.revoke_user(place.home.login)
    await until(lambda: place.known.revocations())
    assert {r.status for r in place.known.revocations()} == {"authorization_revoked"}
    await until(lambda: place.status()["rooms"] == [other.login])
    assert place.sink.ledger(place.home.login)[-1] == (
        "lost",
        "Its owner took the permission back; it returns after a new login.",
    )
    place.vault.mark_invalid(place.home.user_id, "Twitch does not accept it any more. Log in again.")
    await until(lambda: place.status()["unusable"])
    assert place.sink.ledger(other.login) == [("joined", None)], "the other one goes on"
    # What needs no permission comes in with the other one's token.
    await until(lambda: {r.eventsub_type for r in place.rows("enabled") if r.room_login == place.home.login})
    cheer = [r for r in place.rows("impossible") if r.eventsub_type == "channel.cheer"]
    assert [row.room_login for row in cheer] == [place.home.login]
    again = place.vault.get(other.user_id)
    assert again is not None
    place.vault.forget(place.home.user_id)
    place.vault.forget(other.user_id)
    await place.log_in()
    place.vault.save(again)
    await until(lambda: sorted(place.status()["rooms"]) == sorted(place.followed))


async def test_wishes_are_carried_out_and_remembered(place: Installation) -> None:
    await place.log_in()
    await place.start()
    await until(everything(place))
    room = place.home.login
    place.known.wish(DELETE, "me", eventsub_type="channel.cheer", room_login=room)
    await until(lambda: place.names("stopped") == {"channel.cheer"})
    await until(lambda: "channel.cheer" not in place.names("enabled"))
    assert "channel.cheer" not in {one.kind.name for one in place.server.eventsub.subscriptions}
    place.known.wish(CREATE, "me", eventsub_type="channel.chat.message", room_login=room)
    await until(lambda: "channel.chat.message" in place.names("enabled"))
    await place.stop()
    await place.start()
    await until(lambda: "channel.chat.message" in place.names("enabled"))
    assert place.names("stopped") == {"channel.cheer"}
    place.known.wish(CREATE_ALL, "me")
    await until(lambda: "channel.cheer" in place.names("enabled"))
    assert all(wish.done_at for wish in place.known.recent_wishes())


async def test_a_wish_for_a_channel_that_is_none_is_dropped_with_the_reason(place: Installation) -> None:
    await place.start()
    place.known.wish(CREATE, "me", eventsub_type="channel.raid", room_login="nobody_is_called_so")
    await until(lambda: place.known.recent_wishes()[0].result == NO_SUCH_ROOM)
    assert place.known.choices() == {}
    await until(lambda: not [row for row in place.known.subscriptions() if row.room_login[:6] == "nobody"])
    overview = EventSubInsights(place.state, place.known).overview(LOCAL)
    assert [wish.room_login for wish in overview.dropped] == ["nobody_is_called_so"]


async def test_a_manager_that_died_leaves_a_gap(place: Installation) -> None:
    payload = {"stopped_at": None, "rooms": [place.home.login]}
    place.state.write_status(STATUS_NAME, payload)
    last = place.state.read_status(STATUS_NAME)
    await place.start()
    await until(lambda: place.sink.events)
    event = place.sink.events[0]
    assert isinstance(event, Observation)
    assert (event.state, event.collector) == ("lost", "eventsub")
    assert last is not None
    assert event.sent_at == last.updated_at


async def test_a_conduit_brings_the_same(place: Installation) -> None:
    await place.log_in()
    await place.start(eventsub_transport="conduit")
    await until(everything(place))
    await until(lambda: place.status()["connections"][0]["shard_id"] == "0")
    assert place.status()["connections"][0]["conduit_id"]
    texts = place.tell(3)
    await until(lambda: place.heard() == texts)
    assert {message.transport for message in place.sink.kept} == {"conduit"}
    shards = place.server.eventsub.conduits.of_client("sandbox-client")[0].shards
    place.server.eventsub.sockets.kill()
    await until(lambda: len(place.sink.ledger(place.home.login)) == 3)
    more = place.tell(2)
    await until(lambda: place.heard() == texts + more)
    assert len(shards) == 1, "the shard of before was taken again"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, EventSubReceiver]]:
    """The webhook of this installation, served."""
    receiver = EventSubReceiver(tmp_path, parse_notification)
    settings = Settings(_env_file=None, data_dir=tmp_path, sandbox=True)
    server = Flask("web")
    answer_deliveries(server, lambda: eventsub_secret(settings), receiver)
    waitress = create_waitress(server, host="127.0.0.1", port=0, threads=8)

    def serve() -> None:
        with suppress(OSError):  # Its socket is closed under it at the end.
            waitress.run()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{waitress.effective_port}", receiver
    waitress.close()
    thread.join(5)
    receiver.close()


async def test_a_webhook_is_verified_delivered_to_and_taken_over_after_a_restart(
    place: Installation, tmp_path: Path, web: tuple[str, EventSubReceiver]
) -> None:
    url, receiver = web
    await place.log_in()
    await place.start(eventsub_transport="webhook", public_url=url)
    await until(everything(place), 25)
    assert receiver.counts()["verified"] == len(place.rows())
    before = {row.key: row.subscription_id for row in place.rows()}
    place.tell(5)
    # The sandbox's own happenings come too.
    await until(lambda: receiver.counts().get("accepted", 0) >= 5)
    await place.stop()
    received = receiver.counts()["accepted"]
    place.tell(2)
    await until(lambda: receiver.counts()["accepted"] >= received + 2)  # Deliveries need no collector.
    await place.start(eventsub_transport="webhook", public_url=url)
    await until(everything(place))
    assert {row.key: row.subscription_id for row in place.rows()} == before
    assert receiver.counts()["verified"] == len(before), "nothing was made anew"
    place.server.oauth.revoke_user(place.home.login)
    await until(lambda: place.names("authorization_revoked"))
    await until(lambda: receiver.counts()["revoked"] == len(place.known.revocations(200)))
    await place.stop()
    await asyncio.to_thread(receiver.close)
    store = Store(tmp_path)
    query = "select count(*), count(distinct event_id) from cheers where text like 'cheer number%'"
    (cheers,) = store.sql(query).rows
    store.close()
    assert cheers == (7, 7)
