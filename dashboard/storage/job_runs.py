"""The runs of jobs: asked for, running, past; with their progress and their log.

``requested`` → ``running`` → ``ok``, ``failed``, ``cancelled`` or ``lost`` (whoever did it died). The
database itself keeps a job from being asked for or run twice at a time, whichever process tries, and an
occurrence of the clock from being done by two workers.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from dashboard.errors import JobBusy
from dashboard.events import Instant, now_us
from dashboard.storage.state_db import METADATA, StateDatabase

OPEN = ("requested", "running")
STATES = (*OPEN, "ok", "failed", "cancelled", "lost")
FIRST_LINES, LAST_LINES = 100, 300
"""Of a longer log the middle is left out."""
_LONGEST_LINE = 500
_LONGEST_ERROR = 2_000

_RUNS = Table(
    "job_runs",
    METADATA,
    Column("run_id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("params", JSON, nullable=False),
    Column("requested_by", String(64), nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("attempt", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("worker", String(120), nullable=False),
    Column("started_at", BigInteger),
    Column("heartbeat_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("is_cancel_wanted", Boolean, nullable=False),
    Column("done", BigInteger),
    Column("total", BigInteger),
    Column("text", String(_LONGEST_LINE), nullable=False),
    Column("error", Text, nullable=False),
)
Index("job_runs_by_name", _RUNS.c.name, _RUNS.c.requested_at)
Index("job_runs_by_time", _RUNS.c.requested_at)
_IS_OPEN = _RUNS.c.state.in_(OPEN)
Index("job_runs_one_open", _RUNS.c.name, unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN)
Index("job_runs_one_a_time", _RUNS.c.name, _RUNS.c.due_at, _RUNS.c.attempt, unique=True)
_LINES = Table(
    "job_lines",
    METADATA,
    Column("run_id", String(32), primary_key=True),
    Column("line_no", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("line", String(_LONGEST_LINE), nullable=False),
)


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job."""

    run_id: str
    name: str
    params: dict[str, Any]
    requested_by: str
    """``clock``, or the id of the person."""
    requested_at: Instant
    due_at: Instant | None
    """The instant of the clock that it stands for; None when a person asked."""
    attempt: int
    """Counted from 1 for the same ``due_at``."""
    state: str
    worker: str
    started_at: Instant | None
    finished_at: Instant | None
    is_cancel_wanted: bool
    done: int | None
    total: int | None
    text: str
    """What it is doing; when finished, what it did."""
    error: str

    @property
    def is_open(self) -> bool:
        """Whether it is asked for or running."""
        return self.state in OPEN

    @property
    def duration_s(self) -> float | None:
        """From start to end; None before the end."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0, self.finished_at - self.started_at) / 1e6


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a run's log."""

    at: Instant
    line: str


