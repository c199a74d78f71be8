"""The kind redis against what is broken, what is not Redis, and what is written wrongly in a config."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme
from redis._parsers.base import BaseParser

from probe.check import reason_of
from probe.demo.process import free_port
from probe.exchange.tls import Tls
from probe.kinds.redis import Redis
from probe.kinds.redis.failures import FAILURES
from probe.kinds.redis.info import Info, readings
from probe.kinds.redis.login import Login, UrlError, read_url
from probe.kinds.redis.wire import LONGEST_ANSWER
from probe.model import Reason
from tests import faults
from tests.harness import run
from tests.kinds.redis_servers import serving

INFO = b"# Server\r\nredis_version:7.4.0\r\nredis_mode:cluster\r\n"


def check(port: int, **fields: Any) -> Redis:
    return Redis(host="127.0.0.1", port=port, **fields)


async def test_it_hangs() -> None:
    async with faults.silent() as port:
        result = await run(check(port, timeout="1s"))
    assert (result.reason, result.message) == (Reason.TIMEOUT, "no answer within 1.0 s (in ping)")


async def test_it_hangs_in_the_middle_of_an_answer() -> None:
    async with faults.answering(b"+PONG\r\n$100\r\n# Server", closes=False) as port:
        result = await run(check(port, timeout="1s"))
    assert (result.reason, result.message) == (Reason.TIMEOUT, "no answer within 1.0 s (in info)")
    assert result.value("ping_seconds") > 0


async def test_the_connection_ends_before_the_first_byte() -> None:
    async with faults.closing(when_asked=True) as port:
        closed = await run(check(port))
    assert (closed.reason, closed.message) == (
        Reason.CONNECT,
        f"127.0.0.1:{port} closed the connection without a word",
    )
    async with faults.resetting() as port:
        reset = await run(check(port))
    assert (reset.reason, reset.message) == (Reason.CONNECT, f"127.0.0.1:{port} reset the connection without a word")


async def test_the_connection_ends_in_the_middle_of_an_answer() -> None:
    async with faults.answering(b"+PONG\r\n$100\r\n# Server") as port:
        closed = await run(check(port))
    assert closed.reason is Reason.PROTOCOL
    assert closed.message == f"127.0.0.1:{port} closed the connection in the middle of an answer"
    async with faults.resetting(after=b"+PONG\r\n$100\r\n# Server") as port:
        reset = await run(check(port))
    assert reset.reason is Reason.PROTOCOL
    assert reset.message == f"127.0.0.1:{port} reset the connection in the middle of an answer"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", r"does not speak Redis' protocol; it sent 'HTTP/1.1 400 Bad Request"),
        (faults.GARBAGE, "does not speak Redis' protocol"),
        (b"$99999999999\r\n", "announced an answer of 100000000001 bytes"),
        (b"$-7\r\n", "PING was answered with b''"),
        (b"$ten\r\n", "does not speak Redis' protocol; it sent '$ten"),
        (b":" + b"9" * 5000 + b"\r\n", "does not speak Redis' protocol"),
        (b"*1\r\n" * 5000, "answered with an array, of '1' elements"),
        (b"-MOVED nonsense\r\n", "does not speak Redis' protocol; it sent '-MOVED nonsense"),
        (b"x" * 200_000, "sent a line of more than 65536 bytes: 'xxx"),
        (b"+OK\r\n", "PING was answered with b'OK'"),
        (b"$1000\r\n", "closed the connection in the middle of an answer"),
        (b"+PONG\r\n+hello\r\n", "INFO was answered with b'hello', which is not Redis'"),
        (b"+PONG\r\n$-1\r\n", "INFO was answered with None, which is not Redis'"),
        (b"+PONG\r\n-ERR unknown command 'INFO'\r\n", "INFO was refused: ERR unknown command 'INFO'"),
    ],
)
async def test_what_is_not_redis_is_protocol(answer: bytes, told: str) -> None:
    async with faults.answering(answer) as port:
        result = await run(check(port))
    assert result.reason is Reason.PROTOCOL
    assert told in result.message


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text), text)


async def test_answers_that_are_too_long_together_are_cut() -> None:
    answers = b"+PONG\r\n" + bulk(INFO) + 20 * bulk(b"x" * 1024 * 1024)
    async with faults.answering(answers, closes=False) as port:
        result = await run(check(port, keys={str(number): "list" for number in range(20)}))
    assert result.reason is Reason.PROTOCOL
    assert result.message.endswith(f"sent more than {LONGEST_ANSWER} bytes")


async def test_a_number_of_info_that_is_none() -> None:
    async with faults.answering(b"+PONG\r\n" + bulk(INFO + b"used_memory:lots\r\n")) as port:
        result = await run(check(port))
    assert (result.reason, result.message) == (Reason.PROTOCOL, "INFO says used_memory:lots, which is no number")


def test_fields_of_info_may_come_in_any_order() -> None:
    fields = [
        b"redis_version:7.4.0",
        b"used_memory:1000",
        b"connected_slaves:2",
        b"slave0:ip=10.0.0.2,port=6379,state=online,offset=40,lag=1",
        b"slave1:ip=10.0.0.3,port=6379,state=wait_bgsave,offset=0,lag=0",
        b"master_repl_offset:50",
    ]
    there, back = (dict(readings(Info(b"\r\n".join(each)), now=0)) for each in (fields, fields[::-1]))
    assert there == back
    assert there == {
        "memory_used_bytes": 1000,
        "replicas": 2,
        "replicas_online": 1,
        "replica_lag_seconds": 1,
        "replica_lag_bytes": 10,
    }


async def test_old_servers_and_keys_on_other_nodes() -> None:
    """What Redis 6.0 does not say yet, and a cluster's MOVED as its specification has it, from a stand-in."""
    answers = b"+PONG\r\n" + bulk(INFO + b"uptime_in_seconds:60\r\n") + b"-MOVED 42 10.0.0.2:6379\r\n:4\r\n"
    async with faults.answering(answers) as port:
        result = await run(check(port, keys={"elsewhere": "list", "here": "stream"}))
    assert result.reason is Reason.OK
    assert result.notes == (
        "elsewhere is on another node of the cluster (MOVED 42 10.0.0.2:6379); ask for its length there",
    )
    assert result.values("key_length") == {("here",): 4}
    assert result.value("start_timestamp_seconds") == pytest.approx(result.at - 60, abs=1)
    assert result.values("server_info") == {("redis", "7.4.0", "cluster"): 1}


