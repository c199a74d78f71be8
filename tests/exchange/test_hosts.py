"""What may stand where a config names a host, whatever the kind: what nobody could look up is a complaint, no run."""

from typing import Any

import pytest
from pydantic import ValidationError

from probe.exchange.hosts import can_be_host
from probe.registry import Registry

GOOD = ["db", "db.example", "db.example.", "my_db_1", "127.0.0.1", "::1", "[::1]", "fe80::1%eth0", "bücher.example"]
BAD = ["", "a b", "a\0b", "a\nb", "a/b", "a:1", "u@a", "[a]", "a..b", ".a", "a" * 64, f"{'a' * 63}." * 4, "é" * 70]
ODD = ["\u200b", "xn--a", "a%00b"]
"""Nothing once it is encoded; Punycode that is none; a NUL, to who decodes it."""


@pytest.mark.parametrize("host", GOOD)
def test_can_be_a_host(host: str) -> None:
    assert can_be_host(host)


@pytest.mark.parametrize("host", [*BAD, *ODD])
def test_can_not_be_one(host: str) -> None:
    assert not can_be_host(host)


def is_good(kind: str, fields: dict[str, Any]) -> bool:
    try:
        return not list(Registry().find(kind).model_validate({"name": "a", **fields}).problems())
    except ValidationError:
        return False


FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    "http": ("http", {"url": "http://{}:80/"}),
    "proxy": ("http", {"url": "http://a/", "proxy": "http://{}:80"}),
    "langfuse": ("langfuse", {"url": "http://{}:80"}),
    "postgres": ("postgres", {"host": "{}", "user": "u"}),
    "dsn": ("postgres", {"dsn": "postgresql://u@{}:5432/d"}),
    "redis": ("redis", {"host": "{}"}),
    "redis url": ("redis", {"url": "redis://{}:6379"}),
    "s3": ("s3", {"endpoint": "http://{}:9000"}),
    "tcp": ("tcp", {"address": "{}:80"}),
    "server_name": ("tcp", {"address": "a:1", "tls": {"server_name": "{}"}}),
}


def filled(fields: dict[str, Any], host: str) -> dict[str, Any]:
    return {
        key: filled(value, host) if isinstance(value, dict) else value.format(host) for key, value in fields.items()
    }


@pytest.mark.parametrize("field", FIELDS)
def test_every_kind_looks(field: str) -> None:
    kind, fields = FIELDS[field]
    assert [host for host in ("db", "db.example", "127.0.0.1") if not is_good(kind, filled(fields, host))] == []
    assert [host for host in ("a b", "a..b", "é" * 70, "xn--a") if is_good(kind, filled(fields, host))] == []


def test_a_client_of_s3_takes_no_underscore() -> None:
    check = Registry().find("s3").model_validate({"name": "a", "endpoint": "http://minio_1:9000"})
    assert [problem for _, problem in check.problems()] == [
        'the host of an endpoint is an IP address, or letters, digits, "-" and "."; not even "_"'
    ]
