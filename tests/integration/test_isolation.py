"""Two people on one installation: each tries to reach what is the other's, by every way there is."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import pytest
from dash import DiskcacheManager
from dash.exceptions import PreventUpdate
from flask.testing import FlaskClient

from callbacks import background
from dashboard.access import Access
from dashboard.auth.current import from_plain
from dashboard.events import (
    Announcement,
    ChatMessage,
    Instant,
    Observation,
    StreamChange,
    ViewerSample,
    now_us,
)
from dashboard.storage.ingest import Ingest
from tests.auth_site import BASE, SandboxThread, Site, csrf_of, open_site

S = 1_000_000
OWN_MARK, OTHER_MARK = "openword", "hushword"


def events_of(room: str, mark: str) -> Iterator[Any]:
    """A live stream in which everything carries a mark."""
    now = now_us()

    def base(index: int) -> dict[str, Any]:
        at = Instant(now - 600 * S + index * S)
        return {
            "event_id": f"{room}-{index}",
            "source": "irc",
            "room_login": room,
            "room_id": f"id-{room}",
            "sent_at": at,
            "received_at": at,
        }

    yield Observation(**base(0), collector="irc", state="joined", reason=None)
    yield StreamChange(
        **base(1),
        action="start",
        stream_id=f"s-{room}",
        title=f"title {mark}",
        game_id="1",
        game_name=f"Game {mark}",
        started_at=Instant(now - 600 * S),
        language="en",
    )
    for index in range(2, 300, 3):
        who = {"user_id": f"{mark}-{index}", "user_login": f"{mark}{index}"}
        yield ChatMessage(**base(index), **who, text=f"{mark} says {index}")
    yield ViewerSample(
        **base(500), viewer_count=777, game_name=f"Game {mark}", title=f"title {mark}", stream_id=f"s-{room}"
    )
    yield Announcement(**base(501), user_id="9", user_login=f"{mark}mod", text=f"{mark} announced")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread() as running:
        yield running


@pytest.fixture(scope="module")
def site(sandbox: SandboxThread, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data_dir = tmp_path_factory.mktemp("isolation")
    ids = tuple(sandbox.person(index)[0] for index in (0, 1))
    with open_site(sandbox, data_dir, login="required", allowed_user_ids=ids) as made:
        own, other = sandbox.person(0)[1], sandbox.person(1)[1]
        with Ingest(data_dir, "test") as ingest:
            ingest.put([*events_of(own, OWN_MARK), *events_of(other, OTHER_MARK)])
            ingest.flush()
        made.services.state.follow([own, other])
        report = {
            "channels": {
                login: {"is_joined": True, "message_count": 4321 + index, "last_message_at": now_us()}
                for index, login in enumerate((own, other))
            },
            "messages_per_s": 99.0,
            "error": f"{OTHER_MARK} in an error",
        }
        made.services.state.write_status("collector", report)
        yield made


@pytest.fixture(scope="module")
def client(site: Site, sandbox: SandboxThread) -> FlaskClient:
    """The first person's browser."""
    return site.person(sandbox.person(0)[1])


@pytest.fixture(scope="module")
def rival(site: Site, sandbox: SandboxThread) -> FlaskClient:
    """The second person's."""
    return site.person(sandbox.person(1)[1])


def call(client: FlaskClient, app: Any, key: str, value_of: Any, query: str = "") -> Any:
    """Sends a callback what a browser would send, with any values."""
    spec = app.callback_map[key]

    def part(dep: Any) -> dict[str, Any]:
        return {"id": dep["id"], "property": dep["property"], "value": value_of(dep)}

    single = not key.startswith("..")
    names = [name.rsplit(".", 1) for name in key.strip(".").split("...")]
    outputs = [{"id": name, "property": prop} for name, prop in names]
    body = {
        "output": key,
        "outputs": outputs[0] if single else outputs,
        "inputs": [part(dep) for dep in spec["inputs"]],
        "state": [part(dep) for dep in spec["state"]],
        "changedPropIds": [f"{dep['id']}.{dep['property']}" for dep in spec["inputs"][:1]],
    }
    return client.post(
        f"/_dash-update-component{query}",
        json=body,
        headers={"X-CSRFToken": csrf_of(client)},
        base_url=BASE,
    )


