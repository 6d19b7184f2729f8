"""Locks, the reject file, the ids seen, the people left out, the state."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dashboard.errors import ConfigError, LockedError, StorageError
from dashboard.events import Instant, SubGift, UserListChange
from dashboard.storage.batch import batches_of
from dashboard.storage.dedupe import RecentIds
from dashboard.storage.files import FolderLock, is_locked
from dashboard.storage.optout import rows_without_people, without_people
from dashboard.storage.recovery import read_opt_out
from dashboard.storage.rejects import Rejects
from dashboard.storage.state import State
from tests.storage_events import T0, message, messages

_HOLDER = (
    "import sys, time; from pathlib import Path; from dashboard.storage.files import FolderLock; "
    "FolderLock(Path(sys.argv[1]), 'collector').acquire(); print('held', flush=True); time.sleep(60)"
)


def test_a_lock_keeps_out_another_thread_until_it_is_released(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path, "collector"), FolderLock(tmp_path, "collector")
    first.acquire()
    assert is_locked(tmp_path)
    with pytest.raises(
        LockedError, match=rf"Another collector \(process {os.getpid()}\) already writes to {tmp_path}"
    ):
        second.acquire()
    first.release()
    first.release()
    assert not is_locked(tmp_path)
    second.acquire()
    second.release()


def test_a_lock_names_the_other_process_and_falls_with_it(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match=rf"process {child.pid}\)"):
        FolderLock(tmp_path, "collector").acquire()

    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()

    lock = FolderLock(tmp_path, "collector")
    lock.acquire()
    assert (tmp_path / "lock").read_text() == str(os.getpid())
    lock.release()


def test_only_looking_whether_it_is_locked_keeps_nobody_out(tmp_path: Path) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.01):
            is_locked(tmp_path)

    FolderLock(tmp_path, "x").release()
    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(100):
            lock = FolderLock(tmp_path, "collector")
            lock.acquire()
            lock.release()
    finally:
        stop.set()
        looker.join()


def test_rejected_lines_are_kept_with_reason_and_cut(tmp_path: Path) -> None:
    rejects = Rejects(tmp_path / "rejects")
    rejects.write("bad \ud800 line", "no reason \udfff", "irc")
    rejects.write("x" * 30_000, "too long", "import file")

    (path,) = (tmp_path / "rejects").iterdir()
    first, second = (json.loads(line) for line in path.read_bytes().splitlines())
    assert (first["line"], first["reason"], first["source"]) == ("bad ? line", "no reason ?", "irc")
    assert second["line"] == "x" * 20_000
    assert rejects.count == 2


def test_a_reject_file_that_can_not_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "rejects").write_text("a file where the folder should be")
    rejects = Rejects(tmp_path / "rejects")
    rejects.write("line", "reason", "irc")
    assert rejects.count == 1


def test_recent_ids_drop_what_was_seen_also_in_the_same_call_and_by_kind() -> None:
    recent = RecentIds()
    joined = UserListChange(
        event_id="m1",
        source="irc",
        room_login="a",
        sent_at=Instant(T0),
        received_at=Instant(T0),
        action="join",
        user_login="u",
    )
    assert [e.event_id for e in recent.new_ones([message(1), message(2), message(1), joined])] == [
        "m1",
        "m2",
        "m1",
    ]
    assert recent.new_ones([message(2), joined]) == []


def test_recent_ids_remember_at_least_their_size_and_at_most_twice_that() -> None:
    recent = RecentIds(100)
    for number in range(1, 1001):
        assert len(recent.new_ones([message(number)])) == 1
        assert len(recent) <= 200
    assert recent.new_ones(messages(901, 1000)) == []
    assert len(recent.new_ones([message(1)])) == 1

    recent = RecentIds(100)
    recent.remember("chat_messages", [f"m{number}" for number in range(5_000)])
    assert len(recent) <= 200
    assert recent.new_ones(messages(4_900, 4_999)) == []


def test_rows_of_the_journal_are_checked_the_same_way() -> None:
    recent = RecentIds()
    (batch,), _, _ = batches_of(messages(1, 3))
    recent.new_ones([message(2)])
    assert recent.new_rows(batch).ids() == ["m1", "m3"]
    assert recent.new_rows(batch).ids() == []


def test_people_are_left_out_by_id_and_login_as_author_and_as_target() -> None:
    kept = message(1, user_id="1", user_login="one")
    by_id, by_login = message(2, user_id="2", user_login="x"), message(3, user_id="9", user_login="Bob")

    assert without_people([kept, by_id, by_login], {"2", "bob"}) == [kept]
    (batch,), _, _ = batches_of([kept, by_id, by_login])
    assert rows_without_people(batch, {"2", "bob"}).ids() == ["m1"]


def test_what_others_tell_of_them_loses_name_and_words() -> None:
    reply = message(1, reply_parent_user_login="bob", reply_parent_text="my words", other_tags='{"a":"bob"}')
    gift = SubGift(
        event_id="g",
        source="irc",
        room_login="a",
        sent_at=Instant(T0),
        received_at=Instant(T0),
        user_id="5",
        recipient_id="2",
        recipient_login="bobby",
        recipient_display_name="Bobby",
        system_message="x gifted to Bobby",
        tags='{"msg-param-recipient-id":"2"}',
        plan="1000",
    )

    told, given = without_people([reply, gift], {"2", "bob"})

    assert isinstance(given, SubGift)
    assert (told.reply_parent_user_login, told.reply_parent_text, told.other_tags, told.text) == (  # type: ignore[attr-defined]
        None,
        None,
        None,
        "text 1",
    )
    assert (given.recipient_id, given.recipient_login, given.recipient_display_name) == (None, None, None)
    assert (given.system_message, given.tags, given.plan, given.user_id) == (None, None, "1000", "5")
    assert reply.reply_parent_text == "my words"


def test_the_opt_out_file_is_read_with_comments_and_any_case(tmp_path: Path) -> None:
    path = tmp_path / "people.txt"
    path.write_bytes("\ufeff# people\n12345\n  @SomeBody  # asked by mail\n\nother\n".encode())

    assert read_opt_out(path) == {"12345", "somebody", "other"}
    with pytest.raises(ConfigError, match=r"OPT_OUT_FILE: .*nowhere can't be read"):
        read_opt_out(tmp_path / "nowhere")
    path.write_bytes(b"\xff\xfe1")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_opt_out(path)


def test_the_state_keeps_who_is_followed_in_order(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert state.followed() == []
    assert state.follow(["zed", "abe", "zed"], by="me") == ["zed", "abe"]
    assert state.follow(["abe", "kim"]) == ["kim"]
    assert state.followed() == ["zed", "abe", "kim"]
    state.unfollow(["abe", "nobody"])
    state.unfollow([])
    assert State(tmp_path).followed() == ["zed", "kim"]
    state.close()


def test_a_status_overwrites_the_one_before_and_tells_when(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert state.read_status("collector") is None
    state.write_status("collector", {"pid": 1, "channels": {"a": {"is_joined": True}}})
    first = state.read_status("collector")
    state.write_status("collector", {"pid": 2})
    second = state.read_status("collector")
    assert first is not None
    assert second is not None
    assert first.payload == {"pid": 1, "channels": {"a": {"is_joined": True}}}
    assert second.payload == {"pid": 2}
    assert second.updated_at >= first.updated_at > T0
    state.close()


def test_a_state_that_does_not_answer_says_so_without_its_address(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.sqlite").write_bytes(b"no database at all" * 100)
    state = State(tmp_path)
    questions = (
        state.followed,
        lambda: state.follow(["abe"]),
        lambda: state.unfollow(["abe"]),
        lambda: state.write_status("collector", {}),
        lambda: state.read_status("collector"),
    )
    for question in questions:
        with pytest.raises(StorageError, match="The state database does not answer"):
            question()
    with pytest.raises(ConfigError, match="DATABASE_URL") as caught:
        State(tmp_path, "postgresql+nodriver://user:hunter2@host/db").followed()
    assert "hunter2" not in str(caught.value)


def test_all_processes_can_open_a_fresh_state_at_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(8)

    def use(number: int) -> None:
        state = State(tmp_path)
        start.wait()
        try:
            state.write_status("collector", {"pid": number})
            state.follow([f"room{number}"])
        except BaseException as error:
            failures.append(error)
        finally:
            state.close()

    threads = [threading.Thread(target=use, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    state = State(tmp_path)
    assert sorted(state.followed()) == [f"room{number}" for number in range(8)]
    assert state.read_status("collector") is not None
    state.close()
