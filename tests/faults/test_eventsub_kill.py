"""Kill −9 between the store and the answer to a webhook, and in a flood: no loss, no double."""

from __future__ import annotations

import http.client
import multiprocessing
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from dashboard.events import now_us
from dashboard.eventsub_web import signature
from dashboard.storage.eventsub_raw import RawLog
from dashboard.storage.ingest import Ingest
from dashboard.storage.store import Store
from tests.eventsub_children import SECRET, serve
from tests.eventsub_messages import content, stamp

pytestmark = pytest.mark.fault


class Server:
    """One child with the webhook."""

    def __init__(self, context: Any, data_dir: Path, deadly: str = "") -> None:
        reader, writer = multiprocessing.Pipe(duplex=False)
        self.process = context.Process(target=serve, args=(data_dir, deadly, writer), daemon=True)
        self.process.start()
        writer.close()
        assert reader.poll(60)
        self.port = reader.recv()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    def post(self, number: int) -> int | None:
        """The status of the answer, or None without one."""
        body = orjson.dumps(content(number))
        message_id, timestamp = f"message-{number}", stamp()
        headers = {
            "Twitch-Eventsub-Message-Id": message_id,
            "Twitch-Eventsub-Message-Type": "notification",
            "Twitch-Eventsub-Message-Timestamp": timestamp,
            "Twitch-Eventsub-Message-Signature": signature(SECRET, message_id, timestamp, body),
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/eventsub/callback", body, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pandas", "tests.eventsub_children"])
    started: list[Server] = []

    def make(deadly: str = "") -> Server:
        started.append(Server(context, tmp_path, deadly))
        return started[-1]

    yield make
    for server in started:
        server.kill()
        server.process.close()


def stored(data_dir: Path) -> tuple[list[int], list[int]]:
    """Numbers of the notifications in the lake, and of the lines in the raw record."""
    with Ingest(data_dir, "webhook"):
        pass
    store = Store(data_dir)
    table = store.sql("select cast(event_id[9:] as bigint) from notifications order by 1", max_rows=1_000_000)
    raw = RawLog(data_dir)
    raw.fill_in(store, now=now_us() + 120_000_000)
    store.close()
    files = [path for path in raw.folder.glob("*/*.jsonl") if not path.name.endswith(".headers.jsonl")]
    kept = [
        int(orjson.loads(line)["event"]["user_id"]) - 100
        for path in files
        for line in path.read_bytes().splitlines()
    ]
    return [number for (number,) in table.rows], sorted(kept)


def test_a_kill_between_store_and_answer_loses_nothing_and_doubles_nothing(
    tmp_path: Path, start: Any
) -> None:
    first = start("message-3")
    assert [first.post(number) for number in (1, 2, 3)] == [204, 204, None]
    first.process.join(10)
    second = start()
    # Twitch had no answer to the third and sends it again; the second comes twice as well.
    assert [second.post(number) for number in (3, 2, 4)] == [204, 204, 204]
    second.kill()
    assert stored(tmp_path) == ([1, 2, 3, 4], [1, 2, 3, 4])


def test_kills_in_a_flood_lose_nothing_that_was_answered(tmp_path: Path, start: Any) -> None:
    chance = random.Random(3)
    answered: set[int] = set()
    sent: list[int] = []
    lock = threading.Lock()
    for round_number in range(3):
        server = start()
        ending = threading.Event()

        def flood(server: Server = server, ending: threading.Event = ending) -> None:
            while not ending.is_set():
                with lock:
                    # Now and then one that was sent before: answered or not, Twitch can't know.
                    number = chance.choice(sent) if sent and chance.random() < 0.2 else len(sent) + 1
                    if number > len(sent):
                        sent.append(number)
                if server.post(number) == 204:
                    with lock:
                        answered.add(number)

        threads = [threading.Thread(target=flood) for _ in range(8)]
        for thread in threads:
            thread.start()
        limit_s = time.monotonic() + 60
        while len(answered) < (round_number + 1) * 150 and time.monotonic() < limit_s:
            time.sleep(0.02)
        server.kill()
        ending.set()
        for thread in threads:
            thread.join()
    in_lake, kept = stored(tmp_path)
    assert len(answered) >= 450
    assert answered <= set(in_lake)
    assert len(in_lake) == len(set(in_lake))
    assert kept == in_lake
