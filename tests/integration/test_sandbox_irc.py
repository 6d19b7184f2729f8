"""The sandbox's chat server keeps Twitch's contract, over WebSocket and TCP."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from dashboard.sandbox import SandboxServer, World
from dashboard.sandbox.irc import IrcLimits

CAPS = "CAP REQ :twitch.tv/tags twitch.tv/commands twitch.tv/membership"
WELCOME = ["001", "002", "003", "004", "375", "372", "376"]
NOON_S = 1_781_200_800.0


class Talk:
    """A plain WebSocket with a memory of what it heard."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.lines: list[str] = []

    async def say(self, *lines: str) -> None:
        await self.socket.send_str("\r\n".join(lines) + "\r\n")

    async def hear(self, is_enough: Callable[[list[str]], Any], timeout_s: float = 60.0) -> list[str]:
        """Everything heard so far, as soon as it is enough."""
        async with asyncio.timeout(timeout_s):
            while not is_enough(self.lines):
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    self.lines.append("(closed)")
                    break
                assert message.data.endswith("\r\n")
                self.lines += message.data[:-2].split("\r\n")
        return self.lines

    async def quiet(self, seconds: float = 0.4) -> list[str]:
        """What is heard within a time."""
        with pytest.raises(TimeoutError):
            await self.hear(lambda lines: "(closed)" in lines, seconds)
        return self.lines


def ends_with(text: str) -> Callable[[list[str]], bool]:
    return lambda lines: any(line.endswith(text) for line in lines)


def has(text: str) -> Callable[[list[str]], bool]:
    return lambda lines: any(text in line for line in lines)


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Any]]:
    session = aiohttp.ClientSession()

    async def open_one(server: SandboxServer, path: str = "/irc") -> Talk:
        return Talk(await session.ws_connect(server.urls["http"] + path, protocols=("irc",)))

    yield open_one
    await session.close()


def a_server(**options: Any) -> SandboxServer:
    began = time.monotonic()
    options.setdefault("clock", lambda: NOON_S + time.monotonic() - began)
    return SandboxServer(World(7, 12), "127.0.0.1", 0, **options)


@pytest.mark.parametrize("path", ["/irc", "/"])
async def test_an_anonymous_client_joins_and_hears_chat(connect: Any, path: str) -> None:
    async with a_server(speed=10.0) as server:
        talk = await connect(server, path)
        await talk.say(CAPS, "PASS SCHMOOPIIE", "NICK justinfan42", "JOIN #mothlight")
        await talk.hear(has(" PRIVMSG #mothlight "), 10)
    me = ":justinfan42!justinfan42@justinfan42.tmi.twitch.tv"
    assert talk.lines[0] == ":tmi.twitch.tv CAP * ACK :twitch.tv/tags twitch.tv/commands twitch.tv/membership"
    assert [line.split()[1] for line in talk.lines[1:8]] == WELCOME
    assert talk.lines[8] == f"{me} JOIN #mothlight"
    names = [line for line in talk.lines if " 353 " in line]
    assert names[0].startswith(":justinfan42.tmi.twitch.tv 353 justinfan42 = #mothlight :justinfan42")
    assert ":justinfan42.tmi.twitch.tv 366 justinfan42 #mothlight :End of /NAMES list" in talk.lines
    room = server.world.channels[0].user_id
    state = f"room-id={room};slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #mothlight"
    assert any(line.startswith("@emote-only=") and line.endswith(state) for line in talk.lines)
    said = next(line for line in talk.lines if " PRIVMSG " in line)
    assert said in {line.raw for line in server.world.lines("mothlight", NOON_S, server.now_s() + 10)}


async def test_without_capabilities_only_plain_messages(connect: Any) -> None:
    async with a_server(speed=40.0) as server:
        talk = await connect(server)
        await talk.say("NICK justinfan42", "JOIN #mothlight")
        await talk.hear(lambda lines: sum(" PRIVMSG " in line for line in lines) > 60, 20)
        heard_until = server.now_s()
    assert not any(line.startswith("@") for line in talk.lines)
    assert {line.split()[1] for line in talk.lines} == {*WELCOME, "JOIN", "353", "366", "PRIVMSG"}
    assert len(server.world.lines("mothlight", NOON_S, heard_until)) > 60


async def test_capabilities_that_do_not_exist_are_refused_together(connect: Any) -> None:
    async with a_server() as server:
        talk = await connect(server)
        await talk.say("CAP LS 302", "CAP REQ :twitch.tv/tags twitch.tv/nonsense")
        lines = await talk.hear(has("NAK"))
    assert lines == [
        ":tmi.twitch.tv CAP * LS :twitch.tv/commands twitch.tv/membership twitch.tv/tags",
        ":tmi.twitch.tv CAP * NAK :twitch.tv/tags twitch.tv/nonsense",
    ]


