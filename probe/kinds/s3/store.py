"""The client, dear to build, that a check's runs and surveys share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aioboto3
import aiobotocore.session
from aiobotocore.config import AioConfig
from botocore.loaders import Loader, create_loader

from probe.check import Denied, Secret
from probe.exchange.tls import Tls
from probe.kinds.s3.listing import read_quickly
from probe.kinds.s3.wire import Wire

ANY_REGION = "us-east-1"
"""What a request is signed for when nobody named a region: MinIO's default, and where AWS sends you on from."""


class Keys(NamedTuple):
    """What requests are signed with; `session_token` for temporary keys."""

    access_key: str
    secret_key: str
    session_token: str | None


@dataclass(slots=True)
class Store:
    """One S3, its client, and what was found out about it."""

    client: Any
    """aiobotocore's client of S3; no stubs of it are shipped."""
    session: aioboto3.Session
    credentials: Any
    """aiobotocore's credentials, which renew themselves."""
    config: AioConfig
    """For clients of AWS' other APIs."""
    endpoint: str
    """As `https://s3.eu-central-1.amazonaws.com`, without a path."""
    region: str
    flavour: str
    """`minio`, `aws`, `generic`, or empty when nobody knows yet."""
    tls: Tls | None

    async def keys(self) -> Keys:
        """The keys as they are now: those of a role change."""
        frozen = await self.credentials.get_frozen_credentials()
        return Keys(frozen.access_key, frozen.secret_key, frozen.token)


@asynccontextmanager
async def opened(
    *,
    endpoint: str | None,
    region: str | None,
    access_key: str | None,
    secret_key: Secret | None,
    session_token: Secret | None,
    addressing: str,
    flavour: str,
    tls: Tls | None,
) -> AsyncIterator[Store]:
    """A store to ask; nothing is sent yet, unless AWS' chain has to ask for keys. Raises Denied when there are none."""
    session = _session(
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key.get_secret_value() if secret_key else None,
        aws_session_token=session_token.get_secret_value() if session_token else None,
        region_name=region,
    )
    credentials: Any = await session.get_credentials()  # type: ignore[misc]  # the stubs forget that it is async
    if credentials is None:
        raise Denied("no keys: give access_key and secret_key, or make AWS' own chain find some")
    in_s3: Any = {"signature_version": "s3v4", "s3": {"addressing_style": addressing}}
    signed_for = region or session.region_name or ANY_REGION
    async with session.client(
        "s3", endpoint_url=endpoint, region_name=signed_for, config=_config(tls, **in_s3)
    ) as client:
        client.meta.events.register("before-parse.s3.ListObjectsV2", read_quickly)
        where = urlsplit(client.meta.endpoint_url)
        known = _flavour(where.hostname or "") if flavour == "auto" else flavour
        yield Store(
            client, session, credentials, _config(tls), f"{where.scheme}://{where.netloc}", signed_for, known, tls
        )


def _config(tls: Tls | None, **more: Any) -> AioConfig:
    transport: Any = partial(Wire, tls=tls)
    return AioConfig(http_session_cls=transport, retries={"total_max_attempts": 1}, user_agent="stackprobe", **more)


def _flavour(host: str) -> str:
    return "aws" if host.endswith((".amazonaws.com", ".amazonaws.com.cn")) else ""


def _session(**login: str | None) -> aioboto3.Session:
    session = aiobotocore.session.get_session()
    session.register_component("data_loader", _loader())
    return aioboto3.Session(botocore_session=session, **login)


@cache
def _loader() -> Loader:
    """botocore's descriptions of AWS' APIs: reading them costs 100 ms, so all checks share them."""
    return create_loader()
