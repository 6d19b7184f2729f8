"""One answer in four formats, small and huge; what is cached, cut short, or stopped."""

from __future__ import annotations

import csv
import gc
import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pyarrow.parquet as pq
import pytest
from waitress.server import create_server

from dashboard.api import blueprint as blueprint_module
from dashboard.errors import QueryTimeout
from dashboard.insights import records as records_module
from dashboard.storage.compaction import Compactor
from tests.api_parts import Api, put
from tests.storage_events import T0, message, messages

TEXTS = ["=1+1", "+49", "-5", "@all", "\ttab", "plain", 'say "hi", all', "two\nlines", "", "Ünï 🎉"]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    api = Api(tmp_path)
    yield api
    api.close()


def rows(api: Api, path: str, form: str) -> list[dict[str, Any]]:
    answer = api.get(f"{path}&format={form}")
    assert answer.status_code == 200, answer.text
    if form == "json":
        return list(answer.json["data"])
    if form == "ndjson":
        return [json.loads(line) for line in answer.text.splitlines()]
    if form == "csv":
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))
    return list(pq.read_table(io.BytesIO(answer.data)).to_pylist())


@pytest.mark.parametrize("limit", [50, 20_000])
def test_all_formats_tell_the_same(api: Api, tmp_path: Path, limit: int) -> None:
    put(tmp_path, [message(n, text=text, is_mod=n % 2 == 0) for n, text in enumerate(TEXTS)])
    path = f"messages?order=asc&limit={limit}"
    plain = rows(api, "messages?order=asc&limit=50", "json")
    assert [row["text"] for row in plain] == TEXTS
    assert rows(api, path, "ndjson") == plain
    parquet = rows(api, path, "parquet")
    assert [row["text"] for row in parquet] == TEXTS
    assert int(parquet[1]["sent_at"].timestamp() * 1e6) == T0 + 1000
    assert list(parquet[0]) == list(plain[0])
    table = rows(api, path, "csv")
    assert list(table[0]) == list(plain[0])
    dangerous = TEXTS[:5]
    assert [row["text"] for row in table] == ["'" + text for text in dangerous] + TEXTS[5:]
    assert (table[0]["sent_at"], table[0]["is_mod"]) == ("2023-11-14T22:13:20.000000Z", "true")
    assert table[0]["color"] == ""


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/csv", "text/csv"),
        ("text/csv;q=0.2, application/x-ndjson;q=0.9", "application/x-ndjson"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("application/json;q=0, text/csv;q=0.1", "text/csv"),
        ("", "application/json"),
    ],
)
def test_the_format_follows_accept(api: Api, accept: str, expected: str) -> None:
    answer = api.get("messages", headers={"Accept": accept})
    assert answer.mimetype == expected
    assert "Accept" in answer.headers["Vary"]


def test_a_format_nobody_makes_is_refused_unless_one_is_set(api: Api) -> None:
    answer = api.get("messages", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.json["error"]) == (406, "not_acceptable")
    assert api.get("messages?format=csv", headers={"Accept": "image/png"}).mimetype == "text/csv"


def test_the_next_page_is_in_the_headers_of_every_format(api: Api, tmp_path: Path) -> None:
    put(tmp_path, messages(1, 5))
    first = api.get("messages?limit=3&format=csv")
    assert first.headers["X-Next-Cursor"]
    link = first.headers["Link"]
    assert link.endswith('; rel="next"')
    rest = api.client.get(link[1 : link.index(">")])
    assert [row["event_id"] for row in csv.DictReader(io.StringIO(rest.text))] == ["m2", "m1"]
    assert "X-Next-Cursor" not in rest.headers


