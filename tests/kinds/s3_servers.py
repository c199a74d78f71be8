"""Object stores for tests: moto's server over real HTTP, and a stand-in for what only MinIO answers.

The stand-in is not MinIO. It says what MinIO's source and a real server said to the same questions (release of
February 2026): the health endpoints with their headers, datausageinfo, the metrics of both generations, and of S3
itself HeadBucket and ListBuckets. Signatures are not looked at; tokens are.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import RawTestServer

from probe.demo import s3 as demo
from probe.demo.process import Process, free_port
from probe.kinds.s3 import S3

KEYS = {"access_key": "demo", "secret_key": "a-secret-of-ours"}


@contextmanager
def moto(folder: Path, contents: demo.Contents, **settings: str) -> Iterator[demo.S3]:
    """moto's server with these buckets, for many tests; settings are its environment variables."""
    server = demo.S3(folder, contents, program="moto", settings=settings)
    asyncio.run(server.start())
    try:
        yield server
    finally:
        asyncio.run(server.stop())


@asynccontextmanager
async def started(server: demo.S3) -> AsyncIterator[demo.S3]:
    """The server, for as long as this lasts."""
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def minio_alone(folder: Path) -> AsyncIterator[str]:
    """One MinIO of two, whose other one never comes: it waits for it. Yields its endpoint."""
    port, absent = free_port(), free_port()
    nodes = [f"http://127.0.0.1:{each}{folder}/{each}/{{1...2}}" for each in (port, absent)]
    # In a container it would wait for a name that leads elsewhere than to this machine.
    async with _minio(folder, port, *nodes, health="live", _MINIO_SERVER_LOCAL=f"127.0.0.1:{port}") as endpoint:
        yield endpoint


@asynccontextmanager
async def minio_without_drives(folder: Path) -> AsyncIterator[str]:
    """A MinIO of four drives that has lost two, so that it reads and does not write. Yields its endpoint."""
    port = free_port()
    async with _minio(folder, port, f"{folder}/drive{{1...4}}", health="cluster") as endpoint:
        for drive in (folder / "drive3", folder / "drive4"):
            drive.rename(drive.with_suffix(".gone"))
            drive.touch()  # a file can be no drive
        async with asyncio.timeout(30):
            while _status(port, "cluster") != 503:  # noqa: ASYNC110  # the server tells nobody
                await asyncio.sleep(0.1)
        yield endpoint


@asynccontextmanager
async def _minio(folder: Path, port: int, *drives: str, health: str, **settings: str) -> AsyncIterator[str]:
    """`health`: what must be well for it to be started: `live` or `cluster`."""
    login = {"MINIO_ROOT_USER": KEYS["access_key"], "MINIO_ROOT_PASSWORD": KEYS["secret_key"]}
    one_disk = {"MINIO_CI_CD": "on", "MINIO_BROWSER": "off"}  # its drives may stand on one disk
    command = ["minio", "server", "--quiet", "--address", f"127.0.0.1:{port}", *drives]
    process = Process(command, log=folder / "minio.log", env={**login, **one_disk, **settings})
    await process.start(lambda: _status(port, health) == 200)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await process.stop(signal.SIGKILL)


def _status(port: int, health: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", f"/minio/health/{health}")
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def check(server: demo.S3, **fields: Any) -> S3:
    """A check of the demo's server with its own keys, unless told otherwise."""
    login = {"access_key": server.access_key, "secret_key": server.secret_key}
    return S3(name="store", **{"endpoint": server.endpoint, **login, **fields})


class FakeMinio:
    """The answers by path, to be changed by a test; `asked` are the paths that were asked for."""

    def __init__(self) -> None:
        empty: Mapping[str, str] = {}
        self.asked: list[str] = []
        self.endpoint = ""
        self.buckets = ["backups", "uploads"]
        self.health: dict[str, tuple[int, Mapping[str, str]]] = {
            "live": (200, empty),
            "ready": (200, empty),
            "cluster": (200, {"X-Minio-Write-Quorum": "3", "X-Minio-Storage-Class-Defaults": "false"}),
            "cluster/read": (200, {"X-Minio-Read-Quorum": "2", "X-Minio-Storage-Class-Defaults": "false"}),
        }
        self.pages: dict[str, tuple[int, str]] = {
            "/minio/admin/v3/datausageinfo": (403, denied("Access Denied.")),
        }
        """Administration and metrics: status and body; what is not here is 404, as in a MinIO that lacks it."""

    def check(self, **fields: Any) -> S3:
        return S3(name="store", **{"endpoint": self.endpoint, **KEYS, **fields})

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.asked.append(request.path)
        headers = {"Server": "MinIO", "X-Amz-Request-Id": "18E9BE300AA49223"}
        word = request.path.removeprefix("/minio/health/")
        if word in self.health:
            status, more = self.health[word]
            return web.Response(status=status, headers={**headers, **more})
        if request.path.startswith("/minio/"):
            status, body = self.pages.get(request.path, (404, "Metrics Resource Not found\n"))
            if "metrics" in request.path and not _is_token(request.headers.get("Authorization", "")):
                status, body = 403, denied("Access Denied. (Authentication failed, check your access credentials)")
            return web.Response(status=status, text=body, headers=headers)
        if request.path == "/":
            names = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in self.buckets)
            body = f"<ListAllMyBucketsResult><Buckets>{names}</Buckets></ListAllMyBucketsResult>"
            return web.Response(text=body, content_type="application/xml", headers=headers)
        return web.Response(status=200 if request.path.strip("/") in self.buckets else 404, headers=headers)


@asynccontextmanager
async def fake_minio() -> AsyncIterator[FakeMinio]:
    fake = FakeMinio()
    server = RawTestServer(fake.answer)
    await server.start_server()
    fake.endpoint = f"http://127.0.0.1:{server.port}"
    try:
        yield fake
    finally:
        await server.close()


def denied(message: str) -> str:
    """MinIO's admin API when it refuses."""
    return json.dumps({"Code": "AccessDenied", "Message": message})


def _is_token(authorization: str) -> bool:
    """Whether MinIO would take it: signed by HS512 with the secret key, for Prometheus, not expired."""
    head, _, signature = authorization.removeprefix("Bearer ").rpartition(".")
    if not head:
        return False
    made = hmac.new(KEYS["secret_key"].encode(), head.encode(), hashlib.sha512).digest()
    algorithm, claims = (json.loads(_decoded(part)) for part in head.split("."))
    return (
        hmac.compare_digest(_decoded(signature), made)
        and algorithm == {"alg": "HS512", "typ": "JWT"}
        and (claims["sub"], claims["iss"]) == (KEYS["access_key"], "prometheus")
        and time.time() < claims["exp"] < time.time() + 3600
    )


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
