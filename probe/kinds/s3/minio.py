"""What only MinIO answers: its health, its drives, and what its scanner counted.

MinIO's `live` and `ready` say 200 also while the server can't serve anything, and only a header tells.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from prometheus_client.parser import text_string_to_metric_families

from probe.check import Denied, Garbled, Run, Unhealthy
from probe.exchange.answer import Answer, excerpt
from probe.exchange.http import fetch
from probe.kinds.s3.store import Keys, Store

STATUS = "X-Minio-Server-Status"
WRITE_QUORUM = "X-Minio-Write-Quorum"
HEALING_DRIVES = "X-Minio-Healing-Drives"
"""Absent when there are none."""

DATA_USAGE_INFO = "/minio/admin/v3/datausageinfo"
TOKEN_LIVES = 300
"""Seconds; a token is made for one request, and clocks differ."""

Series = tuple[Mapping[str, str], float]
"""Labels and value of one number."""


class ClusterHealth(NamedTuple):
    """Drives that must work for a write (None: not told), and drives that are being healed."""

    write_quorum: int | None
    healing_drives: int


class Absent(Unhealthy):
    """This store has nothing of that kind."""


async def is_minio(run: Run, store: Store) -> bool:
    """Whether the store is a MinIO; its liveness endpoint is asked when nobody knows."""
    if not store.flavour:
        answer = await fetch(run, f"{store.endpoint}/minio/health/live", tls=store.tls)
        named = answer.headers.get("Server", "").startswith("MinIO")
        answers_as_s3 = answer.status == 200 and not answer.body and "X-Amz-Request-Id" in answer.headers
        store.flavour = "minio" if named or answers_as_s3 else "generic"
    return store.flavour == "minio"


async def cluster_health(run: Run, store: Store) -> ClusterHealth:
    """Raises Unhealthy when MinIO is not live, not ready, or can't write to enough drives."""
    for word in ("live", "ready"):
        _check_health(await _health(run, store, word), word)
    answer = await _health(run, store, "cluster")
    if answer.status == 503 and STATUS not in answer.headers:
        reads = (await _health(run, store, "cluster/read")).status == 200
        quorum = answer.headers.get(WRITE_QUORUM, "enough")
        raise Unhealthy(f"fewer than {quorum} drives take writes; reads {'still work' if reads else 'fail too'}")
    _check_health(answer, "cluster")
    return ClusterHealth(_count(answer, WRITE_QUORUM), _count(answer, HEALING_DRIVES) or 0)


async def data_usage(run: Run, store: Store) -> dict[str, Any]:
    """MinIO's own count of what is stored (datausageinfo). Raises Denied, Unhealthy, Garbled."""
    request = AWSRequest("GET", store.endpoint + DATA_USAGE_INFO, headers={})
    S3SigV4Auth(Credentials(*await store.keys()), "s3", store.region).add_auth(request)
    answer = await fetch(run, store.endpoint + DATA_USAGE_INFO, headers=dict(request.headers.items()), tls=store.tls)
    _check_permitted(answer, "admin:DataUsageInfo")
    told = answer.json()
    if not isinstance(told, dict) or not isinstance(told.get("lastUpdate"), str):
        raise Garbled(f"{answer.url} did not answer with MinIO's data usage: {excerpt(answer.text)}")
    return told


async def metrics(run: Run, store: Store, path: str) -> dict[str, list[Series]] | None:
    """A page of MinIO's metrics by name, asked with a token made from the keys; None: this MinIO has no such page.

    Raises Denied, Unhealthy, Garbled.
    """
    bearer = token(await store.keys(), run.now)
    run.hide(bearer)
    answer = await fetch(run, store.endpoint + path, headers={"Authorization": f"Bearer {bearer}"}, tls=store.tls)
    if answer.status == 404:
        return None
    _check_permitted(answer, "admin:Prometheus")
    try:
        samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    except ValueError:
        raise Garbled(f"{answer.url} did not answer with metrics: {excerpt(answer.text)}") from None
    found: dict[str, list[Series]] = {}
    for sample in samples:
        found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def token(keys: Keys, now: float) -> str:
    """The JWT that `mc admin prometheus generate` would make: signed (HS512) with the secret key."""
    claims = {"sub": keys.access_key, "iss": "prometheus", "exp": int(now) + TOKEN_LIVES}
    signed = b".".join(_base64(json.dumps(part).encode()) for part in ({"alg": "HS512", "typ": "JWT"}, claims))
    signature = hmac.new(keys.secret_key.encode(), signed, hashlib.sha512).digest()
    return b".".join((signed, _base64(signature))).decode()


def single(series: Iterable[Series]) -> float | None:
    """The value of a metric that has one series, if it is there."""
    return next((value for _, value in series), None)


def _base64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


async def _health(run: Run, store: Store, word: str) -> Answer:
    return await fetch(run, f"{store.endpoint}/minio/health/{word}", tls=store.tls)


def _check_health(answer: Answer, word: str) -> None:
    status = answer.headers.get(STATUS)
    if status:
        raise Unhealthy(f"MinIO's {word} says {answer.status}, and {STATUS}: {status}")
    if answer.status != 200:
        raise Unhealthy(f"MinIO's {word} says {answer.status} {excerpt(answer.text)}".rstrip())


def _count(answer: Answer, header: str) -> int | None:
    told = answer.headers.get(header)
    return int(told) if told is not None and told.isdecimal() and len(told) < 10 else None


def _check_permitted(answer: Answer, action: str) -> None:
    if answer.status in (401, 403):
        raise Denied(f"MinIO refuses {action} ({answer.status} {_code(answer)})".replace(" )", ")"))
    if answer.status in (404, 405, 501):
        raise Absent(f"{answer.url} is not there ({answer.status})")
    if answer.status != 200:
        raise Unhealthy(f"{answer.url} says {answer.status}: {excerpt(answer.text)}")


def _code(answer: Answer) -> str:
    """The code of an error answer of MinIO's admin API."""
    try:
        told = answer.json()
    except Garbled:
        return ""
    return str(told.get("Code", "")) if isinstance(told, dict) else ""
