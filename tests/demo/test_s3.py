"""The demo's object store: moto's server, and a real MinIO where there is one."""

from pathlib import Path

import pytest

from probe.demo.process import accepts
from probe.demo.s3 import S3

CONTENTS = {"uploads": {"images/a.png": b"png"}, "backups": {"daily/1.tar": b"tar", "daily/2.tar": b"tar"}, "empty": {}}
BOTH = pytest.mark.parametrize("program", ["moto", pytest.param(None, marks=pytest.mark.service("minio"))])


async def stored(server: S3) -> dict[str, list[str]]:
    """The keys in each bucket."""
    async with server.client() as client:
        names = [bucket["Name"] for bucket in (await client.list_buckets())["Buckets"]]
        listings = {name: await client.list_objects_v2(Bucket=name) for name in names}
    return {name: [each["Key"] for each in found.get("Contents", [])] for name, found in listings.items()}


@BOTH
async def test_it_stops_and_comes_back_with_what_it_had(tmp_path: Path, program: str | None) -> None:
    server = S3(tmp_path, CONTENTS, program=program)  # type: ignore[arg-type]  # the parameter's values are right
    await server.start()
    try:
        await server.start()
        assert server.flavour == (program or "minio")
        first = await stored(server)
        await server.stop()
        assert not accepts(server.port)
        await server.stop()
        await server.start()
        assert await stored(server) == first == {name: list(objects) for name, objects in CONTENTS.items()}
    finally:
        await server.stop()
    assert not accepts(server.port)
