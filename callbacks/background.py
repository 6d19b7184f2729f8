"""The one way to run long work from a page.

Every background callback goes through :func:`register_background`, because Dash on its own
answers two people with equal inputs with one result, runs on for ever when the page is left,
and shows an error to nobody. Here each job gets the page load's nonce and the person who asks into
its cache key, a time limit in its own process, and an error path to the page. Who asks is told by
the server's own session, never by the browser's inputs.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import signal
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from dash import Dash, DiskcacheManager, Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from dashboard.access import LOCAL, Access
from dashboard.auth.current import current_session, from_plain, plain
from dashboard.errors import StreamLensError
from dashboard.ui import components, ids

log = logging.getLogger(__name__)

POLL_MS = 500
_REMEMBER_S = 86_400
_MOST_JOBS = 8
"""Of one person at once; each is a process of its own."""


class JobTimeoutError(StreamLensError):
    """A job passed its time limit and was ended."""


def _local() -> Access:
    return LOCAL


class OwnedJobs(DiskcacheManager):
    """Dash's manager, in which every job and its result belong to the person who asked.

    Args:
        cache: Where the results are.
        who: Tells who asks, inside a request.
    """

    def __init__(self, cache: Any, who: Callable[[], Access]) -> None:
        super().__init__(cache)
        self._who = who
        self._counting = threading.Lock()
        self._running: dict[str, list[tuple[Any, float]]] = {}

    def build_cache_key(
        self, fn: Callable[..., Any], args: Any, cache_args_to_ignore: Any, triggered: Any
    ) -> str:
        """The key of a result: equal inputs of two people, or of two sessions, have two keys."""
        key = super().build_cache_key(fn, args, cache_args_to_ignore, triggered)
        return hashlib.sha256(f"{key} {self._owner()}".encode()).hexdigest()

    def call_job_fn(self, key: str, job_fn: Callable[..., Any], args: Any, context: Any) -> Any:
        """Starts a job, with the access of who asks as its last argument and nothing of their cookies.

        Raises:
            PreventUpdate: This person has too many already.
        """
        for part in ("cookies", "headers"):
            if part in context:
                context[part] = {}
        who = self._who()
        with self._counting:
            mine = [
                job for job in self._running.get(who.user_id, ()) if job[1] and _born_at(job[0]) == job[1]
            ]
            if len(mine) >= _MOST_JOBS:
                log.warning("user %s has %d jobs already, no more are started", who.user_id, len(mine))
                raise PreventUpdate
            job = super().call_job_fn(key, job_fn, [*args, plain(who)], context)
            born_at = _born_at(job)
            self._running[who.user_id] = [*mine, (job, born_at)]
        self.handle.set(f"owner-{job}", (self._owner(), born_at), expire=_REMEMBER_S)
        return job

    def terminate_job(self, job: Any) -> None:
        """Ends a job, if it is this person's and still that process: the numbers are used again."""
        import psutil

        if job is not None and self.handle.get(f"owner-{job}") == (self._owner(), _born_at(int(job))):
            # A job that ends by itself at this very moment is no error: its result would be lost.
            with suppress(psutil.NoSuchProcess):
                super().terminate_job(job)

    def _owner(self) -> str:
        session = hashlib.sha256(current_session().encode()).hexdigest()
        return f"{self._who().user_id} {session}"


def _born_at(pid: int) -> float:
    """When a process was started; 0 if there is none."""
    import psutil

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def manager(data_dir: Path, who: Callable[[], Access] = _local) -> DiskcacheManager:
    """Keeps the jobs' results, where nobody else on the machine can read or plant them.

    Args:
        data_dir: Data folder; the results live in ``cache/jobs`` below it.
        who: Tells who asks, inside a request.

    Returns:
        A manager whose jobs start in fresh processes, without the server's threads and files.
    """
    import diskcache
    import multiprocess

    folder = data_dir / "cache" / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder.parent, folder):
        path.chmod(0o700)  # Results are pickles: whoever writes here runs code in the server.
    multiprocess.set_start_method("forkserver", force=True)
    return OwnedJobs(diskcache.Cache(str(folder)), who)


