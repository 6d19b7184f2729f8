"""The API page and the keys on the Account page, in a real browser over real data."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from waitress.server import create_server as create_waitress

from dashboard.config import Settings
from tests.api_parts import put
from tests.storage_events import messages

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from app import create_dash_app, create_services

    folder = tmp_path_factory.mktemp("data")
    put(folder, messages(1, 30))
    settings = Settings(_env_file=None, data_dir=folder, sandbox=True)
    services = create_services(settings)
    server = create_waitress(create_dash_app(settings, services).server, host="127.0.0.1", port=0, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    services.store.close()


@pytest.fixture(params=[("dark", 1440), ("light", 390)], ids=["dark-wide", "light-phone"])
def page(chromium: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    theme, width = request.param
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else wrong.append(r.url)
    )
    yield page
    context.close()
    assert [line for line in wrong if "400 (BAD REQUEST)" not in line] == []


def test_a_resource_can_be_tried_page_by_page(page: Any, address: str, shoot: Any, request: Any) -> None:
    page.goto(f"{address}/api/v1/docs")
    page.wait_for_selector(".api-form input[name=limit]")
    assert page.url.startswith(f"{address}/api-docs")
    page.fill(".api-form input[name=limit]", "20")
    page.keyboard.press("Enter")
    page.wait_for_selector(".api-answer:not(:empty)")
    assert "200 · 20 rows" in page.inner_text(".api-status")
    assert '"event_id": "m30"' in page.inner_text(".api-answer")
    page.get_by_role("button", name="Next page").click()
    page.get_by_text("200 · 10 rows").wait_for()
    page.fill(".api-form input[name=user-id]", "abc")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("400 · ").wait_for()
    assert "user-id" in page.inner_text(".api-status")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    shoot(page, f"api-{request.node.callspec.id}")


def test_a_resource_is_chosen_in_the_list_and_kept_in_the_address(page: Any, address: str) -> None:
    page.goto(f"{address}/api-docs#bits")
    page.get_by_role("heading", name="bits", exact=True).wait_for()
    if page.viewport_size["width"] > 820:
        page.get_by_role("link", name="roomstates").click()
    else:
        page.get_by_label("Resource", exact=True).select_option("roomstates")
    page.get_by_role("heading", name="roomstates").wait_for()
    assert page.url.endswith("#roomstates")
    assert page.locator("select[name=state] option").count() == 3


def test_a_key_is_shown_once_works_and_is_revoked(page: Any, address: str) -> None:
    page.goto(f"{address}/account")
    page.wait_for_selector("#account-keys-list .muted")
    count = page.locator(".key-list li").count()
    page.fill("#account-keys-name", "Nightly report")
    page.click("#account-keys-create")
    key = page.locator(".key-text code").inner_text()
    answer = page.request.get(f"{address}/api/v1/messages", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status, len(answer.json()["data"])) == (200, 30)
    page.reload()
    page.locator(".key-list li").nth(count).wait_for()
    assert key not in page.content()
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Revoke the key Nightly report").first.click()
    answer = page.request.get(f"{address}/api/v1/messages", headers={"Authorization": f"Bearer {key}"})
    assert answer.status == 200, "nothing without a yes"
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke the key Nightly report").first.click()
    page.locator(".key-list li").nth(count).wait_for(state="detached")
    refused = page.request.get(f"{address}/api/v1/messages", headers={"Authorization": f"Bearer {key}"})
    assert refused.status == 401
