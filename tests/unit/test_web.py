from __future__ import annotations

import http.client
import socket
import threading
from pathlib import Path

import pytest
from flask import Flask
from waitress import create_server

from dashboard.storage.state import State
from dashboard.web import SERVER_OPTIONS, health_blueprint, refuse_foreign_hosts


def server(tmp_path: Path, host: str) -> Flask:
    flask = Flask("test")
    refuse_foreign_hosts(flask, host)
    flask.register_blueprint(health_blueprint(State(tmp_path)))
    return flask


@pytest.mark.parametrize(
    "name", ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "[::1]", "LOCALHOST"]
)
def test_this_machines_own_names_are_answered(tmp_path: Path, name: str) -> None:
    answer = server(tmp_path, "127.0.0.1").test_client().get("/healthz", headers={"Host": name})
    assert answer.status_code == 200
    assert answer.json == {"ok": True, "collector": {"is_alive": False, "age_s": None}}


@pytest.mark.parametrize(
    "name", ["evil.example", "evil.example:5000", "localhost.evil.example", "127.0.0.1.evil.example"]
)
def test_a_foreign_name_that_points_here_is_refused(tmp_path: Path, name: str) -> None:
    answer = server(tmp_path, "127.0.0.1").test_client().get("/healthz", headers={"Host": name})
    assert answer.status_code == 403
    assert "localhost" in answer.json["message"]


def test_a_server_for_the_network_is_reached_by_its_own_name(tmp_path: Path) -> None:
    answer = server(tmp_path, "0.0.0.0").test_client().get("/healthz", headers={"Host": "lens.home.arpa"})
    assert answer.status_code == 200


def test_who_connects_and_says_nothing_keeps_nobody_out(tmp_path: Path) -> None:
    running = create_server(
        server(tmp_path, "127.0.0.1"), host="127.0.0.1", port=0, **{**SERVER_OPTIONS, "channel_timeout": 1}
    )
    threading.Thread(target=running.run, daemon=True).start()
    half = b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
    silent = [socket.create_connection(("127.0.0.1", running.effective_port), timeout=60) for _ in range(150)]
    try:
        for one in silent:
            one.sendall(half)
        asking = http.client.HTTPConnection("127.0.0.1", running.effective_port, timeout=60)
        asking.request("GET", "/healthz")
        assert asking.getresponse().status == 200
        asking.close()
    finally:
        for one in silent:
            one.close()
        running.close()