@pytest.mark.service("redis-server")
async def test_tls(tmp_path: Path) -> None:
    """Debian's server; the wheel's is built without TLS."""
    ca, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    faults.authority().cert_pem.write_to_path(str(ca))
    trustme.CA().cert_pem.write_to_path(str(other))
    server_side = faults.authority().issue_cert("localhost", "127.0.0.1")
    server_side.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    ours = tmp_path / "ours.pem"
    faults.authority().issue_cert("probe.example").private_key_and_cert_chain_pem.write_to_path(str(ours))
    port, pem = free_port(), str(tmp_path / "server.pem")
    settings = {"tls_port": str(port), "tls_cert_file": pem, "tls_key_file": pem, "tls_ca_cert_file": str(ca)}
    async with serving(tmp_path / "data", "redis", **settings, tls_auth_clients="yes") as server:
        url = f"rediss://:{server.password}@localhost:{port}"
        good = await run(Redis(url=url, tls=Tls(ca=str(ca), cert=str(ours))))
        assert (good.reason, good.message) == (Reason.OK, "")
        assert [step.name for step in good.steps] == ["resolve", "connect", "tls", "ping", "info", "keys"]

        unshown = await run(Redis(url=url, tls=Tls(ca=str(ca))))
        assert unshown.reason is Reason.TLS
        assert unshown.message == "the server refused the TLS connection: certificate required"

        unknown = await run(Redis(url=url, tls=Tls(ca=str(other), cert=str(ours))))
        assert unknown.reason is Reason.TLS

        waits_for_the_rest = await run(Redis(url=f"rediss://localhost:{server.port}", timeout="1s"))
        assert waits_for_the_rest.message == "no answer within 1.0 s (in tls)"

        plain = await run(Redis(url=f"redis://:{server.password}@127.0.0.1:{port}"))
        assert plain.reason is Reason.CONNECT
        assert plain.message.endswith("the connection without a word")


async def test_a_protected_server_is_auth() -> None:
    """Protected mode answers whoever comes from elsewhere; its words, said by a stand-in for that elsewhere."""
    words = b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n"
    async with faults.answering(words) as port:
        assert (await run(check(port))).reason is Reason.AUTH


