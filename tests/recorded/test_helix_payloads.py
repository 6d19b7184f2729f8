"""The Helix answers that Twitch published, read by our own code."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from collectors.helix_client import HelixClient
from collectors.helix_models import Stream, User, parse_stream, parse_user
from dashboard.events import Instant


def instant(*parts: int) -> Instant:
    return Instant(int(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000)


SANDY = Stream(
    stream_id="123456789",
    user_id="98765",
    user_login="sandysanderman",
    user_display_name="SandySanderman",
    viewer_count=78_365,
    game_id="494131",
    game_name="Little Nightmares",
    title="hablamos y le damos a Little Nightmares 1",
    language="es",
    started_at=instant(2021, 3, 10, 15, 4, 21),
    tags=("Español",),
)
TWITCHDEV = User(
    user_id="141981764",
    user_login="twitchdev",
    user_display_name="TwitchDev",
    created_at=instant(2016, 12, 14, 20, 32, 28),
    broadcaster_type="partner",
    user_type="",
    profile_image_url="https://static-cdn.jtvnw.net/jtv_user_pictures/"
    "8a6381c7-d0c0-4576-b179-38bd5ce1d6af-profile_image-300x300.png",
)


@pytest.fixture
def helix_dir(recorded_dir: Path) -> Path:
    return recorded_dir / "helix"


def read(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def test_get_streams(helix_dir: Path) -> None:
    assert [parse_stream(raw) for raw in read(helix_dir / "Get_Streams.1.json")["data"]] == [SANDY]
    (afro,) = [parse_stream(raw) for raw in read(helix_dir / "Get_Streams.2.json")["data"]]
    assert afro is not None
    assert (afro.stream_id, afro.user_login, afro.viewer_count) == ("40952121085", "afro", 1490)
    assert afro.game_name == "Grand Theft Auto V"
    assert afro.started_at == instant(2021, 3, 10, 3, 18, 11)


def test_get_followed_streams(helix_dir: Path) -> None:
    (aws,) = [parse_stream(raw) for raw in read(helix_dir / "Get_Followed_Streams.1.json")["data"]]
    assert aws is not None
    assert (aws.stream_id, aws.user_id, aws.viewer_count) == ("42170724654", "132954738", 20)


def test_get_users(helix_dir: Path) -> None:
    assert [parse_user(raw) for raw in read(helix_dir / "Get_Users.1.json")["data"]] == [TWITCHDEV]


async def test_every_list_can_be_paged_through(helix_dir: Path) -> None:
    """Whatever the call: each element once, an end after the last page, no element lost."""
    lists = {
        path.stem: page
        for path in sorted(helix_dir.glob("Get_*.json"))
        if isinstance(page := read(path), dict) and isinstance(page.get("data"), list)
    }
    assert len(lists) >= 50

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/oauth2/token":
            return web.json_response({"access_token": "t", "expires_in": 1, "token_type": "bearer"})
        if request.path == "/oauth2/validate":
            return web.json_response({})
        if request.query.get("after"):
            return web.json_response({"data": [], "pagination": {}})
        return web.json_response(lists[request.path.rpartition("/")[2]])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        base = str(server.make_url("")).rstrip("/")
        async with HelixClient(f"{base}/helix", f"{base}/oauth2", "id", SecretStr("secret")) as client:
            for name, page in lists.items():
                paged = [element async for element in client.paginate(f"/{name}")]
                assert paged == [element for element in page["data"] if isinstance(element, dict)], name
