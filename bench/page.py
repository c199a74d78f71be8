"""The web server that both sides ask: 61 bytes of JSON, one answer a connection, in a process of its own.

python -m bench.page PORT
"""

import asyncio
import sys

import uvloop

BODY = b'{"status": "healthy", "checks": {"db": "ok", "cache": "ok"}}\n'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 61\r\nConnection: close\r\n\r\n" + BODY


class Page(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert data.endswith(b"\r\n\r\n"), "a request comes in one piece here"
        self._transport.write(ANSWER)  # type: ignore[attr-defined]  # uvloop's are no asyncio.Transport
        self._transport.close()


async def serve(port: int) -> None:
    listening = await asyncio.get_running_loop().create_server(Page, "127.0.0.1", port, backlog=4096)
    await listening.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
