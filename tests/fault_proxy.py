"""A TCP proxy that can refuse, hang, answer 500 and break off: a bad line to an S3 server."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit

_CHUNK = 1 << 16
_ERROR = (
    b'<?xml version="1.0"?><Error><Code>InternalError</Code><Message>We encountered an internal error.'
    b"</Message></Error>"
)


class FaultProxy:
    """Passes connections on as they are (so signatures hold), until told otherwise.

    Args:
        target: Address of the server behind.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._mode = "pass"
        self._left = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.refused_count = 0
        self.error_count = 0

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A blocked accept does not end when its socket is closed by another thread.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def set(self, mode: str, left: int = 0) -> None:
        """What happens from now on; connections that stand are cut.

        Args:
            mode: ``pass``, ``down`` (every connection is closed at once), ``hang`` (nothing is ever
                answered), ``error`` (500 to the next ``left`` requests, then pass) or ``cut`` (each
                of the next ``left`` connections breaks off after 3,000 bytes of answer, then pass).
            left: How often.
        """
        with self._lock:
            self._mode, self._left = mode, left
        self.drop()

    def drop(self) -> None:
        """Cuts every connection."""
        with self._lock:
            sockets, self._open = self._open, set()
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _next(self) -> str:
        with self._lock:
            if self._mode in ("error", "cut"):
                if self._left <= 0:
                    self._mode = "pass"
                self._left -= 1
            return self._mode

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client, self._next()], daemon=True).start()

    def _serve(self, client: socket.socket, mode: str) -> None:
        if mode == "down":
            self.refused_count += 1
            client.close()
            return
        with self._lock:
            self._open.add(client)
        with suppress(OSError):
            if mode == "hang":
                while client.recv(_CHUNK):
                    pass
            elif mode == "error":
                self._answer_error(client)
            else:
                server = socket.create_connection(self._target)
                with self._lock:
                    self._open.add(server)
                pump = threading.Thread(target=self._pump, args=[client, server, None], daemon=True)
                pump.start()
                self._pump(server, client, 3_000 if mode == "cut" else None)
        with suppress(OSError):
            client.close()

    def _answer_error(self, client: socket.socket) -> None:
        self.error_count += 1
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(_CHUNK)
        if b"100-continue" not in head.lower():
            lines = head.lower().split(b"\r\n")
            lengths = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
            length = lengths[0] if lengths else 0
            left = length - len(head.split(b"\r\n\r\n", 1)[1])
            while left > 0:
                left -= len(client.recv(_CHUNK)) or left
        client.sendall(
            b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/xml\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(_ERROR), _ERROR)
        )

    def _pump(self, source: socket.socket, sink: socket.socket, most: int | None) -> None:
        sent = 0
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                if most is not None and sent + len(chunk) > most:
                    sink.sendall(chunk[: most - sent])
                    break
                sink.sendall(chunk)
                sent += len(chunk)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
