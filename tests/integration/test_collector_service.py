"""What the collector process does around its collectors: the ledger after a death, the first history."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from app import HISTORY_S, import_history
from collectors.service import STATUS_NAME, lost_sight, run_collector
from dashboard.config import load_settings
from dashboard.errors import StorageError
from dashboard.sandbox import World
from dashboard.storage.state import State
from dashboard.storage.store import Store


def channel(is_joined: bool) -> dict[str, object]:
    return {"is_joined": is_joined, "message_count": 3, "last_message_at": None, "error": None}


def test_a_collector_that_died_lost_sight_of_what_it_was_reading(tmp_path: Path) -> None:
    state = State(tmp_path)
    channels = {"mothlight": channel(True), "quietfox": channel(False)}
    state.write_status(STATUS_NAME, {"pid": 1, "stopped_at": None, "channels": channels})
    last_sign = state.read_status(STATUS_NAME)
    assert last_sign is not None
    (lost,) = lost_sight(state)
    state.close()
    assert (lost.room_login, lost.state, lost.collector) == ("mothlight", "lost", "irc")
    assert lost.sent_at == last_sign.updated_at
    assert lost.received_at >= lost.sent_at


def test_a_clean_stop_and_a_first_start_lose_nothing(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert lost_sight(state) == []
    state.write_status(STATUS_NAME, {"pid": 1, "stopped_at": 5, "channels": {"mothlight": channel(True)}})
    assert lost_sight(state) == []
    state.close()


def test_collecting_goes_on_while_the_state_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(
        data_dir=tmp_path, twitch_irc_url="ws://127.0.0.1:9/irc", twitch_channels="mothlight"
    )
    questions = 0

    def silent(state: State, name: str, payload: object) -> None:
        nonlocal questions
        questions += 1
        if questions == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        raise StorageError("The state database does not answer (OperationalError).")

    monkeypatch.setattr(State, "write_status", silent)
    run_collector(settings)
    assert questions >= 3, "it asked again after the first failure, and stopped cleanly"


def test_the_first_start_brings_two_hours_of_the_sandbox_and_the_second_nothing(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, sandbox=True, sandbox_channel_count=5, sandbox_seed=11)
    assert import_history(settings) > 1000
    store = Store(tmp_path)
    home = [channel.login for channel in World(11, 5).home]
    rows = store.sql(
        "select room_login, count(*), count(distinct event_id), "
        "date_diff('second', min(sent_at), max(sent_at)) from chat_messages group by all order by all"
    ).rows
    assert [row[0] for row in rows] == sorted(home)
    for _, count, distinct, span_s in rows:
        assert count == distinct > 50
        assert HISTORY_S - 300 <= span_s <= HISTORY_S
    samples = store.sql("select room_login, count(*) from viewer_samples group by all").rows
    assert dict(samples) == dict.fromkeys(home, HISTORY_S // 60)
    before = store.sql("select count(*) from chat_messages").rows
    import_history(settings)
    after = store.sql("select count(*), count(distinct event_id) from chat_messages").rows
    store.close()
    # The second run sees a few seconds more of the world, and nothing twice.
    assert after[0][0] == after[0][1]
    assert 0 <= after[0][0] - before[0][0] < 300