def key_of(app: Any, output: str) -> str:
    return next(key for key in app.callback_map if output in key)


def live_request(room: str) -> dict[str, Any]:
    return {
        "page": "p",
        "seq": 1,
        "room": room,
        "span_s": 1800,
        "filter": "all",
        "is_paused": False,
        "theme": "dark",
        "tz": "UTC",
    }


def look(client: FlaskClient, app: Any, room: str) -> str:
    key = key_of(app, "live-cursor.data")
    values = {"live-request": live_request(room), "live-cursor": None}
    answer = call(client, app, key, lambda dep: values[dep["id"]])
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_the_own_channel_is_seen(site: Site, client: FlaskClient, sandbox: SandboxThread) -> None:
    text = look(client, site.app, sandbox.person(0)[1])
    assert f"title {OWN_MARK}" in text
    assert f"{OWN_MARK} announced" in text
    assert f"{OWN_MARK}2" in text
    assert OTHER_MARK not in text
    assert "1 of your 1 channel" in text
    assert "4,322" not in text
    assert sandbox.person(1)[1] not in text, "not in the switcher, not in the collectors' table"


def test_anothers_channel_is_not(site: Site, client: FlaskClient, sandbox: SandboxThread) -> None:
    other = sandbox.person(1)[1]
    for name in (other, other.upper(), f" {other}"):
        text = look(client, site.app, name)
        assert OTHER_MARK not in text
        assert '"live is-none"' in text or '"live is-empty"' in text
    unknown = look(client, site.app, "nobody_at_all")
    answer = json.loads(look(client, site.app, other))["response"]
    same = json.loads(unknown.replace("nobody_at_all", other))["response"]
    assert answer["live-notice"] == same["live-notice"], "nothing tells whether it is collected"


def test_the_first_channel_is_an_own_one(site: Site, rival: FlaskClient, sandbox: SandboxThread) -> None:
    answer = json.loads(look(rival, site.app, ""))["response"]
    assert answer["shell-location"] == {"href": f"/live/{sandbox.person(1)[1]}"}


def every_value(other: str) -> list[Any]:
    """What a curious person would put into any input."""
    poison: dict[str, Any] = live_request(other) | {
        "login": other,
        "channel": other,
        "room_login": other,
        "user_id": other,
        "typed": other,
        "name": other,
        "run_id": 1,
        "at": 1,
    }
    return [poison, other, [other], f"/live/{other}", 1, None]


def test_no_callback_gives_anything_of_anothers(
    site: Site, client: FlaskClient, sandbox: SandboxThread
) -> None:
    other = sandbox.person(1)[1]
    plain = [
        key for key, spec in site.app.callback_map.items() if "callback" in spec and not spec["background"]
    ]
    assert len(plain) >= 4
    before = site.services.state.followed()
    for key in plain:
        for value in every_value(other):
            text = call(client, site.app, key, lambda dep, value=value: value).text
            assert OTHER_MARK not in text, key
            assert "4,322" not in text, key
            assert "4322" not in text, key
    assert site.services.state.followed() == before, "nothing of anothers was changed"


def test_no_callback_answers_who_is_not_logged_in(site: Site, sandbox: SandboxThread) -> None:
    nobody = site.client()
    nobody.get("/login", base_url=BASE)
    for key, spec in site.app.callback_map.items():
        if "callback" in spec:
            assert call(nobody, site.app, key, lambda _: sandbox.person(0)[1]).status_code == 401, key


def test_no_route_gives_anything_of_anothers(site: Site, client: FlaskClient, sandbox: SandboxThread) -> None:
    user_id, other = sandbox.person(1)
    tried = 0
    for rule in site.app.server.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/assets", "/vendor", "/_dash-comp")):
            continue
        for name in (other, user_id):
            path = re.sub(r"<[^>]+>", name, rule.rule)
            query = f"?room-name={name}&room={name}&channel={name}&user-name={OTHER_MARK}2&limit=100"
            answer = client.get(path + query, base_url=BASE, buffered=True)
            tried += 1
            text = answer.get_data().decode(errors="replace").replace(f"{OTHER_MARK}2", "")
            assert OTHER_MARK not in text, path
    assert tried >= 10
    assert client.get("/account", base_url=BASE).status_code == 200, "and is still logged in"


