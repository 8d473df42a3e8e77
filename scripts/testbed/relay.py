"""A relay in front of a server that closes connections in the middle of an answer, as a failing network does."""
import asyncio
import threading

from processes import Servers

BLOCK = 16384


class Relay:
    """Passes bytes on in both directions; of the answers on one connection at most `limit` bytes, `times` times in all."""

    def __init__(self, host, port, limit, times):
        self.host, self.port, self.limit, self.left = host, port, limit, times
        self.listening = None

    async def serve(self, ready):
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.listening = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    async def _connection(self, client_reader, client_writer):
        server_reader, server_writer = await asyncio.open_connection(self.host, self.port)
        tasks = [asyncio.ensure_future(self._copy(client_reader, server_writer, None)),
                 asyncio.ensure_future(self._copy(server_reader, client_writer, self.limit))]
        # Either side's end, or a cut, is the end of both.
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for writer in (client_writer, server_writer):
            writer.close()

    async def _copy(self, reader, writer, limit):
        passed = 0
        while data := await reader.read(BLOCK):
            if limit is not None and passed + len(data) > limit and self.left > 0:
                self.left -= 1
                writer.write(data[:limit - passed])
                await writer.drain()
                return
            passed += len(data)
            writer.write(data)
            await writer.drain()


def start(target, limit, times):
    """Starts a relay to `HOST:PORT` in this process; returns its folder and its description."""
    host, _, port = target.rpartition(":")
    relay, ready = Relay(host, int(port), limit, times), threading.Event()
    threading.Thread(target=lambda: asyncio.run(relay.serve(ready)), daemon=True).start()
    ready.wait(10)
    endpoint = f"127.0.0.1:{relay.listening}"
    return Servers("relay"), {"endpoint": endpoint, "admin": f"http://{endpoint}"}