class JobRuns:
    """Keeps the runs; safe to share between threads and processes, opened on first use.

    Args:
        data_dir: The data folder.
        url: A SQLAlchemy address instead of the SQLite file.

    Raises (all calls):
        StorageError: The database does not answer, or has no room left.
    """

    def __init__(self, data_dir: Path, url: str = "") -> None:
        self._database = StateDatabase(data_dir, url)

    def request(
        self,
        name: str,
        params: dict[str, Any] | None = None,
        by: str = "",
        *,
        due_at: Instant | None = None,
        attempt: int = 1,
    ) -> str:
        """Asks for a run; a worker takes it within a second or two.

        Args:
            name: Of the job.
            params: Plain values for it.
            by: Who asks.
            due_at: The instant of the clock that the run stands for.
            attempt: Counted from 1 for the same ``due_at``.

        Returns:
            The id of the run.

        Raises:
            JobBusy: It is asked for or running already, or somebody took this occurrence.
        """
        run_id = uuid.uuid4().hex
        values = {
            "run_id": run_id,
            "name": name,
            "params": params or {},
            "requested_by": by,
            "requested_at": now_us(),
            "due_at": due_at,
            "attempt": attempt,
            "state": "requested",
            "worker": "",
            "is_cancel_wanted": False,
            "text": "",
            "error": "",
        }
        with self._database.write() as con:
            try:
                with con.begin_nested():
                    con.execute(insert(_RUNS).values(**values))
            except IntegrityError:
                raise JobBusy(
                    f"“{name}” is asked for or running already. Wait for its end, or cancel it."
                ) from None
        return run_id

    def claim(
        self, worker: str = "", *, names: Collection[str] | None = None, run_id: str | None = None
    ) -> JobRun | None:
        """Takes the oldest run that was asked for; nobody else gets the same one.

        Args:
            worker: Who takes it.
            names: Only of these jobs.
            run_id: Only this run.

        Returns:
            The run, now running; None when there is nothing to do.
        """
        query = select(_RUNS.c.run_id).where(_RUNS.c.state == "requested").order_by(_RUNS.c.requested_at)
        if names is not None:
            query = query.where(_RUNS.c.name.in_(list(names)))
        if run_id is not None:
            query = query.where(_RUNS.c.run_id == run_id)
        with self._database.read() as con:  # Each second, and mostly for nothing: no write lock for that.
            waiting = list(con.scalars(query))
        now = now_us()
        taken = {"state": "running", "worker": worker, "started_at": now, "heartbeat_at": now}
        for found in waiting:
            is_waiting = (_RUNS.c.run_id == found) & (_RUNS.c.state == "requested")
            with self._database.write() as con:
                if con.execute(update(_RUNS).where(is_waiting).values(**taken)).rowcount:
                    return self._get(con, found)
        return None

    def beat(self, worker: str, run_ids: Collection[str]) -> None:
        """Says that a worker is alive and still at these runs."""
        mine = _RUNS.c.run_id.in_(list(run_ids)) & (_RUNS.c.worker == worker) & (_RUNS.c.state == "running")
        with self._database.write() as con:
            con.execute(update(_RUNS).where(mine).values(heartbeat_at=now_us()))

    def mark_lost(self, silent_since: Instant, *, workers: Collection[str] = ()) -> list[JobRun]:
        """Gives up the runs of workers that died; they are done again.

        Args:
            silent_since: No sign of life since then.
            workers: Known to be dead, however fresh their last sign.

        Returns:
            The runs that were given up.
        """
        is_dead = (_RUNS.c.heartbeat_at < silent_since) | _RUNS.c.worker.in_(list(workers))
        is_lost = (_RUNS.c.state == "running") & is_dead
        with self._database.read() as con:
            lost = list(con.scalars(select(_RUNS.c.run_id).where(is_lost)))
        given_up = []
        for run_id in lost:
            values = {
                "state": "lost",
                "finished_at": now_us(),
                "error": "The worker ended without a word. What was stored whole is safe; it is done again.",
            }
            with self._database.write() as con:
                if con.execute(
                    update(_RUNS).where(is_lost & (_RUNS.c.run_id == run_id)).values(**values)
                ).rowcount:
                    run = self._get(con, run_id)
                    given_up += [run] if run else []
        return given_up

    def progress(self, run_id: str, done: int | None, total: int | None, text: str) -> None:
        """Says how far a run is; nothing happens once it is over."""
        values = {"done": done, "total": total, "text": text[:_LONGEST_LINE]}
        with self._database.write() as con:
            con.execute(update(_RUNS).where(_is_running(run_id)).values(**values))

    def log(self, run_id: str, line: str) -> None:
        """Adds a line to a run's log; of a long log the middle goes."""
        newest = select(func.coalesce(func.max(_LINES.c.line_no), 0)).where(_LINES.c.run_id == run_id)
        with self._database.write() as con:
            number = int(con.scalar(newest) or 0) + 1
            values = {"run_id": run_id, "line_no": number, "at": now_us(), "line": line[:_LONGEST_LINE]}
            con.execute(insert(_LINES).values(**values))
            gone = number - LAST_LINES
            if gone > FIRST_LINES:
                con.execute(delete(_LINES).where(_LINES.c.run_id == run_id, _LINES.c.line_no == gone))

    def finish(self, run_id: str, state: str, error: str = "", *, text: str | None = None) -> bool:
        """Ends a run.

        Args:
            run_id: Which.
            state: ``ok``, ``failed`` or ``cancelled``.
            error: What failed, in words.
            text: What it did, in words; None leaves the last progress.

        Returns:
            Whether it was still running; a run given up as lost stays lost.
        """
        values: dict[str, Any] = {"state": state, "finished_at": now_us(), "error": error[:_LONGEST_ERROR]}
        if text is not None:
            values["text"] = text[:_LONGEST_LINE]
        with self._database.write() as con:
            return bool(con.execute(update(_RUNS).where(_is_running(run_id)).values(**values)).rowcount)

    def cancel(self, run_id: str) -> None:
        """Asks a run to stop; one that has not begun is over at once."""
        waits = (_RUNS.c.run_id == run_id) & (_RUNS.c.state == "requested")
        ended = {"state": "cancelled", "finished_at": now_us(), "text": "Cancelled before it began"}
        with self._database.write() as con:
            if not con.execute(update(_RUNS).where(waits).values(**ended)).rowcount:
                con.execute(update(_RUNS).where(_is_running(run_id)).values(is_cancel_wanted=True))

    def is_cancelled(self, run_id: str) -> bool:
        """Whether whoever does the run should stop: it was cancelled, or given up as lost."""
        query = select(_RUNS.c.state, _RUNS.c.is_cancel_wanted).where(_RUNS.c.run_id == run_id)
        with self._database.read() as con:
            row = con.execute(query).first()
        return row is None or row[0] != "running" or bool(row[1])

    def get(self, run_id: str) -> JobRun | None:
        """One run, or None if there is none of that id."""
        with self._database.read() as con:
            return self._get(con, run_id)

    def recent(
        self, limit: int, *, name: str | None = None, states: Sequence[str] | None = None
    ) -> list[JobRun]:
        """The newest runs, the newest first."""
        query = select(_RUNS).order_by(_RUNS.c.requested_at.desc(), _RUNS.c.run_id).limit(limit)
        if name is not None:
            query = query.where(_RUNS.c.name == name)
        if states is not None:
            query = query.where(_RUNS.c.state.in_(list(states)))
        with self._database.read() as con:
            return [_run(row) for row in con.execute(query).mappings()]

    def last(self, name: str, states: Sequence[str] | None = None) -> JobRun | None:
        """The newest run of a job, or None."""
        return next(iter(self.recent(1, name=name, states=states)), None)

    def of_occurrence(self, name: str, due_at: Instant) -> list[JobRun]:
        """The runs that stand for an instant of the clock or a later one, oldest first."""
        is_meant = (_RUNS.c.name == name) & (_RUNS.c.due_at >= due_at)
        query = select(_RUNS).where(is_meant).order_by(_RUNS.c.due_at, _RUNS.c.attempt)
        with self._database.read() as con:
            return [_run(row) for row in con.execute(query).mappings()]

    def lines(self, run_id: str) -> list[LogLine]:
        """The log of a run, oldest line first."""
        query = select(_LINES.c.at, _LINES.c.line).where(_LINES.c.run_id == run_id).order_by(_LINES.c.line_no)
        with self._database.read() as con:
            return [LogLine(Instant(at), line) for at, line in con.execute(query)]

    def prune(self, name: str, keep_count: int) -> None:
        """Forgets the oldest finished runs of a job; of good and bad ones as many are kept each."""
        with self._database.write() as con:
            for is_good in (_RUNS.c.state == "ok", _RUNS.c.state.in_(("failed", "cancelled", "lost"))):
                mine = (_RUNS.c.name == name) & is_good
                old = select(_RUNS.c.run_id).where(mine).order_by(_RUNS.c.requested_at.desc())
                gone = list(con.scalars(old.offset(keep_count).limit(500)))
                con.execute(delete(_LINES).where(_LINES.c.run_id.in_(gone)))
                con.execute(delete(_RUNS).where(_RUNS.c.run_id.in_(gone)))

    def close(self) -> None:
        """Closes all connections."""
        self._database.close()

    def _get(self, con: Connection, run_id: str) -> JobRun | None:
        row = con.execute(select(_RUNS).where(_RUNS.c.run_id == run_id)).mappings().first()
        return _run(row) if row else None


def _is_running(run_id: str) -> Any:
    return (_RUNS.c.run_id == run_id) & (_RUNS.c.state == "running")


def _run(row: Any) -> JobRun:
    return JobRun(**{name: row[name] for name in JobRun.__slots__})
