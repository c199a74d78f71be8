"""The kind s3 against moto's server, which answers as AWS' API does: are the buckets there, may we see them?"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from probe.demo import s3 as demo
from probe.exchange.tls import Tls
from probe.kinds.s3 import S3
from probe.kinds.s3.permissions import PERMISSIONS
from probe.model import Reason
from tests import faults
from tests.fault_table.rows import Own, Rows, Trust
from tests.harness import run
from tests.kinds.s3_servers import KEYS, check, minio_alone, minio_without_drives, moto, started

BUCKETS = {name: {"hello": b"hello"} for name in ("archive", "backups", "uploads")}
LOGIN = KEYS


def pointed_at(host: str, port: int, tls: Trust) -> S3:
    scheme = "http" if tls is None else "https"
    return S3(
        name="store", endpoint=f"{scheme}://{host}:{port}", buckets=["uploads"], tls=tls, newest=["uploads/"], **KEYS
    )


@asynccontextmanager
async def healthy(folder: Path) -> AsyncIterator[int]:
    async with started(demo.S3(folder, BUCKETS, program="moto")) as server:
        yield server.port


@asynccontextmanager
async def with_another_secret(folder: Path) -> AsyncIterator[S3]:
    async with started(demo.S3(folder, BUCKETS, program="moto")) as server:
        await _guard(server)
        yield check(server, buckets=["uploads"], newest=["uploads/"], secret_key="not-that-one")


@asynccontextmanager
async def that_lists_only_others(folder: Path) -> AsyncIterator[S3]:
    async with started(demo.S3(folder, BUCKETS, program="moto")) as server:
        await _guard(server)
        yield check(server, buckets=["archive"], newest=["archive/"])


@asynccontextmanager
async def that_may_only_list(folder: Path) -> AsyncIterator[S3]:
    async with started(demo.S3(folder, BUCKETS, program="moto")) as server:
        await _guard(server)
        yield check(server, buckets=["uploads"], newest=["uploads/"])


@asynccontextmanager
async def that_has_too_much_to_do(_: Path) -> AsyncIterator[S3]:
    """What AWS and MinIO say then, in the words of AWS' list of error codes."""
    async with web_server(503, "<Error><Code>SlowDown</Code></Error>", "application/xml") as url:
        yield S3(name="store", endpoint=url, buckets=["uploads"], newest=["uploads/"], **KEYS)


@asynccontextmanager
async def of_minio_with_another_secret(folder: Path) -> AsyncIterator[S3]:
    async with started(demo.S3(folder, BUCKETS)) as server:
        yield check(server, buckets=["uploads"], newest=["uploads/"], secret_key="not-that-one")


@asynccontextmanager
async def of_minio_that_waits(folder: Path) -> AsyncIterator[S3]:
    async with minio_alone(folder) as endpoint:
        yield S3(name="store", endpoint=endpoint, buckets=["uploads"], newest=["uploads/"], **KEYS)


@asynccontextmanager
async def of_minio_that_only_reads(folder: Path) -> AsyncIterator[S3]:
    async with minio_without_drives(folder) as endpoint:
        yield S3(name="store", endpoint=endpoint, **KEYS)


