"""Whatever stands where numbers should, in an answer that is otherwise as it should be: a number, or a reason."""

import asyncio
import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from probe.check import Failure
from probe.kinds.http.json_rules import differences
from probe.kinds.langfuse.usage import read
from probe.kinds.redis.info import Info, readings
from probe.kinds.s3 import S3
from probe.kinds.s3.listing import page_of
from probe.model import Reason, Result
from probe.runner import Runner
from tests import faults
from tests.harness import run
from tests.kinds.s3_servers import KEYS, FakeMinio, fake_minio

NUMBERS = st.sampled_from(
    ["0", "1", "-1", "1e999", "nan", "", "x", "9" * 400, "9" * 5000, "1,2", " 7", "٣", "0x1", "1_0"]
)
NAMES = st.sampled_from(
    re.findall(
        r"\S+",
        """
        redis_version uptime_in_seconds server_time_usec maxmemory used_memory maxclients connected_clients
        role master_repl_offset slave0 slave1 master_link_status master_last_io_seconds_ago loading
        aof_enabled rdb_last_save_time
        """,
    )
)
LINES = st.builds("{}:{}".format, NAMES, NUMBERS | st.builds("state=online,offset={0},lag={0}".format, NUMBERS))
KEYSPACE = st.builds("# Keyspace\r\n{}:keys={},expires={}\r\n".format, st.text(max_size=4), NUMBERS, NUMBERS)
MANY = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@given(st.lists(LINES | KEYSPACE | st.text(max_size=10), max_size=12).map("\r\n".join))
def test_info_of_redis(text: str) -> None:
    with suppress(Failure):
        info = Info(f"redis_version:7\r\n{text}\r\n".encode())
        assert all(math.isfinite(value) for _, value in readings(info, 1e9))
        assert all(math.isfinite(keys + expiring) for _, keys, expiring in info.databases())


HUGE = st.just(10**400)
CELLS = st.none() | st.booleans() | st.integers() | HUGE | st.floats() | NUMBERS | st.lists(st.integers(), max_size=2)
ROWS = st.lists(
    st.dictionaries(
        st.sampled_from(
            ["count_count", "sum_totalTokens", "sum_totalCost", "p50_latency", "level", "providedModelName"]
        ),
        CELLS,
    ),
    max_size=4,
)


@given(ROWS, ROWS, st.sampled_from(["", "model", "environment"]))
def test_rows_of_langfuse(spending: Any, latency: Any, by: str) -> None:
    with suppress(Failure):
        for usage in read(spending, latency, by).values():
            assert all(math.isfinite(value) for name, value in usage.numbers() if name != "error_ratio")


DATES = st.sampled_from(["2026-01-01T00:00:00Z", "0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00"])


@given(st.lists(st.tuples(st.text(max_size=5), NUMBERS, DATES | NUMBERS), max_size=4), NUMBERS)
def test_a_listing_of_s3(objects: list[tuple[str, str, str]], token: str) -> None:
    entries = "".join(
        f"<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>{modified}</LastModified></Contents>"
        for key, size, modified in objects
    )
    more = f"<NextContinuationToken>{token}</NextContinuationToken>"
    with suppress(Failure):
        tally = page_of(f"<ListBucketResult>{entries}{more}</ListBucketResult>".encode()).tally
        assert all(math.isfinite(float(number)) and number >= 0 for number in (tally.size, tally.newest_size))


LABELS = st.sampled_from(["", '{bucket="a"}', '{bucket="a",bucket="b"}', "{", '{bucket="\\x"}', "{bucket=a}"])
METRICS = st.sampled_from(
    re.findall(
        r"\S+",
        """
        minio_cluster_health_drives_online_count minio_cluster_health_capacity_usable_total_bytes
        minio_cluster_usage_objects_since_last_update_seconds minio_cluster_usage_buckets_total_bytes
        minio_usage_last_activity_nano_seconds minio_bucket_usage_total_bytes minio_cluster_drive_online_total
        """,
    )
)
PAGES = st.lists(st.builds("{}{} {}".format, METRICS, LABELS, NUMBERS) | st.text(max_size=10), max_size=5).map(
    "\n".join
)
COUNTS = ("objectsCount", "size", "versionsCount", "deleteMarkersCount")
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | HUGE | st.floats() | NUMBERS | st.just("2026-01-01T00:00:00Z"),
    lambda inner: (
        st.dictionaries(st.sampled_from(["a", "uploads", *COUNTS]), inner)
        | st.fixed_dictionaries(dict.fromkeys(COUNTS, inner))
    ),
    max_leaves=12,
)
USAGE = st.builds(
    lambda tree, at: json.dumps({"lastUpdate": at, "bucketsUsageInfo": tree}),
    TREES,
    DATES | NUMBERS,
)
PATHS = (
    "/minio/metrics/v3/cluster/health",
    "/minio/metrics/v3/cluster/usage/objects",
    "/minio/metrics/v3/cluster/usage/buckets",
    "/minio/v2/metrics/bucket",
    "/minio/v2/metrics/cluster",
)


