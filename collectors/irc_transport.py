"""The wire under IRC: WebSocket or TCP, with or without TLS, in whole lines."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from dashboard.errors import ConfigError

_READ_BYTES = 1 << 16
_KEPT_OF_LONG_LINES = 2_000
_CLOSE_S = 2


class ConnectionLost(Exception):
    """The connection is gone; the message says how, for people."""


class Overlong(str):
    """The beginning of a line that was too long to be taken."""

    __slots__ = ()


class LineSplitter:
    """Cuts a stream of bytes into lines, wherever the network cut it.

    Bytes that are no UTF-8 become U+FFFD. A line that is too long comes once, as :class:`Overlong`,
    and the stream goes on behind it.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self._is_skipping = False

    def feed(self, data: bytes) -> list[str]:
        """Takes what arrived and gives the lines that are complete."""
        *ends, rest = data.split(b"\n")
        lines: list[str] = []
        for end in ends:
            self._grow(end, lines)
            if not self._is_skipping:
                self._finish(lines)
            self._is_skipping = False
            self._rest.clear()
        self._grow(rest, lines)
        return lines

    def flush(self) -> list[str]:
        """Gives what is left, where the end of a frame is the end of a line too."""
        return self.feed(b"\n") if self._rest or self._is_skipping else []

    def _grow(self, data: bytes, lines: list[str]) -> None:
        if self._is_skipping:
            return
        self._rest += data
        if len(self._rest) > self._max_bytes:
            lines.append(Overlong(self._rest[:_KEPT_OF_LONG_LINES].decode("utf-8", "replace")))
            self._rest.clear()
            self._is_skipping = True

    def _finish(self, lines: list[str]) -> None:
        line = self._rest.decode("utf-8", "replace").rstrip("\r")
        if line:
            lines.append(line)


class Transport(Protocol):
    """An open connection that speaks in lines."""

    async def receive(self) -> list[str]:
        """Waits for lines: none, some, :class:`Overlong` ones; raises ConnectionLost at the end."""

    async def send(self, line: str) -> None:
        """Sends one line; raises ConnectionLost."""

    async def close(self) -> None:
        """Says goodbye, without waiting long for an answer."""

    def abort(self) -> None:
        """Drops the connection at once."""


async def open_transport(url: str, *, line_bytes: int, connect_s: float) -> Transport:
    """Connects.

    Args:
        url: ``wss://`` or ``ws://`` for a WebSocket, ``ircs://`` or ``irc://`` for TCP (ports 6697 and
            6667 unless told).
        line_bytes: Longer lines are given as :class:`Overlong`.
        connect_s: Patience, with the TLS and WebSocket handshakes.

    Returns:
        The open connection.

    Raises:
        ConnectionLost: Nobody answered, or not as they should.
        ConfigError: The address is of no known kind.
    """
    parts = urlsplit(url)
    is_websocket = parts.scheme in ("ws", "wss")
    if not is_websocket and parts.scheme not in ("irc", "ircs"):
        raise ConfigError(f"TWITCH_IRC_URL: {parts.scheme}:// is not wss://, ws://, ircs:// or irc://")
    try:
        async with asyncio.timeout(connect_s):
            if is_websocket:
                return await _open_websocket(url, parts, line_bytes)
            return await _open_stream(parts, line_bytes)
    except TimeoutError:
        raise ConnectionLost(f"{parts.hostname} did not answer within {connect_s:g} s") from None
    except (OSError, InvalidHandshake, InvalidURI, EOFError, ValueError) as error:
        raise ConnectionLost(f"{parts.hostname} can't be reached: {error or type(error).__name__}") from error


async def _open_websocket(url: str, parts: SplitResult, line_bytes: int) -> Transport:
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    connection = await connect(
        url,
        max_size=4 * line_bytes,
        compression=None,  # chat frames are small; deflating them costs more than it saves
        ping_interval=None,  # IRC has PINGs of its own, which also prove that the chat server lives
        open_timeout=None,
        logger=_quiet_logger(),
        close_timeout=_CLOSE_S,
        proxy=None if is_local else True,
    )
    return WebSocketTransport(connection, line_bytes)


def _quiet_logger() -> logging.Logger:
    """websockets logs every frame at DEBUG, and one of ours holds the token."""
    logger = logging.getLogger(f"{__name__}.websocket")
    logger.setLevel(logging.INFO)
    return logger


async def _open_stream(parts: SplitResult, line_bytes: int) -> Transport:
    has_tls = parts.scheme == "ircs"
    port = parts.port or (6697 if has_tls else 6667)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=has_tls or None)
    return StreamTransport(reader, writer, line_bytes)


class WebSocketTransport:
    """IRC over WebSocket: a frame holds one or more whole lines."""

    def __init__(self, connection: ClientConnection, line_bytes: int) -> None:
        self._connection = connection
        self._lines = LineSplitter(line_bytes)

    async def receive(self) -> list[str]:
        """The lines of the next frame."""
        try:
            frame = await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise ConnectionLost(_closing(error)) from error
        return self._lines.feed(frame) + self._lines.flush()

    async def send(self, line: str) -> None:
        """Sends one line in a frame of its own."""
        try:
            await self._connection.send(f"{line}\r\n")
        except ConnectionClosed as error:
            raise ConnectionLost(_closing(error)) from error

    async def close(self) -> None:
        """Closes with the WebSocket handshake."""
        await self._connection.close()

    def abort(self) -> None:
        """Drops the TCP connection below."""
        self._connection.transport.abort()


def _closing(error: ConnectionClosed) -> str:
    frame = error.rcvd or error.sent
    if frame is None:
        return "the connection broke off"
    return f"closed with code {frame.code}" + (f" ({frame.reason})" if frame.reason else "")


class StreamTransport:
    """IRC over TCP: the network may cut anywhere, also inside a character."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line_bytes: int) -> None:
        self._reader = reader
        self._writer = writer
        self._lines = LineSplitter(line_bytes)

    async def receive(self) -> list[str]:
        """The lines that the next piece completes."""
        try:
            data = await self._reader.read(_READ_BYTES)
        except OSError as error:
            raise ConnectionLost(f"the connection broke off: {error}") from error
        if not data:
            raise ConnectionLost("the server closed the connection")
        return self._lines.feed(data)

    async def send(self, line: str) -> None:
        """Sends one line."""
        try:
            self._writer.write(f"{line}\r\n".encode())
            await self._writer.drain()
        except OSError as error:
            raise ConnectionLost(f"the connection broke off: {error}") from error

    async def close(self) -> None:
        """Sends what is left and closes."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._writer.wait_closed()

    def abort(self) -> None:
        """Drops the connection."""
        self._writer.transport.abort()
