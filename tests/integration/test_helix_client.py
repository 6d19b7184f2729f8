"""The Helix client against a server that misbehaves on cue."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from collectors.helix_client import HelixClient, open_client
from collectors.helix_models import User
from collectors.rate_limit import SECOND, RateLimiter
from dashboard.config import Settings
from dashboard.errors import TwitchError, TwitchRefused, TwitchUnauthorized, TwitchUnavailable
from dashboard.events import Instant
from tests.integration.fake_helix import CLIENT_ID, CLIENT_SECRET, FakeTwitch, fake_twitch

NOON_S = 1_700_000_000
GOOD = {"data": []}


class Clock:
    """Moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at_s = float(NOON_S)
        self.sleeps: list[float] = []

    def now(self) -> Instant:
        return Instant(round(self.at_s * SECOND))

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.at_s += seconds
        await asyncio.sleep(0)


@pytest.fixture
async def twitch() -> AsyncIterator[FakeTwitch]:
    async with fake_twitch() as fake:
        yield fake


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client_for(
    twitch: FakeTwitch,
    clock: Clock,
    *,
    secret: str = CLIENT_SECRET,
    limiter: RateLimiter | None = None,
    timeout_s: float = 5,
) -> HelixClient:
    return HelixClient(
        f"{twitch.url}/helix",
        f"{twitch.url}/oauth2/",
        CLIENT_ID,
        SecretStr(secret),
        limiter=limiter,
        timeout_s=timeout_s,
        now=clock.now,
        sleep=clock.sleep,
    )


@pytest.fixture
async def client(twitch: FakeTwitch, clock: Clock) -> AsyncIterator[HelixClient]:
    async with client_for(twitch, clock) as ours:
        yield ours


async def failure(client: HelixClient, path: str = "/streams") -> TwitchError:
    with pytest.raises(TwitchError) as caught:
        await client.get(path)
    shown = "".join(traceback.format_exception(caught.value))
    assert CLIENT_SECRET not in shown
    assert "token-" not in shown
    return caught.value


class TestToken:
    async def test_it_is_fetched_lazily_validated_and_kept(
        self, twitch: FakeTwitch, client: HelixClient
    ) -> None:
        assert twitch.calls == []
        await client.get("/streams")
        await client.get("/streams")
        assert twitch.calls == ["POST /token", "GET /validate", "GET /helix/streams", "GET /helix/streams"]
        assert twitch.authorizations == ["Bearer token-1", "Bearer token-1"]

    async def test_parallel_first_calls_fetch_one(self, twitch: FakeTwitch, client: HelixClient) -> None:
        await asyncio.gather(*(client.get("/streams") for _ in range(10)))
        assert twitch.tokens == ["token-1"]

    async def test_parallel_401s_replace_it_once(self, twitch: FakeTwitch, client: HelixClient) -> None:
        await client.get("/streams")
        twitch.revoke_all()
        twitch.delay_s = 0.02
        await asyncio.gather(*(client.get("/streams") for _ in range(8)))
        assert twitch.tokens == ["token-1", "token-2"]
        assert twitch.authorizations.count("Bearer token-1") == 1 + 8
        assert twitch.authorizations.count("Bearer token-2") == 8

    async def test_a_401_that_comes_after_the_replacement_fetches_none(
        self, twitch: FakeTwitch, client: HelixClient
    ) -> None:
        await client.get("/streams")
        twitch.revoke_all()
        twitch.delay_s = 0.1
        slow = asyncio.create_task(client.get("/streams"))
        await asyncio.sleep(0.05)
        twitch.delay_s = 0
        await client.get("/streams")
        await slow
        assert twitch.tokens == ["token-1", "token-2"]

    async def test_a_401_with_the_new_token_too(self, twitch: FakeTwitch, client: HelixClient) -> None:
        answer = {"error": "Unauthorized", "status": 401, "message": "Client ID and token do not match"}
        twitch.next_answers.extend([(401, answer, {}), (401, answer, {})])
        error = await failure(client)
        assert isinstance(error, TwitchUnauthorized)
        assert str(error) == (
            "GET /streams: Client ID and token do not match. "
            "Check TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps)."
        )
        assert len(twitch.tokens) == 2

    async def test_wrong_credentials(self, twitch: FakeTwitch, clock: Clock) -> None:
        async with client_for(twitch, clock, secret="wrong") as client:
            error = await failure(client)
            assert isinstance(error, TwitchUnauthorized)
            assert str(error).startswith(
                "Twitch refused the application's credentials: invalid client secret. Check TWITCH_CLIENT_ID"
            )
            assert "GET /helix/streams" not in twitch.calls

    async def test_parallel_callers_share_the_refusal(self, twitch: FakeTwitch, clock: Clock) -> None:
        async with client_for(twitch, clock, secret="wrong") as client:
            results = await asyncio.gather(*(client.get("/users") for _ in range(5)), return_exceptions=True)
        assert [type(result) for result in results] == [TwitchUnauthorized] * 5
        assert twitch.calls == ["POST /token"]

    async def test_an_error_that_looks_like_a_token(self, twitch: FakeTwitch, client: HelixClient) -> None:
        twitch.token_answers.append((200, {"status": 400, "message": "odd"}))
        error = await failure(client)
        assert isinstance(error, TwitchRefused)
        assert str(error) == "POST /token: no token in the answer (odd). Check TWITCH_AUTH_URL."

    async def test_oauth_down_for_a_moment_and_for_long(
        self, twitch: FakeTwitch, client: HelixClient, clock: Clock
    ) -> None:
        twitch.token_answers.append((503, {"message": "maintenance"}))
        await client.get("/streams")
        assert clock.sleeps == [1.0]
        twitch.revoke_all()
        twitch.token_answers.extend([(503, {"message": "maintenance"})] * 2)
        assert isinstance(await failure(client), TwitchUnavailable)

    async def test_it_is_validated_hourly(
        self, twitch: FakeTwitch, client: HelixClient, clock: Clock
    ) -> None:
        await client.get("/streams")
        clock.at_s += 3599
        await client.get("/streams")
        assert twitch.calls.count("GET /validate") == 1
        clock.at_s += 1
        await asyncio.gather(*(client.get("/streams") for _ in range(3)))
        assert twitch.calls.count("GET /validate") == 2
        clock.at_s += 3600
        twitch.revoke_all()
        await client.get("/streams")
        assert twitch.authorizations[-1] == "Bearer token-2", "found out before the call, not by a 401"
        assert len(twitch.authorizations) == 6

    async def test_a_caller_that_is_cancelled_takes_the_token_from_nobody(
        self, twitch: FakeTwitch, client: HelixClient
    ) -> None:
        twitch.delay_s = 0.05
        first, second = (asyncio.create_task(client.get("/streams")) for _ in range(2))
        await asyncio.sleep(0.02)
        first.cancel()
        assert await second == {"data": [], "pagination": {}}
        assert twitch.tokens == ["token-1"]


