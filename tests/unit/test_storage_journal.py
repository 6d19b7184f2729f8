"""What the journal acknowledged it gives back, whatever was cut or damaged behind or beside it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dashboard.errors import DiskFullError
from dashboard.storage.batch import batches_of
from dashboard.storage.journal import Journal, Position, unread_bytes
from tests.storage_events import message, messages

START = Position(0, 0)


def payload(*numbers: int) -> bytes:
    return batches_of([message(number) for number in numbers])[1]


def replayed(folder: Path, after: Position = START) -> list[list[str]]:
    return [[i for batch in batches for i in batch.ids()] for _, batches in Journal(folder).replay(after)]


def test_what_was_appended_is_replayed_in_order_with_positions(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first = journal.append(payload(1, 2))
    second = journal.append(payload(3))
    journal.close()

    assert [position for position, _ in Journal(tmp_path).replay(START)] == [first, second]
    assert replayed(tmp_path) == [["m1", "m2"], ["m3"]]
    assert replayed(tmp_path, first) == [["m3"]]
    assert replayed(tmp_path, second) == []


def test_a_frame_cut_anywhere_is_left_out_and_those_before_it_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    end_of_good = journal.append(payload(1)).offset
    end = journal.append(payload(2)).offset
    journal.close()
    (path,) = tmp_path.glob("*.journal")
    whole = path.read_bytes()
    assert end == len(whole)

    for length in range(end_of_good, end):
        path.write_bytes(whole[:length])
        assert replayed(tmp_path) == [["m1"]], length
    path.write_bytes(whole)
    assert replayed(tmp_path) == [["m1"], ["m2"]]


def test_a_last_frame_with_any_byte_wrong_is_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    start = journal.append(payload(1)).offset
    end = journal.append(payload(2)).offset
    journal.close()
    (path,) = tmp_path.glob("*.journal")
    whole = path.read_bytes()

    for offset in range(start, end):
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x55]) + whole[offset + 1 :])
        assert replayed(tmp_path) == [["m1"]], offset


def test_a_damaged_frame_in_the_middle_costs_itself_only_and_its_segment_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    first = journal.append(payload(1))
    journal.append(payload(2))
    journal.append(payload(3))
    journal.close()
    (path,) = tmp_path.glob("*.journal")
    data = bytearray(path.read_bytes())
    data[first.offset + 20] ^= 1
    path.write_bytes(data)

    journal = Journal(tmp_path)
    found = [batch.ids() for _, batches in journal.replay(START) for batch in batches]
    journal.start_segment()
    journal.forget(journal.position)

    assert found == [["m1"], ["m3"]]
    assert list(tmp_path.glob("*.journal")) == []
    (kept,) = tmp_path.glob("*.damaged")
    assert kept.read_bytes() == data


def test_a_line_that_this_version_does_not_understand_does_not_stop_the_start(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(b'{"kind":"chat_messages","columns":{"event_id":["x"]}}\n' + payload(1))
    journal.append(b'{"kind":"from_the_future","columns":{}}')
    journal.append(payload(2))
    journal.close()

    journal = Journal(tmp_path)
    found = [batch.ids() for _, batches in journal.replay(START) for batch in batches]
    journal.start_segment()
    journal.forget(journal.position)

    assert found == [["m1"], ["m2"]]
    assert len(list(tmp_path.glob("*.damaged"))) == 1


def test_after_a_restart_a_new_segment_is_begun(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.append(payload(1))
    first.close()
    second = Journal(tmp_path)
    position = second.append(payload(2))
    second.close()

    assert position.segment == 1
    assert replayed(tmp_path) == [["m1"], ["m2"]]


def test_segments_roll_over_and_only_whole_ones_before_a_position_are_forgotten(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1)
    positions = [journal.append(payload(number)) for number in range(4)]

    assert [position.segment for position in positions] == [0, 1, 2, 3]
    journal.forget(positions[2])
    assert replayed(tmp_path) == [["m2"], ["m3"]]
    assert replayed(tmp_path, positions[2]) == [["m3"]]
    assert unread_bytes(tmp_path, positions[2]) == (1, positions[3].offset)
    assert unread_bytes(tmp_path, positions[3]) == (0, 0)
    journal.close()


@pytest.mark.parametrize("failing", ["write", "fdatasync"])
def test_a_full_disk_takes_back_the_half_frame_and_the_next_one_follows_cleanly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    journal = Journal(tmp_path)
    good = journal.append(payload(1))
    real_write = os.write

    def half_then_full(fd: int, data: memoryview) -> int:
        if len(data) > 30:
            return real_write(fd, data[:30])
        raise OSError(errno.ENOSPC, "No space left on device")

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, half_then_full if failing == "write" else full)
        with pytest.raises(DiskFullError, match="safe in the journal"):
            journal.append(payload(*range(2, 40)) if failing == "fdatasync" else b"x" * 45)
    assert journal.position == good
    journal.append(payload(3))
    journal.close()

    assert replayed(tmp_path) == [["m1"], ["m3"]]


def test_a_half_frame_that_can_not_be_taken_back_hides_nothing_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.append(payload(1))
    real_write = os.write

    def half_then_broken(fd: int, data: memoryview) -> int:
        if len(data) > 100:
            return real_write(fd, data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    def broken(fd: int, length: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half_then_broken)
        patch.setattr(os, "ftruncate", broken)
        with pytest.raises(DiskFullError):
            journal.append(b"y" * 180)
    journal.append(payload(2))
    journal.close()

    assert replayed(tmp_path) == [["m1"], ["m2"]]


def test_a_message_that_looks_like_a_frame_is_text(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(batches_of(messages(1, 1, text="SLJ1\x01\x00\x00\x00\x00\x00\x00\x00SLJ1"))[1])
    end = journal.append(payload(2)).offset
    journal.close()
    (path,) = tmp_path.glob("*.journal")
    path.write_bytes(path.read_bytes()[: end - 1])

    assert replayed(tmp_path) == [["m1"]]