def test_every_exception_of_the_driver_has_its_reason() -> None:
    exported = {
        each
        for each in vars(redis.exceptions).values()
        if inspect.isclass(each) and issubclass(each, BaseException) and each.__module__.startswith("redis.")
    }
    assert len(exported) > 30
    assert exported == FAILURES.keys()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("NOAUTH Authentication required.", Reason.AUTH),
        ("WRONGPASS invalid username-password pair or user is disabled.", Reason.AUTH),
        ("NOPERM this user has no permissions to run the 'info' command", Reason.AUTH),
        ("DENIED Redis is running in protected mode", Reason.AUTH),
        ("ERR invalid password", Reason.AUTH),
        ("ERR problem with LDAP service", Reason.UNHEALTHY),
        ("LOADING Redis is loading the dataset in memory", Reason.UNHEALTHY),
        ("MASTERDOWN Link with MASTER is down", Reason.UNHEALTHY),
        ("BUSY Redis is busy running a script", Reason.UNHEALTHY),
        ("CLUSTERDOWN The cluster is down", Reason.UNHEALTHY),
        ("OOM command not allowed", Reason.UNHEALTHY),
        ("MISCONF Redis is configured to save RDB snapshots", Reason.UNHEALTHY),
        ("ERR max number of clients reached", Reason.UNHEALTHY),
        ("ERR max number of clients + cluster connections reached", Reason.UNHEALTHY),
        ("ERR DB index is out of range", Reason.UNHEALTHY),
        ("MOVED 1 10.0.0.1:6379", Reason.UNHEALTHY),
        ("ERR unknown command 'PING'", Reason.PROTOCOL),
    ],
)
def test_the_reason_of_the_servers_words(words: str, reason: Reason) -> None:
    assert reason_of(BaseParser.parse_error(words), FAILURES) is reason  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("redis://cache", Login("cache")),
        ("redis://cache:6380/3", Login("cache", 6380, db=3)),
        ("rediss://cache?db=2", Login("cache", db=2, encrypted=True)),
        ("valkeys://app:p%40ss%2F@[::1]:7000/", Login("::1", 7000, "app", "p@ss/", encrypted=True)),
        ("redis://:only@cache/0", Login("cache", password="only")),
    ],
)
def test_urls(url: str, login: Login) -> None:
    assert read_url(url) == login


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://cache", 'a URL of Redis begins with redis:// or rediss://, not "http:"'),
        ("redis:///0", "the URL names no host; write redis://host:6379/0"),
        ("redis://:pa/ss@cache", "the port is no number; in a password write % / ? # [ ] @ as %25 %2F %3F %23 ..."),
        ("redis://cache/main", '"main" is no database; write its number, as in redis://host:6379/0'),
        ("redis://cache?timeout=3", 'probe reads only "db" of a URL\'s options, not "timeout"'),
    ],
)
def test_urls_that_can_not_be(url: str, told: str) -> None:
    with pytest.raises(UrlError) as raised:
        read_url(url)
    assert str(raised.value) == told
    assert list(Redis(url=url).problems()) == [(("url",), told)]


def test_fields_that_contradict_each_other() -> None:
    assert list(Redis().problems()) == [(("url",), "neither url nor host is given; write url: redis://host:6379/0")]
    both = Redis(url="redis://cache", host="cache", db=1, tls=Tls())
    assert list(both.problems()) == [
        (("host",), "host stands beside a url; write it into the url"),
        (("db",), "db stands beside a url; write it into the url"),
        (("tls",), "tls stands beside a url without it; write rediss:// instead of redis://"),
    ]
    assert list(Redis(url="redis://cache", password="secret", timeout="5s").problems()) == []
    assert Redis(url="redis://cache", password="secret").login.password == "secret"


async def test_the_password_leaves_in_no_text(tmp_path: Path) -> None:
    password = "Tr0ub4dor&3"
    url = f"redis://probe:{password.replace('&', '%26')}@127.0.0.1"
    echo = f"-ERR who is {password}, and what is Tr0ub4dor%263?\r\n".encode()
    async with faults.answering(echo) as port:
        in_url = Redis(url=f"{url}:{port}")
        in_field = check(port, password=password)
        messages = [(await run(each)).message for each in (in_url, in_field)]
    texts = [*messages, repr(in_url), repr(in_field), str(in_url)]
    assert messages[0] == "the login as probe was refused: ERR who is ***, and what is ***?"
    assert not [text for text in texts if "Tr0ub4dor" in text]
