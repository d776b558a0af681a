"""HTTP/1.1 as the real server's transport behaves: timeouts, header set, what closes a connection."""

from __future__ import annotations

import gzip
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from socketserver import TCPServer
from typing import cast

log = logging.getLogger("http")

VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
# How long to take in the rest of a body that is not wanted.
LINGER_SECONDS = 1.0
UNLOGGED_PATHS = frozenset({"/", "/metrics", "/healthz", "/readyz", "/livez"})


class BodyTooLarge(Exception):
    def __init__(self, length: int) -> None:
        super().__init__(f"{length} bytes")
        self.length = length


@dataclass(frozen=True)
class Transport:
    """Limits and switches of a listener. Times are seconds."""

    keep_alive: float
    request_head: float
    max_body: int
    cors: bool


@dataclass
class Request:
    """One request. The body is read on demand: an answer given without reading it closes the connection."""

    method: str
    target: str
    headers: dict[str, str]
    read_body: Callable[[], bytes]
    received_at: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


class HttpServer(ThreadingHTTPServer):
    """A listener with one thread per connection. `drain` answers what is under way, then closes."""

    # server_close() then waits for the handlers, which is what makes a stop graceful.
    daemon_threads = False
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], handle: Callable[[Request], Response], transport: Transport) -> None:
        self.handle = handle
        self.transport = transport
        self.stopping = False
        super().__init__(address, _Connection)

    def drain(self) -> None:
        self.stopping = True
        self.shutdown()
        self.server_close()

    def server_bind(self) -> None:
        # HTTPServer would look up the host's name here, which can take seconds without a name server.
        TCPServer.server_bind(self)

    def handle_error(self, request: object, client_address: object) -> None:
        log.exception("connection from %s failed", client_address)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpServer

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError) as error:
            log.debug("connection from %s lost: %s", self.client_address[0], error)

    def handle_one_request(self) -> None:
        self.close_connection = True
        if not self._read_head():
            return
        body = _Body(self)
        request = Request(
            method=self.command,
            target=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            read_body=body.read,
        )
        response = self.server.handle(request)
        # Part of the body may still be on its way; it must not be taken for the next request.
        if body.unread or self.server.stopping:
            self.close_connection = True
        self._send(response, request)
        if body.unread:
            self._linger()

    def _linger(self) -> None:
        """Closing with unread data resets the connection, which can cost the client the answer."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(LINGER_SECONDS)
        deadline = time.monotonic() + LINGER_SECONDS
        try:
            while time.monotonic() < deadline and self.connection.recv(65536):
                pass
        except TimeoutError:
            return

    def _read_head(self) -> bool:
        """False when there is no request to serve; the answer, if any, is then already sent."""
        self.connection.settimeout(self.server.transport.keep_alive)
        try:
            # Looking ahead, so that an idle connection is told apart from half a request.
            if not cast(BufferedReader, self.rfile).peek(1):
                return False
        except TimeoutError:
            return False
        self.connection.settimeout(self.server.transport.request_head)
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.parse_request():
                return False
        except TimeoutError:
            self.send_error(408)
            return False
        self.connection.settimeout(None)
        return True

    def _send(self, response: Response, request: Request) -> None:
        headers: list[tuple[str, str]] = []
        body = response.body
        compressed = bool(body) and "gzip" in request.headers.get("accept-encoding", "")
        if compressed:
            body = gzip.compress(body, mtime=0)
            headers.append(("transfer-encoding", "chunked"))
            headers.append(("content-encoding", "gzip"))
        else:
            headers.append(("content-length", str(len(body))))
        if self.close_connection:
            headers.append(("connection", "close"))
        if response.content_type is not None:
            headers.append(("content-type", response.content_type))
        headers.extend(response.headers.items())
        if self.server.transport.cors:
            headers.append(("vary", "accept-encoding, " + VARY if compressed else VARY))
        elif compressed:
            headers.append(("vary", "accept-encoding"))
        payload = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if compressed else body
        self._write(response.status, headers, b"" if self.command == "HEAD" else payload)
        path = request.target.partition("?")[0]
        if path not in UNLOGGED_PATHS:
            elapsed = time.perf_counter() - request.received_at
            log.info(
                '%s "%s" %d %d %.6f', self.client_address[0], self.requestline, response.status, len(body), elapsed
            )

    def _write(self, status: int, headers: list[tuple[str, str]], payload: bytes) -> None:
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers)]
        lines.append(f"date: {formatdate(usegmt=True)}")
        self.wfile.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + payload)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A request that could not be parsed: no page, only the status, and the connection ends."""
        self.close_connection = True
        status = 408 if code == 408 else 400
        self._write(status, [("content-length", "0"), ("connection", "close")], b"")


class _Body:
    """The body of one request, by length or in chunks."""

    def __init__(self, connection: _Connection) -> None:
        self._stream = connection.rfile
        self._limit = connection.server.transport.max_body
        self._chunked = connection.headers.get("transfer-encoding", "").lower() == "chunked"
        length = connection.headers.get("content-length", "0")
        self._length = int(length) if length.isdigit() else 0
        self.unread = self._chunked or self._length > 0

    def read(self) -> bytes:
        if not self.unread:
            return b""
        if self._length > self._limit:
            raise BodyTooLarge(self._length)
        data = self._read_chunks() if self._chunked else self._read_exactly(self._length)
        self.unread = False
        return data

    def _read_exactly(self, length: int) -> bytes:
        data = self._stream.read(length)
        if len(data) < length:
            raise ConnectionResetError("the client closed the connection within its request")
        return data

    def _read_chunks(self) -> bytes:
        chunks: list[bytes] = []
        total = 0
        while size := int(self._stream.readline(1026).split(b";")[0].strip() or b"0", 16):
            total += size
            if total > self._limit:
                raise BodyTooLarge(total)
            chunks.append(self._read_exactly(size))
            self._stream.readline(3)
        while self._stream.readline(65537).strip():
            pass
        return b"".join(chunks)
