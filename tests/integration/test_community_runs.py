"""Analyses in the lake: whole or not there, and read back as they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.config import DEFAULT_RETENTION
from dashboard.errors import StorageError
from dashboard.events import now_us
from dashboard.storage.community_names import CommunityNames
from dashboard.storage.community_rows import rows_of
from dashboard.storage.community_runs import KINDS, CommunityRuns, write_run
from dashboard.storage.ingest import Ingest
from dashboard.storage.state_db import StateDatabase
from dashboard.storage.store import Store
from tests.community_maps import AT, changes_from, same, small_map

HOUR = 3_600_000_000


def test_a_run_is_read_back_as_it_was(tmp_path: Path) -> None:
    first, second = small_map(), small_map("run2", at=AT + HOUR, changes=changes_from("run1"))
    with Ingest(tmp_path, "job-communities") as ingest:
        write_run(ingest, first, origin="lake", preset="default")
        write_run(ingest, second, origin="import")
    runs = CommunityRuns(Store(tmp_path, threads=1))
    for run in (first, second):
        loaded = runs.load(run.run_id)
        assert loaded is not None
        assert same(loaded, run)
    assert runs.load("run3") is None

    lines = runs.listed()
    assert [line.run_id for line in lines] == ["run2", "run1"]
    newest = runs.newest("lake")
    assert newest is not None
    assert (newest.run_id, newest.preset, newest.origin) == ("run1", "default", "lake")
    assert (newest.n_channels, newest.n_communities, newest.n_isolates, newest.n_edges) == (5, 2, 1, 5)
    assert (newest.n_chatters, newest.observed_hours, newest.modularity) == (2400, 29.0, 0.41)
    assert newest.sources == ("survey: 5 channels",)
    assert [(c.key, c.size, c.fate) for c in newest.communities] == [("k1", 2, "kept"), ("k2", 2, "born")]
    assert lines[0].previous_run_id == "run1"
    assert [past.run_id for past in runs.past_of("14")] == ["run1", "run2"]
    assert runs.past_of("15")[0].community_key == ""


def test_a_run_without_its_closing_row_is_none(tmp_path: Path) -> None:
    rows, closing = rows_of(small_map(), origin="lake", preset="", now=now_us())
    with Ingest(tmp_path, "job-communities") as ingest:
        ingest.put(rows)
    runs = CommunityRuns(Store(tmp_path, threads=1))
    assert runs.listed() == []
    assert runs.load("run1") is None
    # Nor is one whose channels are gone.
    with Ingest(tmp_path, "job-communities") as ingest:
        closing.run_id, closing.event_id = "run9", "x-run9"
        ingest.put([closing])
    assert runs.load("run9") is None


def test_no_person_stands_in_the_rows(tmp_path: Path) -> None:
    rows, closing = rows_of(small_map(), origin="lake", preset="", now=now_us())
    assert not any(hasattr(row, "user_id") or hasattr(row, "user_login") for row in [*rows, closing])


def test_runs_are_kept_for_ever_by_default() -> None:
    assert not set(KINDS) & set(DEFAULT_RETENTION)


def test_given_names(tmp_path: Path) -> None:
    names = CommunityNames(StateDatabase(tmp_path))
    assert names.rename("k1", "  The   Board ", "7") == "The Board"
    with pytest.raises(StorageError, match="Another community is called “the board” already"):
        names.rename("k2", "the board", "7")
    with pytest.raises(StorageError, match="60 characters"):
        names.rename("k2", "x" * 61, "7")
    assert names.rename("k1", "the board", "8") == "the board"
    assert names.all()["k1"].named_by == "8"

    with Ingest(tmp_path, "job-communities") as ingest:
        write_run(ingest, small_map(), origin="lake")
    runs = CommunityRuns(Store(tmp_path, threads=1))
    loaded = runs.load("run1", names=names.names())
    assert loaded is not None
    assert [(c.label, c.own_label, c.is_renamed) for c in loaded.communities] == [
        ("the board", "Chess", True),
        ("Just Chatting (German)", "Just Chatting (German)", False),
    ]
    assert runs.listed(names=names.names())[0].communities[0].label == "the board"

    # Given the label that another one makes of itself, the other one says more.
    names.rename("k1", "", "8")
    names.rename("k2", "Chess", "8")
    loaded = runs.load("run1", names=names.names())
    assert loaded is not None
    assert [c.label for c in loaded.communities] == ["Chess · alpha", "Chess"]
    names.close()