def register_background(
    app: Dash,
    work: Callable[..., Any],
    *,
    output: Output,
    inputs: Sequence[Input],
    state: Sequence[State] = (),
    progress: Output | None = None,
    running: Sequence[tuple[Output, Any, Any]] = (),
    cancel: Sequence[Input] = (),
    timeout_s: float = 600,
    fixed: dict[str, Any] | None = None,
) -> None:
    """Binds long work to the page.

    Args:
        app: The app.
        work: A module-level function ``work(set_progress, *inputs, *state, user=…, **fixed)``; with a
            parameter ``access`` it also gets what the person may see and do.
        output: Where the result goes.
        inputs: What starts it; stores of the frame, because Dash runs a job each time a page with
            its inputs is opened.
        state: What it reads besides.
        progress: Where progress goes.
        running: Properties while it runs and after.
        cancel: What ends it.
        timeout_s: Time limit; the job's process enforces it.
        fixed: Values for every run, plain data only (jobs run in another process).
    """
    given = dict(fixed or {})
    wants_access = "access" in inspect.signature(work).parameters

    def with_progress(set_progress: Callable[[Any], None], *args: Any) -> Any:
        *values, nonce, asked_by = args
        access = from_plain(asked_by)
        person = {"user": access.user_id} | ({"access": access} if wants_access else {})
        return run_job(work, set_progress, values, given | person, timeout_s, nonce)

    def without_progress(*args: Any) -> Any:
        return with_progress(_ignore, *args)

    job: Any = with_progress if progress else without_progress
    # Dash makes the job's key from the source that this points at: without it all kinds of
    # work would share one key.
    job.__wrapped__ = work
    app.callback(
        output=[output, Output(ids.SHELL_TOAST, "children", allow_duplicate=True)],
        inputs=list(inputs),
        state=[*state, State(ids.SHELL_NONCE, "data")],
        background=True,
        progress=[progress] if progress else None,
        running=list(running) or None,
        cancel=list(cancel) or None,
        interval=POLL_MS,
        prevent_initial_call=True,
    )(job)


def _ignore(_: Any) -> None:
    """Takes progress that no part of the page shows."""


def run_job(
    work: Callable[..., Any],
    set_progress: Callable[[Any], None],
    values: Sequence[Any],
    given: dict[str, Any],
    timeout_s: float,
    nonce: str,
) -> list[Any]:
    """Runs the work in its process, under its time limit, and turns errors into words.

    Args:
        work: The function.
        set_progress: Takes what the page shows meanwhile.
        values: Its inputs and states.
        given: Its fixed values and the user.
        timeout_s: Time limit.
        nonce: The page load it belongs to (for the log).

    Returns:
        The result and what the page says: a notice after an error, else nothing.
    """
    try:
        with time_limit(timeout_s):
            return [work(set_progress, *values, **given), None]
    except StreamLensError as error:
        return [no_update, components.notice(str(error), "Everything collected so far is safe.")]
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("Job %s of page load %s failed [%s]", work.__name__, nonce, reference)
        return [no_update, unexpected("This job failed.", reference)]


def unexpected(title: str, reference: str) -> Any:
    """A notice for an error nobody foresaw: its reference leads to the log."""
    return components.notice(
        title, "Everything collected so far is safe. The log has the details.", reference=reference
    )


class time_limit:  # noqa: N801 - used as a verb in a with statement
    """Ends the block with :class:`JobTimeoutError` after so many seconds (main thread only)."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        self.before = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)

    def _ring(self, signum: int, frame: FrameType | None) -> None:
        raise JobTimeoutError(f"This took longer than {self.seconds:g} s and was ended.")