async def test_unknown_channels_are_met_with_silence(connect: Any) -> None:
    async with a_server() as server:
        talk = await connect(server)
        await talk.say("NICK justinfan42", "JOIN #no_such_channel", "PING :there?")
        lines = await talk.hear(ends_with(":there?"))
    assert lines[-1] == ":tmi.twitch.tv PONG tmi.twitch.tv :there?"
    assert not any("no_such_channel" in line for line in lines)


async def test_joins_above_the_limit_are_dropped_without_a_word(connect: Any) -> None:
    async with SandboxServer(World(7, 40), "127.0.0.1", 0) as server:
        talk = await connect(server)
        logins = [channel.login for channel in server.world.channels[:25]]
        await talk.say("NICK justinfan42", *(f"JOIN #{login}" for login in logins), "PING :done")
        lines = await talk.hear(ends_with(":done"))
    joined = [line.rsplit("#", 1)[1] for line in lines if " JOIN #" in line]
    assert joined == logins[:20]


async def test_no_more_rooms_than_a_connection_may_have(connect: Any) -> None:
    async with a_server(limits=IrcLimits(rooms=2)) as server:
        talk = await connect(server)
        await talk.say("NICK justinfan42", "JOIN #mothlight,#quillandbarrow,#saltmarshsam", "PING :done")
        lines = await talk.hear(ends_with(":done"))
        assert sum(" JOIN #" in line for line in lines) == 2
        await talk.say("PART #mothlight", "JOIN #saltmarshsam")
        await talk.hear(lambda lines: sum(" JOIN #" in line for line in lines) == 3)
    assert ":justinfan42!justinfan42@justinfan42.tmi.twitch.tv PART #mothlight" in talk.lines


@pytest.mark.parametrize(
    ("password", "answer"),
    [
        ("oauth:wrongwrongwrongwrongwrong", "Login authentication failed"),
        ("nothing", "Improperly formatted auth"),
    ],
)
async def test_a_bad_token_is_told_and_the_connection_closed(
    connect: Any, password: str, answer: str
) -> None:
    async with a_server() as server:
        talk = await connect(server)
        await talk.say(f"PASS {password}", "NICK somebody")
        assert await talk.hear(has("(closed)")) == [f":tmi.twitch.tv NOTICE * :{answer}", "(closed)"]


async def test_with_a_token_one_is_somebody_and_is_heard_by_others(connect: Any) -> None:
    async with a_server() as server:
        token = server.oauth.issue("user", "mothlight", ("chat:read", "chat:edit"))
        talk, other = await connect(server), await connect(server)
        await talk.say("CAP REQ :twitch.tv/tags twitch.tv/commands", f"PASS oauth:{token}", "NICK whatever")
        await talk.say("JOIN #saltmarshsam")
        await other.say("CAP REQ :twitch.tv/tags", "NICK justinfan1", "JOIN #saltmarshsam")
        await talk.hear(has("ROOMSTATE"))
        await other.hear(has(" 366 "))
        await talk.say("PRIVMSG #saltmarshsam :hello : there")
        await other.hear(ends_with("PRIVMSG #saltmarshsam :hello : there"))
        owner = server.world.population.by_login("mothlight")
    assert owner is not None
    assert any(" GLOBALUSERSTATE" in line and f"user-id={owner.user_id}" in line for line in talk.lines)
    assert any(line.endswith(":tmi.twitch.tv USERSTATE #saltmarshsam") for line in talk.lines)
    assert not any("hello : there" in line for line in talk.lines)
    said = next(line for line in other.lines if "hello : there" in line)
    assert ":mothlight!mothlight@mothlight.tmi.twitch.tv PRIVMSG" in said
    assert f"user-id={owner.user_id}" in said


