"""The Storage page in a real browser, with real files behind it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from waitress.server import create_server as create_waitress

from dashboard.storage.ingest import Ingest
from dashboard.storage.job_runs import JobRuns
from dashboard.storage.sync import sync_once
from tests.s3_servers import S3Server
from tests.storage_events import messages, observation

pytestmark = pytest.mark.browser


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    with Ingest(tmp_path) as ingest:
        ingest.put([*messages(1, 500), observation("joined", 0)])
    return tmp_path


@pytest.fixture
def serve() -> Iterator[Any]:
    """Serves the whole application with given settings."""
    from app import create_server

    servers = []

    def start(settings: Any) -> str:
        server = create_waitress(create_server(settings), host="127.0.0.1", port=0, threads=8)
        threading.Thread(target=server.run, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.effective_port}/storage"

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Any]:
    contexts = []

    def open_page(url: str, width: int = 1440, theme: str = "dark") -> tuple[Any, list[str]]:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        page, wrong = context.new_page(), []
        page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(url)
        page.wait_for_selector(".storage-table")
        return page, wrong

    yield open_page
    for context in contexts:
        context.close()


def test_what_is_stored_and_how_to_set_s3_up(
    data_dir: Path, moto: S3Server, serve: Any, visit: Any, shoot: Any
) -> None:
    url = serve(moto.settings(data_dir, s3_bucket=""))
    page, wrong = visit(url)
    row = page.locator(".storage-table tbody tr").first.inner_text().split("\t")
    assert (row[0].strip(), row[1], row[-1].strip()) == ("chat messages", "500", "30 days")
    assert "S3_BUCKET=my-bucket" in page.inner_text("#storage-copy")
    assert page.is_disabled("#storage-sync")
    answer = page.request.get(url.replace("/storage", page.get_attribute(".storage-off a", "href")))
    assert answer.text().startswith("# S3")
    shoot(page, "storage-off", full_page=True)
    page.click("#storage-export")
    page.get_by_text("is asked for").wait_for()
    runs = JobRuns(data_dir)
    run = runs.last("export")
    runs.close()
    assert run is not None
    assert set(run.params) == {"day"}
    assert wrong == []


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_the_copy_is_shown_and_ordered(
    data_dir: Path, moto: S3Server, serve: Any, visit: Any, shoot: Any, width: int, theme: str
) -> None:
    settings = moto.settings(data_dir)
    sync_once(settings, everything=True)
    page, wrong = visit(serve(settings), width, theme)
    page.get_by_text("up to date").wait_for()
    assert "100 %" in page.inner_text("#storage-copy")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shoot(page, f"storage-{width}-{theme}", full_page=True)
    page.focus("#storage-sync")
    page.keyboard.press("Enter")
    page.get_by_text("waiting for the worker").first.wait_for()
    page.wait_for_selector("#storage-sync[disabled]")
    assert wrong == []
