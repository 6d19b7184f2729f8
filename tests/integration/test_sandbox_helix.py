"""The sandbox's Helix for the jobs: clips, recordings, followers, hype trains, polls, search."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from dashboard.sandbox import SandboxServer, World
from dashboard.sandbox.helix_call import rfc3339

NOON_S = 1_781_200_800.0
HOUR_S = 3600
RECORDED = Path(os.environ.get("STREAMLENS_RECORDED_DIR", Path(__file__).parents[3] / "shared" / "data"))
SCOPES = (
    *("clips:edit", "editor:manage:clips", "moderator:read:followers", "channel:read:subscriptions"),
    *("channel:read:hype_train", "channel:read:polls", "channel:read:predictions", "channel:read:goals"),
)


class Api:
    """Asks as the owner of the first channel, at a time that stands still."""

    def __init__(self) -> None:
        self.at_s = NOON_S
        self.server = SandboxServer(World(7, 40), "127.0.0.1", 0, clock=lambda: self.at_s, rate_limit=5000)
        self.world = self.server.world
        self.home = self.world.channels[0]
        self.session: aiohttp.ClientSession

    async def ask(self, path: str, method: str = "GET", login: str = "", **query: Any) -> tuple[int, Any]:
        token = self.server.oauth.issue("user", login or self.home.login, SCOPES)
        headers = {"Authorization": f"Bearer {token}", "Client-Id": "sandbox-client"}
        url = f"{self.server.urls['helix']}{path}?{urlencode(query, doseq=True)}"
        async with self.session.request(method, url, headers=headers) as answer:
            return answer.status, await answer.json()

    async def all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            status, body = await self.ask(path, **(query | {"first": 100} | more))
            assert status == 200, body
            found += body["data"]
            if not body["pagination"]:
                return found
            more = {"after": body["pagination"]["cursor"]}


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    api = Api()
    async with api.server, aiohttp.ClientSession() as session:
        api.session = session
        yield api


@pytest.mark.parametrize(
    ("path", "query", "example"),
    [
        ("/clips", {"broadcaster_id": "{home}", "first": 1}, "Get_Clips.1.json"),
        ("/videos", {"user_id": "{home}", "first": 1}, "Get_Videos.1.json"),
        ("/polls", {"broadcaster_id": "{home}", "first": 1}, "Get_Polls.1.json"),
        ("/predictions", {"broadcaster_id": "{home}", "first": 1}, "Get_Predictions.1.json"),
        ("/goals", {"broadcaster_id": "{home}"}, "Get_Creator_Goals.1.json"),
        ("/hypetrain/status", {"broadcaster_id": "{home}"}, "Get_Hype_Train_Status.1.json"),
        ("/search/categories", {"query": "cele", "first": 1}, "Search_Categories.1.json"),
        ("/search/channels", {"query": "moth", "first": 1}, "Search_Channels.1.json"),
    ],
)
async def test_answers_have_the_fields_that_twitch_documents(
    api: Api, path: str, query: dict[str, str], example: str
) -> None:
    if not RECORDED.is_dir():
        pytest.skip(f"no recordings at {RECORDED} (STREAMLENS_RECORDED_DIR)")
    documented = json.loads((RECORDED / "helix" / example).read_text())
    query = {name: str(value).format(home=api.home.user_id) for name, value in query.items()}
    status, body = await api.ask(path, **query)
    assert status == 200, body
    assert set(documented) <= set(body) | {"pagination"}
    assert set(documented["data"][0]) <= set(body["data"][0])
    assert set(body["data"][0]) <= set(documented["data"][0]) | {"ended_at"}


class TestCreateClip:
    async def test_a_clip_is_pending_and_then_there(self, api: Api) -> None:
        status, body = await api.ask(
            "/clips", "POST", broadcaster_id=api.home.user_id, title="that jump", duration="45.5"
        )
        assert status == 202
        made = body["data"][0]
        assert set(made) == {"id", "edit_url"}
        assert (await api.ask("/clips", id=made["id"]))[1]["data"] == []
        api.at_s += 13
        _, body = await api.ask("/clips", id=made["id"])
        clip = body["data"][0]
        assert (clip["title"], clip["duration"], clip["creator_name"]) == (
            *("that jump", 45.5),
            api.home.display_name,
        )
        assert (clip["created_at"], clip["vod_offset"], clip["video_id"]) == (rfc3339(NOON_S), None, "")
        session = api.world.schedule.session_at(0, NOON_S)
        assert session is not None
        api.at_s += 1000
        _, body = await api.ask("/clips", id=made["id"])
        assert body["data"][0]["vod_offset"] == int(NOON_S - session.started_s - 45.5)
        mine = {"broadcaster_id": api.home.user_id, "started_at": rfc3339(NOON_S)}
        assert made["id"] in {clip["id"] for clip in await api.all("/clips", **mine)}

    async def test_on_order_it_takes_longer_or_never_comes(self, api: Api) -> None:
        faults = api.server.urls["http"] + "/_sandbox/faults"
        await api.session.post(faults, json={"clip_pending_s": 100})
        _, slow = await api.ask("/clips", "POST", broadcaster_id=api.home.user_id)
        await api.session.post(faults, json={"clips_fail": True})
        _, lost = await api.ask("/clips", "POST", broadcaster_id=api.home.user_id)
        api.at_s += 99
        ids = [slow["data"][0]["id"], lost["data"][0]["id"]]
        assert (await api.ask("/clips", id=ids))[1]["data"] == []
        api.at_s += HOUR_S
        _, body = await api.ask("/clips", id=ids)
        assert [clip["id"] for clip in body["data"]] == ids[:1]
        assert body["data"][0]["duration"] == 30

    async def test_refusals(self, api: Api) -> None:
        offline = next(c for c in api.world.channels if api.world.stream_at(c.login, NOON_S) is None)
        status, body = await api.ask("/clips", "POST", broadcaster_id=offline.user_id)
        assert (status, body["message"]) == (404, "Clipping is not possible for an offline channel.")
        for wrong in ({"duration": 4}, {"duration": 61}, {"duration": "x"}, {"title": "x" * 141}):
            status, _ = await api.ask("/clips", "POST", broadcaster_id=api.home.user_id, **wrong)
            assert status == 400
        assert (await api.ask("/clips", "POST"))[0] == 400
        token = api.server.oauth.issue("user", api.home.login)
        headers = {"Authorization": f"Bearer {token}", "Client-Id": "sandbox-client"}
        url = f"{api.server.urls['helix']}/clips?broadcaster_id={api.home.user_id}"
        async with api.session.post(url, headers=headers) as answer:
            assert answer.status == 401

    async def test_a_channel_may_keep_its_clips_to_itself(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dashboard.sandbox.helix_clips.is_restricted", lambda world, channel: True)
        stranger = api.world.channels[1].login
        status, body = await api.ask("/clips", "POST", stranger, broadcaster_id=api.home.user_id)
        assert (status, body["error"]) == (403, "Forbidden")
        assert (await api.ask("/clips", "POST", broadcaster_id=api.home.user_id))[0] == 202

    async def test_from_a_recording(self, api: Api) -> None:
        _, body = await api.ask("/videos", user_id=api.home.user_id, type="archive")
        video = body["data"][1]
        home = api.home.user_id
        order = {"editor_id": home, "broadcaster_id": home, "vod_id": video["id"], "title": "then"}
        for end, status in (("600", 202), ("20", 400), ("999999", 400), ("x", 400)):
            got, body = await api.ask("/videos/clips", "POST", **(order | {"vod_offset": end}))
            assert got == status, body
            if status == 202:
                api.at_s += 1000
                _, body = await api.ask("/clips", id=body["data"][0]["id"])
                assert (body["data"][0]["vod_offset"], body["data"][0]["video_id"]) == (570, video["id"])
        got, _ = await api.ask("/videos/clips", "POST", **(order | {"vod_id": "1", "vod_offset": "600"}))
        assert got == 404


class TestGetClips:
    async def test_by_falling_views_and_in_the_asked_stretch(self, api: Api) -> None:
        start, end = NOON_S - 48 * HOUR_S, NOON_S - 12 * HOUR_S
        query = {
            "broadcaster_id": api.home.user_id,
            "started_at": rfc3339(start),
            "ended_at": rfc3339(end),
        }
        found = await api.all("/clips", **query)
        assert len(found) > 20
        assert [c["view_count"] for c in found] == sorted((c["view_count"] for c in found), reverse=True)
        assert all(rfc3339(start) <= clip["created_at"] < rfc3339(end) for clip in found)
        assert len({clip["id"] for clip in found}) == len(found)
        halves = [
            await api.all("/clips", **(query | {"started_at": rfc3339(a), "ended_at": rfc3339(b)}))
            for a, b in ((start, (start + end) / 2), ((start + end) / 2, end))
        ]
        assert {c["id"] for half in halves for c in half} == {c["id"] for c in found}
        _, body = await api.ask("/clips", id=[found[3]["id"], "Nobody-00ff", "x", found[0]["id"]])
        assert [clip["id"] for clip in body["data"]] == [found[3]["id"], found[0]["id"]]
        api.at_s += 24 * HOUR_S
        later = {clip["id"]: clip["view_count"] for clip in await api.all("/clips", **query)}
        assert all(later[clip["id"]] >= clip["view_count"] for clip in found)

    async def test_about_a_thousand_and_no_more(self, api: Api) -> None:
        assert len(await api.all("/clips", broadcaster_id=api.home.user_id)) == 1000

    async def test_exactly_one_of_three(self, api: Api) -> None:
        assert (await api.ask("/clips"))[0] == 400
        assert (await api.ask("/clips", broadcaster_id=api.home.user_id, game_id="490147"))[0] == 400
        status, body = await api.ask("/clips", game_id="490147", started_at=rfc3339(NOON_S - 48 * HOUR_S))
        assert status == 200
        assert {clip["game_id"] for clip in body["data"]} == {"490147"}
        assert (await api.ask("/clips", broadcaster_id=api.home.user_id, started_at="yesterday"))[0] == 400


async def test_followers_keep_their_day_and_grow(api: Api) -> None:
    home = {"broadcaster_id": api.home.user_id}
    _, today = await api.ask("/channels/followers", **home, first=100)
    times = [item["followed_at"] for item in today["data"]]
    assert times == sorted(times, reverse=True)
    api.at_s += 72 * HOUR_S
    _, later = await api.ask("/channels/followers", **home, first=100)
    assert later["total"] > today["total"]
    who = {item["user_id"]: item["followed_at"] for item in await api.all("/channels/followers", **home)}
    assert len(who) == later["total"]
    for item in today["data"]:
        assert who[item["user_id"]] == item["followed_at"]
    one = today["data"][0]
    _, body = await api.ask("/channels/followers", **home, user_id=one["user_id"])
    assert body["data"] == [one]


async def test_subscribers_and_their_points(api: Api) -> None:
    home = {"broadcaster_id": api.home.user_id}
    _, body = await api.ask("/subscriptions", **home)
    everybody = await api.all("/subscriptions", **home)
    points = {"1000": 1, "2000": 2, "3000": 6}
    assert len(everybody) == body["total"] > 500
    assert sum(points[item["tier"]] for item in everybody) == body["points"]
    other = api.world.channels[1].user_id
    assert (await api.ask("/subscriptions", broadcaster_id=other))[0] == 401


async def test_a_hype_train_stands_as_eventsub_tells_it(api: Api) -> None:
    home = {"broadcaster_id": api.home.user_id}
    trains = [
        train
        for session in api.world.schedule.sessions_between(0, NOON_S, NOON_S + 12 * HOUR_S)
        for train in api.world.trains.of(session)
    ]
    train = next(train for train in trains if train.started_s > NOON_S)
    api.at_s = train.started_s - 1
    assert (await api.ask("/hypetrain/status", **home))[1]["data"][0]["current"] is None
    api.at_s = train.ended_s - 1
    current = (await api.ask("/hypetrain/status", **home))[1]["data"][0]["current"]
    assert (current["level"], current["total"]) == (train.steps[-1].level, train.steps[-1].total)


async def test_polls_pass_from_active_to_completed(api: Api) -> None:
    home = {"broadcaster_id": api.home.user_id}
    _, body = await api.ask("/polls", **home)
    poll = body["data"][0]
    assert poll["status"] == "COMPLETED"
    assert len(poll["choices"]) >= 2
    again = await api.ask("/polls", **home, id=poll["id"])
    assert again[1]["data"] == [poll]
    _, body = await api.ask("/predictions", **home)
    assert {item["status"] for item in body["data"]} <= {"ACTIVE", "LOCKED", "RESOLVED"}
    assert all(
        (item["winning_outcome_id"] is not None) == (item["status"] == "RESOLVED") for item in body["data"]
    )


async def test_a_thousand_live_channels_are_surveyed() -> None:
    world = World(7, 3000)
    found = world.live_at(NOON_S)
    assert [state.stream_id for state in world.live_at(NOON_S + 1)] == [s.stream_id for s in found]
    assert 800 < len(found) < 2000
    viewers = [state.viewer_count for state in found]
    assert viewers == sorted(viewers, reverse=True)


async def test_the_truth_counts_what_is_asked_for(api: Api) -> None:
    login = api.world.channels[2].login
    url = f"{api.server.urls['http']}/_sandbox/truth?start={NOON_S - 600}&end={NOON_S}&channel={login}"
    async with api.session.get(url) as answer:
        body = await answer.json()
    assert answer.status == 200
    told = body["eventsub"]
    assert (told["start"], told["end"]) == (NOON_S - 600, NOON_S)
    assert set(told["channels"]) == {login}
    lines = api.world.lines(login, NOON_S - 600, NOON_S)
    written = sum(line.command == "PRIVMSG" for line in lines)
    assert told["channels"][login]["channel.chat.message"] == written > 5