ROWS = Rows(
    pointed_at,
    healthy,
    endless=(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n", b"<Endless/>"),
    own={
        "wrong password": Own(with_another_secret, {"": Reason.AUTH, "drives": Reason.OK}),
        "missing permission": Own(
            that_lists_only_others,
            {"": Reason.AUTH, **dict.fromkeys(["usage", "newest_objects", "drives"], Reason.OK)},
        ),
        "too many connections": Own(that_has_too_much_to_do, {"": Reason.UNHEALTHY, "drives": Reason.OK}),
        "starting up": Own(of_minio_that_waits, {"": Reason.UNHEALTHY, "drives": Reason.OK}, service="minio"),
        "read-only": Own(that_may_only_list, Reason.OK),
        "a wrong password for MinIO": Own(
            of_minio_with_another_secret, {"": Reason.AUTH, "drives": Reason.OK}, service="minio"
        ),
        "a MinIO that takes no writes": Own(
            of_minio_that_only_reads, {"": Reason.UNHEALTHY, "usage": Reason.OK, "drives": Reason.OK}, service="minio"
        ),
    },
    strangers={
        "http": Reason.UNHEALTHY,  # 404
        "postgres": Reason.TIMEOUT,  # the server waits for a line
        "tcp": Reason.UNHEALTHY,  # lines, but not the awaited one
    },
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[demo.S3]:
    with moto(tmp_path_factory.mktemp("moto"), BUCKETS) as started:
        yield started


async def test_the_buckets_are_there(server: demo.S3) -> None:
    result = await run(check(server, buckets=["uploads", "backups"], capacity={"uploads": "100GiB"}))
    assert (result.reason, result.message) == (Reason.OK, "")
    assert {(sample.metric.key, sample.labels): sample.value for sample in result.samples} == {
        ("bucket_capacity_bytes", ("uploads",)): 100 * 1024**3,
        ("buckets", ()): 2,
        ("bucket_exists", ("uploads",)): 1,
        ("bucket_exists", ("backups",)): 1,
        ("flavour_info", ("generic",)): 1,
    }
    assert {"resolve", "connect", "processing", "transfer"} <= {step.name for step in result.steps}


async def test_a_bucket_is_missing(server: demo.S3) -> None:
    result = await run(check(server, buckets=["uploads", "nosuch", "backups", "neither"]))
    assert result.reason is Reason.UNHEALTHY
    assert result.message == 'bucket "nosuch" does not exist (404 NoSuchBucket); 1 more of 4 buckets fail too'
    assert result.values("bucket_exists") == {("uploads",): 1, ("nosuch",): 0, ("backups",): 1, ("neither",): 0}


async def test_all_buckets_with_a_cap_whose_cut_is_counted(server: demo.S3) -> None:
    result = await run(check(server, most_buckets=2))
    assert result.reason is Reason.OK
    assert result.values("bucket_exists") == {("archive",): 1, ("backups",): 1}
    assert (result.value("buckets"), result.value("buckets_left_out")) == (3, 1)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[demo.S3]:
    """moto's server that looks at keys, signatures and policies; its keys may do what our docs say, nothing else."""
    with moto(tmp_path_factory.mktemp("guarded"), BUCKETS) as started:
        asyncio.run(_guard(started))
        yield started


async def _guard(server: demo.S3) -> None:
    policy = json.loads(PERMISSIONS[PERMISSIONS.index("{") : PERMISSIONS.index("\n    }\n") + 6])
    [statement] = policy["Statement"]
    assert statement["Resource"] == ["arn:aws:s3:::uploads", "arn:aws:s3:::backups"]
    statement["Action"].append("s3:HeadBucket")  # moto's own idea: AWS asks s3:ListBucket for it
    async with server.client("iam") as iam:
        await iam.create_user(UserName="probe")
        await iam.put_user_policy(UserName="probe", PolicyName="list", PolicyDocument=json.dumps(policy))
        made = (await iam.create_access_key(UserName="probe"))["AccessKey"]
    server.access_key, server.secret_key = made["AccessKeyId"], made["SecretAccessKey"]
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{server.endpoint}/moto-api/reset-auth", data="0") as done,
    ):
        assert done.status == 200


async def test_the_least_policy_is_enough(guarded: demo.S3) -> None:
    asked = check(guarded, buckets=["uploads", "backups"], newest=["backups/"])
    for survey in ("", "usage", "newest_objects"):
        result = await run(asked, survey)
        assert (result.reason, result.message, result.notes) == (Reason.OK, "", ())


async def test_a_bucket_that_may_not_be_listed_is_absent_from_the_usage(guarded: demo.S3) -> None:
    result = await run(check(guarded, buckets=["uploads", "archive"]), "usage")
    assert result.values("bucket_objects") == {("uploads",): 1}
    assert result.notes == (
        'bucket "archive" may not be listed; grant s3:ListBucket on arn:aws:s3:::archive',
        'listing has no figures of bucket "archive"',
    )


@pytest.mark.parametrize(
    ("login", "message"),
    [
        ({"secret_key": "not-that-one"}, "the secret key is wrong (403 SignatureDoesNotMatch)"),
        ({"access_key": "AKIANOBODYKNOWSIT"}, "there is no such access key (403 InvalidAccessKeyId)"),
        ({"session_token": "stale"}, "the session token is not valid (400 InvalidToken)"),
    ],
)
async def test_wrong_keys(guarded: demo.S3, login: dict[str, str], message: str) -> None:
    result = await run(check(guarded, buckets=["uploads"], **login))
    assert (result.reason, result.message) == (Reason.AUTH, f'bucket "uploads": {message}')
    assert result.values("bucket_exists") == {}


async def test_a_missing_permission(guarded: demo.S3) -> None:
    result = await run(check(guarded, buckets=["uploads", "archive"]))
    assert (result.reason, result.message) == (Reason.AUTH, 'bucket "archive": access denied (403 AccessDenied)')
    assert result.values("bucket_exists") == {("uploads",): 1}


async def test_all_buckets_need_a_permission_of_their_own(guarded: demo.S3) -> None:
    result = await run(check(guarded))
    assert (result.reason, result.message) == (Reason.AUTH, "the list of buckets: access denied (403 AccessDenied)")


async def test_no_keys_at_all(server: demo.S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    result = await run(check(server, buckets=["uploads"], access_key=None, secret_key=None))
    message = "no keys: give access_key and secret_key, or make AWS' own chain find some"
    assert (result.reason, result.message) == (Reason.AUTH, message)


async def test_keys_from_the_environment(guarded: demo.S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", guarded.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", guarded.secret_key)
    result = await run(check(guarded, buckets=["uploads"], access_key=None, secret_key=None))
    assert result.reason is Reason.OK


def at(endpoint: str, **fields: Any) -> S3:
    return S3(endpoint=endpoint, buckets=["uploads"], **LOGIN, **fields)


async def test_it_hangs() -> None:
    async with faults.silent() as port:
        result = await run(at(f"http://127.0.0.1:{port}", timeout="2s"))
    assert (result.reason, result.message) == (Reason.TIMEOUT, "no answer within 2.0 s (in processing)")


@asynccontextmanager
async def web_server(status: int, body: str = "<html>", content_type: str = "text/html") -> AsyncIterator[str]:
    """A web server that has the same page for everything; yields its URL."""

    async def page(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status, text=body, content_type=content_type)

    server = RawTestServer(page)
    await server.start_server()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.close()


@pytest.mark.parametrize("buckets", [["uploads"], []])
@pytest.mark.parametrize("body", ["<html>Hello</html>", "<html><br>Hello"])
async def test_a_web_page(buckets: list[str], body: str) -> None:
    async with web_server(200, body) as url:
        result = await run(S3(endpoint=url, buckets=buckets, **LOGIN))
    assert (result.reason, result.message) == (Reason.PROTOCOL, f"{url} answers with a web page; it is no S3")


async def test_xml_of_something_else() -> None:
    async with web_server(200, "<rss/>", "application/xml") as url:
        result = await run(S3(endpoint=url, **LOGIN))
    assert (result.reason, result.message) == (
        Reason.PROTOCOL,
        f"{url} answered with something that is no list of buckets",
    )


async def test_a_web_server_that_knows_no_such_page() -> None:
    async with web_server(404) as url:
        result = await run(at(url))
    assert result.reason is Reason.PROTOCOL
    assert result.message == 'bucket "uploads": a web page came instead of S3\'s answer (404)'


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("503 Slow Down", Reason.UNHEALTHY),
        ("500 Internal Server Error", Reason.UNHEALTHY),
        ("401 Unauthorized", Reason.AUTH),
        ("403 Forbidden", Reason.AUTH),
        ("429 Too Many Requests", Reason.UNHEALTHY),
    ],
)
async def test_a_bare_status(status: str, reason: Reason) -> None:
    async with faults.answering(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as port:
        result = await run(at(f"http://127.0.0.1:{port}"))
    assert result.reason is reason
    assert f"({status[:3]})" in result.message


async def test_clocks_that_differ() -> None:
    body = b"<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>"
    head = f"HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    async with faults.answering(head.encode() + body) as port:
        result = await run(S3(endpoint=f"http://127.0.0.1:{port}", **LOGIN))
    assert result.reason is Reason.AUTH
    assert "the clocks of this machine and of the server differ by more than 15 minutes" in result.message


async def test_a_certificate_is_for_the_server_name_of_the_config() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-amz-bucket-region: us-east-1\r\n\r\n"
    async with faults.tls_server("store.example", answer=ok) as server:
        where = f"https://127.0.0.1:{server.port}"
        named = await run(at(where, tls=Tls(ca=server.ca, server_name="store.example"), flavour="generic"))
        unnamed = await run(at(where, tls=Tls(ca=server.ca), flavour="generic"))
    assert (named.reason, unnamed.reason) == (Reason.OK, Reason.TLS)


@pytest.mark.parametrize(
    ("fields", "place", "message"),
    [
        ({"access_key": "a"}, ("access_key",), "access_key and secret_key go together"),
        ({"session_token": "t"}, ("access_key",), "access_key and secret_key go together"),
        ({"endpoint": "minio:9000"}, ("endpoint",), "scheme, host and port, as http://minio:9000"),
        ({"endpoint": "http://minio:9000/uploads"}, ("endpoint",), "buckets go in `buckets`"),
        ({"region": "eu central"}, ("region",), '"eu central" is no region'),
        ({"buckets": ["a", "my bucket"]}, ("buckets", 1), '"my bucket" is no name of a bucket'),
        ({"buckets": ["a", "b", "a"]}, ("buckets", 2), '"a" stands there twice'),
        ({"newest": ["/daily"]}, ("newest", 0), '"" is no name of a bucket'),
        ({"buckets": ["a"], "capacity": {"b": "1GiB"}}, ("capacity", "b"), '"b" is not in buckets'),
        ({"usage_timeout": "1h"}, ("usage_timeout",), "usage_timeout is longer than usage_interval"),
    ],
)
def test_what_a_config_can_get_wrong(fields: dict[str, Any], place: tuple[str, ...], message: str) -> None:
    [(found, said)] = S3(**fields).problems()
    assert found == place
    assert message in said


def test_a_good_config_has_no_problems() -> None:
    whole = S3(endpoint="https://minio.example", region="eu-central-1", newest=["b/a", "b/c"], **LOGIN)
    assert list(whole.problems()) == []
    assert "a-secret-of-ours" not in repr(whole)
