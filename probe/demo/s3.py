"""The demo's object store: a real MinIO when `minio` is on PATH, else moto's server, which answers as AWS' API does."""

import secrets
import shutil
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Literal

import aioboto3
from aiobotocore.config import AioConfig

from probe.demo.process import Process, free_port

READY = {"minio": "/minio/health/ready", "moto": "/moto-api/"}
"""Paths that answer 200, without a login, once the server works."""

Contents = Mapping[str, Mapping[str, bytes]]
"""Bucket to its objects, by key."""


class S3:
    """A server on a free TCP port of 127.0.0.1, with the buckets and objects that it is given.

    MinIO keeps its data in `folder`. moto's server keeps nothing on disk: what `contents` names is there again after
    each start, the rest is not; and it takes any key unless `settings` tell it not to.
    """

    region = "us-east-1"

    def __init__(
        self,
        folder: Path,
        contents: Contents,
        *,
        program: Path | Literal["moto"] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`program`: another MinIO than the one on PATH, or moto. `settings`: environment variables of the server."""
        found = None if program == "moto" else program or shutil.which("minio")
        self.flavour: Literal["minio", "moto"] = "minio" if found else "moto"
        self.port = free_port()
        self.access_key = "demo"
        self.secret_key = secrets.token_hex(12)
        self._contents = contents
        self._folder = folder
        self._settings = {
            "MINIO_ROOT_USER": self.access_key,
            "MINIO_ROOT_PASSWORD": self.secret_key,
            "MINIO_BROWSER": "off",  # the console, on a port of its own
            **(settings or {}),
        }
        address = f"127.0.0.1:{self.port}"
        self._command: list[str | Path] = (
            [found, "server", "--quiet", "--address", address, folder / "data"]
            if found
            else [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        )
        self._process: Process | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it, unless it runs, and make its buckets and objects. Raises StartFailed."""
        if self._process is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        process = Process(self._command, log=self._folder / f"{self.flavour}.log", env=self._settings)
        await process.start(self._answers)
        self._process = process
        await self._fill()

    async def stop(self) -> None:
        """Stop it, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            await process.stop()

    def client(self, name: str = "s3") -> Any:
        """A client of one of its APIs (`s3`; moto has `iam` and more), as an async context manager."""
        return aioboto3.Session().client(
            name,  # type: ignore[call-overload]  # the stubs know the APIs that are installed
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=AioConfig(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, proxies={}),
        )

    async def _fill(self) -> None:
        async with self.client() as client:
            there = {bucket["Name"] for bucket in (await client.list_buckets())["Buckets"]}
            for bucket, objects in self._contents.items():
                if bucket in there:
                    continue
                await client.create_bucket(Bucket=bucket)
                for key, body in objects.items():
                    await client.put_object(Bucket=bucket, Key=key, Body=body)

    def _answers(self) -> bool:
        """Whether it works. Blocks for half a second at most."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=0.5)
        try:
            connection.request("GET", READY[self.flavour])
            answer = connection.getresponse()
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
        return answer.status == 200 and "X-Minio-Server-Status" not in answer.headers