async def test_small_rooms_tell_who_is_there_and_large_ones_do_not(connect: Any) -> None:
    async with a_server(speed=30.0, limits=IrcLimits(names_below=400)) as server:
        talk = await connect(server)
        await talk.say(CAPS, "NICK justinfan42", "JOIN #mothlight,#saltmarshsam")
        joins = lambda lines: [line for line in lines if " JOIN #" in line and "justinfan42" not in line]  # noqa: E731
        await talk.hear(joins, 15)
    named = {
        room: {
            name
            for line in talk.lines
            if f" 353 justinfan42 = #{room} " in line
            for name in line.split(" :", 1)[1].split()
        }
        for room in ("mothlight", "saltmarshsam")
    }
    assert named["mothlight"] == {"justinfan42"}
    there = server.world.audience.chatter_logins(2, int(NOON_S // 60) - 1)
    assert named["saltmarshsam"] == there | {"justinfan42"}
    assert all(line.endswith("#saltmarshsam") for line in joins(talk.lines))


async def test_ping_reconnect_drop_and_silence(connect: Any) -> None:
    limits = IrcLimits(ping_interval_s=0.2, pong_timeout_s=0.5)
    async with a_server(limits=limits) as server:
        talk = await connect(server)
        await talk.say("NICK justinfan42")
        await talk.hear(has("PING :tmi.twitch.tv"))
        await talk.say("PONG :tmi.twitch.tv")
        await talk.hear(lambda lines: lines.count("PING :tmi.twitch.tv") == 2)
        await talk.hear(has("(closed)"))

    async with a_server() as server:
        talk = await connect(server)
        await talk.say("NICK justinfan42")
        await talk.hear(has(" 376 "))
        server.send_reconnect()
        assert (await talk.hear(has("(closed)")))[-2:] == [":tmi.twitch.tv RECONNECT", "(closed)"]

        mute = await connect(server)
        await mute.say("NICK justinfan43")
        await mute.hear(has(" 376 "))
        server.faults.is_half_open = True
        await mute.say("PING :anybody?")
        assert not has("PONG")(await mute.quiet())
        server.faults.is_half_open = False

        server.inject("@broken :::")
        server.inject(":a!a@a PRIVMSG #mothlight :" + "x" * 100_000)
        again = await connect(server)
        await again.say("NICK justinfan44")
        await again.hear(has(" 376 "))
        assert server.drop_connections() == 2
        await again.hear(has("(closed)"))


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    limits = IrcLimits(queue_lines=500)
    async with a_server(limits=limits, irc_tcp_port=0) as server:
        server.world.boost("mothlight", 6000)
        host, port = server.urls["irc_tcp"].removeprefix("irc://").split(":")
        with socket.socket() as mute:
            mute.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            mute.connect((host, int(port)))
            mute.sendall(f"{CAPS}\r\nNICK justinfan42\r\nJOIN #mothlight\r\n".encode())
            async with asyncio.timeout(60):
                while not server.hall.clients:
                    await asyncio.sleep(0.02)
                while server.hall.clients:
                    await asyncio.sleep(0.05)


async def test_a_flood_of_1000_messages_a_second_arrives_whole(connect: Any) -> None:
    async with SandboxServer(World(7, 12), "127.0.0.1", 0) as server:
        server.world.boost("saltmarshsam", 1000)
        talk = await connect(server)
        await talk.say("CAP REQ :twitch.tv/tags", "NICK justinfan42", "JOIN #saltmarshsam")
        await talk.hear(lambda lines: len(lines) > 3000)
    numbers = [int(line.rsplit(" ", 1)[1]) for line in talk.lines if " :Kappa flood " in line]
    assert len(numbers) > 2800
    assert set(range(min(numbers), max(numbers) + 1)) == set(numbers)


async def test_tcp_speaks_the_same() -> None:
    async with a_server(irc_tcp_port=0) as server:
        host, port = server.urls["irc_tcp"].removeprefix("irc://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{CAPS}\r\nNICK justinfan42\r\nJOIN #mothlight\r\n".encode())
        lines = []
        async with asyncio.timeout(60):
            while not lines or "ROOMSTATE" not in lines[-1]:
                lines.append((await reader.readline()).decode().rstrip("\r\n"))
        assert lines[8] == ":justinfan42!justinfan42@justinfan42.tmi.twitch.tv JOIN #mothlight"
        writer.write(b"QUIT\r\n")
        async with asyncio.timeout(60):
            await reader.read()
        writer.close()


async def test_a_recording_is_a_live_channel(connect: Any) -> None:
    recorded = [
        "@id=aaa;room-id=1;tmi-sent-ts=1568505600501;user-id=5 :x!x@x.tmi.twitch.tv PRIVMSG #old :first",
        ":tmi.twitch.tv PING",
        "@id=bbb;reply-parent-msg-id=aaa;room-id=1;source-id=bbb;source-room-id=1;"
        "tmi-sent-ts=1568505600301;user-id=6 "
        ":y!y@y.tmi.twitch.tv PRIVMSG #old :second tmi-sent-ts=1",
        "@room-id=1;tmi-sent-ts=1568505601501 :tmi.twitch.tv CLEARCHAT #old :x",
    ]
    async with a_server(replay={"old_days": recorded}) as server:
        talk = await connect(server)
        await talk.say(CAPS, "NICK justinfan42", "JOIN #old_days")
        lines = await talk.hear(has("CLEARCHAT"))
        room = server.replays["old_days"].room_id
    said = [line for line in lines if line.startswith("@") and "ROOMSTATE" not in line]
    times = [int(line.split("tmi-sent-ts=")[1][:13]) for line in said]
    assert [t - times[0] for t in times] == [0, -200, 1000]
    assert abs(times[0] - NOON_S * 1000) < 1000
    assert [line.split(" ", 1)[1] for line in said] == [
        ":x!x@x.tmi.twitch.tv PRIVMSG #old_days :first",
        ":y!y@y.tmi.twitch.tv PRIVMSG #old_days :second tmi-sent-ts=1",
        ":tmi.twitch.tv CLEARCHAT #old_days :x",
    ]
    assert all(f";room-id={room};" in line or line.startswith(f"@room-id={room};") for line in said)
    first, second = (
        dict(tag.split("=", 1) for tag in line[1:].split(" ", 1)[0].split(";")) for line in said[:2]
    )
    assert second["source-room-id"] == second["room-id"] == room
    assert second["source-id"] == second["id"] != first["id"]
    assert second["reply-parent-msg-id"] == first["id"] != "aaa"
