"""Debian's blackbox_exporter, asked what a check of ours is asked, and what can be compared of the two answers."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from probe.check import Check
from probe.demo.process import Process, accepts, free_port
from probe.exchange import Tls
from probe.kinds.http import Http
from probe.kinds.tcp import Tcp
from probe.kinds.tcp.dialogue import Turn
from probe.model import Result
from tests.fault_table import dead_dns
from tests.harness import run

NEWER = {"probe_tls_cipher_info"}
"""Families of newer versions than Debian's 0.23."""

MEASURED = {"probe_http_duration_seconds", "probe_dns_lookup_time_seconds"}
"""Times, which differ from run to run; here it counts whether they are 0."""

Series = dict[tuple[str, str], float]
"""Values by metric and the label that tells series of a family apart."""


class Question(NamedTuple):
    """What blackbox_exporter is asked: its module's settings, as its config file has them, and the place."""

    prober: str
    settings: dict[str, Any]
    place: str
    timeout: float


class Blackbox:
    """The exporter. Its config holds the one module of the last question."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "blackbox.yml"
        self._config.write_text("modules: {}")
        listen = f"--web.listen-address=127.0.0.1:{self.port}"
        command = ["prometheus-blackbox-exporter", f"--config.file={self._config}", listen]
        self._process = Process(command, log=folder / "blackbox.log")

    async def start(self) -> None:
        await self._process.start(lambda: accepts(self.port))

    async def stop(self) -> None:
        await self._process.stop()

    async def beside(self, check: Check) -> Series:
        """What it says of what the check asks."""
        prober, settings, place, timeout = question_of(check)
        module = {"prober": prober, "timeout": f"{timeout}s", prober: {"preferred_ip_protocol": "ip4", **settings}}
        self._config.write_text(json.dumps({"modules": {"m": module}}))
        async with aiohttp.ClientSession(f"http://127.0.0.1:{self.port}", raise_for_status=True) as session:
            async with session.post("/-/reload"):
                pass
            async with session.get("/probe", params={"module": "m", "target": place}) as answer:
                said = await answer.text()
        return {
            (sample.name, _told_apart(sample.labels)): sample.value
            for family in text_string_to_metric_families(said)
            for sample in family.samples
            if sample.name != "probe_duration_seconds"
        }


def ours(result: Result) -> Series:
    """A result as blackbox_exporter would tell it."""
    said = {
        (sample.metric.name, _told_apart(dict(zip(sample.metric.labels, sample.labels, strict=True)))): sample.value
        for sample in result.samples
        if sample.metric.name not in NEWER
    }
    return {**said, ("probe_success", ""): float(result.ok)}


def differing(one: Series, other: Series) -> set[str]:
    """The series that only one of them has, or that have another value."""
    one, other = _timeless(one), _timeless(other)
    return {
        "".join([name, label and f"{{{label}}}"])
        for name, label in one.keys() | other.keys()
        if one.get((name, label)) != other.get((name, label))
    }


def question_of(check: Check) -> Question:
    """The same question in blackbox_exporter's words."""
    if isinstance(check, Http):
        return Question("http", _http(check), check.url, check.timeout)
    assert isinstance(check, Tcp)
    from_start = check.tls is not False and not any(turn.starttls for turn in check.dialogue)
    settings = {"query_response": [_turn(turn) for turn in check.dialogue], "tls": from_start, **_trusting(check.tls)}
    return Question("tcp", settings, check.address, check.timeout)


def _turn(turn: Turn) -> dict[str, Any]:
    said = {"send": turn.send, "expect": turn.expect and turn.expect.pattern, "starttls": turn.starttls or None}
    return {name: value for name, value in said.items() if value is not None}


def _http(check: Http) -> dict[str, Any]:
    headers = {name: value.get_secret_value() for name, value in check.headers.items()}
    body = check.expect.body
    settings: dict[str, Any] = {
        "method": check.method,
        "headers": headers,
        "body": check.body,
        "follow_redirects": check.redirects,
        "compression": headers.get("Accept-Encoding"),
        "valid_status_codes": [int(status) for status in check.expect.status if status != "2xx"],
        "fail_if_body_not_matches_regexp": [re.escape(text) for text in body.contains]
        + [pattern.pattern for pattern in body.matches],
        "fail_if_body_matches_regexp": [re.escape(text) for text in body.lacks],
        "fail_if_header_not_matches": [
            {"header": name, "regexp": pattern.pattern} for name, pattern in check.expect.headers.items()
        ],
        **_trusting(check.tls),
    }
    if check.basic:
        password = check.basic.password.get_secret_value()
        settings["basic_auth"] = {"username": check.basic.username, "password": password}
    if check.bearer:
        settings["bearer_token"] = check.bearer.get_secret_value()
    return {name: value for name, value in settings.items() if value not in (None, [], {})}


def _trusting(tls: Tls | bool) -> dict[str, Any]:
    if not isinstance(tls, Tls):
        return {}
    files = {"ca_file": tls.ca, "server_name": tls.server_name, "insecure_skip_verify": tls.insecure or None}
    return {"tls_config": {name: value for name, value in files.items() if value is not None}}


def _timeless(series: Series) -> Series:
    return {key: float(value > 0) if key[0] in MEASURED else value for key, value in series.items()}


def _told_apart(labels: dict[str, str]) -> str:
    """The label that tells series of a family apart; of a certificate its fingerprint."""
    return labels.get("fingerprint_sha256") or labels.get("phase") or labels.get("version") or ""


async def _beside_dead_dns(folder: Path) -> list[tuple[str, set[str]]]:
    """By kind, what differs where a name has no answer."""
    blackbox, asked = Blackbox(folder), f"{dead_dns.NAME}:4321"
    await blackbox.start()
    try:
        checks = [Http(name="a", url=f"http://{asked}/", timeout="1s"), Tcp(name="b", address=asked, timeout="1s")]
        return [(check.kind, differing(ours(await run(check)), await blackbox.beside(check))) for check in checks]
    finally:
        await blackbox.stop()


if __name__ == "__main__":
    with dead_dns.silent():
        print(asyncio.run(_beside_dead_dns(Path(sys.argv[1]))))  # noqa: T201  # what the test reads
