"""The same on real servers, whose passwords are marked secrets: logins that are right, and logins that are wrong."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from probe.api import run_checks
from probe.config import load
from probe.demo.langfuse import Langfuse
from probe.demo.postgres import Postgres
from probe.demo.s3 import S3
from probe.demo.valkey import Valkey
from probe.model import Reason
from tests.exchange import web
from tests.secrets.bed import all_of
from tests.secrets.configs import Fields
from tests.secrets.leaks import Detector, nasty
from tests.secrets.test_secrets import write

FORMS = ("right", "wrong")
NOT_ASKED = {"http-wrong", "s3-wrong", "langfuse-wrong"}
"""Well although their secrets are wrong: the web server and moto look at none, Langfuse's health needs none."""


class Servers(NamedTuple):
    """Each has the mark of its name, `right`, as its secret."""

    http: str
    langfuse: Langfuse
    postgres: Postgres
    redis: Valkey
    s3: S3


def mark(kind: str, form: str) -> str:
    return nasty(f"{kind}-{form}")


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Servers]:
    async with AsyncExitStack() as stack:
        servers = Servers(
            await stack.enter_async_context(web.serving()),
            Langfuse(),
            Postgres(folder / "db"),
            Valkey(folder / "cache", password=mark("redis", "right")),
            S3(folder / "bucket", {"uploads": {"a": b"a"}}, program="moto"),
        )
        servers.langfuse.secret_key = mark("langfuse", "right")
        for server in servers[1:]:
            assert not isinstance(server, str)
            stack.push_async_callback(server.stop)
            await server.start()
        await servers.postgres.make_role("probe", mark("postgres", "right"), member_of=["pg_monitor"])
        yield servers


def checks(servers: Servers, form: str) -> dict[str, Fields]:
    """A check of each server, with the right secret or with a wrong one."""
    own: dict[str, Fields] = {
        "http": {"url": f"{servers.http}/health", "bearer": mark("http", form)},
        "langfuse": {
            "url": servers.langfuse.url,
            "public_key": servers.langfuse.public_key,
            "secret_key": mark("langfuse", form),
        },
        "postgres": {"dsn": servers.postgres.dsn("probe", mark("postgres", form))},
        "redis": {"host": "127.0.0.1", "port": servers.redis.port, "password": mark("redis", form)},
        "s3": {"endpoint": servers.s3.endpoint, "access_key": "demo", "secret_key": mark("s3", form)},
    }
    return {f"{kind}-{form}": {"kind": kind, **fields} for kind, fields in own.items()}


def arguments_of_processes(servers: Servers) -> str:
    """What everybody on the machine sees of the servers that the demo starts."""
    processes = [server._process for server in (servers.postgres, servers.redis, servers.s3)]
    return "\n".join(Path(f"/proc/{process.pid}/cmdline").read_text() for process in processes if process)


async def test_nothing_leaks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with serving(tmp_path) as servers:
        path = write(tmp_path, {name: check for form in FORMS for name, check in checks(servers, form).items()})
        config = load([path], allow=frozenset(), environ={})
        board = await run_checks(config.checks)
        said = all_of(config, board) + arguments_of_processes(servers)
    reasons = {state.check: state.verdict.reason for state in board if state.verdict.reason}
    assert reasons == {name: "auth" for name in config.checks if name.endswith("-wrong") and name not in NOT_ASKED}
    assert board["langfuse-wrong"].surveys["usage"].result.reason is Reason.AUTH
    printed = capsys.readouterr()
    detector = Detector({name: [nasty(name)] for name in config.checks})
    assert detector.leaks("\n".join([said, repr(board), printed.out, printed.err, caplog.text])) == []
