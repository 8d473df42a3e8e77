"""A relay in front of an HTTP server that fails some of the requests, each in one of the ways in which stores and networks fail."""
import asyncio
import collections
import json
import random
import socket
import struct
import threading

from processes import Servers

BLOCK = 1 << 16
STATISTICS = "/-/statistics"
# Status, reason, body; what a body has no `Code` for is answered by a proxy rather than by the store.
ANSWERS = {
    "408": (408, "Request Timeout", "<Error><Code>RequestTimeout</Code><Message>idle</Message></Error>"),
    "429": (429, "Too Many Requests", ""),
    "500": (500, "Internal Server Error", "<Error><Code>InternalError</Code><Message>try again</Message></Error>"),
    "502": (502, "Bad Gateway", "<html><body>Bad Gateway</body></html>"),
    "503": (503, "Slow Down", "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"),
    "expired": (400, "Bad Request", "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"),
}
# Besides: `reset` closes in the middle of the request, `stall` says nothing more, `end` closes in the middle of the answer.
KINDS = [*ANSWERS, "reset", "stall", "end"]


class FaultRelay:
    """Passes requests on, all but a share of them that fails; counts what was asked."""

    def __init__(self, host, port, share, kinds, spared, seed=1):
        self.host, self.port, self.share, self.kinds, self.spared = host, port, share, kinds, spared
        self.random = random.Random(seed)
        self.requests, self.faults = collections.Counter(), collections.Counter()
        self.listening = None

    async def serve(self, ready):
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, limit=1 << 20, backlog=1024)
        self.listening = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    async def _connection(self, reader, writer):
        upstream = _Upstream(self.host, self.port)
        try:
            while await self._request(reader, writer, upstream):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            upstream.close()
            writer.close()

    async def _request(self, reader, writer, upstream):
        """Answers one request; returns whether the connection goes on."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        method, path = head.split(b" ", 2)[:2]
        length = int(_field(head, b"content-length") or 0)
        if path.decode() == STATISTICS:
            await _answer(writer, 200, "OK", json.dumps({"requests": self.requests, "faults": self.faults}))
            return True
        self.requests[f"{method.decode()} {path.split(b'?')[0].decode()}"] += 1
        kind = self._kind()
        if kind is None:
            return await self._pass_on(reader, writer, upstream, head, method, length, whole=True)
        self.faults[kind] += 1
        if kind in ANSWERS:
            await _discard(reader, length)
            await _answer(writer, *ANSWERS[kind], is_head=method == b"HEAD")
            return True
        if kind == "reset":
            await _discard(reader, length // 2)
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if kind == "stall":
            await _discard(reader, length)
            await reader.read(1)  # until the client gives up
            return False
        return await self._pass_on(reader, writer, upstream, head, method, length, whole=False)

    def _kind(self):
        if sum(self.requests.values()) <= self.spared or self.random.random() >= self.share:
            return None
        # One after the other, so that each comes about.
        return self.kinds[sum(self.faults.values()) % len(self.kinds)]

    async def _pass_on(self, reader, writer, upstream, head, method, length, whole):
        body = await reader.readexactly(length)
        answer, content = await upstream.ask(head + body, method)
        text = answer + content
        writer.write(text if whole else text[:len(answer) + len(content) // 2 if content else len(answer) // 2])
        await writer.drain()
        return whole


class _Upstream:
    """A connection to the server, opened anew where it was closed."""

    def __init__(self, host, port):
        self.host, self.port, self.streams = host, port, None

    async def ask(self, request, method):
        """The answer's head and body, as they came."""
        for is_last in (False, True):
            kept = self.streams is not None
            if not kept:
                self.streams = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
            reader, writer = self.streams
            try:
                writer.write(request)
                await writer.drain()
                head = await reader.readuntil(b"\r\n\r\n")
                break
            except (OSError, asyncio.IncompleteReadError):
                self.close()
                if is_last or not kept:
                    raise
        body = b"" if method == b"HEAD" or head.split(b" ", 2)[1] in (b"204", b"304") else await self._body(reader, head)
        if (_field(head, b"connection") or b"").lower() == b"close":
            self.close()
        return head, body

    async def _body(self, reader, head):
        if (length := _field(head, b"content-length")) is not None:
            return await reader.readexactly(int(length))
        body = b""
        if (_field(head, b"transfer-encoding") or b"").lower() == b"chunked":
            while True:
                line = await reader.readuntil(b"\r\n")
                size = int(line.split(b";")[0], 16)
                body += line + await reader.readexactly(size + 2)
                if size == 0:
                    return body
        while data := await reader.read(BLOCK):
            body += data
        return body

    def close(self):
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


def _field(head, name):
    """A header's value; None without it."""
    for line in head.split(b"\r\n")[1:]:
        if line[:len(name) + 1].lower() == name + b":":
            return line[len(name) + 1:].strip()
    return None


async def _discard(reader, length):
    while length > 0:
        data = await reader.read(min(length, BLOCK))
        if not data:
            return
        length -= len(data)


async def _answer(writer, status, reason, text, is_head=False):
    body = text.encode()
    writer.write(f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                 + (b"" if is_head else body))
    await writer.drain()


def start(target, share, kinds, spared):
    """Starts a relay to `HOST:PORT` in this process; returns its folder and its description."""
    host, _, port = target.rpartition(":")
    relay, ready = FaultRelay(host, int(port), share, kinds or KINDS, spared), threading.Event()
    threading.Thread(target=lambda: asyncio.run(relay.serve(ready)), daemon=True).start()
    ready.wait(10)
    endpoint = f"127.0.0.1:{relay.listening}"
    return Servers("faults"), {"endpoint": endpoint, "admin": f"http://{endpoint}{STATISTICS}"}