class TestRateLimit:
    async def test_a_429_waits_for_the_reset(
        self, twitch: FakeTwitch, client: HelixClient, clock: Clock
    ) -> None:
        headers = {"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": str(NOON_S + 12)}
        headers["Date"] = "Tue, 14 Nov 2023 22:13:20 GMT"
        twitch.next_answers.append((429, {"status": 429, "message": "Too Many Requests"}, headers))
        assert await client.get("/streams") == {"data": [], "pagination": {}}
        assert NOON_S + 12 <= clock.at_s < NOON_S + 13
        assert twitch.calls.count("GET /helix/streams") == 2

    async def test_parallel_callers_wait_together(
        self, twitch: FakeTwitch, client: HelixClient, clock: Clock
    ) -> None:
        headers = {"Ratelimit-Limit": "800", "Ratelimit-Remaining": "0", "Ratelimit-Reset": str(NOON_S + 9)}
        headers["Date"] = "Tue, 14 Nov 2023 22:13:20 GMT"
        twitch.next_answers.extend([(429, {}, headers)] * 4)
        await asyncio.gather(*(client.get("/streams") for _ in range(4)))
        # The clock moves while answers are under way, so the wait is not exactly nine seconds.
        assert clock.at_s < NOON_S + 18, "four 429 are one wait, not four"
        assert twitch.calls.count("GET /helix/streams") == 8

    async def test_a_bucket_that_stays_empty_is_told(self, twitch: FakeTwitch, client: HelixClient) -> None:
        twitch.next_answers.extend([(429, {}, {})] * 20)
        error = await failure(client)
        assert isinstance(error, TwitchUnavailable)
        assert str(error) == "GET /streams: the rate limit stays used up, by others with this client id"
        assert twitch.calls.count("GET /helix/streams") == 6

    async def test_the_size_is_read_not_assumed(
        self, twitch: FakeTwitch, client: HelixClient, clock: Clock
    ) -> None:
        headers = {"Ratelimit-Limit": "2", "Ratelimit-Remaining": "1", "Ratelimit-Reset": str(NOON_S + 30)}
        headers["Date"] = "Tue, 14 Nov 2023 22:13:20 GMT"
        twitch.next_answers.append((200, GOOD, headers))
        await client.get("/streams")
        await client.get("/streams")
        assert clock.sleeps == []
        await client.get("/streams")
        assert clock.at_s >= NOON_S + 30