class TestJobs:
    """Long work: orders, and the handles of what is running."""

    def end_id(self, client: FlaskClient) -> str:
        page = client.get("/live", base_url=BASE).text
        found = re.search(r'<script id="_dash-config"[^>]*>(.*?)</script>', page)
        assert found
        return str(json.loads(found.group(1))["end_id"])

    def order(self, site: Site, client: FlaskClient, typed: str, end_id: str) -> dict[str, Any]:
        key = key_of(site.app, "live-collect-result.children...shell-toast")
        values = {"shell-collect-order": {"typed": typed, "at": 1}, "shell-nonce": "the same nonce"}
        answer = call(client, site.app, key, lambda dep: values[dep["id"]], f"?endId={end_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    def fetch(self, site: Site, client: FlaskClient, end_id: str, handles: dict[str, Any]) -> Any:
        key = key_of(site.app, "live-collect-result.children...shell-toast")
        query = urlencode({"endId": end_id, "cacheKey": handles["cacheKey"], "job": handles["job"]})
        return call(client, site.app, key, lambda _: None, f"?{query}")

    def wait(self, site: Site, client: FlaskClient, end_id: str, handles: dict[str, Any]) -> str:
        for _ in range(600):
            answer = self.fetch(site, client, end_id, handles)
            if "response" in (answer.get_json(silent=True) or {}):
                return str(answer.text)
            time.sleep(0.1)
        raise AssertionError("the job did not end")

    def test_nobody_starts_a_collection_of_anothers(
        self, site: Site, client: FlaskClient, sandbox: SandboxThread
    ) -> None:
        site.services.state.unfollow(["stranger_x"])
        end_id = self.end_id(client)
        text = self.wait(site, client, end_id, self.order(site, client, "stranger_x", end_id))
        assert "see stranger_x here" in text
        assert "stranger_x" not in site.services.state.followed()

    def test_nobody_stops_anothers(self, site: Site, client: FlaskClient, sandbox: SandboxThread) -> None:
        other = sandbox.person(1)[1]
        key = next(k for k, s in site.app.callback_map.items() if s["inputs"][0]["id"] == "live-collect-stop")
        answer = call(client, site.app, key, lambda _: {"login": other, "at": 1})
        assert "Only its owner" in answer.text
        assert other in site.services.state.followed()

    def test_handles_are_worth_nothing_in_other_hands(
        self, site: Site, client: FlaskClient, rival: FlaskClient, sandbox: SandboxThread
    ) -> None:
        """Job and result of one person, with all that the other could have seen over their shoulder."""
        own = sandbox.person(0)[1]
        site.services.state.write_status("collector", {"channels": {}})
        end_id = self.end_id(client)
        handles = self.order(site, client, own, end_id)
        pid = int(handles["job"].split("~")[0])
        assert psutil.pid_exists(pid)
        cancel = next(k for k, s in site.app.callback_map.items() if k.startswith("live-collect-cancel.id"))
        try:
            for their_id in (end_id, self.end_id(rival)):
                for name in ("oldJob", "cancelJob"):
                    query = urlencode({"endId": their_id, name: handles["job"]})
                    call(rival, site.app, cancel, lambda _: 1, f"?{query}")
                query = urlencode({"endId": their_id, "oldJob": handles["job"]})
                key = key_of(site.app, "live-collect-result.children...shell-toast")
                assert call(rival, site.app, key, lambda _: {"typed": ""}, f"?{query}").status_code == 200
                text = self.fetch(site, rival, their_id, handles).text
                assert "progress" not in text
                assert psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
            query = urlencode({"endId": end_id, "cancelJob": handles["job"]})
            call(client, site.app, cancel, lambda _: 1, f"?{query}")
            for _ in range(600):
                if not psutil.pid_exists(pid):
                    break
                time.sleep(0.1)
            assert not psutil.pid_exists(pid), "its owner may"
        finally:
            if psutil.pid_exists(pid):
                psutil.Process(pid).kill()

    def test_a_result_is_its_owners(
        self, site: Site, client: FlaskClient, rival: FlaskClient, sandbox: SandboxThread
    ) -> None:
        end_id = self.end_id(client)
        handles = self.order(site, client, "stranger_y", end_id)
        kept, key = site.app._background_manager.handle, handles["cacheKey"].split("~")[0]
        for _ in range(600):
            if key in kept:
                break
            time.sleep(0.1)
        assert "stranger_y" in str(kept.get(key)), "the result is there to be taken"
        for their_id in (end_id, self.end_id(rival)):
            assert "stranger_y" not in self.fetch(site, rival, their_id, handles).text
        assert "stranger_y" in self.wait(site, client, end_id, handles)


def test_equal_orders_of_two_people_have_two_results(tmp_path: Path) -> None:
    people = [Access("11"), Access("12")]
    keepers = [background.manager(tmp_path, lambda person=person: person) for person in people]
    keys = {keeper.build_cache_key(look, ["x", "nonce"], [], None) for keeper in (*keepers, *keepers)}
    assert len(keys) == 2


def test_a_number_that_is_another_process_by_now_is_not_ended(tmp_path: Path) -> None:
    """Numbers of processes come again: an old handle must not end what runs under its number now."""
    keeper = background.manager(tmp_path)
    with subprocess.Popen(["sleep", "30"]) as process:
        try:
            keeper.terminate_job(str(process.pid))
            keeper.handle.set(f"owner-{process.pid}", (keeper._owner(), 1.0))
            keeper.terminate_job(str(process.pid))
            assert process.poll() is None
            born_at = psutil.Process(process.pid).create_time()
            keeper.handle.set(f"owner-{process.pid}", (keeper._owner(), born_at))
            keeper.terminate_job(str(process.pid))
            assert not psutil.pid_exists(process.pid)
        finally:
            process.kill()


def test_a_job_that_ends_while_it_is_ended_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the page would never get the result of a job that was over a moment too early."""

    def gone(process: psutil.Process, recursive: bool = False) -> list[psutil.Process]:
        raise psutil.NoSuchProcess(process.pid)

    keeper = background.manager(tmp_path)
    with subprocess.Popen(["sleep", "30"]) as process:
        try:
            born_at = psutil.Process(process.pid).create_time()
            keeper.handle.set(f"owner-{process.pid}", (keeper._owner(), born_at))
            keeper.handle.set("key", "the result")
            monkeypatch.setattr(psutil.Process, "children", gone)
            assert keeper.get_result("key", str(process.pid)) == "the result"
        finally:
            process.kill()


def test_a_job_gets_the_access_of_the_session(tmp_path: Path) -> None:
    person = Access("11", "eleven", "Eleven", rooms=frozenset({"eleven"}))
    keeper = background.manager(tmp_path, lambda: person)
    given: list[Any] = []

    def start(self: Any, key: str, job_fn: Any, args: Any, context: Any) -> int:
        given.extend([args, context])
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DiskcacheManager, "call_job_fn", start)
        keeper.call_job_fn(
            "k", None, ["x", "nonce"], {"cookies": {"a": "b"}, "headers": {"c": "d"}, "path": "/"}
        )
    assert given[0][:2] == ["x", "nonce"]
    assert from_plain(given[0][2]) == person
    assert given[1] == {"cookies": {}, "headers": {}, "path": "/"}


def test_nobody_fills_the_machine_with_jobs(tmp_path: Path) -> None:
    people = {"now": Access("11")}
    keeper = background.manager(tmp_path, lambda: people["now"])
    children: list[subprocess.Popen[bytes]] = []

    def start(self: Any, key: str, job_fn: Any, args: Any, context: Any) -> int:
        children.append(subprocess.Popen(["sleep", "60"]))
        return children[-1].pid

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DiskcacheManager, "call_job_fn", start)
        try:
            for _ in range(8):
                keeper.call_job_fn("k", None, ["nonce"], {})
            with pytest.raises(PreventUpdate):
                keeper.call_job_fn("k", None, ["nonce"], {})
            people["now"] = Access("12")
            keeper.call_job_fn("k", None, ["nonce"], {})
            children[0].kill()
            children[0].wait()
            people["now"] = Access("11")
            keeper.call_job_fn("k", None, ["nonce"], {})
        finally:
            for child in children:
                child.kill()
                child.wait()
    assert len(children) == 10
