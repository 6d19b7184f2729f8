"""Chat clients from npm, which nobody here wrote, against the sandbox's chat."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from dashboard.sandbox import SandboxServer, World

HERE = Path(__file__).parent / "node"
SPEED = 12.0
SECONDS = 6
DAY_S = 86_400
NOON_S = 1_781_200_800


@pytest.fixture(scope="session")
def node_project() -> Path:
    """The npm packages, installed once a machine, outside the repository."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm: apt-get install nodejs npm")
    default = Path(tempfile.gettempdir()) / f"streamlens-npm-{os.getuid()}"
    folder = Path(os.environ.get("STREAMLENS_NPM_DIR", default))
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "client.mjs"):
        shutil.copy(HERE / name, folder / name)
    if not (folder / "node_modules" / "tmi.js").is_dir():
        command = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
            )
        except subprocess.TimeoutExpired:
            pytest.skip("npm install took longer than 120 s")
        if done.returncode:
            pytest.skip(f"npm install failed (no registry?): {done.stderr.strip()[-200:]}")
    return folder


@pytest.fixture(scope="module")
def bomb() -> dict[str, Any]:
    """A gift bomb of some size by a named giver in the first channel."""
    truth: Any = World(7, 12).ground_truth(NOON_S, NOON_S + DAY_S)
    return next(
        item
        for item in truth["gift_bombs"]
        if item["channel"] == "mothlight" and item["giver"] and item["gift_count"] >= 5
    )


@pytest.mark.parametrize("kind", ["tmi", "twurple"])
async def test_a_foreign_client_understands_the_sandbox(
    node_project: Path, bomb: dict[str, Any], kind: str
) -> None:
    world = World(7, 12)
    start = bomb["at"] - 20
    loop = asyncio.get_running_loop()
    began = loop.time()
    server = SandboxServer(world, "127.0.0.1", 0, clock=lambda: start + loop.time() - began, speed=SPEED)
    async with server:
        port = server.urls["http"].rsplit(":", 1)[1]
        process = await asyncio.create_subprocess_exec(
            "node", "client.mjs", kind, "127.0.0.1", port, "mothlight", str(SECONDS),
            cwd=node_project, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, errors = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, errors.decode()
        heard_until = server.now_s()
    seen = json.loads(out)

    assert [name.lstrip("#") for name in seen["joins"]] == ["mothlight"]

    said = {
        line.tags["id"]: line for line in world.lines("mothlight", start, heard_until) if "id" in line.tags
    }
    assert len(seen["messages"]) > 30
    for message in seen["messages"]:
        line = said[message["id"]]
        assert message["userId"] == line.tags["user-id"]
        assert message["text"] == line.rest.split(" :", 1)[1].removeprefix("\x01ACTION ").rstrip("\x01")
        for emote_id, places in (message["emotes"] or {}).items():
            assert f"{emote_id}:{','.join(places)}" in line.tags["emotes"].split("/")

    names = {
        user.login: user.display_name for user in map(world.population.by_login, bomb["recipients"]) if user
    }
    gifts = [event for event in seen["events"] if event["name"] == "subgift"]
    announced = [event for event in seen["events"] if event["name"] == "submysterygift"]
    giver = world.population.by_login(bomb["giver"])
    assert giver is not None
    assert (giver.display_name, bomb["gift_count"]) in [(e["user"], int(e["count"])) for e in announced]
    if kind == "tmi":
        assert set(names.values()) <= {event["recipient"] for event in gifts}