class TestErrors:
    async def test_a_503_is_retried_once(self, twitch: FakeTwitch, client: HelixClient, clock: Clock) -> None:
        twitch.next_answers.append((503, {"message": "unavailable"}, {}))
        await client.get("/streams")
        assert clock.sleeps == [1.0]
        twitch.next_answers.extend([(503, {"message": "unavailable"}, {})] * 2)
        error = await failure(client)
        assert isinstance(error, TwitchUnavailable)
        assert str(error) == "GET /streams: unavailable"
        assert twitch.calls.count("GET /helix/streams") == 4

    async def test_other_server_errors_are_not_retried(self, twitch: FakeTwitch, client: HelixClient) -> None:
        twitch.next_answers.append((500, "<h1>Oops</h1>", {}))
        error = await failure(client)
        assert isinstance(error, TwitchUnavailable)
        assert str(error) == "GET /streams: status 500"
        assert twitch.calls.count("GET /helix/streams") == 1

    async def test_a_refusal_has_twitchs_words(self, twitch: FakeTwitch, client: HelixClient) -> None:
        body = {"error": "Bad Request", "status": 400, "message": "Malformed query params."}
        twitch.next_answers.append((400, body, {}))
        error = await failure(client, "users")
        assert isinstance(error, TwitchRefused)
        assert str(error) == "GET /users: Malformed query params."

    async def test_a_server_that_repeats_our_secrets(self, twitch: FakeTwitch, client: HelixClient) -> None:
        twitch.next_answers.append((400, {"message": f"bad: token-1, {CLIENT_SECRET}"}, {}))
        assert str(await failure(client)) == "GET /streams: bad: **********, **********"

    async def test_no_json(self, twitch: FakeTwitch, client: HelixClient) -> None:
        twitch.next_answers.append((200, "<html>Log in to the Wi-Fi</html>", {}))
        assert str(await failure(client)) == "GET /streams: the answer is not JSON. Check TWITCH_API_URL."

    async def test_no_list(self, twitch: FakeTwitch, client: HelixClient) -> None:
        twitch.next_answers.append((200, {"data": {}}, {}))
        with pytest.raises(TwitchUnavailable, match="GET /users: the answer has no list"):
            await client.get_users(ids=["1"])

    async def test_too_slow(self, twitch: FakeTwitch, clock: Clock) -> None:
        async with client_for(twitch, clock, timeout_s=0.2) as client:
            await client.get("/streams")
            twitch.delay_s = 5
            error = await failure(client)
        assert isinstance(error, TwitchUnavailable)
        assert str(error).endswith("in time")

    async def test_nobody_there(self, clock: Clock) -> None:
        nobody = FakeTwitch()
        nobody.url = "http://127.0.0.1:9"
        async with client_for(nobody, clock) as client:
            error = await failure(client)
        assert isinstance(error, TwitchUnavailable)
        assert str(error) == "POST /token: 127.0.0.1:9 can't be reached"


class TestStreams:
    async def test_pages_that_repeat_a_stream(self, twitch: FakeTwitch, client: HelixClient) -> None:
        for number in range(5):
            twitch.go_live(f"user{number}")
        twitch.page_size, twitch.repeats_last = 2, True
        streams = await client.get_streams(user_logins=[f"USER{number}" for number in range(5)])
        assert [stream.stream_id for stream in streams] == [f"s-user{number}" for number in range(5)]
        assert twitch.calls.count("GET /helix/streams") == 3

    async def test_a_hundred_filters_a_call_each_once(self, twitch: FakeTwitch, client: HelixClient) -> None:
        logins = [f"user{number}" for number in range(250)]
        twitch.go_live("user0")
        twitch.go_live("user249")
        streams = await client.get_streams(user_logins=[*logins, "User0"])
        assert [stream.user_login for stream in streams] == ["user0", "user249"]
        counts = [sum(name == "user_login" for name, _ in query) for query in twitch.queries]
        assert counts == [100, 100, 50]
        assert all(("first", "100") in query for query in twitch.queries)

    async def test_nobody_asked_for_is_no_call(self, twitch: FakeTwitch, client: HelixClient) -> None:
        assert await client.get_streams() == []
        assert await client.get_users() == []
        assert twitch.calls == []

    async def test_a_cursor_that_turns_in_circles_ends(self, twitch: FakeTwitch, client: HelixClient) -> None:
        page = {"data": [{"id": "1"}], "pagination": {"cursor": "x"}}
        twitch.next_answers.extend([(200, page, {})] * 5)
        assert [element async for element in client.paginate("/chat/chatters")] == [{"id": "1"}] * 2

    async def test_users_by_id_and_login(self, twitch: FakeTwitch, client: HelixClient) -> None:
        twitch.users = {"a": "1", "b": "2"}
        users = await client.get_users(ids=["2", "3"], logins=["A", "a", "gone"])
        assert users == [User(user_id="1", user_login="a"), User(user_id="2", user_login="b")]
        assert twitch.queries == [[("id", "2"), ("id", "3"), ("login", "a"), ("login", "gone")]]


class TestOpenClient:
    def test_without_credentials_there_is_none(self, tmp_path: Path) -> None:
        settings = Settings(_env_file=None, twitch_channels="a", data_dir=tmp_path)
        assert open_client(settings) is None

    async def test_processes_share_the_bucket(self, twitch: FakeTwitch, tmp_path: Path) -> None:
        settings = Settings(
            _env_file=None,
            data_dir=tmp_path,
            twitch_api_url=f"{twitch.url}/helix",
            twitch_auth_url=f"{twitch.url}/oauth2",
            twitch_client_id=CLIENT_ID,
            twitch_client_secret=CLIENT_SECRET,
        )
        one, two = open_client(settings), open_client(settings)
        assert one is not None
        assert two is not None
        async with one, two:
            await one.get("/streams")
            assert await two.limiter.take() == 2
        assert CLIENT_SECRET not in repr(vars(one))