def test_an_answer_that_did_not_change_is_not_sent_again(api: Api, tmp_path: Path) -> None:
    put(tmp_path, messages(1, 5))
    first = api.get("messages")
    assert first.headers["Cache-Control"].startswith("private")
    again = api.get("messages", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    put(tmp_path, messages(6, 6))
    assert api.get("messages", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_huge_answers_are_streamed_with_flat_memory(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, messages(0, 79_999, text="x" * 600))
    Compactor(tmp_path).run(everything=True, grace_s=0)
    read = records_module.read_chunks
    monkeypatch.setattr(records_module, "read_chunks", lambda *a, **k: read(*a, **k, chunk_rows=4_000))
    process, highest = psutil.Process(), []
    # The first time DuckDB's caches grow, which stay.
    for _ in range(2):
        gc.collect()
        before, sizes, lines, most = process.memory_info().rss, [], 0, 0
        answer = api.get("messages?format=ndjson&limit=100000&order=asc", buffered=False)
        for block in answer.iter_encoded():
            lines += block.count(b"\n")
            sizes.append(len(block))
            most = max(most, process.memory_info().rss)
        answer.close()
        assert lines == 80_000
        # In 20 pieces; all 80,000 rows at once would be more than 80 MB.
        assert max(sizes) < sum(sizes) / 10
        highest.append(most - before)
    assert highest[1] < 40 * 2**20


def test_a_caller_who_goes_away_frees_the_place(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, messages(0, 2_999, text="x" * 2_000))
    read = records_module.read_chunks
    monkeypatch.setattr(records_module, "read_chunks", lambda *a, **k: read(*a, **k, chunk_rows=100))
    path = "messages?format=ndjson&limit=50000"
    open_answers = [api.get(path, buffered=False) for _ in range(blueprint_module._STREAMS)]
    refused = api.get(path)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    open_answers[0].close()
    # A HEAD and an answer that ended by itself leave none behind.
    for _ in range(5):
        assert api.client.head(f"/api/v1/{path}", buffered=True).status_code == 200
        assert api.get(path, buffered=True).status_code == 200
    for answer in open_answers[1:]:
        answer.close()


def test_a_cut_connection_frees_the_place_behind_the_real_server(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than the sockets' own buffers take.
    put(tmp_path, messages(0, 2_999, text="x" * 8_000))
    read = records_module.read_chunks
    monkeypatch.setattr(records_module, "read_chunks", lambda *a, **k: read(*a, **k, chunk_rows=100))
    server = create_server(api.app, host="127.0.0.1", port=0, threads=8, outbuf_high_watermark=20_000)
    threading.Thread(target=server.run, daemon=True).start()
    path = "/api/v1/messages?format=ndjson&limit=50000"
    connections = []
    for _ in range(blueprint_module._STREAMS):
        connection = http.client.HTTPConnection("127.0.0.1", server.effective_port, timeout=60)
        connection.connect()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.read(1)
        connections.append((connection, answer))
    assert api.client.get(path, buffered=True).status_code == 429
    for connection, answer in connections:
        answer.close()
        connection.close()
    deadline = time.monotonic() + 60
    while (status := api.client.head(path, buffered=True).status_code) == 429 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert status == 200
    server.close()


@pytest.mark.parametrize("path", ["messages", "messages?format=csv&limit=20000", "rooms", "users"])
def test_a_question_that_takes_too_long_is_stopped_and_told_plainly(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    put(tmp_path, messages(1, 2))

    def slow(*_: Any, **__: Any) -> None:
        raise QueryTimeout("The query took longer than 1 s and was stopped.")

    monkeypatch.setattr(api.store, "_answer", slow)
    answer = api.get(path)
    assert (answer.status_code, answer.json["error"]) == (503, "timeout")
    assert "took longer than 1 s" in answer.json["message"]
    monkeypatch.undo()
    assert api.get("messages?format=csv&limit=20000").status_code == 200


def test_a_real_search_is_stopped_by_the_clock(tmp_path: Path) -> None:
    put(tmp_path, messages(0, 30_000, text="é" * 300))
    api = Api(tmp_path, timeout_s=0.01)
    answer = api.get("messages?q=nowhere")
    assert (answer.status_code, answer.json["error"]) == (503, "timeout")
    api.close()


def test_compacted_files_have_bloom_filters_on_people(api: Api, tmp_path: Path) -> None:
    put(tmp_path, [message(n, user_id=str(n * 7), user_login=f"user{n}") for n in range(2_000)])
    Compactor(tmp_path).run(everything=True, grace_s=0)
    [path] = tmp_path.glob("lake/kind=chat_messages/*/*.parquet")
    probe = "select count(*) from parquet_bloom_probe(?, ?, ?) where bloom_filter_excludes"
    with duckdb.connect() as con:
        for column, here, elsewhere in (("user_id", "700", "701"), ("user_login", "user5", "nobody")):
            assert con.execute(probe, [str(path), column, here]).fetchall() == [(0,)]
            assert con.execute(probe, [str(path), column, elsewhere]).fetchall() == [(1,)]
    assert api.ids("messages?user-id=700") == ["m100"]
    assert api.ids("messages?user-id=701") == []
