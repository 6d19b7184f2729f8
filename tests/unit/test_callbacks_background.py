from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import Any

from dash import no_update

from callbacks import background
from dashboard.errors import TwitchUnavailable


def good(set_progress: Any, value: int, *, user: str, factor: int) -> tuple[str, int]:
    set_progress("half")
    return user, value * factor


def known(set_progress: Any, *, user: str) -> None:
    raise TwitchUnavailable("Twitch did not answer.")


def unknown(set_progress: Any, *, user: str) -> None:
    raise ZeroDivisionError("a secret detail")


def slow(set_progress: Any, *, user: str) -> None:
    time.sleep(600)


def run(work: Any, values: list[Any], timeout_s: float = 60, **given: Any) -> tuple[list[Any], list[Any]]:
    shown: list[Any] = []
    return background.run_job(
        work, shown.append, values, {"user": "local"} | given, timeout_s, "nonce"
    ), shown


def test_work_gets_its_values_and_the_user() -> None:
    assert run(good, [3], factor=2) == ([("local", 6), None], ["half"])


def test_known_error_is_shown_in_its_own_words() -> None:
    (result, notice), _ = run(known, [])
    assert result is no_update
    assert "Twitch did not answer." in str(notice)


def test_unknown_error_is_shown_without_details() -> None:
    (result, notice), _ = run(unknown, [])
    assert result is no_update
    assert "secret" not in str(notice)


def test_work_that_takes_too_long_is_ended() -> None:
    (_, notice), _ = run(slow, [], timeout_s=0.05)
    assert "longer than 0.05 s" in str(notice)


def test_results_are_kept_where_only_the_owner_looks(tmp_path: Path) -> None:
    background.manager(tmp_path)
    folder = tmp_path / "cache" / "jobs"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_two_kinds_of_work_and_two_page_loads_never_share_a_key(tmp_path: Path) -> None:
    from dash import Dash, Input, Output, dcc, html

    app = Dash("keys", background_callback_manager=(keeper := background.manager(tmp_path)), use_async=False)
    app.layout = html.Div(dcc.Store(id="order"))
    before = len(keeper.func_registry)
    for index, work in enumerate((good, known)):
        background.register_background(
            app, work, output=Output(f"out-{index}", "children"), inputs=[Input("order", "data")]
        )
    assert len(keeper.func_registry) == before + 2

    def job(work: Any) -> Any:
        def wrapper() -> None: ...

        wrapper.__wrapped__ = work  # type: ignore[attr-defined]
        return wrapper

    keys = {
        keeper.build_cache_key(job(work), ["x", nonce, "local"], [], None)
        for work in (good, known)
        for nonce in ("a", "b")
    }
    assert len(keys) == 4


def test_manager_starts_jobs_in_fresh_processes(tmp_path: Path) -> None:
    import multiprocess

    background.manager(tmp_path)
    assert multiprocess.get_start_method() == "forkserver"