@MANY
@given(pages=st.dictionaries(st.sampled_from(PATHS), PAGES), usage=USAGE | PAGES, quorum=NUMBERS)
def test_what_only_minio_says(pages: dict[str, str], usage: str, quorum: str) -> None:
    async def ask(fake: FakeMinio) -> None:
        fake.pages = {path: (200, text) for path, text in pages.items()} | {
            "/minio/admin/v3/datausageinfo": (200, usage)
        }
        fake.health["cluster"] = (200, {"X-Minio-Write-Quorum": quorum, "X-Minio-Healing-Drives": quorum})
        runner = Runner()
        for source in ("datausageinfo", "metrics"):
            check = fake.check(buckets=["uploads"], usage_source=source)
            for survey in ("", "usage", "drives"):
                result = await runner.run(check, survey)
                assert result.reason is not Reason.INTERNAL, result.message
        await runner.close()

    async def story() -> None:
        async with fake_minio() as fake:
            await ask(fake)

    asyncio.run(story())


DIMENSIONS = st.lists(
    st.sampled_from(
        [
            "<Name>BucketName</Name><Value>uploads</Value>",
            "<Name>StorageType</Name><Value>StandardStorage</Value>",
            "<Name>StorageType</Name>",
            "<Value>x</Value>",
        ]
    ).map("<member>{}</member>".format),
    max_size=3,
).map("".join)
LISTS = (
    "<ListMetricsResponse><ListMetricsResult><Metrics><member><Dimensions>{}</Dimensions></member></Metrics>"
    "</ListMetricsResult></ListMetricsResponse>"
)
ONE = (
    "<member><Name>BucketName</Name><Value>uploads</Value></member>"
    "<member><Name>StorageType</Name><Value>x</Value></member>"
)
LISTS_ONE = LISTS.format(ONE)
LISTED = st.builds(LISTS.format, st.just(ONE) | DIMENSIONS)
TELLS = (
    "<GetMetricDataResponse><GetMetricDataResult><MetricDataResults><member>{}{}{}</member></MetricDataResults>"
    "</GetMetricDataResult></GetMetricDataResponse>"
)
AT = "<Timestamps><member>2026-01-01T00:00:00Z</member></Timestamps>"
TOLD = st.builds(
    TELLS.format,
    st.sampled_from(["", "<Id>q0</Id>", "<Id>q1</Id>", "<Id>q7</Id>", "<Id>x</Id>"]),
    st.just("") | NUMBERS.map("<Values><member>{}</member></Values>".format),
    st.just("") | (DATES | NUMBERS).map("<Timestamps><member>{}</member></Timestamps>".format),
)


BUCKETS = st.builds(
    "<ListAllMyBucketsResult><Buckets><Bucket>{}{}</Bucket></Buckets></ListAllMyBucketsResult>".format,
    st.sampled_from(["", "<Name/>", "<Name>b</Name>"]),
    st.just("") | (DATES | NUMBERS).map("<CreationDate>{}</CreationDate>".format),
)


@settings(MANY, max_examples=15)
@given(buckets=BUCKETS)
def test_a_list_of_buckets(buckets: str) -> None:
    async def story() -> Result:
        page = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(buckets)}\r\n\r\n{buckets}"
        async with faults.answering(page.encode()) as port:
            return await run(S3(name="store", endpoint=f"http://127.0.0.1:{port}", flavour="generic", **KEYS))

    result = asyncio.run(story())
    assert result.reason is not Reason.INTERNAL, result.message


@settings(MANY, max_examples=15)
@example(listed=LISTS_ONE, told=TELLS.format("<Id>q0</Id>", "<Values><member>1e999</member></Values>", AT))
@example(listed=LISTS_ONE, told=TELLS.format("<Id>q0</Id>", "", "<Timestamps><member>1e999</member></Timestamps>"))
@given(listed=LISTED, told=TOLD)
def test_what_only_aws_says(listed: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(text=listed if "ListMetrics" in await request.text() else told, content_type="text/xml")

    async def story() -> Result:
        server = RawTestServer(answer)
        await server.start_server()
        endpoint = f"http://127.0.0.1:{server.port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", endpoint)
        fields = {"flavour": "aws", "usage_source": "cloudwatch", "buckets": ["uploads"]}
        try:
            return await run(S3(name="store", endpoint=endpoint, **KEYS, **fields), "usage")
        finally:
            await server.close()

    result = asyncio.run(story())
    assert result.reason is not Reason.INTERNAL, result.message
    assert all(math.isfinite(sample.value) for sample in result.samples)


RULES = st.sampled_from(["> 1", "<= 1e3", "!= null", "== 1", "~ a", "!~ ^$", 1, 1.5, True, None, "a", [1]])
PATHS_IN_JSON = st.text("ab.01", max_size=6) | st.sampled_from(["a.length", "a.0.b", "9" * 5000, "a." + "9" * 5000])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | HUGE | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.01", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(PATHS_IN_JSON, RULES | st.dictionaries(PATHS_IN_JSON, RULES, max_size=2), max_size=3), JSON)
def test_json_that_is_looked_into(rules: Mapping[str, Any], told: Any) -> None:
    assert all(isinstance(difference, str) for difference in differences(rules, told))
