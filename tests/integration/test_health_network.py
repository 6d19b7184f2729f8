"""The checks that go over the network, against the sandbox, S3 servers and impostors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import boto3
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from moto.server import ThreadedMotoServer

from dashboard.config import Settings
from dashboard.config_rules import CURES
from dashboard.health import Check
from dashboard.health_s3 import check_s3
from dashboard.health_twitch import check_api, check_chat, check_chat_token, check_clock
from dashboard.sandbox.server import SandboxServer
from dashboard.sandbox.world import World
from tests.integration.fake_helix import CLIENT_ID, CLIENT_SECRET, FakeTwitch, fake_twitch


@pytest.fixture(autouse=True)
def no_keys_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_REGION",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


class TestSandbox:
    async def test_everything_works_while_it_runs(self) -> None:
        async with SandboxServer(World(7, 3), http_port=0, irc_tcp_port=0) as sandbox:
            port = int(sandbox.urls["http"].rpartition(":")[2])
            ours = settings(sandbox_port=port)
            assert await check_chat(ours) == Check(
                "Twitch chat", "ok", f"127.0.0.1:{port} answers; chat is read anonymously"
            )
            assert await check_api(ours) == Check(
                "Twitch API", "ok", f"127.0.0.1:{port} accepts the credentials: viewer counts work"
            )
            over_tcp = settings(twitch_irc_url=sandbox.urls["irc_tcp"], twitch_irc_login="justinfan1")
            check = await check_chat(over_tcp)
            assert check.status == "ok"
            assert check.detail.endswith("chat is read as justinfan1")


@pytest.fixture
async def twitch() -> AsyncIterator[FakeTwitch]:
    async with fake_twitch() as fake:
        yield fake


def at(fake: FakeTwitch, **values: Any) -> Settings:
    urls = {"twitch_api_url": f"{fake.url}/helix", "twitch_auth_url": f"{fake.url}/oauth2"}
    return settings(**urls | {"twitch_client_id": CLIENT_ID, "twitch_client_secret": CLIENT_SECRET} | values)


class TestApi:
    async def test_without_credentials_it_says_what_is_missing(self) -> None:
        assert await check_api(settings(twitch_channels="a")) == Check(
            "Twitch API",
            "off",
            "no credentials: chat only, no viewer counts, games, titles or stream starts",
            "Set TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET (dev.twitch.tv/console/apps).",
        )

    async def test_good_credentials(self, twitch: FakeTwitch) -> None:
        assert (await check_api(at(twitch))).status == "ok"

    async def test_wrong_secret(self, twitch: FakeTwitch) -> None:
        assert await check_api(at(twitch, twitch_client_secret="wrong")) == Check(
            "Twitch API",
            "fail",
            "Twitch refused the credentials (invalid client secret)",
            CURES["twitch_client_secret"],
        )

    async def test_a_token_that_helix_refuses(self, twitch: FakeTwitch) -> None:
        twitch.token_answers.append((200, {"access_token": "other"}))
        check = await check_api(at(twitch))
        assert (check.status, check.detail) == (
            "fail",
            "Twitch refused the credentials (Invalid OAuth token)",
        )

    async def test_trouble_at_twitch_is_not_our_failure(self, twitch: FakeTwitch) -> None:
        twitch.token_answers.append((503, {"message": "maintenance"}))
        check = await check_api(at(twitch))
        assert (check.status, check.detail) == ("warn", "Twitch has trouble at the moment (maintenance)")

    async def test_something_else_at_that_address(self, twitch: FakeTwitch) -> None:
        check = await check_api(at(twitch, twitch_auth_url=f"{twitch.url}/elsewhere"))
        assert (check.status, check.detail) == ("fail", "what answers is not Twitch's API (status 404)")

    async def test_nobody_there(self) -> None:
        nobody = FakeTwitch()
        nobody.url = "http://127.0.0.1:9"
        check = await check_api(at(nobody))
        assert (check.status, check.detail) == ("fail", "127.0.0.1:9 can't be reached")


class TestChat:
    async def test_nobody_there(self) -> None:
        check = await check_chat(settings(twitch_irc_url="ws://127.0.0.1:9/irc"))
        assert check.status == "fail"
        assert check.detail.startswith("127.0.0.1:9 can't be reached (")
        assert CURES["twitch_irc_url"] in check.cure

    async def test_a_web_server_that_is_no_chat(self, twitch: FakeTwitch) -> None:
        check = await check_chat(settings(twitch_irc_url=twitch.url.replace("http", "ws") + "/irc"))
        assert check.status == "fail"
        assert "rejected WebSocket connection: HTTP 404" in check.detail

    async def test_a_server_that_says_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("dashboard.health_twitch._TIMEOUT_S", 0.2)
        done = asyncio.Event()

        async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await done.wait()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            check = await check_chat(settings(twitch_irc_url=f"ws://127.0.0.1:{port}"))
            done.set()
        assert (check.status, check.detail) == ("fail", f"127.0.0.1:{port} did not answer within 0.2 s")


class TestChatToken:
    @pytest.mark.parametrize(
        ("answer", "status", "detail"),
        [
            ({"login": "me", "scopes": ["chat:read"]}, "ok", "valid for me"),
            ({"login": "you", "scopes": ["chat:read"]}, "fail", "TWITCH_IRC_TOKEN belongs to you, not to me"),
            ({"login": "me", "scopes": ["bits:read"]}, "fail", "TWITCH_IRC_TOKEN has no scope chat:read"),
            (None, "fail", "Twitch refused TWITCH_IRC_TOKEN: it is wrong or expired"),
        ],
    )
    async def test_what_validate_says(self, answer: dict[str, Any] | None, status: str, detail: str) -> None:
        async def validate(request: web.Request) -> web.Response:
            assert request.headers["Authorization"] == "OAuth hunter2"
            return web.json_response(answer or {"message": "invalid"}, status=200 if answer else 401)

        app = web.Application()
        app.router.add_get("/validate", validate)
        async with TestServer(app) as server:
            url = str(server.make_url("")).rstrip("/")
            ours = settings(twitch_irc_login="me", twitch_irc_token="oauth:hunter2", twitch_auth_url=url)
            check = await check_chat_token(ours)
        assert (check.status, check.detail) == (status, detail)


class TestClock:
    @pytest.mark.parametrize(
        ("skew_s", "status", "detail"),
        [
            (0, "ok", "agrees with Twitch's to a few seconds"),
            (-60, "warn", "60 s fast against Twitch's"),
            (60, "warn", "60 s slow against Twitch's"),
            (3600, "fail", "3600 s slow against Twitch's"),
        ],
    )
    async def test_against_the_date_of_an_answer(self, skew_s: int, status: str, detail: str) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=401, headers={"Date": formatdate(time.time() + skew_s, usegmt=True)})

        app = web.Application()
        app.router.add_get("/helix", answer)
        async with TestServer(app) as server:
            check = await check_clock(settings(twitch_api_url=str(server.make_url("/helix"))))
        assert check.status == status
        # A Date is cut to whole seconds: 60 s may be measured as 59.5 to 60.5.
        assert check.detail in (detail, detail.replace("60 s", "59 s"), detail.replace("60 s", "61 s"))

    async def test_no_answer(self) -> None:
        check = await check_clock(settings(twitch_api_url="http://127.0.0.1:9"))
        assert (check.status, check.detail) == ("off", "can't be told: no answer")


def _s3_client(url: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="key",
        aws_secret_access_key="hunter2",
    )


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = _s3_client(url)
    where: Any = {"LocationConstraint": "eu-central-1"}
    client.create_bucket(Bucket="lens-bucket", CreateBucketConfiguration=where)
    yield url
    server.stop()


def s3_settings(url: str, **values: Any) -> Settings:
    usual = {
        "s3_bucket": "lens-bucket",
        "s3_region": "eu-central-1",
        "s3_endpoint_url": url,
        "aws_access_key_id": "key",
        "aws_secret_access_key": "hunter2",
    }
    return settings(**usual | values)


class TestS3:
    def test_off(self) -> None:
        assert check_s3(settings()) == Check("S3", "off", "not set: everything stays on this machine")

    def test_it_works_and_leaves_nothing(self, moto: str) -> None:
        assert check_s3(s3_settings(moto)) == Check(
            "S3", "ok", f"lens-bucket at {moto} takes and deletes files under streamlens"
        )
        client = _s3_client(moto)
        assert client.list_objects_v2(Bucket="lens-bucket")["KeyCount"] == 0

    def test_no_such_bucket(self, moto: str) -> None:
        check = check_s3(s3_settings(moto, s3_bucket="other-bucket"))
        assert (check.status, check.detail) == ("fail", "there is no bucket other-bucket")

    def test_wrong_region(self, moto: str) -> None:
        check = check_s3(s3_settings(moto, s3_region="us-west-2"))
        assert check == Check(
            "S3",
            "warn",
            "lens-bucket is in eu-central-1, not in us-west-2: every call takes a detour",
            "Set S3_REGION=eu-central-1.",
        )

    def test_no_keys(self, moto: str) -> None:
        check = check_s3(s3_settings(moto, aws_access_key_id="", aws_secret_access_key=""))
        assert (check.status, check.detail) == (
            "fail",
            "no keys were found, in the settings or on this machine",
        )

    def test_nobody_there(self) -> None:
        check = check_s3(s3_settings("http://127.0.0.1:9"))
        assert (check.status, check.detail) == ("fail", "http://127.0.0.1:9 can't be reached")

    # moto takes any secret, so refusals are played as S3 words them.
    @pytest.mark.parametrize(
        ("status", "code", "expected"),
        [
            (403, "InvalidAccessKeyId", "the server does not know the access key"),
            (403, "SignatureDoesNotMatch", "the secret does not belong to the access key"),
            (400, "ExpiredToken", "the temporary keys have expired"),
            (403, "RequestTimeTooSkewed", "this machine's clock is too far off for a signature"),
            (403, "AccessDenied", "the keys are good, but may not write to lens-bucket under streamlens"),
            (400, "AuthorizationHeaderMalformed", "lens-bucket is in eu-north-1, not in eu-central-1"),
            (507, "QuotaExceeded", "{url} refused a small file (QuotaExceeded)"),
        ],
    )
    async def test_refusals_are_told_apart(self, status: int, code: str, expected: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>no</Message><Region>eu-north-1</Region></Error>"
        check, url = await _check_against(status, f'<?xml version="1.0"?>{body}', "application/xml")
        assert (check.status, check.detail) == ("fail", expected.format(url=url))
        assert "hunter2" not in repr(check)

    @pytest.mark.parametrize("status", [200, 404, 405])
    async def test_an_endpoint_that_is_no_s3(self, status: int) -> None:
        check, url = await _check_against(status, "<html><body>It works!</body>", "text/html")
        assert (check.status, check.detail) == ("fail", f"{url} does not answer as S3 does")
        assert check.cure == CURES["s3_endpoint_url"]

    async def test_keys_that_may_write_but_not_list(self) -> None:
        async def answer(request: web.Request) -> web.Response:
            return web.Response(status=403 if request.method == "GET" else 200, headers={"ETag": '"1"'})

        check, _ = await _check_server(answer)
        assert (check.status, check.detail) == (
            "warn",
            "lens-bucket takes files, but these keys may not list them",
        )


async def _check_against(status: int, text: str, content_type: str) -> tuple[Check, str]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text, content_type=content_type)

    return await _check_server(answer)


async def _check_server(answer: Any) -> tuple[Check, str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        return await asyncio.to_thread(check_s3, s3_settings(url)), url
